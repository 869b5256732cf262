// Mixing of 64-bit words by 128-bit multiplication: for hash tables, fingerprints of refused events and the state
// digest. Deterministic and unkeyed; against accidents, not adversaries.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

#include <jiaozi/base/uint128.hpp>

namespace jiaozi::ledger {

constexpr std::uint64_t multiply_mix(std::uint64_t a, std::uint64_t b) noexcept {
    const uint128 product = static_cast<uint128>(a) * b;
    return low64(product) ^ high64(product);
}

class Mixer {
  public:
    constexpr void add(std::uint64_t word) noexcept {
        hash_ = multiply_mix(hash_ ^ word, 0x9E3779B97F4A7C15ULL) + 0xD1B54A32D192ED03ULL;
    }
    constexpr void add(uint128 value) noexcept {
        add(low64(value));
        add(high64(value));
    }
    // All bytes of a record without padding.
    template <class Record>
        requires(std::has_unique_object_representations_v<Record> && sizeof(Record) % 8 == 0)
    constexpr void add_record(const Record& record) noexcept {
        for (const std::uint64_t word : std::bit_cast<std::array<std::uint64_t, sizeof(Record) / 8>>(record)) add(word);
    }
    constexpr std::uint64_t value() const noexcept { return hash_; }

  private:
    std::uint64_t hash_ = 0x2545F4914F6CDD1DULL;
};

// Hash of a 128-bit id. The constants keep either half being zero, or both being equal, from collapsing the product.
struct IdHash {
    using is_avalanching = void;  // tells Boost that no further mixing is needed
    std::uint64_t operator()(uint128 id) const noexcept {
        return multiply_mix(low64(id) ^ 0xA0761D6478BD642FULL, high64(id) ^ 0xE7037ED1A0B428DBULL);
    }
};

}  // namespace jiaozi::ledger
