// Makes snapshots of a journal that is being written, from the journal alone: it replays into a ledger of its own what
// came since the last one. The writer is not asked for anything and waits for nothing.
//
// Threading: each member says who.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <thread>

#include <jiaozi/engine/prune.hpp>
#include <jiaozi/engine/snapshot.hpp>
#include <jiaozi/storage/archive.hpp>
#include <jiaozi/storage/journal.hpp>

#include "history_store.hpp"

namespace jiaozi::engine {

class Snapshotter {
  public:
    // `histories` outlives this.
    Snapshotter(storage::ArchivedDisk& disk, std::filesystem::path directory, const HistoryStore& histories)
        : disk_(disk), directory_(std::move(directory)), histories_(histories) {}
    ~Snapshotter() { stop(); }

    // Starts a thread that makes one whenever `every_bytes` more of the journal are written, the first time after those
    // in `written_before`, and then prunes the journal, if `archive` is not empty. `journal` outlives this.
    void start(const storage::Journal& journal, std::uint64_t every_bytes, std::filesystem::path archive,
               std::uint64_t written_before);
    // Writer: so many bytes more. Never waits.
    void written(std::uint64_t bytes);
    // Any thread; works on that thread, after one that is being made.
    Result<SnapshotMade> make(const storage::Journal& journal);
    // As above.
    Result<PruneDone> prune(const std::filesystem::path& archive);
    // Owner: one that is being made is given up; no other begins.
    void stop();

    std::uint64_t made() const noexcept { return made_.load(std::memory_order_relaxed); }
    std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

  private:
    void run(const storage::Journal& journal);

    storage::ArchivedDisk& disk_;
    const std::filesystem::path directory_;
    const HistoryStore& histories_;
    std::uint64_t every_bytes_ = 0;  // zero: only when asked
    std::filesystem::path archive_;
    std::uint64_t since_last_ = 0;  // the writer's: bytes since it last asked for one
    std::atomic<std::uint64_t> made_{0}, failed_{0};
    std::atomic<bool> stopping_{false};

    std::mutex making_;
    std::mutex mutex_;  // guards wanted_
    std::condition_variable changed_;
    bool wanted_ = false;
    std::thread thread_;
};

}  // namespace jiaozi::engine
