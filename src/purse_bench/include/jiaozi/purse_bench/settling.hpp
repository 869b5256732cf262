// How fast the ledger settles deposits, beside the bare verification of their signatures with the same library and keys
// in the same run; and what a payment's messages weigh. Processor time is counted as well as time on the wall, so that
// figures per core mean something on a busy machine. Blocks; uses a directory of its own under the system's temporary
// one and removes it. Errors: of the engine and of settlement (io, unavailable), internal.
#pragma once

#include <cstdint>
#include <functional>

#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>

namespace jiaozi::purse_bench {

enum class Step { enrol, sign, verify, settle };  // what comes now

struct SettlingOptions {
    crypto::Suite suite = crypto::Suite::ed25519;
    std::size_t notes = 20'000;
    std::size_t purses = 2'000;
    unsigned threads = 2;       // that verify
    std::size_t batch = 1'000;  // notes in one deposit
    std::function<void(Step)> progress = [](Step) {};
};

struct SettlingFigures {
    // Bare verification, by as many threads as settle and measured before and after: one signature at a time, and many
    // at a time as settling does it (the same for suites that have no such way).
    std::uint64_t verify_per_s_core = 0;
    std::uint64_t verify_together_per_s_core = 0;
    std::uint64_t settle_per_s_core = 0;  // notes, by all processor time of the program
    std::uint64_t settle_per_s = 0;       // notes, on the wall
    std::uint64_t ratio_per_mille = 0;    // settle_per_s_core by verify_per_s_core
    // Of all processor time while settling, what the threads used that verify: in the very same seconds, so that what
    // else runs on the machine moves the rates, and this little.
    std::uint64_t verify_share_per_mille = 0;
    std::uint64_t overhead_ns_per_note = 0;  // all that is not verification
    std::uint64_t wall_ms = 0;
    std::uint64_t commands = 0;  // in the journal
    std::uint64_t memory_bytes_per_note = 0;
    std::uint64_t disk_bytes_per_note = 0;
    std::uint64_t resident_bytes = 0;  // of the program, at the end
};

Result<SettlingFigures> measure_settling(const SettlingOptions& options);

// Bytes of real messages between two purses, and of a fork proof.
struct Sizes {
    std::size_t first_meeting = 0;  // REQUEST, PAY and RECEIPT of hop 1
    std::size_t repeat = 0;
    std::size_t fork_proof = 0;
};
Sizes measure_sizes(crypto::Suite suite);

}  // namespace jiaozi::purse_bench
