// The same double entry in databases that a shop would otherwise use, on the same disk in the same run: PostgreSQL with
// its durable settings, and SQLite with synchronous=FULL. Ids are random and deduplicated, accounts may not be
// overdrawn.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include <jiaozi/base/result.hpp>

#include "ledger_rates.hpp"

namespace jiaozi::bench {

struct SqlLoad {
    std::filesystem::path directory;  // exists; for SQLite's file
    std::uint64_t accounts = 1'000'000;
    std::uint64_t singles = 20'000;   // transfers, each a transaction
    std::uint64_t batched = 400'000;  // transfers, 8,190 to a transaction
    std::uint64_t seed = 1;
};

struct SqlFigures {
    // None where PostgreSQL is not installed.
    std::optional<std::uint64_t> postgres_singles_per_s;  // 16 connections
    std::optional<std::uint64_t> postgres_batched_per_s;  // one statement a batch, two connections
    std::uint64_t sqlite_singles_per_s = 0;
    std::uint64_t sqlite_batched_per_s = 0;
};

Result<SqlFigures> measure_sql_ledgers(const SqlLoad& load, Progress progress);

}  // namespace jiaozi::bench
