// Applies commands to the ledger: the same code for live commits and for replay, so that they cannot differ.
#pragma once

#include <algorithm>
#include <cstdint>
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

// Precondition: `timestamp` follows the previous command's as above (the ledger asserts it).
inline void apply(ledger::Ledger& ledger, const Command& command, Timestamp timestamp, Outcome& outcome,
                  std::vector<ledger::Expired>& expired) {
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
    if (!command.transfers.empty()) {
        event += command.transfers.size();
        ledger.create_transfers(command.transfers, event, outcome.transfers);
    }
}

}  // namespace jiaozi::engine
