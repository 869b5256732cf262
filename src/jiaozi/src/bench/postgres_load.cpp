#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <libpq-fe.h>
#include <postgres_server.hpp>

#include "ledger_load.hpp"

namespace jiaozi::bench {
namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

// The double entry of our ledger as a careful person would write it in SQL: the payment's row is the idempotency key,
// accounts are locked in the order of their ids so that two payments cannot wait for each other, and one call is one
// round trip and one transaction.
constexpr const char* schema = R"sql(
CREATE TABLE accounts (
    id bigint PRIMARY KEY,
    debits_posted numeric(39) NOT NULL DEFAULT 0,
    credits_posted numeric(39) NOT NULL DEFAULT 0
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
)sql";

Result<> execute(PGconn* connection, const std::string& sql) {
    const Answer answer(PQexec(connection, sql.c_str()), &PQclear);
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
    return Error(ErrorKind::io, PQerrorMessage(connection)).in("PostgreSQL");
}

Result<Connection> connect(const std::string& url) {
    Connection connection(PQconnectdb(url.c_str()), &PQfinish);
    if (PQstatus(connection.get()) != CONNECTION_OK)
        return Error(ErrorKind::unavailable, PQerrorMessage(connection.get())).in("PostgreSQL");
    return connection;
}

struct Worker {
    std::vector<std::uint64_t> latencies_ns;
    std::uint64_t failed = 0;
};

Result<> work(PGconn* connection, const PostgresLoad& load, std::atomic<std::uint64_t>& next, std::uint64_t seed,
              Worker& worker) {
    {
        const Answer prepared(PQprepare(connection, "pay", "SELECT pay($1, $2, $3, $4)", 4, nullptr), &PQclear);
        if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK)
            return Error(ErrorKind::io, PQerrorMessage(connection)).in("PostgreSQL");
    }
    std::mt19937_64 random(seed);
    while (next.fetch_add(1, std::memory_order_relaxed) < load.transfers) {
        const std::uint64_t from = random() % load.accounts;
        const std::uint64_t to = (from + 1 + random() % (load.accounts - 1)) % load.accounts;
        char id[40];
        static_cast<void>(std::snprintf(id, sizeof id, "%016llx%016llx", static_cast<unsigned long long>(random()),
                                        static_cast<unsigned long long>(random())));
        const std::string payer = std::to_string(from + 1);
        const std::string payee = std::to_string(to + 1);
        const std::string amount = std::to_string(1 + random() % 1000);
        const char* const values[] = {id, payer.c_str(), payee.c_str(), amount.c_str()};
        const auto sent = SteadyClock::now();
        const Answer answer(PQexecPrepared(connection, "pay", 4, values, nullptr, nullptr, 0), &PQclear);
        worker.latencies_ns.push_back(nanoseconds_since(sent));
        if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK || std::string_view(PQgetvalue(answer.get(), 0, 0)) != "ok")
            ++worker.failed;
    }
    return {};
}

}  // namespace

Result<Measured> run_postgres_load(const PostgresLoad& load) {
    JZ_TRY(const auto server,
           testing::PostgresServer::start(
               {.durable = true, .settings = {"shared_buffers=512MB", "max_wal_size=4GB", "max_connections=64"}}));
    {
        JZ_TRY(const Connection setup, connect(server->url()));
        JZ_CHECK(execute(setup.get(), schema));
        JZ_CHECK(execute(setup.get(), "INSERT INTO accounts SELECT n, 0, 1000000000 FROM generate_series(1, " +
                                          std::to_string(load.accounts) + ") n"));
        JZ_CHECK(execute(setup.get(), "VACUUM ANALYZE accounts"));
    }
    std::vector<Connection> connections;
    for (std::uint32_t i = 0; i < load.connections; ++i) {
        JZ_TRY(auto connection, connect(server->url()));
        connections.push_back(std::move(connection));
    }
    std::vector<Worker> workers(load.connections);
    std::atomic<std::uint64_t> next{0};
    std::mutex mutex;
    std::optional<Error> failure;  // guarded by mutex
    const auto start = SteadyClock::now();
    {
        std::vector<std::jthread> threads;
        threads.reserve(load.connections);
        for (std::uint32_t i = 0; i < load.connections; ++i) {
            threads.emplace_back([&, i] {
                auto ended = work(connections[i].get(), load, next, load.seed + i, workers[i]);
                const std::lock_guard lock(mutex);
                if (!ended.ok() && !failure) failure = std::move(ended).error();
            });
        }
    }
    if (failure) return std::move(*failure);
    Measured measured;
    measured.elapsed_ns = nanoseconds_since(start);
    for (const Worker& worker : workers) {
        measured.latencies_ns.insert(measured.latencies_ns.end(), worker.latencies_ns.begin(),
                                     worker.latencies_ns.end());
        measured.failed += worker.failed;
    }
    measured.completed = measured.latencies_ns.size() - measured.failed;
    return measured;
}

}  // namespace jiaozi::bench
