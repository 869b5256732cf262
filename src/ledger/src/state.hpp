// What the ledger knows, and the only functions that change it. The rules (which changes are right) are in
// account_rules.cpp and transfer_rules.cpp; nothing in here can fail.
//
// While a linked chain is open, every change leaves an Undo record; rolling the chain back applies them newest first.
#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <jiaozi/ledger/types.hpp>

#include "chunked.hpp"
#include "id_map.hpp"
#include "mix.hpp"

namespace jiaozi::ledger {

inline constexpr std::uint64_t ns_per_s = 1'000'000'000;

struct alignas(64) AccountRecord {
    static constexpr std::uint32_t no_history = UINT32_MAX;
    Account account;
    std::uint32_t history = no_history;  // index into State::histories
};

// A transfer that was refused for a reason of state. The fingerprint tells a repetition from another transfer under the
// same id; a collision would only swap one refusal for another.
struct Refusal {
    uint128 id = 0;
    std::uint64_t fingerprint = 0;
    CreateTransferResult result = CreateTransferResult::ok;
};

// Where a known transfer id leads: to a stored transfer, or to a refusal.
class TransferSlot {
  public:
    TransferSlot() = default;
    static TransferSlot stored(std::uint64_t index) { return TransferSlot(index); }
    static TransferSlot refused(std::uint64_t index) { return TransferSlot(index | refused_bit); }
    bool is_refused() const noexcept { return (value_ & refused_bit) != 0; }
    std::uint64_t index() const noexcept { return value_ & ~refused_bit; }

  private:
    static constexpr std::uint64_t refused_bit = 1ULL << 63;
    explicit TransferSlot(std::uint64_t value) : value_(value) {}
    std::uint64_t value_ = 0;
};

class State {
  public:
    // Gives out the timestamps of a batch: returns that of its first event.
    std::uint64_t begin_batch(std::size_t events, std::uint64_t last_event_ns);
    void advance_to(std::uint64_t now_ns);

    // Linked chains. Between open and close every change can be taken back as one.
    void open_chain();
    void roll_back_chain();  // the chain stays open; later members may not change anything
    void close_chain();

    AccountRecord* find_account(uint128 id);
    const AccountRecord* find_account(uint128 id) const;
    const Transfer* find_transfer(uint128 id) const;
    const TransferSlot* find_slot(uint128 transfer_id) const;
    // The amount a balancing transfer asked for, as against the amount that was moved.
    uint128 requested_amount(std::uint64_t transfer_index) const;

    void add_account(const Account& account);
    // The account's balances or flags are about to change.
    Account& change(AccountRecord& record);
    // Stores the transfer, and if it is pending starts its timeout.
    void add_transfer(const Transfer& transfer);
    void add_requested_amount(uint128 amount);  // of the transfer just added
    void resolve_pending(std::uint64_t transfer_index, PendingStatus status);
    void add_history(const AccountRecord& record, uint128 transfer_id, std::uint64_t timestamp_ns, ChangeCause cause);
    void remember_refusal(const Transfer& event, CreateTransferResult result);

    std::uint64_t digest() const;

    // Read freely; written only above.
    ChunkedArray<AccountRecord> accounts;
    ChunkedArray<Transfer> transfers;
    ChunkedArray<PendingStatus> statuses;  // one per transfer
    ChunkedArray<Refusal> refusals;
    std::vector<std::vector<BalanceChange>> histories;
    // Live pending transfers that can expire, as (expiry, index in transfers): by time, then by creation.
    std::set<std::pair<std::uint64_t, std::uint64_t>> expiries;
    std::uint64_t last_timestamp_ns = 0;

  private:
    struct AccountAdded {};
    struct AccountChanged {
        AccountRecord* record;
        Account before;
    };
    struct TransferAdded {};
    struct PendingResolved {
        std::uint64_t transfer_index;
    };
    struct HistoryAdded {
        std::uint32_t history;
    };
    using Undo = std::variant<AccountAdded, AccountChanged, TransferAdded, PendingResolved, HistoryAdded>;

    void undo(const AccountAdded&);
    void undo(const AccountChanged&);
    void undo(const TransferAdded&);
    void undo(const PendingResolved&);
    void undo(const HistoryAdded&);
    void start_timeout(std::uint64_t transfer_index);
    void stop_timeout(std::uint64_t transfer_index);

    IdMap<AccountRecord*> account_ids_;
    IdMap<TransferSlot> transfer_ids_;
    boost::unordered_flat_map<std::uint64_t, uint128> requested_amounts_;  // by index in transfers; balancing ones only
    std::vector<Undo> undo_log_;
    bool chain_open_ = false;
};

// When a pending transfer runs out. Only for one with a timeout; the rules have refused those whose expiry overflows.
inline std::uint64_t expiry_ns(const Transfer& pending) {
    return pending.timestamp + static_cast<std::uint64_t>(pending.timeout_s) * ns_per_s;
}

// What the event says, as one number.
std::uint64_t fingerprint(const Transfer& event);

}  // namespace jiaozi::ledger
