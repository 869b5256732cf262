// How long an honest purse waits for its deposit and its acknowledgement while others hand in junk (attack 72): notes
// whose signature is wrong, so that each has to be verified to be known as junk, repeated ones, and random bytes.
// Blocks; uses a directory of its own under the system's temporary one and removes it. Errors: of the engine and of
// settlement (io, unavailable), internal.
#pragma once

#include <cstdint>

#include <jiaozi/base/result.hpp>

namespace jiaozi::purse_bench {

// The service level of docs/settlement.md, for the 95th of 100 waits, with junk and without.
inline constexpr std::uint64_t deposit_slo_us = 500'000;

struct JunkOptions {
    std::uint64_t junk_per_s = 10'000;  // items
    std::size_t senders = 100;          // purses that send it; as much comes from nobody who says who it is
    std::uint64_t honest_per_s = 50;    // deposits of one note, each with a sync behind it
    std::uint64_t seconds = 10;         // without junk, and as long with it
    unsigned threads = 2;               // that verify
};

struct JunkFigures {
    std::uint64_t quiet_p50_us = 0;  // from deposit to acknowledgement
    std::uint64_t quiet_p95_us = 0;
    std::uint64_t junk_p50_us = 0;
    std::uint64_t junk_p95_us = 0;
    std::uint64_t junk_per_s = 0;  // that was handed in and answered
    std::uint64_t verified = 0;    // signatures of junk that were looked at
};

Result<JunkFigures> measure_junk(const JunkOptions& options);

}  // namespace jiaozi::purse_bench
