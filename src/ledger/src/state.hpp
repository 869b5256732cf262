// What the ledger knows, and the only functions that change it. The rules (which changes are right) are in
// account_rules.cpp and transfer_rules.cpp; nothing in here can fail, but for reading an earlier event (see stopped).
//
// While a linked chain is open, every change leaves an Undo record; rolling the chain back applies them newest first.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <jiaozi/base/result.hpp>
#include <jiaozi/ledger/event_source.hpp>
#include <jiaozi/ledger/history.hpp>
#include <jiaozi/ledger/ledger.hpp>
#include <jiaozi/ledger/parts.hpp>
#include <jiaozi/ledger/types.hpp>

#include "bring_in.hpp"
#include "chunked.hpp"
#include "hold_table.hpp"
#include "id_index.hpp"
#include "mix.hpp"
#include "status_table.hpp"

namespace jiaozi::ledger {

inline constexpr std::uint64_t ns_per_s = 1'000'000'000;

// Two cache lines that the processor fetches as a pair.
struct alignas(128) AccountRecord {
    Account account;
};

// Events kept in memory, for a ledger that has no journal behind it.
class MemoryEvents final : public EventSource {
  public:
    bool read(std::uint64_t ordinal, Transfer& event) const override {
        event = events_[ordinal];
        return true;
    }
    void add(const Transfer& event) { events_.push_back(event); }

  private:
    ChunkedArray<Transfer> events_;
};

// What is worked out about an event before its turn comes, while the memory it will touch is brought in.
struct Prepared {
    std::uint64_t id_hash = 0;
    std::uint64_t debit_hash = 0;  // of a post or void: that of the pending transfer's id,
    std::uint64_t credit_hash = 0;
    std::uint64_t candidate = 0;  // and what seems to be its ordinal
    AccountRecord* debit = nullptr;
    AccountRecord* credit = nullptr;
    AccountPlaces places;

    std::uint64_t pending_hash() const noexcept { return debit_hash; }
};

// Where a known transfer id leads. `marked` in the index: the event was refused, and that is remembered.
struct Known {
    std::uint64_t ordinal = 0;
    bool refused = false;
};

class State {
  public:
    State(const EventSource* source, HistorySink* histories);

    // Gives out the timestamps of a batch: returns that of its first event.
    std::uint64_t begin_batch(std::size_t events, std::uint64_t last_event_ns);
    // The events of the batch that is being applied; they get ordinals, and can be read like earlier ones.
    void begin_transfers(std::span<const Transfer> events, std::uint64_t first_timestamp_ns);
    void end_transfers();
    void advance_to(std::uint64_t now_ns);
    void expect_events(std::uint64_t events) noexcept { transfer_ids_.expect(events); }

    // An earlier event that was needed could not be read. Nothing is applied any more; what stands is the state after
    // the last event before that (its chain undone).
    bool stopped() const noexcept { return stopped_; }
    void stop() noexcept { stopped_ = true; }

    // Linked chains. Between open and close every change can be taken back as one.
    void open_chain();
    void roll_back_chain();  // the chain stays open; later members may not change anything
    void close_chain();

    AccountRecord* find_account(uint128 id, std::uint64_t hash);
    const AccountRecord* find_account(uint128 id) const;
    void prefetch_account(std::uint64_t hash) const noexcept { account_ids_.prefetch_slots(hash); }
    void prefetch_account_shard(std::uint64_t hash) const noexcept { account_ids_.prefetch_shard(hash); }
    void prefetch_transfer(std::uint64_t hash) const noexcept { transfer_ids_.prefetch_slots(hash); }
    void prefetch_transfer_overflow(std::uint64_t hash) const noexcept { transfer_ids_.prefetch_overflow(hash); }
    void prefetch_transfer_shard(std::uint64_t hash) const noexcept { transfer_ids_.prefetch_shard(hash); }

