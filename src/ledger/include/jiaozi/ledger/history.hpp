// Histories: the balances of accounts with account_flags::history after each of their changes. The ledger tells every
// change and keeps none; whoever is told keeps them (the engine: on disk), and answers statements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include <jiaozi/base/uint128.hpp>
#include <jiaozi/ledger/types.hpp>

namespace jiaozi::ledger {

// Where a change stands among all changes: they are told in ascending order, and an account has at most one in each
// place. A transfer event has the place behind all holds that ran out since the event before it; each of these has one.
inline constexpr unsigned history_tie_bits = 28;
inline constexpr std::uint64_t history_max_tie = (std::uint64_t{1} << history_tie_bits) - 1;
constexpr std::uint64_t position_of_event(std::uint64_t ordinal) noexcept {
    return ordinal << history_tie_bits | history_max_tie;
}
// After `events` transfer events, the one with this number since the last of them. (More than 2^28 - 1 holds that run
// out between two events would share the last place.)
constexpr std::uint64_t position_of_expiry(std::uint64_t events, std::uint64_t number) noexcept {
    return events << history_tie_bits | (number < history_max_tie ? number : history_max_tie - 1);
}

// One change of one account. Frozen: snapshots hold it (docs/formats/snapshot.md).
struct HistoryRow {
    std::uint64_t account = 0;  // its number: accounts are counted from 0 in the order of creation
    std::uint64_t position = 0;
    std::uint64_t event = 0;       // ordinal of the transfer event; of an expiry: of the hold's
    std::uint64_t expired_ns = 0;  // when the hold ran out; zero: it was a transfer
    uint128 debits_pending = 0;
    uint128 debits_posted = 0;
    uint128 credits_pending = 0;
    uint128 credits_posted = 0;
    bool operator==(const HistoryRow&) const = default;
};
static_assert(sizeof(HistoryRow) == 96 && std::is_trivially_copyable_v<HistoryRow> &&
              std::has_unique_object_representations_v<HistoryRow>);

class HistorySink {
  public:
    virtual ~HistorySink() = default;
    // Changes that stand, in order; of one batch, or of one call of expire.
    virtual void take(std::span<const HistoryRow> rows) = 0;
};

// Which part of an account's history to read. Bounds are inclusive.
struct StatementQuery {
    std::uint64_t from_ns = 0;
    std::uint64_t to_ns = UINT64_MAX;
    std::size_t limit = 100;
    bool reversed = false;                               // newest first
    std::optional<std::uint64_t> cursor = std::nullopt;  // `next` of the page before; other fields as they were
};

struct StatementPage {
    std::vector<BalanceChange> changes;
    std::optional<std::uint64_t> next;  // present when there is more; stays valid for ever, history only grows
};

}  // namespace jiaozi::ledger
