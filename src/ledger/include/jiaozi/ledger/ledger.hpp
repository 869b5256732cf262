// The ledger: a pure state machine. Its state is a function of the calls made, their arguments and nothing else: no
// clock, random number, thread, stream or unordered iteration, so replaying the same calls gives the same bytes.
//
// Time comes in as arguments and never goes back: every event has a timestamp greater than every one before it, and
// expire() is given a time not earlier than the last event. A call that breaks this is a bug (JZ_ASSERT).
// Input is never a bug: any bytes in an Account or Transfer get a result.
// What it does not keep are the transfer events themselves: a resident transfer is an 8-byte trace (and a hold while it
// is live); the event is read back through an EventSource when a duplicate or a lookup needs it.
// Not thread-safe; the engine's writer owns it. Pointers and spans it returns are valid until the next call that
// changes state; an account, once stored, keeps its address.
// Specification: docs/ledger.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <jiaozi/base/result.hpp>
#include <jiaozi/base/uint128.hpp>
#include <jiaozi/ledger/event_source.hpp>
#include <jiaozi/ledger/history.hpp>
#include <jiaozi/ledger/parts.hpp>
#include <jiaozi/ledger/types.hpp>

namespace jiaozi::ledger {

// Where the two accounts of a transfer seem to be, found ahead of its turn (Ledger::find_places).
struct AccountPlaces {
    static constexpr std::uint32_t unknown = UINT32_MAX;
    std::uint32_t debit = unknown;
    std::uint32_t credit = unknown;
};

class State;

class Ledger {
  public:
    // `histories` is told every change of the accounts that keep one, during the call that made it; it outlives the
    // ledger. Without it histories are nobody's business.
    Ledger();  // keeps the transfer events it is given, in memory
    explicit Ledger(HistorySink& histories);
    // Finds them there; `source` outlives the ledger.
    explicit Ledger(const EventSource& source, HistorySink* histories = nullptr);
    ~Ledger();
    Ledger(Ledger&&) noexcept;
    Ledger& operator=(Ledger&&) noexcept;

    // Apply a batch of at most max_batch events. `results` is overwritten: one result per event, ok included.
    // `timestamp_ns` is that of the LAST event; event i of n gets timestamp_ns - n + 1 + i, refused or not.
    void create_accounts(std::span<const Account> events, std::uint64_t timestamp_ns,
                         std::vector<CreateAccountResult>& results);
    // `places` are those of the events, or none; they change no result, only how long it takes.
    void create_transfers(std::span<const Transfer> events, std::uint64_t timestamp_ns,
                          std::vector<CreateTransferResult>& results, std::span<const AccountPlaces> places = {});

    // Appends a place for each event. Unlike everything else here it may be called while another thread changes the
    // ledger, as long as that thread creates no accounts.
    void find_places(std::span<const Transfer> events, std::vector<AccountPlaces>& places) const;

    // Starts to bring in the memory that judging these will read, so that small batches, which come one after the
    // other, do not each wait for it. Changes nothing. At most bring_in_max events.
    static constexpr std::size_t bring_in_max = 32;
    void bring_in(std::span<const Transfer> events);

    // So many transfer events are expected in all, those that there are included: tables grow to that at once instead
    // of step by step. A guess, which may be given again and again; it changes no result.
    void expect_events(std::uint64_t events);

    // Freezes (set = account_flags::frozen) or unfreezes (clear) an account. Idempotent.
    SetAccountFlagsResult set_account_flags(uint128 id, std::uint16_t set, std::uint16_t clear);

    // Voids every pending transfer whose expiry (timestamp + timeout) is <= now_ns, in the order of expiry, then of
    // creation, and appends them to `out`. Before a batch whose first event has timestamp F, call expire(F - 1): time
    // does not go back, so now_ns must be earlier than the events to come. What expires within the batch is refused by
    // itself.
    void expire(std::uint64_t now_ns, std::vector<Expired>& out);
    // The earliest expiry of a live pending transfer.
    std::optional<std::uint64_t> next_expiry_ns() const;
    // True when the event source failed while a batch was applied. From the event that needed it on nothing was
    // applied, nor will be: results given for those are meaningless, and the state is that of a moment before. Final.
    bool stopped() const;
    // The latest time seen: of an event or of expire(). Zero at first.
    std::uint64_t last_timestamp_ns() const;

    const Account* find_account(uint128 id) const;  // null: none
    // None: not stored, or refused. To know one from another with a like trace, and for what was not kept, earlier
    // events are read: from the ledger's source, or the one given here, which may know fewer. Error io when it did not
    // know one; whether there is such a transfer is then not known either.
    Result<std::optional<Transfer>> find_transfer(uint128 id) const;
    Result<std::optional<Transfer>> find_transfer(uint128 id, const EventSource& source) const;
    Result<PendingStatus> pending_status(uint128 transfer_id) const;
    Result<PendingStatus> pending_status(uint128 transfer_id, const EventSource& source) const;
    // How the transfer with this id was refused, if the ledger remembers that it was, and could read its event.
    std::optional<CreateTransferResult> refusal_of(uint128 transfer_id) const;

    // Everything stored, in the order of creation (which is the order of timestamps). Transfer events are counted from
    // 0 over all batches, refused ones included; none for one that was refused (or could not be read).
    std::size_t account_count() const;
    const Account& account_at(std::size_t index) const;
    std::uint64_t transfer_count() const;  // stored ones
    std::uint64_t event_count() const;
    std::optional<Transfer> stored_transfer(std::uint64_t ordinal) const;

    // The number under which the account's changes are told; none: no such account.
    std::optional<std::uint64_t> account_number(uint128 id) const;
    // Every change told so far has a lower position, every later one this or a higher.
    std::uint64_t history_end() const;

    // A digest over all that is kept here (not over the events in the source); equal states have equal digests on every
    // machine of one byte order. For comparing replays, not for proofs: it resists accidents, not adversaries. Costs a
    // pass over everything.
    std::uint64_t state_digest() const;

    // All that is kept here, for a snapshot, and a ledger made of it again: same state, same digest. Between batches.
    // The events are not in it: `source` has those with ordinals below event_count().
    // Safe on hostile bytes (Error corrupt); that they are the bytes that were saved, the caller checks.
    Result<> save(PartSink& sink) const;
    // Changes from before are told to nobody.
    static Result<Ledger> load(PartSource& parts, const EventSource& source, HistorySink* histories = nullptr);

  private:
    std::unique_ptr<State> state_;
};

}  // namespace jiaozi::ledger
