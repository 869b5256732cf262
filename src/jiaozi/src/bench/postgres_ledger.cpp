#include "postgres_ledger.hpp"

namespace jiaozi::bench {
namespace {

constexpr const char* schema = R"sql(
CREATE TABLE accounts (
    id bigint PRIMARY KEY,
    debits_posted numeric(39) NOT NULL DEFAULT 0,
    credits_posted numeric(39) NOT NULL DEFAULT 0,
    CHECK (debits_posted <= credits_posted)
) WITH (fillfactor = 50);
CREATE TABLE transfers (
    id uuid PRIMARY KEY,
    debit_account_id bigint NOT NULL,
    credit_account_id bigint NOT NULL,
    amount numeric(39) NOT NULL CHECK (amount > 0),
    created timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE FUNCTION pay(payment uuid, payer bigint, payee bigint, value numeric) RETURNS text LANGUAGE plpgsql AS $$
DECLARE available numeric;
BEGIN
    PERFORM 1 FROM accounts WHERE id IN (payer, payee) ORDER BY id FOR UPDATE;
    SELECT credits_posted - debits_posted INTO available FROM accounts WHERE id = payer;
    IF available IS NULL OR available < value THEN RETURN 'exceeds_credits'; END IF;
    INSERT INTO transfers (id, debit_account_id, credit_account_id, amount) VALUES (payment, payer, payee, value) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN 'exists'; END IF;
    UPDATE accounts SET debits_posted = debits_posted + value WHERE id = payer;
    UPDATE accounts SET credits_posted = credits_posted + value WHERE id = payee;
    RETURN 'ok';
END $$;
CREATE FUNCTION pay_all(payments uuid[], payers bigint[], payees bigint[], amounts numeric[]) RETURNS bigint LANGUAGE sql AS $$
    WITH added AS (
        INSERT INTO transfers (id, debit_account_id, credit_account_id, amount)
        SELECT * FROM unnest(payments, payers, payees, amounts) ON CONFLICT DO NOTHING
        RETURNING debit_account_id, credit_account_id, amount
    ), sides AS (
        SELECT debit_account_id AS id, amount AS debit, 0 AS credit FROM added
        UNION ALL SELECT credit_account_id, 0, amount FROM added
    ), sums AS (
        SELECT id, sum(debit) AS debits, sum(credit) AS credits FROM sides GROUP BY id
    ), locked AS MATERIALIZED (
        SELECT accounts.id FROM accounts WHERE accounts.id IN (SELECT id FROM sums) ORDER BY accounts.id FOR UPDATE
    ), moved AS (
        UPDATE accounts SET debits_posted = debits_posted + debits, credits_posted = credits_posted + credits
        FROM sums JOIN locked USING (id) WHERE accounts.id = sums.id RETURNING 1
    )
    SELECT count(*) FROM added WHERE (SELECT count(*) FROM moved) > 0;
$$;
)sql";

}  // namespace

Result<> execute_sql(PGconn* connection, const std::string& sql) {
    const PostgresAnswer answer(PQexec(connection, sql.c_str()), &PQclear);
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
    return Error(ErrorKind::io, PQerrorMessage(connection)).in("PostgreSQL");
}

Result<PostgresConnection> connect_postgres(const std::string& url) {
    PostgresConnection connection(PQconnectdb(url.c_str()), &PQfinish);
    if (PQstatus(connection.get()) != CONNECTION_OK)
        return Error(ErrorKind::unavailable, PQerrorMessage(connection.get())).in("PostgreSQL");
    return connection;
}

Result<> make_postgres_ledger(PGconn* connection, std::uint64_t accounts) {
    JZ_CHECK(execute_sql(connection, schema));
    JZ_CHECK(execute_sql(connection, "INSERT INTO accounts SELECT n, 0, 1000000000 FROM generate_series(1, " +
                                         std::to_string(accounts) + ") n"));
    return execute_sql(connection, "VACUUM ANALYZE accounts");
}

}  // namespace jiaozi::bench
