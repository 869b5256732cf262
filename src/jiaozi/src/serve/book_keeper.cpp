#include "book_keeper.hpp"

#include <chrono>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include <jiaozi/base/log.hpp>
#include <jiaozi/payments/known_ids.hpp>
#include <jiaozi/settlement/book_snapshot.hpp>

namespace jiaozi::serve {
namespace {

constexpr int low_priority = 10;  // below everything that answers somebody
constexpr std::chrono::seconds look_every(1);
constexpr int looks_after_failure = 10;

}  // namespace

Result<std::unique_ptr<BookKeeper>> BookKeeper::start(engine::Engine& engine, registry::Store& store,
                                                      std::filesystem::path directory) {
    std::unique_ptr<BookKeeper> keeper(new BookKeeper(engine, std::move(directory)));
    JZ_TRY(keeper->session_, store.session(registry::Durability::projection));
    keeper->thread_ = std::thread([raw = keeper.get()] { raw->run(); });
    return keeper;
}

BookKeeper::~BookKeeper() {
    {
        const std::lock_guard guard(mutex_);
        stopping_ = true;
    }
    stopped_.notify_all();
    if (thread_.joinable()) thread_.join();
}

// The first look is at once: the newest snapshot may have none.
void BookKeeper::run() {
    // Of this thread only; where that is not allowed it works at the usual priority.
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), low_priority));
    std::uint64_t seen = UINT64_MAX;
    int waits = 0;
    for (;;) {
        const std::uint64_t snapshots = engine_.counters().snapshots;
        if (snapshots != seen && waits == 0) {
            const bool kept = keep_all();
            seen = kept ? snapshots : UINT64_MAX;
            waits = kept ? 0 : looks_after_failure;
        } else if (waits > 0) {
            --waits;
        }
        std::unique_lock lock(mutex_);
        if (stopped_.wait_for(lock, look_every, [this] { return stopping_.load(); })) return;
    }
}

// False: to be tried again.
bool BookKeeper::keep_all() {
    bool all = true;
    const auto tell = [&](std::string_view what, const Error& error) {
        all = false;
        if (stopping_) return;
        // The projection is a little behind whenever a snapshot has just been made.
        const auto level = error.kind() == ErrorKind::unavailable ? log::Level::debug : log::Level::error;
        log::write(level, "a book is not kept; it is tried again, and the next start reads more until then",
                   {{"book", std::string(what)}, {"cause", error.to_string()}});
    };
    const auto book = settlement::keep_book(engine_, directory_, stopping_);
    if (!book.ok()) tell(settlement::book_service, book.error());
    const auto ids = payments::keep_known_ids(*session_, directory_, stopping_);
    if (!ids.ok()) tell(payments::ids_service, ids.error());
    return all;
}

}  // namespace jiaozi::serve
