#include "connection.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include "database_errors.hpp"

namespace jiaozi::registry {
namespace {

constexpr std::size_t max_cached_statements = 256;
constexpr int max_attempts = 5;
constexpr std::string_view sqlite_scheme = "sqlite:";

// SQLite creates its file readable by all; webhook secrets stand in it.
Result<> create_private(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) return errno_error("open " + path);
    ::close(file);
    return {};
}

Result<std::string> sqlite_path(const std::string& url) {
    std::string path = url.substr(sqlite_scheme.size());
    if (path.empty() || path.starts_with(':') || path.find_first_of("\"\n") != std::string::npos) {
        return Error(ErrorKind::invalid, "registry: give the path of a file after sqlite:, without quotation marks")
            .with_param("url");
    }
    return path;
}

}  // namespace

struct Statement::Bound {
    explicit Bound(soci::session& session) : statement(session) {}
    soci::statement statement;
    std::vector<soci::indicator> param_indicators;
    std::vector<soci::indicator> column_indicators;
};

Statement::Statement() = default;
Statement::~Statement() = default;

namespace {

// SOCI keeps the addresses of cells and indicators: both vectors are sized once, here, and never again.
std::unique_ptr<Statement> make_statement(soci::session& session, const std::string& sql, std::span<const Type> params,
                                          std::span<const Type> columns) {
    auto statement = std::make_unique<Statement>();
    statement->bound = std::make_unique<Statement::Bound>(session);
    auto& bound = *statement->bound;
    statement->params.resize(params.size());
    bound.param_indicators.resize(params.size(), soci::i_ok);
    for (std::size_t i = 0; i < params.size(); ++i) {
        Cell& cell = statement->params[i];
        cell.type = params[i];
        if (cell.type == Type::text) {
            bound.statement.exchange(soci::use(cell.text, bound.param_indicators[i]));
        } else {
            bound.statement.exchange(soci::use(cell.number, bound.param_indicators[i]));
        }
    }
    statement->columns.resize(columns.size());
    bound.column_indicators.resize(columns.size(), soci::i_ok);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        Cell& cell = statement->columns[i];
        cell.type = columns[i];
        if (cell.type == Type::text) {
            bound.statement.exchange(soci::into(cell.text, bound.column_indicators[i]));
        } else {
            bound.statement.exchange(soci::into(cell.number, bound.column_indicators[i]));
        }
    }
    bound.statement.alloc();
    bound.statement.prepare(sql);
    bound.statement.define_and_bind();
    return statement;
}

void set_indicators(Statement& statement) {
    for (std::size_t i = 0; i < statement.params.size(); ++i) {
        statement.bound->param_indicators[i] = statement.params[i].null ? soci::i_null : soci::i_ok;
    }
}

void read_indicators(Statement& statement) {
    for (std::size_t i = 0; i < statement.columns.size(); ++i) {
        Cell& cell = statement.columns[i];
        cell.null = statement.bound->column_indicators[i] == soci::i_null;
        if (cell.null) {
            cell.text.clear();
            cell.number = 0;
        }
    }
}

std::vector<Type> types_of(const std::vector<Cell>& cells) {
    std::vector<Type> types;
    types.reserve(cells.size());
    for (const Cell& cell : cells) types.push_back(cell.type);
    return types;
}

}  // namespace

struct Connection::Impl {
    std::unique_ptr<soci::session> session;
};

Connection::Connection(Options options, Durability durability, Backend backend)
    : options_(std::move(options)), durability_(durability), backend_(backend), impl_(std::make_unique<Impl>()) {}

Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const Options& options, Durability durability) {
    const bool sqlite = options.url.starts_with(sqlite_scheme);
    if (!sqlite && !options.url.starts_with("postgresql://") && !options.url.starts_with("postgres://")) {
        return Error(ErrorKind::invalid, "registry: the url must start with sqlite: or postgresql://")
            .with_param("url");
    }
    std::unique_ptr<Connection> connection(
        new Connection(options, durability, sqlite ? Backend::sqlite : Backend::postgresql));
    JZ_CHECK(connection->connect());
    return connection;
}

Result<> Connection::connect() {
    try {
        if (backend_ == Backend::sqlite) {
            JZ_TRY(const std::string path, sqlite_path(options_.url));
            JZ_CHECK(create_private(path));
            impl_->session = std::make_unique<soci::session>(soci::sqlite3, "dbname=\"" + path + "\"");
        } else {
            impl_->session = std::make_unique<soci::session>(soci::postgresql, options_.url);
        }
    } catch (...) {
        return failed("connect");
    }
    lost_ = false;
    return configure();
}

