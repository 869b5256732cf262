#include "snapshotter.hpp"

#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include <jiaozi/base/log.hpp>
#include <jiaozi/storage/archive.hpp>

#include "prune.hpp"
#include "recovery.hpp"
#include "snapshot.hpp"

namespace jiaozi::engine {

namespace {

// Below everything that answers somebody.
constexpr int low_priority = 10;

Error nothing_yet() {
    return Error(ErrorKind::not_found, "the journal is empty; there is nothing to make a snapshot of");
}

}  // namespace

void Snapshotter::start(const storage::Journal& journal, std::uint64_t every_bytes, std::filesystem::path archive,
                        std::uint64_t written_before) {
    every_bytes_ = every_bytes;
    archive_ = std::move(archive);
    if (every_bytes == 0) return;
    thread_ = std::thread([this, &journal] { run(journal); });
    written(written_before);
}

void Snapshotter::written(std::uint64_t bytes) {
    since_last_ += bytes;
    if (every_bytes_ == 0 || since_last_ < every_bytes_) return;
    since_last_ = 0;
    {
        const std::lock_guard guard(mutex_);
        wanted_ = true;
    }
    changed_.notify_one();
}

void Snapshotter::stop() {
    {
        const std::lock_guard guard(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Snapshotter::run(const storage::Journal& journal) {
    // Of this thread only; where that is not allowed it makes them at the usual priority.
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), low_priority));
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return wanted_ || stopping_; });
            if (stopping_) return;
            wanted_ = false;
        }
        const auto made = make(journal);
        if (stopping_) return;
        if (!made.ok()) {
            log::error("no snapshot could be made; the next is tried when as much again is written",
                       {{"cause", made.error().to_string()}});
        } else if (const auto pruned = archive_.empty() ? Result<PruneDone>(PruneDone{}) : prune(archive_);
                   !pruned.ok() && !stopping_) {
            log::error("the journal was not pruned, and is whole; it is tried again after the next snapshot",
                       {{"cause", pruned.error().to_string()}});
        }
    }
}

Result<SnapshotMade> Snapshotter::make(const storage::Journal& journal) {
    const std::lock_guard guard(making_);
    const auto attempt = [&]() -> Result<SnapshotMade> {
        // What is written from now on is left to the next: else a busy writer would never let this end.
        const std::uint64_t end = journal.durable_entry();
        if (end == 0) return nothing_yet();
        Replica replica(disk_, directory_, &histories_);
        Replay replay(replica.derived(), Replay::Threads::one);
        SnapshotMade made;
        storage::KnownEntry last;
        storage::Position from;
        std::uint64_t skipped = 0;
        if (auto base = load_newest(disk_, directory_, replica.derived(), skipped)) {
            last = base->last;
            from = last.position;
            made.sequence = made.base_sequence = base->tip.sequence;
            replay.start_at(std::move(base->tip));
        }
        storage::Reader reader = journal.read(from);
        // The base's last entry is read again, so that the reader holds the next one against its hash.
        if (made.base_sequence != 0) JZ_CHECK(reader.next());
        while (reader.position().entry <= end) {
            if (stopping_) return Error(ErrorKind::unavailable, "the engine is closing");
            JZ_TRY(const auto view, reader.next());
            if (!view) return Error(ErrorKind::internal, "a durable entry is not in the journal");
            JZ_CHECK(replay.add(*view));
            last = reader.last();
            ++made.entries_replayed;
        }
        if (made.entries_replayed == 0) return made;
        JZ_TRY(Tip tip, replay.finish());
        made.sequence = tip.sequence;
        JZ_TRY(made.bytes, save_snapshot(disk_, directory_, replica.derived(), replica.histories.tail(),
                                         {std::move(tip), last}, made.base_sequence, stopping_));
        return made;
    };
    auto made = attempt();
    if (made.ok() && made->bytes != 0) {
        made_.fetch_add(1, std::memory_order_relaxed);
        log::info("made a snapshot", {{"sequence", std::to_string(made->sequence)},
                                      {"entries", std::to_string(made->entries_replayed)},
                                      {"bytes", std::to_string(made->bytes)}});
    } else if (!made.ok()) {
        failed_.fetch_add(1, std::memory_order_relaxed);
    }
    return made;
}

Result<PruneDone> Snapshotter::prune(const std::filesystem::path& archive) {
    const std::lock_guard guard(making_);  // else a snapshot that it counts on could be removed meanwhile
    return prune_behind_snapshots(disk_, directory_, archive, stopping_);
}

Result<SnapshotMade> make_snapshot(const std::filesystem::path& directory, storage::Disk& below) {
    storage::ArchivedDisk disk(below, directory / "journal");
    JZ_CHECK(prepare_directory(disk, directory));
    HistoryStore histories(disk, directory, {});
    EventLog events(disk, directory / "journal");
    ledger::Ledger ledger(events, &histories);
    FeedHub hub(0);
    const Derived derived{ledger, events, hub, histories};
    JZ_CHECK(histories.open());
    Replay replay(derived, Replay::Threads::two);
    SnapshotMade made;
    storage::JournalOptions options;
    options.directory = directory / "journal";
    options.disk = &disk;
    options.segments_ahead = false;
    const auto take = [&](const storage::EntryView& entry) {
        ++made.entries_replayed;
        return replay.add(entry);
    };
    const auto find_start = [&]() -> std::optional<storage::KnownEntry> {
        std::uint64_t skipped = 0;
        auto base = load_newest(disk, directory, derived, skipped);
        if (!base) return std::nullopt;
        made.base_sequence = base->tip.sequence;
        replay.start_at(std::move(base->tip));
        return base->last;
    };
    JZ_TRY(const auto journal, storage::Journal::open(options, take, find_start));
    JZ_TRY(Tip tip, replay.finish());
    if (!journal->last_at_open()) return nothing_yet();
    made.sequence = tip.sequence;
    if (made.entries_replayed == 0) return made;
    JZ_CHECK(histories.start());
    const std::atomic<bool> never{false};
    JZ_TRY(made.bytes, save_snapshot(disk, directory, derived, histories.tail(),
                                     {std::move(tip), *journal->last_at_open()}, made.base_sequence, never));
    return made;
}

}  // namespace jiaozi::engine
