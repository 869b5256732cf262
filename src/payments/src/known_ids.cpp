#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <jiaozi/base/log.hpp>
#include <jiaozi/payments/known_ids.hpp>
#include <jiaozi/payments/projector.hpp>
#include <jiaozi/registry/payments.hpp>

namespace jiaozi::payments {
namespace {

constexpr std::size_t block_ids = 8'192;

// The newest that are kept, and of when; none of them when there is no good file.
struct Newest {
    KnownIds ids;
    engine::Books::Moment moment;
};

Newest newest_ids(const engine::Books& books) {
    Newest newest;
    const auto moment = books.read_newest([&](engine::BookSource& source, const engine::Books::Moment&) {
        newest.ids.clear();
        return load_ids(source, newest.ids);
    });
    if (!moment) return {};
    newest.moment = *moment;
    return newest;
}

Result<> save_ids(engine::BookSink& sink, const KnownIds& ids) {
    std::vector<std::uint64_t> sorted(ids.begin(), ids.end());
    std::ranges::sort(sorted);
    JZ_CHECK(sink.begin(ids_part));
    return sink.write({reinterpret_cast<const std::uint8_t*>(sorted.data()), sorted.size() * sizeof sorted[0]});
}

}  // namespace

Result<> load_ids(engine::BookSource& source, KnownIds& ids) {
    JZ_TRY(const std::uint64_t bytes, source.begin(ids_part));
    if (bytes % sizeof(std::uint64_t) != 0) return Error(ErrorKind::corrupt, "ids of an impossible size");
    std::uint64_t left = bytes / sizeof(std::uint64_t);
    ids.reserve(left);
    std::vector<std::uint64_t> block;
    std::optional<std::uint64_t> last;
    for (; left > 0; left -= block.size()) {
        block.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, block_ids)));
        JZ_CHECK(source.read({reinterpret_cast<std::uint8_t*>(block.data()), block.size() * sizeof block[0]}));
        for (const std::uint64_t id : block) {
            if (last && id <= *last) return Error(ErrorKind::corrupt, "ids out of order");
            ids.insert(id);
            last = id;
        }
    }
    return {};
}

Result<KnownIds> known_ids(registry::Session& session, const std::filesystem::path& directory) {
    Newest newest;
    if (!directory.empty()) {
        newest = newest_ids(engine::Books(directory, ids_service, ids_version));
        if (newest.moment.sequence == 0) log::info("no ids of payments are kept; all are read from the registry");
    }
    JZ_CHECK(registry::each_payment_id(session, Timestamp{newest.moment.timestamp},
                                       [&](PaymentId id) { newest.ids.insert(low64(id.value)); }));
    return std::move(newest.ids);
}

Result<IdsKept> keep_known_ids(registry::Session& session, const std::filesystem::path& directory,
                               const std::atomic<bool>& cancelled) {
    const engine::Books books(directory, ids_service, ids_version);
    JZ_TRY(const auto moment, books.newest_moment());
    if (!moment) return IdsKept{};
    JZ_TRY(const std::uint64_t projected, registry::projection_sequence(session, projection_name));
    if (projected < moment->sequence) {
        return Error(ErrorKind::unavailable, "the projection of payments is at command " + std::to_string(projected) +
                                                 ", and the snapshot at " + std::to_string(moment->sequence));
    }
    Newest newest = newest_ids(books);
    if (newest.moment.sequence == moment->sequence) return IdsKept{moment->sequence, 0};
    if (newest.moment.sequence > moment->sequence) newest = {};  // of a snapshot that is there no longer
    // Some may be newer than the moment: ids that are known too early do no harm.
    JZ_CHECK(registry::each_payment_id(session, Timestamp{newest.moment.timestamp},
                                       [&](PaymentId id) { newest.ids.insert(low64(id.value)); }));
    JZ_CHECK(books.keep(
        *moment, newest.moment.sequence, [&](engine::BookSink& sink) { return save_ids(sink, newest.ids); },
        cancelled));
    log::info("kept the ids of payments",
              {{"sequence", std::to_string(moment->sequence)}, {"ids", std::to_string(newest.ids.size())}});
    return IdsKept{moment->sequence, newest.ids.size()};
}

}  // namespace jiaozi::payments
