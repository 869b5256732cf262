// What records say to those behind them.
#pragma once

#include <jiaozi/engine/payload.hpp>

namespace jiaozi::engine {

inline AccountBefore before_of(const ledger::Account& account) noexcept {
    return {account.id, account.ledger, account.code};
}

inline TransferBefore before_of(const ledger::Transfer& transfer) noexcept {
    return {transfer.id,         transfer.debit_account_id, transfer.credit_account_id,
            transfer.pending_id, transfer.ledger,           transfer.code};
}

}  // namespace jiaozi::engine
