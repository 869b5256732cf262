#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <postgres_server.hpp>

#include "ledger_load.hpp"
#include "postgres_ledger.hpp"

namespace jiaozi::bench {
namespace {

struct Worker {
    std::vector<std::uint64_t> latencies_ns;
    std::uint64_t failed = 0;
};

Result<> work(PGconn* connection, const PostgresLoad& load, std::atomic<std::uint64_t>& next, std::uint64_t seed,
              Worker& worker) {
    {
        const PostgresAnswer prepared(PQprepare(connection, "pay", "SELECT pay($1, $2, $3, $4)", 4, nullptr), &PQclear);
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
        const PostgresAnswer answer(PQexecPrepared(connection, "pay", 4, values, nullptr, nullptr, 0), &PQclear);
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
        JZ_TRY(const PostgresConnection setup, connect_postgres(server->url()));
        JZ_CHECK(make_postgres_ledger(setup.get(), load.accounts));
    }
    std::vector<PostgresConnection> connections;
    for (std::uint32_t i = 0; i < load.connections; ++i) {
        JZ_TRY(auto connection, connect_postgres(server->url()));
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
