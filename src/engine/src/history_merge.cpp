#include "history_merge.hpp"

#include <algorithm>
#include <utility>

namespace jiaozi::engine {

namespace {
constexpr std::size_t chunks_at_once = 16;
}

Result<RunMerge> RunMerge::begin(storage::Disk& disk, const std::filesystem::path& directory,
                                 std::string_view temporary, std::vector<RunPtr> runs) {
    const RunName name{runs.front()->name().begin, runs.back()->name().end};
    JZ_TRY(auto writer, RunWriter::create(disk, directory, temporary, name));
    RunMerge merge(std::move(runs), std::move(writer));
    for (const RunPtr& run : merge.inputs_) {
        Source source;
        source.run = run.get();
        JZ_CHECK(fill(source));
        merge.sources_.push_back(std::move(source));
    }
    return merge;
}

Result<> RunMerge::fill(Source& source) {
    if (source.at < source.rows.size()) return {};
    source.rows.clear();
    source.at = 0;
    const std::size_t last = std::min(source.run->chunk_count(), source.next_chunk + chunks_at_once);
    if (source.next_chunk == last) return {};
    JZ_CHECK(source.run->read_chunks(source.next_chunk, last, source.rows));
    source.next_chunk = last;
    return {};
}

// The sources are in the order of time, so of one account those of an earlier source come first, all of them.
Result<bool> RunMerge::step(std::size_t rows) {
    while (rows > 0) {
        Source* first = nullptr;
        for (Source& source : sources_) {
            if (source.at == source.rows.size()) continue;
            if (first == nullptr || source.rows[source.at].account < first->rows[first->at].account) first = &source;
        }
        if (first == nullptr) return true;
        const std::uint64_t account = first->rows[first->at].account;
        while (first->at < first->rows.size() && first->rows[first->at].account == account) {
            JZ_CHECK(writer_.add(first->rows[first->at]));
            ++first->at;
            if (rows > 0) --rows;
            JZ_CHECK(fill(*first));
        }
    }
    return false;
}

}  // namespace jiaozi::engine
