#include "sql_ledgers.hpp"

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <postgres_server.hpp>
#include <sqlite3.h>

#include <jiaozi/ledger/types.hpp>

#include "ledger_load.hpp"
#include "ledger_stage.hpp"
#include "ledger_workload.hpp"
#include "postgres_ledger.hpp"

namespace jiaozi::bench {
namespace {

struct Payment {
    std::uint64_t id_high;
    std::uint64_t id_low;
    std::uint64_t payer;  // from 1 on
    std::uint64_t payee;
    std::uint64_t amount;
};

class Payments {
  public:
    Payments(std::uint64_t accounts, std::uint64_t seed) : accounts_(accounts), state_(spread(seed)) {}
    Payment next() {
        const std::uint64_t from = random() % accounts_;
        const std::uint64_t to = (from + 1 + random() % (accounts_ - 1)) % accounts_;
        return {random(), random(), from + 1, to + 1, 1 + random() % 1000};
    }

  private:
    std::uint64_t random() noexcept { return spread(state_ += 0x9E3779B97F4A7C15ULL); }
    std::uint64_t accounts_;
    std::uint64_t state_;
};

// ---- PostgreSQL, batches as sets

// Array literals: one parameter for each column.
std::array<std::string, 4> columns_of(Payments& payments, std::uint64_t count) {
    std::array<std::string, 4> columns{"{", "{", "{", "{"};
    for (std::uint64_t i = 0; i < count; ++i) {
        const Payment p = payments.next();
        std::array<char, 40> id;
        static_cast<void>(std::snprintf(id.data(), id.size(), "%016llx%016llx",
                                        static_cast<unsigned long long>(p.id_high),
                                        static_cast<unsigned long long>(p.id_low)));
        const std::array<std::string, 4> texts{id.data(), std::to_string(p.payer), std::to_string(p.payee),
                                               std::to_string(p.amount)};
        for (std::size_t c = 0; c < columns.size(); ++c) columns[c].append(i == 0 ? "" : ",").append(texts[c]);
    }
    for (std::string& column : columns) column += '}';
    return columns;
}

Result<> pay_batches(PGconn* connection, Payments payments, std::uint64_t batches) {
    for (std::uint64_t b = 0; b < batches; ++b) {
        const auto columns = columns_of(payments, ledger::max_batch);
        const std::array<const char*, 4> values{columns[0].c_str(), columns[1].c_str(), columns[2].c_str(),
                                                columns[3].c_str()};
        const PostgresAnswer answer(
            PQexecParams(connection, "SELECT pay_all($1, $2, $3, $4)", 4, nullptr, values.data(), nullptr, nullptr, 0),
            &PQclear);
        if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK)
            return Error(ErrorKind::io, PQerrorMessage(connection)).in("PostgreSQL");
        if (PQgetvalue(answer.get(), 0, 0) != std::to_string(ledger::max_batch))
            return Error(ErrorKind::internal, "PostgreSQL did not take a whole batch");
    }
    return {};
}

Result<std::uint64_t> postgres_batched(const SqlLoad& load) {
    constexpr std::uint64_t connections = 2;
    JZ_TRY(const auto server,
           testing::PostgresServer::start({.durable = true, .settings = {"shared_buffers=512MB", "max_wal_size=4GB"}}));
    JZ_TRY(const PostgresConnection setup, connect_postgres(server->url()));
    JZ_CHECK(make_postgres_ledger(setup.get(), load.accounts));
    const std::uint64_t batches = std::max<std::uint64_t>(1, load.batched / ledger::max_batch / connections);
    std::array<Result<>, connections> ended{};
    const auto start = SteadyClock::now();
    {
        std::vector<std::jthread> threads;
        threads.reserve(connections);
        for (std::uint64_t i = 0; i < connections; ++i) {
            threads.emplace_back([&, i] {
                auto connection = connect_postgres(server->url());
                ended[i] = connection.ok()
                               ? pay_batches(connection->get(), Payments(load.accounts, load.seed + i), batches)
                               : Result<>(connection.error());
            });
        }
    }
    const std::uint64_t elapsed_ns = nanoseconds_since(start);
    for (const auto& one : ended) {
        if (!one.ok()) return one.error();
    }
    return rate(connections * batches * ledger::max_batch, elapsed_ns);
}

// ---- SQLite

class Sqlite {
  public:
    static Result<std::unique_ptr<Sqlite>> open(const std::filesystem::path& path, std::uint64_t accounts) {
        std::unique_ptr<Sqlite> one(new Sqlite);
        if (sqlite3_open(path.c_str(), &one->db_) != SQLITE_OK) return one->failed();
        JZ_CHECK(one->run(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-262144;"
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, debits INTEGER NOT NULL, credits INTEGER NOT NULL);"
            "CREATE TABLE transfers (id BLOB PRIMARY KEY, debit_account INTEGER NOT NULL,"
            " credit_account INTEGER NOT NULL, amount INTEGER NOT NULL) WITHOUT ROWID;"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
            std::to_string(accounts) + ") INSERT INTO accounts SELECT i, 0, 1000000000 FROM n;"));
        constexpr std::array texts{
            "INSERT INTO transfers VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            "UPDATE accounts SET debits = debits + ?4 WHERE id = ?2 AND credits - debits >= ?4",
            "UPDATE accounts SET credits = credits + ?4 WHERE id = ?3",
        };
        for (std::size_t i = 0; i < texts.size(); ++i) {
            if (sqlite3_prepare_v2(one->db_, texts[i], -1, &one->steps_[i], nullptr) != SQLITE_OK) return one->failed();
        }
        return one;
    }
    ~Sqlite() {
        for (sqlite3_stmt* step : steps_) sqlite3_finalize(step);
        sqlite3_close(db_);
    }
    Sqlite(const Sqlite&) = delete;
    Sqlite& operator=(const Sqlite&) = delete;

