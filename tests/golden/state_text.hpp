// The state of an engine in words, for expected.txt.
#pragma once

#include <memory>
#include <sstream>
#include <string>

#include <jiaozi/engine/engine.hpp>

namespace jiaozi::golden {

inline constexpr uint128 last_account = 7;  // the last one does not exist
inline constexpr uint128 last_transfer = 30;

inline std::string state_text(const engine::Engine& engine) {
    std::ostringstream text;
    text << "sequence " << engine.last_sequence() << '\n';
    for (uint128 id = 1; id <= last_account; ++id) {
        text << "account " << to_decimal(id);
        if (const auto account = engine.account(id)) {
            text << " debits " << to_decimal(account->debits_pending) << '+' << to_decimal(account->debits_posted)
                 << " credits " << to_decimal(account->credits_pending) << '+' << to_decimal(account->credits_posted)
                 << " ledger " << account->ledger << " flags " << account->flags << " at " << account->timestamp;
        } else {
            text << " none";
        }
        text << '\n';
    }
    for (uint128 id = 1; id <= last_transfer; ++id) {
        if (const auto transfer = engine.transfer(id).value()) {
            text << "transfer " << to_decimal(id) << ' ' << to_decimal(transfer->debit_account_id) << '>'
                 << to_decimal(transfer->credit_account_id) << ' ' << to_decimal(transfer->amount) << " of "
                 << to_decimal(transfer->pending_id) << " flags " << transfer->flags << " data "
                 << to_decimal(transfer->user_data_128) << ' ' << transfer->user_data_64 << " at "
                 << transfer->timestamp << ' ' << ledger::name_of(engine.pending_status(id).value()) << '\n';
        }
    }
    const auto statement = engine.statement(2, {});
    if (!statement.ok()) return text.str() + statement.error().to_string() + '\n';
    for (const ledger::BalanceChange& change : statement->changes) {
        text << "change of 2 by " << to_decimal(change.transfer_id) << ": debits " << to_decimal(change.debits_pending)
             << '+' << to_decimal(change.debits_posted) << " credits " << to_decimal(change.credits_pending) << '+'
             << to_decimal(change.credits_posted) << " at " << change.timestamp << '\n';
    }
    return text.str();
}

}  // namespace jiaozi::golden
