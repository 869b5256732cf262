#include "subjects.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <jiaozi/proof/tiles.hpp>
#include <jiaozi/storage/whole_file.hpp>

#include "integers.hpp"

namespace jiaozi::proof {
namespace {

constexpr std::string_view magic = "JZSUBJ1\n";
constexpr std::size_t header_bytes = 16;
constexpr std::size_t row_bytes = 24;

}  // namespace

void Subjects::add(uint128 subject, std::uint64_t sequence) {
    const std::lock_guard guard(mutex_);
    const Row row{subject, sequence};
    if (rows_.empty() || rows_.back() != row) rows_.push_back(row);
}

std::filesystem::path Subjects::path_of(std::uint64_t group) const {
    return directory_ / "subjects" / tile_number(group);
}

Result<std::filesystem::path> Subjects::end_group() {
    const std::lock_guard guard(mutex_);
    std::ranges::sort(rows_);
    const auto [first, last] = std::ranges::unique(rows_);
    rows_.erase(first, last);
    Bytes bytes = to_bytes(as_bytes(magic));
    bytes.reserve(header_bytes + rows_.size() * row_bytes);
    put_little(bytes, static_cast<std::uint64_t>(rows_.size()));
    for (const Row& row : rows_) {
        put_little(bytes, row.subject);
        put_little(bytes, row.sequence);
    }
    auto path = path_of(groups_);
    JZ_CHECK(storage::write_whole(disk_, directory_, path, bytes, storage::Durable::later));
    rows_.clear();
    ++groups_;
    return path;
}

Result<std::vector<std::uint64_t>> Subjects::find(uint128 subject, std::size_t max) const {
    std::vector<std::uint64_t> newest;
    std::uint64_t groups = 0;
    {
        const std::lock_guard guard(mutex_);
        groups = groups_;
        for (const Row& row : rows_) {
            if (row.subject == subject) newest.push_back(row.sequence);
        }
    }
    std::ranges::sort(newest, std::greater{});
    for (std::uint64_t group = groups; group-- > 0 && newest.size() < max;) JZ_CHECK(find_in(group, subject, newest));
    const auto repeated = std::ranges::unique(newest);
    newest.erase(repeated.begin(), repeated.end());
    if (newest.size() > max) newest.resize(max);
    std::ranges::reverse(newest);
    return newest;
}

// Binary search in the file; appends newest first.
Result<> Subjects::find_in(std::uint64_t group, uint128 subject, std::vector<std::uint64_t>& out) const {
    const auto path = path_of(group);
    const auto damaged = [&] {
        return Error(ErrorKind::corrupt, path.string() + " is damaged; remove the folder " + directory_.string() +
                                             ", and it is made again from the journal");
    };
    auto opened = disk_.open(path, storage::Disk::Mode::read);
    if (!opened.ok()) return damaged();
    const auto& file = *opened;
    std::array<std::uint8_t, header_bytes> header{};
    JZ_TRY(const std::size_t got, file->read_at(0, header));
    JZ_TRY(const std::uint64_t size, file->size());
    std::size_t at = magic.size();
    const std::uint64_t count = got == header.size() ? take_little<std::uint64_t>(header, at) : 0;
    if (got != header.size() || !as_text(header).starts_with(magic) || size != header_bytes + count * row_bytes)
        return damaged();
    const auto row = [&](std::uint64_t index) -> Result<Row> {
        std::array<std::uint8_t, row_bytes> bytes{};
        JZ_TRY(const std::size_t read, file->read_at(header_bytes + index * row_bytes, bytes));
        if (read != bytes.size()) return damaged();
        std::size_t from = 0;
        const auto named = take_little<uint128>(bytes, from);
        return Row{named, take_little<std::uint64_t>(bytes, from)};
    };
    std::uint64_t low = 0;
    std::uint64_t high = count;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        JZ_TRY(const Row found, row(middle));
        if (found.subject < subject) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    std::vector<std::uint64_t> here;
    for (; low < count; ++low) {
        JZ_TRY(const Row found, row(low));
        if (found.subject != subject) break;
        here.push_back(found.sequence);
    }
    out.insert(out.end(), here.rbegin(), here.rend());
    return {};
}

}  // namespace jiaozi::proof
