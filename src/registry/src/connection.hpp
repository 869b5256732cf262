// One database connection and its prepared statements. The only place, with database_errors.cpp, that knows SOCI.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <jiaozi/base/result.hpp>
#include <jiaozi/registry/store.hpp>

#include "sql.hpp"

namespace jiaozi::registry {

enum class Backend : std::uint8_t { sqlite, postgresql };

// A prepared statement: write `params`, run it through the connection, read `columns` row by row.
struct Statement {
    std::vector<Cell> params;
    std::vector<Cell> columns;
    struct Bound;  // SOCI's statement and its indicators
    std::unique_ptr<Bound> bound;

    Statement();
    ~Statement();
};

class Connection {
  public:
    static Result<std::unique_ptr<Connection>> open(const Options& options, Durability durability);
    ~Connection();

    Backend backend() const noexcept { return backend_; }
    const Options& options() const noexcept { return options_; }
    bool in_transaction() const noexcept { return in_transaction_; }
    bool lost() const noexcept { return lost_; }

    // Kept until the connection ends (or its cache is full): valid until the next prepare.
    // `kind` names the record in errors, here and below.
    Result<Statement*> prepare(std::string_view kind, const std::string& sql, std::span<const Type> params,
                               std::span<const Type> columns);
    // Runs a statement that returns no rows; returns how many rows it changed.
    Result<std::uint64_t> execute(std::string_view kind, Statement& statement);
    // Runs a query to its end, calling `row` for each; `row` must not use the connection.
    Result<> query(std::string_view kind, Statement& statement, const std::function<Result<>()>& row);

    // The same for SQL with its values.
    Result<std::uint64_t> execute(std::string_view kind, const Sql& sql);
    Result<Statement*> prepare(std::string_view kind, const Sql& sql, std::span<const Type> columns);

    // Serialisable is what services get; batch is for writers whose statements are correct under read committed.
    enum class Isolation : std::uint8_t { serializable, batch };
    Result<> transaction(Isolation isolation, const std::function<Result<>()>& work);

  private:
    struct Impl;
    Connection(Options options, Durability durability, Backend backend);
    Result<> connect();
    Result<> configure();
    Result<> reconnect_if_lost();
    Result<> run_text(std::string_view sql);
    Result<> attempt(Isolation isolation, const std::function<Result<>()>& work);
    // Translates the exception in flight, and notes what it means for the transaction and the connection.
    Error failed(std::string_view kind, bool commit = false);
    void retire(const Statement& statement);

    Options options_;
    Durability durability_;
    Backend backend_;
    std::unique_ptr<Impl> impl_;
    std::unordered_map<std::string, std::unique_ptr<Statement>> statements_;
    // Failed statements, waiting for the end of the transaction. SOCI leaves a failed statement's buffers as they were,
    // and its next run would send old values in place of NULL, so none is used again; and PostgreSQL cannot drop a
    // prepared statement while the transaction is failed.
    std::vector<std::unique_ptr<Statement>> retired_;
    bool in_transaction_ = false;
    bool lost_ = false;
    bool collided_ = false;         // two transactions got in each other's way: worth running again
    std::optional<Error> failure_;  // the first failed statement of the open transaction
};

}  // namespace jiaozi::registry
