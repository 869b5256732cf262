// Applies commands to the ledger: the same code for live commits and for replay, so that they cannot differ.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <jiaozi/engine/command.hpp>
#include <jiaozi/engine/payload.hpp>
#include <jiaozi/ledger/ledger.hpp>

namespace jiaozi::engine {

// The timestamp of a command that is committed now, after one with timestamp `previous` (docs/formats/journal.md,
// Time).
inline Timestamp next_timestamp(Timestamp now, Timestamp previous, const Command& command) noexcept {
    return {std::max(now.ns, previous.ns + event_count(command) + 1)};
}

// Transfers are applied in slices of about this many, whole chains each, with a pause between them.
inline constexpr std::size_t slice_events = 256;

// The end of the slice that begins there.
inline std::size_t slice_end(const std::vector<ledger::Transfer>& transfers, std::size_t begin) noexcept {
    std::size_t end = std::min(begin + slice_events, transfers.size());
    while (end < transfers.size() && (transfers[end - 1].flags & ledger::transfer_flags::linked) != 0) ++end;
    return end;
}

// Precondition: `timestamp` follows the previous command's as above (the ledger asserts it). `between_slices` may let
// others read the ledger; cutting changes no outcome, because every event has its own timestamp.
// `places` are those of the command's transfers, or none.
template <class BetweenSlices>
void apply(ledger::Ledger& ledger, const Command& command, std::span<const ledger::AccountPlaces> places,
           Timestamp timestamp, Outcome& outcome, std::vector<ledger::Expired>& expired, BetweenSlices between_slices) {
    std::uint64_t event = timestamp.ns - event_count(command);
    ledger.expire(event, expired);
    if (!command.accounts.empty()) {
        event += command.accounts.size();
        ledger.create_accounts(command.accounts, event, outcome.accounts);
    }
    for (const FlagChange& change : command.flag_changes) {
        ++event;
        outcome.flag_changes.push_back(ledger.set_account_flags(change.account_id, change.set, change.clear));
    }
    const std::size_t count = command.transfers.size();
    if (count <= slice_events) {
        if (count > 0) ledger.create_transfers(command.transfers, event + count, outcome.transfers, places);
        return;
    }
    outcome.transfers.reserve(count);
    std::vector<ledger::CreateTransferResult> results;
    for (std::size_t begin = 0, end = 0; begin < count; begin = end) {
        if (begin > 0) between_slices();
        end = slice_end(command.transfers, begin);
        ledger.create_transfers(std::span(command.transfers).subspan(begin, end - begin), event + end, results,
                                places.empty() ? places : places.subspan(begin, end - begin));
        outcome.transfers.insert(outcome.transfers.end(), results.begin(), results.end());
    }
}

// Asks for the memory of small commands ahead of their turn: each is a batch of its own, too small to overlap the waits
// of its few events.
class LookAhead {
  public:
    // Before command `index` is applied. `command_at(i)` is good for every i below `end`.
    template <class CommandAt>
    void reach(ledger::Ledger& ledger, std::size_t index, std::size_t end, CommandAt command_at) {
        if (index < reached_) return;
        std::size_t count = 0;
        for (reached_ = index; reached_ < end; ++reached_) {
            const std::vector<ledger::Transfer>& transfers = command_at(reached_).transfers;
            if (transfers.size() > small_command || count + transfers.size() > events_.size()) break;
            for (const ledger::Transfer& transfer : transfers) events_[count++] = transfer;
        }
        reached_ = std::max(reached_, index + 1);
        if (count > 1) ledger.bring_in(std::span(events_).first(count));
    }

  private:
    static constexpr std::size_t small_command = 4;
    std::array<ledger::Transfer, ledger::Ledger::bring_in_max> events_;
    std::size_t reached_ = 0;
};

}  // namespace jiaozi::engine
