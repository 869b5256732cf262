// The one source of chance in a simulation: the same seed gives the same numbers on every machine and compiler, which
// the standard library's distributions do not promise. SplitMix64 (Steele, Lea, Flood 2014). Not thread-safe.
#pragma once

#include <cstdint>

namespace jiaozi::sim {

class Random {
  public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }
    // From 0 to end - 1; end must not be 0. The bias of the remainder does not matter here.
    std::uint64_t below(std::uint64_t end) noexcept { return next() % end; }
    bool chance(std::uint64_t percent) noexcept { return below(100) < percent; }
    // A generator of its own, so that more draws in one part of a simulation do not change another part.
    Random fork() noexcept { return Random(next()); }

  private:
    std::uint64_t state_;
};

// Folds a run into one number, so that two runs can be compared.
class TraceHash {
  public:
    void add(std::uint64_t word) noexcept { hash_ = Random(hash_ ^ word).next(); }
    std::uint64_t value() const noexcept { return hash_; }

  private:
    std::uint64_t hash_ = 0;
};

}  // namespace jiaozi::sim
