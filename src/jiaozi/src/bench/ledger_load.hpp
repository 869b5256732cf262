// The ledger level: single durable transfers through the engine, and the same double entry in PostgreSQL, one
// transaction a payment.
#pragma once

#include <cstdint>
#include <filesystem>

#include <jiaozi/base/result.hpp>

#include "measure.hpp"

namespace jiaozi::bench {

struct LedgerLoad {
    std::filesystem::path directory;
    std::uint64_t transfers = 0;
    std::uint64_t accounts = 10'000;
    std::uint64_t outstanding = 16'384;  // submitted and not yet answered
    std::uint64_t seed = 1;
};
Result<Measured> run_ledger_load(const LedgerLoad& load);

struct PostgresLoad {
    std::uint64_t transfers = 0;
    std::uint64_t accounts = 10'000;
    std::uint32_t connections = 16;
    std::uint64_t seed = 1;
};
// Starts a PostgreSQL of its own with its durable settings. Error unavailable where none is installed.
Result<Measured> run_postgres_load(const PostgresLoad& load);

}  // namespace jiaozi::bench
