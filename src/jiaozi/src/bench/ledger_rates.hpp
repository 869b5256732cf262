// `jiaozi bench ledger`: what the ledger does on this machine, through the engine and to the disk. Every figure is of
// durable work: an answer counts when its entry is synced.
#pragma once

#include <cstdint>
#include <filesystem>

#include <jiaozi/base/result.hpp>

#include "ledger_queries.hpp"

namespace jiaozi::bench {

struct LedgerRatesOptions {
    std::filesystem::path directory;  // made and removed again; on the disk to be measured
    std::uint64_t transfers = 10'000'000;
    std::uint64_t accounts = 1'000'000;
    std::uint64_t singles = 2'000'000;      // submitted one by one
    std::uint64_t singles_per_s = 500'000;  // the open loop's arrivals
    std::uint64_t one_by_one = 10'000;      // of one caller
    std::uint64_t batches_outstanding = 4;  // submitted and not yet answered
    std::uint64_t seed = 1;
};

struct SinglesFigures {
    std::uint64_t rate = 0;
    std::uint64_t p50_us = 0;  // from the intended arrival
    std::uint64_t p99_us = 0;
    std::uint64_t one_caller_p50_us = 0;  // one after the other: each waits for the answer before
    std::uint64_t one_caller_p99_us = 0;
    std::uint64_t fdatasync_p99_us = 0;  // of the disk by itself, 4 KiB written and synced, measured right before
};

struct LedgerFigures {
    std::uint64_t transfers_per_s = 0;
    std::uint64_t pairs_per_s = 0;   // a hold and the post of it
    std::uint64_t chains_per_s = 0;  // three linked transfers
    std::uint64_t zipf_transfers_per_s = 0;
    SinglesFigures singles;
    std::uint64_t worst_stall_us = 0;     // the longest time between two answers of the transfers runs
    std::uint64_t longest_write_us = 0;   // the disk's part: no entry of those runs took it longer than that
    std::uint64_t snapshot_stall_us = 0;  // of the run during which a snapshot is made
    std::uint64_t bytes_per_transfer = 0;
    std::uint64_t rss_bytes = 0;  // of this process, generator included, after the transfers run
    std::uint64_t recovery_us = 0;
    std::uint64_t recovery_snapshot_us = 0;
    QueryFigures queries;       // asked while half of transfers_per_s are written
    std::uint64_t refused = 0;  // transfers with any other answer than `ok`: zero in a sound run
};

// `progress` is told what comes next: a name in English and one in Chinese.
using Progress = void (*)(const char* english, const char* chinese);
Result<LedgerFigures> measure_ledger(const LedgerRatesOptions& options, Progress progress);

}  // namespace jiaozi::bench
