// Commands from a seed, as a busy platform with careless clients would send them: every kind of event, holds resolved
// rightly and wrongly, chains, ceilings, repeated and reused ids, and now and then a field that is off.
#pragma once

#include <cstdint>
#include <vector>

#include <jiaozi/engine/command.hpp>
#include <jiaozi/sim/random.hpp>

#include "ring.hpp"

namespace jiaozi::sim {

class Workload {
  public:
    explicit Workload(Random random);

    // The accounts that the rest moves money between.
    engine::Command opening();
    engine::Command next();
    // What became of a command, so that later ones can refer to what is really there.
    void learn(const engine::Command& command, const engine::Outcome& outcome);

  private:
    engine::Command accounts();
    engine::Command freezing();
    engine::Command transfers();
    ledger::Transfer fresh();
    ledger::Transfer resolution();
    ledger::Transfer repetition();
    void spoil(ledger::Transfer& transfer);
    uint128 account_id();
    uint128 amount();
    Bytes annotation();

    Random random_;
    std::uint64_t account_count_;
    bool skewed_;  // most transfers go through two accounts
    bool huge_;    // some amounts are near the end of 128 bits
    std::uint64_t next_id_ = 1;
    Ring<ledger::Transfer> sent_;
    Ring<uint128> holds_;
    Ring<engine::Command> commands_;
};

}  // namespace jiaozi::sim
