// Histories of accounts: the latest changes in memory, the others in runs on disk (history_run.hpp,
// docs/formats/history.md). Derived from the journal: what is missing here is replayed.
//
// Threading: take and entry_done by whoever applies; read, tail and reach by any thread; open, start and the destructor
// by the owner. Runs are written and merged by a thread of its own at low priority, or by entry_done and start.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <jiaozi/base/result.hpp>
#include <jiaozi/ledger/history.hpp>
#include <jiaozi/storage/disk.hpp>
#include <jiaozi/storage/journal.hpp>

#include "history_merge.hpp"
#include "history_run.hpp"

namespace jiaozi::engine {

inline constexpr const char* histories_folder = "histories";

// The changes that runs do not have, in order, and how far the runs reach.
inline constexpr std::size_t max_tail_rows = std::size_t{1} << 22;  // of a snapshot
struct HistoryTail {
    std::uint64_t reach = 0;
    std::vector<ledger::HistoryRow> rows;
    bool whole = true;  // not: there were more than a snapshot may hold
};

// What a replay tells of histories.
class HistoryKeeper : public ledger::HistorySink {
  public:
    // An entry is applied, whole. All later changes have at least the position `end`.
    virtual void entry_done(const storage::Position& entry, std::uint64_t end) = 0;
    // Before any change: those that a snapshot has. Error corrupt if the runs do not reach as far as its do.
    virtual Result<> restore(const HistoryTail& tail) = 0;
};

// Changes in memory, in the order in which they happened, found by account.
class HistoryRows {
  public:
    void add(const ledger::HistoryRow& row);
    const std::vector<ledger::HistoryRow>& rows() const noexcept { return rows_; }
    // As HistoryRun::read.
    void read(std::uint64_t account, std::uint64_t from, std::uint64_t end, std::size_t limit, bool reversed,
              std::vector<ledger::HistoryRow>& rows) const;

  private:
    static constexpr std::uint32_t none = UINT32_MAX;
    std::vector<ledger::HistoryRow> rows_;
    std::vector<std::uint32_t> before_;  // the account's row before each
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> last_;
};

struct HistoryOptions {
    std::size_t tail_rows = std::size_t{1} << 17;
    bool thread = true;
};

class HistoryStore final : public HistoryKeeper {
  public:
    // `disk` outlives this; `directory` is the data directory.
    HistoryStore(storage::Disk& disk, const std::filesystem::path& directory, HistoryOptions options);
    ~HistoryStore() override;
    HistoryStore(const HistoryStore&) = delete;
    HistoryStore& operator=(const HistoryStore&) = delete;

    // Finds the runs that belong to the journal. Changes nothing. Error io if the directory cannot be read.
    Result<> open();
    // What was replayed is right: runs may take the place of others, and what is of no use is removed. Without it what
    // was written since open is removed again.
    Result<> start();

    void take(std::span<const ledger::HistoryRow> rows) override;
    void entry_done(const storage::Position& entry, std::uint64_t end) override;
    Result<> restore(const HistoryTail& tail) override;

    // Every change before this position is in a run, durably.
    std::uint64_t reach() const noexcept { return reach_.load(std::memory_order_acquire); }
    HistoryTail tail() const;
    std::uint64_t runs_written() const noexcept { return runs_written_.load(std::memory_order_relaxed); }

    // Changes of the account with from <= position < end, at most `limit`, oldest first or newest first. Error corrupt:
    // a run is damaged; unavailable: histories could not be written, and were given up until the next start.
    Result<std::vector<ledger::HistoryRow>> read(std::uint64_t account, std::uint64_t from, std::uint64_t end,
                                                 std::size_t limit, bool reversed) const;

  private:
    struct Sealed {
        HistoryRows changes;
        std::uint64_t end = 0;
        storage::Position entry;
    };
    static constexpr std::size_t max_sealed = 8;
    static constexpr std::size_t merge_width = 4;
    static constexpr std::size_t merge_step_rows = std::size_t{1} << 15;

    Result<std::vector<RunPtr>> find_runs();
    bool belongs(const HistoryRun& run) const;
    void run();
    bool work(bool merging);
    void write_sealed(const std::shared_ptr<const Sealed>& sealed);
    Result<RunPtr> write_run(const Sealed& sealed);
    void merge_some();
    std::optional<std::size_t> begin_merge();
    Result<> merge_step(std::size_t level);
    void adopt(const RunMerge& merge, const RunPtr& merged);
    void failed(const char* what, const Error& cause);
    void give_up();  // with mutex_
    std::size_t level_of(const HistoryRun& run) const;

    storage::Disk& disk_;
    const std::filesystem::path journal_;
    const std::filesystem::path directory_;
    const HistoryOptions options_;
    std::atomic<std::uint64_t> reach_{0};
    std::atomic<std::uint64_t> runs_written_{0};

    std::mutex working_;                      // whoever writes; guards from here
    std::map<std::size_t, RunMerge> merges_;  // by level
    bool folder_made_ = false;
    bool started_ = false;
    std::vector<std::string> written_;  // since open; to here

    mutable std::mutex mutex_;  // guards from here
    std::condition_variable changed_;
    std::vector<RunPtr> runs_;  // the oldest first
    std::deque<std::shared_ptr<const Sealed>> sealed_;
    HistoryRows changes_;
    std::optional<Error> failure_;  // why the last writing failed,
    bool given_up_ = false;         // and was given up
    bool work_waits_ = false;
    bool stopping_ = false;  // to here

    std::thread thread_;  // last
};

// The tail of a replay beside the engine's, for a snapshot. One thread's.
class SnapshotHistories final : public HistoryKeeper {
  public:
    // Without a store nothing is kept.
    explicit SnapshotHistories(const HistoryStore* store) : store_(store) {}

    void take(std::span<const ledger::HistoryRow> rows) override;
    void entry_done(const storage::Position& entry, std::uint64_t end) override;
    Result<> restore(const HistoryTail& tail) override;
    HistoryTail tail() const;

  private:
    const HistoryStore* store_;
    std::deque<ledger::HistoryRow> rows_;
    bool whole_ = true;
};

}  // namespace jiaozi::engine
