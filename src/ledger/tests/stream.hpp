// Random events that run into the ledger's interesting cases: few accounts, reused ids, holds resolved rightly and
// wrongly, chains, ceilings, closing, freezing, timeouts, amounts near the end of 128 bits. The same seed gives the
// same stream.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <jiaozi/ledger/types.hpp>

namespace jiaozi::ledger::test {

class Stream {
  public:
    explicit Stream(std::uint64_t seed);

    std::vector<Account> accounts();    // a batch
    std::vector<Transfer> transfers();  // a batch
    // What came of a batch, so that later ones can refer to what is really there.
    void learn(std::span<const Transfer> batch, std::span<const CreateTransferResult> results);
    std::uint64_t below(std::uint64_t end) { return random_() % end; }
    bool chance(std::uint64_t percent) { return below(100) < percent; }
    uint128 account_id();
    // Nanoseconds until the next call: mostly less than a hold's timeout, once in a long while a leap to the end of
    // time.
    std::uint64_t pause_ns();

  private:
    Transfer fresh_transfer();
    Transfer resolution();
    Transfer repetition();
    void spoil(Transfer& event);
    uint128 amount();
    uint128 known_id();

    std::mt19937_64 random_;
    bool huge_;  // this stream deals in amounts near the maximum
    std::uint64_t account_range_;
    std::uint64_t next_id_ = 1;
    std::vector<Transfer> sent_;
    std::vector<Transfer> stored_;
    std::vector<uint128> holds_;
};

}  // namespace jiaozi::ledger::test