Result<> Connection::configure() {
    if (backend_ == Backend::sqlite) {
        JZ_CHECK(run_text("PRAGMA busy_timeout = 5000"));
        JZ_CHECK(run_text("PRAGMA journal_mode = WAL"));
        JZ_CHECK(
            run_text(durability_ == Durability::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
        JZ_CHECK(run_text("PRAGMA foreign_keys = ON"));
        JZ_CHECK(run_text("PRAGMA cache_size = -32768"));  // KiB, as negative numbers are
        return run_text("PRAGMA wal_autocheckpoint = 4000");
    }
    JZ_CHECK(run_text("SET client_min_messages = error"));
    JZ_CHECK(run_text("SET lock_timeout = '5s'"));
    JZ_CHECK(run_text("SET application_name = 'jiaozi'"));
    JZ_CHECK(run_text("SET client_encoding = 'UTF8'"));
    if (durability_ == Durability::projection) return run_text("SET synchronous_commit = off");
    return {};
}

Result<> Connection::reconnect_if_lost() {
    if (!lost_ || in_transaction_) return {};
    statements_.clear();
    retired_.clear();
    impl_->session.reset();
    return connect();
}

Error Connection::failed(std::string_view kind, bool commit) {
    Translated translated = translate_exception(kind, impl_->session.get());
    lost_ = lost_ || translated.lost;
    collided_ = collided_ || translated.collided;
    Error error = std::move(translated.error);
    if (commit && translated.lost) {
        error = Error(ErrorKind::timeout,
                      "registry: the connection was lost during the commit; whether it took place is unknown");
    }
    if (in_transaction_ && !failure_) failure_ = error;
    return error;
}

void Connection::retire(const Statement& statement) {
    const auto found = std::find_if(statements_.begin(), statements_.end(),
                                    [&](const auto& entry) { return entry.second.get() == &statement; });
    if (found == statements_.end()) return;
    retired_.push_back(std::move(found->second));
    statements_.erase(found);
    if (!in_transaction_) retired_.clear();
}

Result<Statement*> Connection::prepare(std::string_view kind, const std::string& sql, std::span<const Type> params,
                                       std::span<const Type> columns) {
    JZ_CHECK(reconnect_if_lost());
    const auto found = statements_.find(sql);
    if (found != statements_.end()) return found->second.get();
    if (statements_.size() >= max_cached_statements) statements_.clear();
    try {
        auto statement = make_statement(*impl_->session, sql, params, columns);
        return statements_.emplace(sql, std::move(statement)).first->second.get();
    } catch (...) {
        return failed(kind);
    }
}

Result<Statement*> Connection::prepare(std::string_view kind, const Sql& sql, std::span<const Type> columns) {
    JZ_TRY(Statement * statement, prepare(kind, sql.text(), types_of(sql.values()), columns));
    for (std::size_t i = 0; i < sql.values().size(); ++i) statement->params[i] = sql.values()[i];
    return statement;
}

Result<std::uint64_t> Connection::execute(std::string_view kind, Statement& statement) {
    try {
        set_indicators(statement);
        statement.bound->statement.execute(true);
        const long long changed = statement.bound->statement.get_affected_rows();
        return changed < 0 ? 0 : static_cast<std::uint64_t>(changed);
    } catch (...) {
        Error error = failed(kind);
        retire(statement);
        return error;
    }
}

Result<std::uint64_t> Connection::execute(std::string_view kind, const Sql& sql) {
    JZ_TRY(Statement * statement, prepare(kind, sql, {}));
    return execute(kind, *statement);
}

Result<> Connection::query(std::string_view kind, Statement& statement, const std::function<Result<>()>& row) {
    Result<> outcome;
    try {
        set_indicators(statement);
        // The query runs to its end even when `row` fails: SQLite holds its read lock until then.
        for (bool got = statement.bound->statement.execute(true); got; got = statement.bound->statement.fetch()) {
            if (!outcome.ok()) continue;
            read_indicators(statement);
            outcome = row();
        }
    } catch (...) {
        Error error = failed(kind);
        retire(statement);
        return error;
    }
    return outcome;
}

Result<> Connection::run_text(std::string_view sql) {
    try {
        *impl_->session << std::string(sql);
        return {};
    } catch (...) {
        return failed("transaction");
    }
}

Result<> Connection::transaction(Isolation isolation, const std::function<Result<>()>& work) {
    if (in_transaction_) return work();
    for (int tried = 1;; ++tried) {
        JZ_CHECK(reconnect_if_lost());
        collided_ = false;
        Result<> outcome = attempt(isolation, work);
        if (outcome.ok() || !collided_ || tried == max_attempts) return outcome;
        std::this_thread::sleep_for(std::chrono::milliseconds(1 << tried));
    }
}

Result<> Connection::attempt(Isolation isolation, const std::function<Result<>()>& work) {
    // IMMEDIATE takes SQLite's write lock at once: a deferred transaction that reads and then writes could not wait.
    std::string_view begin = "BEGIN IMMEDIATE";
    if (backend_ == Backend::postgresql) {
        begin = isolation == Isolation::serializable ? "BEGIN ISOLATION LEVEL SERIALIZABLE"
                                                     : "BEGIN ISOLATION LEVEL READ COMMITTED";
    }
    if (Result<> begun = run_text(begin); !begun.ok()) {
        collided_ = collided_ || lost_;  // nothing has happened yet: a new connection may begin again
        return begun;
    }
    in_transaction_ = true;
    failure_.reset();
    Result<> outcome;
    try {
        outcome = work();
    } catch (...) {
        outcome = failed("transaction");
    }
    // PostgreSQL answers the COMMIT of a failed transaction with a rollback and no error, so a dropped failure counts.
    if (outcome.ok() && failure_) outcome = *failure_;
    if (outcome.ok()) {
        try {
            *impl_->session << "COMMIT";
        } catch (...) {
            outcome = failed("transaction", true);
        }
    }
    const bool collided = collided_;
    if (!outcome.ok() && !lost_)
        ignore_error(run_text("ROLLBACK"), "the database rolls back by itself when it cannot answer");
    collided_ = collided;
    in_transaction_ = false;
    failure_.reset();
    retired_.clear();
    return outcome;
}

}  // namespace jiaozi::registry
