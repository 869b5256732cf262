// Statements: changes from the histories, with what the journal knows of the transfers that made them.
// Thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include <jiaozi/base/result.hpp>
#include <jiaozi/ledger/history.hpp>
#include <jiaozi/ledger/invariants.hpp>
#include <jiaozi/ledger/ledger.hpp>

#include "event_log.hpp"
#include "history_store.hpp"

namespace jiaozi::engine {

// A page of the history of the account with that number. Errors: those of HistoryStore::read; or why the journal could
// not be read.
Result<ledger::StatementPage> read_statement(const HistoryStore& histories, const EventLog& events,
                                             std::uint64_t account, const ledger::StatementQuery& query);

// The number of an account that keeps a history. not_found; invalid.
Result<std::uint64_t> number_of(const ledger::Ledger& ledger, uint128 account_id);

// The last change of every history has the account's balances. Nothing may be applied meanwhile.
void check_histories(const ledger::Ledger& ledger, const HistoryStore& histories,
                     std::vector<ledger::Violation>& violations);

}  // namespace jiaozi::engine
