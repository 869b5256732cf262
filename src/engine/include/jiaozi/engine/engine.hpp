// The only writer. A command is journaled and synced first, then applied to the ledger, then answered; recovery is
// replay of the journal. Commands that wait together share one write and one sync (group commit).
//
// Threading: every public member may be called from any thread. One thread writes the journal; another applies what is
// durable to the ledger while the next entry is being written (a small group the writer applies itself, when the other
// is idle). Lookups share a lock with applying. Callbacks given to submit run on whichever of the two applies, one at a
// time and in sequence order, and must not block: they delay every later commit.
// Lifetime: the clock, and the disk if one is given, must outlive the engine. Subscriptions must be destroyed first.
// Errors: see each member. The bytes on disk are specified in docs/formats/journal.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/duration_histogram.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/command.hpp>
#include <jiaozi/engine/prune.hpp>
#include <jiaozi/engine/snapshot.hpp>
#include <jiaozi/engine/subscription.hpp>
#include <jiaozi/ledger/invariants.hpp>
#include <jiaozi/ledger/ledger.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::engine {

// `stopped` is final for this process: a failed write or sync leaves the end of the journal unknown, so no more writes
// are taken; lookups and feeds go on. Restarting the program finds out what is on disk.
struct Health {
    enum class State : std::uint8_t { running, stopped };
    State state = State::running;
    std::string cause;  // empty while running
};

struct Options {
    std::filesystem::path directory;
    std::size_t max_queue = 65536;                                 // commands waiting; more are refused
    std::size_t max_queue_bytes = std::size_t{256} * 1024 * 1024;  // their encoded size; more is refused
    std::size_t max_entry_bytes = std::size_t{768} * 1024;         // a group commit closes when it reaches this size
    std::uint64_t segment_bytes = std::uint64_t{64} * 1024 * 1024;
    std::size_t feed_memory_bytes = std::size_t{32} * 1024 * 1024;  // recent commands kept for live feeds
    // The newest entries as they are in the journal, kept so that their transfers are looked up without the disk; some
    // 30 bytes a transfer in full batches.
    std::size_t recent_bytes = std::size_t{64} * 1024 * 1024;
    Duration tick = milliseconds(20);  // how often the clock is read while holds may expire
    storage::Disk* disk = nullptr;     // the real one unless a test breaks it
    bool segments_ahead = true;        // make journal segments on a thread of their own, before they are needed
    // A snapshot is made, on a thread of its own at low priority, each time so much more of the journal is written; 0:
    // only when make_snapshot is called. While one is made the ledger is in memory twice.
    std::uint64_t snapshot_every_bytes = std::uint64_t{1} << 30;
    // Where older segments of the journal go when a snapshot was made by itself (prune.hpp); empty: they stay.
    std::filesystem::path archive = {};
    bool use_snapshots = true;  // open from the newest one; without, the whole journal is read, checked and replayed
    // Changes of accounts with history that are kept in memory before they are written (docs/formats/history.md), and
    // whether that is done on a thread of its own at low priority.
    std::size_t history_tail_rows = std::size_t{1} << 17;
    bool history_thread = true;
};

// What the engine has done since it was opened.
struct Counters {
    std::uint64_t commands = 0;
    std::uint64_t entries = 0;  // group commits: one write and one sync each
    std::uint64_t snapshots = 0;
    std::uint64_t snapshots_failed = 0;
    std::uint64_t history_runs = 0;  // files of account histories: written, or joined from others
    DurationHistogram writes;        // of entries, until durable: what the disk alone took
};

// How it was opened.
struct Opening {
    std::uint64_t snapshot_sequence = 0;  // of the snapshot it began with; zero: with none
    std::uint64_t snapshots_skipped = 0;  // damaged, or not of this journal
    std::uint64_t entries_replayed = 0;
};

class Engine {
  public:
    // The name the API contract uses; the struct stands outside so that it can be a default argument.
    using Options = engine::Options;
    using Done = std::move_only_function<void(Result<Outcome>)>;

    // Takes the directory (created if missing; its parent must exist) and replays its journal: what came after the
    // newest snapshot that is whole and belongs to it, or all of it. conflict: another process has it open. invalid:
    // written by another version. corrupt: the journal, or its replay, does not check. io: the operating system said
    // no.
    static Result<std::unique_ptr<Engine>> open(Options options, const Clock& clock);

    // Commits what is queued, then closes.
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // Returns at once. `done` gets the outcome on an engine thread after the entry is durable and applied; or, on the
    // calling thread before submit returns, an Error: too_large (limits of command.hpp), unavailable (queue full,
    // closing, stopped). On an engine thread: timeout, when the journal failed while writing this command: whether it
    // is durable is known only after a restart; asking again with the same ids is safe.
    void submit(Command command, Done done);

    // submit and wait. Never from a callback of submit (it would wait for itself: a bug, asserted).
    Result<Outcome> execute(Command command);

    // Lookups see every command that has been answered. A transfer may have to be read from the journal, which neither
    // waits for writing nor holds it up. Errors corrupt, io: the part of the journal that it is in cannot be read, and
    // so it is not known whether there is such a transfer; the message names the place.
    std::optional<ledger::Account> account(uint128 id) const;
    Result<std::optional<ledger::Transfer>> transfer(uint128 id) const;
    Result<ledger::PendingStatus> pending_status(uint128 id) const;

    // Balance changes of an account that keeps history, a page at a time (limit 1 to 8,190).
    // not_found: no such account. invalid: it keeps no history, or the limit is out of range. corrupt, io: a part of
    // the histories, or a transfer in the journal, cannot be read; the message says what to do. unavailable: histories
    // could not be written, and are given up until the next start.
    Result<ledger::StatementPage> statement(uint128 account_id, const ledger::StatementQuery& query) const;
    // The balances in force at a moment (changes at that moment included): the last change, none before the first.
    // Errors as above.
    Result<std::optional<ledger::BalanceChange>> balance_at(uint128 account_id, Timestamp when) const;

    // Replays the committed commands with sequence > after_sequence from the journal, then stays live.
    std::unique_ptr<Subscription> subscribe(std::uint64_t after_sequence, FeedHandler handler);

    std::uint64_t last_sequence() const;  // the last command applied
    Health health() const;
    Counters counters() const;
    const Opening& opening() const;
    // Makes a snapshot of what is durable now, on the calling thread, while writing goes on; returns when it is
    // durable. It replays what the journal got since the last one, which may take long and as much memory again as the
    // ledger has. not_found: the journal is empty. unavailable: the engine is being closed. corrupt: the journal does
    // not check or replay. io. An Error changes nothing for the engine, nor for snapshots that there are.
    Result<SnapshotMade> make_snapshot();
    // Moves what lies behind the older of the good snapshots to an archive: prune.hpp. On the calling thread, which may
    // take as long as reading the snapshots; writing goes on.
    Result<PruneDone> prune(const std::filesystem::path& archive);
    // Equal states have equal digests: replay is checked with it. Walks all state; for tests and audits.
    std::uint64_t state_digest() const;
    // Runs the ledger's invariant checkers over all state, and holds the end of each history against the account
    // (histories_end_in_the_balances); empty when all is well. For tests and audits: writing waits meanwhile.
    std::vector<ledger::Violation> check_invariants() const;

  private:
    class Impl;
    explicit Engine(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Reads one committed command back through a feed; waits for it. Errors: timeout; corrupt when the journal cannot be
// read. Not from a feed's handler.
Result<Committed> read_command(Engine& engine, std::uint64_t sequence, Duration patience);

}  // namespace jiaozi::engine