    // Of the account that seems to be meant: another's in rare cases.
    std::uint32_t place_of_account(std::uint64_t hash) const noexcept {
        const auto found = account_ids_.find(hash, [](IdIndex::Entry) { return true; });
        return found && found->ordinal < AccountPlaces::unknown ? static_cast<std::uint32_t>(found->ordinal)
                                                                : AccountPlaces::unknown;
    }
    // For memory only.
    void prefetch_record(std::uint32_t place) const noexcept {
        if (place >= accounts.size()) return;
        const auto* record = reinterpret_cast<const std::byte*>(&accounts[place]);
        bring_in(record);
        bring_in(record + 64);
    }
    AccountRecord* find_account_at(std::uint32_t place, uint128 id, std::uint64_t hash) {
        if (place < accounts.size() && accounts[place].account.id == id) return &accounts[place];
        return find_account(id, hash);
    }

    // For memory only, one after the other: the place of the live hold that seems to be meant (whose ordinal is
    // returned), that hold, its accounts.
    std::uint64_t prefetch_hold_place(std::uint64_t pending_hash) const noexcept {
        std::uint64_t candidate = IdIndex::max_ordinal;
        transfer_ids_.find(pending_hash, [&](IdIndex::Entry entry) {
            candidate = entry.ordinal;
            holds_.prefetch_place(candidate);
            return true;
        });
        return candidate;
    }
    void prefetch_hold(std::uint64_t candidate) const noexcept { holds_.prefetch(candidate); }
    void prefetch_hold_accounts(std::uint64_t candidate) const noexcept {
        const Hold* hold = holds_.find(candidate);
        if (hold == nullptr) return;
        for (const AccountRecord* record : {hold->debit, hold->credit}) {
            bring_in(record);
            bring_in(reinterpret_cast<const std::byte*>(record) + 64);
        }
    }

    // Events are read from the state's own source; with the one given, in lookups.
    const EventSource& source() const noexcept { return *source_; }
    // Sets `unread` if an event that had to be looked at could not be read; the answer means nothing then.
    std::optional<Known> find_transfer(uint128 id, std::uint64_t hash, bool& unread) const {
        return find_transfer(id, hash, *source_, unread);
    }
    std::optional<Known> find_transfer(uint128 id, std::uint64_t hash, const EventSource& source, bool& unread) const;
    // An event as it was submitted, with its timestamp; of an earlier batch, or of this one.
    bool read_event(std::uint64_t ordinal, Transfer& event) const { return read_event(ordinal, *source_, event); }
    bool read_event(std::uint64_t ordinal, const EventSource& source, Transfer& event) const;
    // A transfer as stored: the amount that was moved, and what a post or void inherited. False: unread.
    bool read_stored(std::uint64_t ordinal, Transfer& transfer) const {
        return read_stored(ordinal, *source_, transfer);
    }
    bool read_stored(std::uint64_t ordinal, const EventSource& source, Transfer& transfer) const;
    const Hold* live_hold(std::uint64_t ordinal) const noexcept { return holds_.find(ordinal); }
    PendingStatus status_of(std::uint64_t ordinal) const;  // of a stored transfer
    std::optional<CreateTransferResult> refusal_of(std::uint64_t ordinal) const;

    void add_account(const Account& account, std::uint64_t id_hash);
    // The account's balances or flags are about to change.
    Account& change(AccountRecord& record);
    // Stores the transfer. `asked` is the amount in the event.
    void add_transfer(const Transfer& transfer, std::uint64_t ordinal, std::uint64_t id_hash, uint128 asked);
    // Of the transfer just added, which is pending; its timeout starts.
    void add_hold(const Hold& hold, std::uint64_t ordinal);
    void resolve_pending(std::uint64_t ordinal, PendingStatus status);
    // A transfer event, or a hold running out, has changed both accounts.
    void add_transfer_history(const AccountRecord& debit, const AccountRecord& credit, std::uint64_t ordinal);
    void add_expiry_history(const Hold& hold, std::uint64_t ordinal, std::uint64_t now_ns);
    // What changed since the last call stands: no chain is open.
    void tell_histories();
    std::uint64_t history_end() const noexcept { return position_of_expiry(event_count_, expired_since_event_); }
    void remember_refusal(std::uint64_t ordinal, std::uint64_t id_hash, CreateTransferResult result);

