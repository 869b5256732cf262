// A town of purses over the real code, some of whose owners cheat: how soon the ledger has a proof, how often a cheater
// is believed until then, and that nobody honest is accused. Everything follows from the seed.
//
// A cheater clones its purse and pays every time with the same units, to whoever still takes them; it gossips nothing
// and carries nothing. Everybody else is honest, pays, asks, gossips, carries, and meets the network now and then.
// Threading: none; one call at a time per thread.
#pragma once

#include <cstdint>
#include <string>

namespace jiaozi::purse_bench {

struct PopulationOptions {
    std::uint64_t seed = 1;
    std::uint32_t devices = 10'000;
    std::uint32_t cheaters_per_mille = 30;
    std::uint32_t payments_a_day = 5;
    std::uint32_t local_percent = 80;  // of contacts, within a neighbourhood
    std::uint32_t neighbourhood = 50;
    std::uint32_t sync_mean_h = 48;
    std::uint32_t days = 5;      // cheaters begin within the first
    std::uint32_t prompt_h = 4;  // a purse that has something to tell asks for the network: mean time until then
    bool gossip = true;          // lists and proofs
    bool mules = true;
    int mule_copies = 3;  // of each deposit, carried by different purses
    bool digests = true;  // act on contradictions
};

struct PopulationResult {
    std::uint64_t payments = 0;
    std::uint64_t refused = 0;
    std::uint64_t syncs = 0;
    std::uint64_t carried = 0;  // deposits that a mule brought
    std::uint32_t cheaters = 0;
    std::uint32_t found = 0;         // by the end
    std::uint32_t found_in_72h = 0;  // of its first fraud
    std::uint32_t late = 0;          // began less than 72 h before the end and not found: says nothing
    std::uint32_t median_minutes = 0;
    std::uint32_t p95_minutes = 0;
    std::uint64_t frauds = 0;   // payments with units that were spent already
    std::uint32_t accused = 0;  // honest purses with a proof against them
    std::string first_accused;
};

PopulationResult run_population(const PopulationOptions& options);

}  // namespace jiaozi::purse_bench
