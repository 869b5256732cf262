// Questions asked of the ledger while it is written to.
#pragma once

#include <cstdint>
#include <filesystem>

#include <jiaozi/base/result.hpp>

namespace jiaozi::bench {

struct QueryLoad {
    std::filesystem::path directory;  // made and removed again
    std::uint64_t accounts = 1'000'000;
    std::uint64_t transfers = 2'000'000;      // written meanwhile
    std::uint64_t transfers_per_s = 500'000;  // in batches that arrive by the clock
    std::uint64_t seed = 1;
};

struct QueryFigures {
    std::uint64_t transfers_per_s = 0;  // that were written
    std::uint64_t lookup_p50_us = 0;    // a transfer by its id, any that was ever written
    std::uint64_t lookup_p99_us = 0;
    std::uint64_t statement_p50_us = 0;  // the newest hundred changes of an account
    std::uint64_t statement_p99_us = 0;
};

// Error internal when an answer is not what was written: then the figures would mean nothing.
Result<QueryFigures> run_queries(const QueryLoad& load);

}  // namespace jiaozi::bench