    // The live hold that runs out first, as (expiry, ordinal). Valid between batches.
    std::optional<std::pair<std::uint64_t, std::uint64_t>> next_expiry() const;
    void drop_dead_expiries();

    std::uint64_t event_count() const noexcept { return event_count_; }
    std::uint64_t transfer_count() const noexcept { return transfer_count_; }
    std::uint64_t digest() const;

    // state_parts.cpp. load: into a state that has nothing in it yet.
    Result<> save(PartSink& sink) const;
    Result<> load(PartSource& parts);

    // Read freely; written only above.
    ChunkedArray<AccountRecord, 16384> accounts;  // chunks of 2 MiB: a large page each, where the system has them
    std::uint64_t last_timestamp_ns = 0;

  private:
    struct AccountAdded {
        std::uint64_t id_hash;
    };
    struct AccountChanged {
        AccountRecord* record;
        Account before;
    };
    struct TransferAdded {
        std::uint64_t id_hash;
        std::uint64_t ordinal;
    };
    struct PendingResolved {
        std::uint64_t ordinal;
        Hold hold;
    };
    struct HistoryAdded {};
    using Undo = std::variant<AccountAdded, AccountChanged, TransferAdded, PendingResolved, HistoryAdded>;

    void undo(const AccountAdded&);
    void undo(const AccountChanged&);
    void undo(const TransferAdded&);
    void undo(const PendingResolved&);
    void undo(const HistoryAdded&);
    void add_history(const AccountRecord& record, std::uint64_t position, std::uint64_t event,
                     std::uint64_t expired_ns);

    Result<> load_totals(PartSource& parts);
    Result<> load_accounts(PartSource& parts);
    Result<> load_refusals(PartSource& parts);
    Result<> load_transfer_ids(PartSource& parts);
    Result<> load_statuses(PartSource& parts);
    Result<> load_holds(PartSource& parts);
    Result<> load_moved(PartSource& parts);

    const EventSource* source_;
    std::unique_ptr<MemoryEvents> memory_;  // if no source was given

    IdIndex account_ids_{8};

    IdIndex transfer_ids_{14};
    std::uint64_t event_count_ = 0;                                  // ordinals given out,
    std::uint64_t expired_since_event_ = 0;                          // and holds that ran out since the last of them
    std::uint64_t transfer_count_ = 0;                               // stored ones among them
    StatusTable statuses_;                                           // how holds were resolved
    HoldTable holds_;                                                // the live ones
    boost::unordered_flat_map<std::uint64_t, uint128> moved_;        // by balancing transfers, where not what was asked
    ChunkedArray<std::uint64_t, 65536> refusals_;                    // (ordinal, result), by ordinal
    std::vector<std::pair<std::uint64_t, std::uint64_t>> expiries_;  // a heap; holds that are gone are left in it

    std::span<const Transfer> batch_;  // being applied,
    std::uint64_t batch_first_ = 0;    // the ordinal of its first event,
    std::uint64_t batch_time_ = 0;     // and its timestamp
    std::vector<Undo> undo_log_;
    HistorySink* histories_;
    std::vector<HistoryRow> changed_;  // not told yet
    bool chain_open_ = false;
    bool stopped_ = false;
};

// When a pending transfer runs out. Only for one with a timeout; the rules have refused those whose expiry overflows.
inline std::uint64_t expiry_ns(const Transfer& pending) {
    return pending.timestamp + static_cast<std::uint64_t>(pending.timeout_s) * ns_per_s;
}

// A remembered refusal: the ordinal above the stable number of the result.
inline constexpr unsigned refusal_result_bits = 16;

// A post or void with what it leaves out filled in from the pending transfer.
Transfer inherit(const Transfer& event, const Transfer& pending);

}  // namespace jiaozi::ledger
