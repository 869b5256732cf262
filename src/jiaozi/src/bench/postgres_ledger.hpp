// The double entry of our ledger in PostgreSQL, as a careful person would write it: what we compare with.
#pragma once

#include <memory>
#include <string>

#include <libpq-fe.h>

#include <jiaozi/base/result.hpp>

namespace jiaozi::bench {

using PostgresConnection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using PostgresAnswer = std::unique_ptr<PGresult, decltype(&PQclear)>;

Result<PostgresConnection> connect_postgres(const std::string& url);
Result<> execute_sql(PGconn* connection, const std::string& sql);

// Tables `accounts` (ids 1 to `accounts`, a thousand million each) and `transfers`, and two functions:
// `pay(id, payer, payee, amount)` is one payment. Its row is the idempotency key; accounts are locked in the order of
// their ids, so that two payments cannot wait for each other.
// `pay_all(ids, payers, payees, amounts)` is a batch as sets: it refuses the whole when an account would be overdrawn
// at its end, which is less than the ledger checks (each transfer, in its turn).
Result<> make_postgres_ledger(PGconn* connection, std::uint64_t accounts);

}  // namespace jiaozi::bench
