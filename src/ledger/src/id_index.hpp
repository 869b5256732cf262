// From a 128-bit id to the ordinal it was given, in 8 bytes: 27 bits of the id's hash, a mark, 36 bits of ordinal. The
// id itself is kept where the ordinal leads, so a hit is a candidate until the caller has compared.
//
// Shards grow one by one, each by half: growing never shows as a stall (a single table of 100 million takes most of a
// second to double), and 10 to 15 bytes an id are resident at any size. Inside a shard: buckets of one cache line, the
// next ones taking what does not fit, placed by the kept bits in order, so that growing needs no ids.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <jiaozi/base/result.hpp>
#include <jiaozi/ledger/parts.hpp>

#include "bring_in.hpp"
#include "id_bucket.hpp"
#include "page_arena.hpp"

namespace jiaozi::ledger {

class IdIndex {
  public:
    static constexpr unsigned ordinal_bits = 36;
    static constexpr std::uint64_t max_ordinal = (std::uint64_t{1} << ordinal_bits) - 2;

    struct Entry {
        std::uint64_t ordinal = 0;
        bool marked = false;
    };

    // 2^shard_bits shards. Few keep the shards' headers in the nearest cache; many keep each shard small.
    explicit IdIndex(unsigned shard_bits);
    ~IdIndex();
    IdIndex(const IdIndex&) = delete;
    IdIndex& operator=(const IdIndex&) = delete;

    // Starts to bring in what find and insert will touch: first the shard's header, then (with the header in) its
    // slots.
    void prefetch_shard(std::uint64_t hash) const noexcept { bring_in(&shard_of(hash)); }
    void prefetch_slots(std::uint64_t hash) const noexcept {
        const Shard& shard = shard_of(hash);
        if (shard.buckets != nullptr) bring_in(&shard.buckets[home_of(print_of(hash), shard.count)]);
    }
    // With the slots in: the bucket behind them, if they are full, as one in some five is.
    void prefetch_overflow(std::uint64_t hash) const noexcept {
        const Shard& shard = shard_of(hash);
        if (shard.buckets == nullptr) return;
        const std::uint32_t home = home_of(print_of(hash), shard.count);
        if (shard.buckets[home].slots.back() != 0) bring_in(&shard.buckets[next(home, shard.count)]);
    }

    // The first candidate for which is_it(entry) says yes. One in some ten thousand is another's in a table of 100
    // million, and fewer in smaller ones.
    template <class IsIt>
    std::optional<Entry> find(std::uint64_t hash, IsIt is_it) const {
        const Shard& shard = shard_of(hash);
        if (shard.buckets == nullptr) return std::nullopt;
        const std::uint64_t print = print_of(hash);
        for (std::uint32_t at = home_of(print, shard.count);; at = next(at, shard.count)) {
            const Bucket& bucket = shard.buckets[at];
            for (unsigned matches = bucket.with_print(print); matches != 0; matches &= matches - 1) {
                const std::uint64_t slot = bucket.slots[static_cast<unsigned>(std::countr_zero(matches))];
                if (slot == 0) break;
                if (const Entry entry = entry_of(slot); is_it(entry)) return entry;
            }
            if (bucket.slots.back() == 0) return std::nullopt;
        }
    }

    // So many entries are expected in all: shards grow to what that takes in larger steps than they otherwise would. A
    // guess: too high costs memory (a shard never grows to more than four times what it was), too low costs time.
    void expect(std::uint64_t entries) noexcept;

    // The id must not be there yet.
    void insert(std::uint64_t hash, Entry entry);
    // The entry must be there.
    void erase(std::uint64_t hash, std::uint64_t ordinal);

    // Every entry, as (shard, slot), in no particular order: equal contents give equal sets.
    template <class Visit>
    void each(Visit visit) const {
        for (std::size_t s = 0; s < std::size_t{1} << shard_bits_; ++s) {
            for (std::uint32_t b = 0; b < shards_[s].count; ++b) {
                for (const std::uint64_t slot : shards_[s].buckets[b].slots) {
                    if (slot != 0) visit(static_cast<std::uint32_t>(s), slot);
                }
            }
        }
    }
    template <class Visit>
    void each_entry(Visit visit) const {
        each([&](std::uint32_t, std::uint64_t slot) { visit(entry_of(slot)); });
    }

    // As it stands in memory, shard by shard (docs/formats/snapshot.md, transfer_ids).
    Result<> save(PartSink& sink) const;
    // Into an index without entries, from `bytes` of a part. Every slot is one that could have been inserted, with an
    // ordinal below `ordinals`; whether it stands where it will be looked for is not checked. Error corrupt.
    Result<> load(PartSource& parts, std::uint64_t bytes, std::uint64_t ordinals);

  private:
    using Bucket = IdBucket;
    static constexpr std::size_t bucket_slots = Bucket::size;
    struct Shard {
        Bucket* buckets = nullptr;
        std::uint32_t count = 0;  // of buckets
        std::uint32_t size = 0;   // of entries
    };
    // A slot: print, mark, ordinal + 1. Zero is an empty one.
    static constexpr unsigned print_bits = Bucket::print_bits;
    static constexpr unsigned print_shift = Bucket::print_shift;
    static constexpr std::uint64_t mark = std::uint64_t{1} << ordinal_bits;

    Shard& shard_of(std::uint64_t hash) const noexcept { return shards_[hash >> (64 - shard_bits_)]; }
    std::uint64_t print_of(std::uint64_t hash) const noexcept { return (hash << shard_bits_) >> print_shift; }
    static std::uint32_t home_of(std::uint64_t print, std::uint32_t count) noexcept {
        return static_cast<std::uint32_t>(print * count >> print_bits);
    }
    static std::uint32_t next(std::uint32_t at, std::uint32_t count) noexcept { return at + 1 == count ? 0 : at + 1; }
    static std::uint64_t slot_of(std::uint64_t print, Entry entry) noexcept {
        return print << print_shift | (entry.marked ? mark : 0) | (entry.ordinal + 1);
    }
    static Entry entry_of(std::uint64_t slot) noexcept {
        return {.ordinal = (slot & (mark - 1)) - 1, .marked = (slot & mark) != 0};
    }

    static bool is_whole(const Shard& shard, std::uint64_t ordinals) noexcept;
    static void place(Shard& shard, std::uint64_t slot) noexcept;
    std::uint32_t next_size(std::uint32_t count) const noexcept;
    void grow(Shard& shard);
    Bucket* allocate(std::uint32_t count);
    void release(const Shard& shard) noexcept;

    struct FreeMemory {
        void operator()(Shard* shards) const noexcept;
    };
    const unsigned shard_bits_;
    std::uint32_t expected_buckets_ = 0;           // in a shard
    std::vector<std::uint8_t> filled_;             // slots of each bucket of the shard that grows
    PageArena arena_;                              // of the larger shards; small ones are on the heap
    std::unique_ptr<Shard[], FreeMemory> shards_;  // zeros from calloc: shards never used take no memory
};

}  // namespace jiaozi::ledger
