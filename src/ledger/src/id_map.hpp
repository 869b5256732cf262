// A hash table keyed by 128-bit id, in shards that grow one by one. A single table of millions that doubles stops the
// writer for most of a second (figures in ../README.md); a shard's share of that is a few milliseconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <boost/unordered/unordered_flat_map.hpp>

#include <jiaozi/base/uint128.hpp>

#include "mix.hpp"

namespace jiaozi::ledger {

template <class Value>
class IdMap {
  public:
    // Null if there is none. The pointer is good until the next emplace or erase.
    const Value* find(uint128 id) const {
        const Shard& shard = shards_[shard_of(id)];
        const auto found = shard.find(id);
        return found == shard.end() ? nullptr : &found->second;
    }
    void emplace(uint128 id, Value value) { shards_[shard_of(id)].emplace(id, value); }
    void erase(uint128 id) { shards_[shard_of(id)].erase(id); }

  private:
    using Shard = boost::unordered_flat_map<uint128, Value, IdHash>;
    static constexpr std::size_t shard_count = 256;

    // Boost places by the hash's highest bits and tells neighbours apart by its lowest eight; these are neither.
    static std::size_t shard_of(uint128 id) noexcept { return (IdHash{}(id) >> 16) % shard_count; }

    std::array<Shard, shard_count> shards_;
};

}  // namespace jiaozi::ledger
