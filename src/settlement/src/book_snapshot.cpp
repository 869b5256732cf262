#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <jiaozi/base/log.hpp>
#include <jiaozi/settlement/book_snapshot.hpp>

#include "read_commands.hpp"

namespace jiaozi::settlement {

Result<> read_commands(engine::Engine& engine, std::uint64_t after, std::uint64_t last,
                       const std::function<Result<>(const engine::Committed&)>& take,
                       const std::atomic<bool>& cancelled) {
    struct Progress {
        std::mutex mutex;
        std::condition_variable moved;
        bool finished = false;
        std::optional<Error> failure;
    };
    if (after >= last) return {};
    Progress progress;
    const auto subscription = engine.subscribe(after, [&](std::span<const engine::Committed> batch) {
        const std::lock_guard guard(progress.mutex);
        for (const engine::Committed& committed : batch) {
            if (committed.sequence > last || progress.finished) break;
            if (auto taken = take(committed); !taken.ok()) progress.failure = std::move(taken).error();
            progress.finished = progress.failure || committed.sequence == last;
        }
        progress.moved.notify_all();
    });
    std::unique_lock lock(progress.mutex);
    while (!progress.finished) {
        progress.moved.wait_for(lock, std::chrono::milliseconds(100));
        if (auto failure = subscription->failure()) return std::move(*failure).in("read the journal");
        if (cancelled && !progress.finished) {
            progress.finished = true;
            return Error(ErrorKind::unavailable, "the program is ending");
        }
    }
    if (progress.failure) return std::move(*progress.failure);
    return {};
}

BookStart newest_book(const std::filesystem::path& directory, std::uint64_t followed) {
    std::optional<Book> book;
    const engine::Books books(directory, book_service, book_version);
    const auto moment = books.read_newest([&](engine::BookSource& source, const engine::Books::Moment&) -> Result<> {
        JZ_TRY(Book loaded, Book::load(source));
        if (loaded.last_change() > followed) {
            return Error(ErrorKind::invalid, "the registry has not been told of command " +
                                                 std::to_string(loaded.last_change()) + ", which it begins behind");
        }
        book = std::move(loaded);
        return {};
    });
    if (!moment) return {};
    return {std::move(*book), moment->sequence};
}

Result<BookKept> keep_book(engine::Engine& engine, const std::filesystem::path& directory,
                           const std::atomic<bool>& cancelled) {
    const engine::Books books(directory, book_service, book_version);
    JZ_TRY(const auto moment, books.newest_moment());
    if (!moment) return BookKept{};
    JZ_TRY(const std::uint64_t newest, books.newest_kept());
    BookStart start = newest_book(directory, UINT64_MAX);
    BookKept kept{.sequence = moment->sequence, .base_sequence = start.sequence};
    if (start.sequence == moment->sequence) return kept;
    if (start.sequence > moment->sequence) start = {};  // of a snapshot that is there no longer
    kept.base_sequence = start.sequence;
    if (start.sequence == 0 && newest != 0) log::warn("the settlement book is made from the whole journal");
    const auto take = [&](const engine::Committed& committed) -> Result<> {
        JZ_CHECK(start.book.apply(committed));
        static_cast<void>(start.book.take_changes(committed.sequence, committed.timestamp));
        return {};
    };
    JZ_CHECK(read_commands(engine, start.sequence, moment->sequence, take, cancelled));
    JZ_TRY(
        kept.bytes,
        books.keep(*moment, start.sequence, [&](engine::BookSink& sink) { return start.book.save(sink); }, cancelled));
    log::info("kept the settlement book", {{"sequence", std::to_string(kept.sequence)},
                                           {"base", std::to_string(kept.base_sequence)},
                                           {"bytes", std::to_string(kept.bytes)}});
    return kept;
}

}  // namespace jiaozi::settlement