    Result<std::uint64_t> measure(Payments& payments, std::uint64_t transfers, std::uint64_t per_transaction) {
        const auto start = SteadyClock::now();
        for (std::uint64_t done = 0; done < transfers;) {
            JZ_CHECK(run("BEGIN IMMEDIATE"));
            const std::uint64_t end = std::min(transfers, done + per_transaction);
            for (; done < end; ++done) JZ_CHECK(pay(payments.next()));
            JZ_CHECK(run("COMMIT"));
        }
        return rate(transfers, nanoseconds_since(start));
    }

  private:
    Sqlite() = default;
    Error failed() const { return Error(ErrorKind::io, sqlite3_errmsg(db_)).in("SQLite"); }
    Result<> run(const std::string& sql) {
        if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return failed();
        return {};
    }
    Result<> pay(const Payment& payment) {
        std::array<std::uint64_t, 2> id{payment.id_high, payment.id_low};
        for (sqlite3_stmt* step : steps_) {
            const bool uses_id = step == steps_[0];
            if (uses_id) sqlite3_bind_blob(step, 1, id.data(), sizeof id, SQLITE_STATIC);
            if (step != steps_[2]) sqlite3_bind_int64(step, 2, static_cast<sqlite3_int64>(payment.payer));
            if (step != steps_[1]) sqlite3_bind_int64(step, 3, static_cast<sqlite3_int64>(payment.payee));
            sqlite3_bind_int64(step, 4, static_cast<sqlite3_int64>(payment.amount));
            const int stepped = sqlite3_step(step);
            sqlite3_reset(step);
            if (stepped != SQLITE_DONE) return failed();
            if (sqlite3_changes(db_) != 1) return Error(ErrorKind::internal, "SQLite did not take a transfer");
        }
        return {};
    }

    sqlite3* db_ = nullptr;
    std::array<sqlite3_stmt*, 3> steps_{};
};

}  // namespace

Result<SqlFigures> measure_sql_ledgers(const SqlLoad& load, Progress progress) {
    SqlFigures figures;
    if (!testing::PostgresServer::binaries().empty()) {
        progress("PostgreSQL, a transaction a transfer", "PostgreSQL，每笔转账一个事务");
        PostgresLoad postgres;
        postgres.transfers = load.singles;
        postgres.accounts = load.accounts;
        postgres.seed = load.seed;
        JZ_TRY(const Measured singles, run_postgres_load(postgres));
        figures.postgres_singles_per_s = singles.per_second();
        progress("PostgreSQL, batches as sets", "PostgreSQL，按集合批量");
        JZ_TRY(figures.postgres_batched_per_s, postgres_batched(load));
    }
    progress("SQLite, a transaction a transfer, then batches", "SQLite，先逐笔后批量");
    JZ_TRY(const auto sqlite, Sqlite::open(load.directory / "compare.db", load.accounts));
    Payments payments(load.accounts, load.seed);
    JZ_TRY(figures.sqlite_singles_per_s, sqlite->measure(payments, load.singles, 1));
    JZ_TRY(figures.sqlite_batched_per_s, sqlite->measure(payments, load.batched, ledger::max_batch));
    return figures;
}

}  // namespace jiaozi::bench
