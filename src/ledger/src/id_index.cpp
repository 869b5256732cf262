#include "id_index.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <vector>

#include <jiaozi/base/assert.hpp>

namespace jiaozi::ledger {

namespace {

constexpr std::uint32_t buckets_a_page = PageArena::page_bytes / 64;

constexpr std::uint32_t in_whole_pages(std::uint32_t buckets) {
    return (buckets + buckets_a_page - 1) / buckets_a_page * buckets_a_page;
}

}  // namespace

void IdIndex::FreeMemory::operator()(Shard* shards) const noexcept {
    std::free(shards);
}

IdIndex::IdIndex(unsigned shard_bits)
    : shard_bits_(shard_bits), shards_(static_cast<Shard*>(std::calloc(std::size_t{1} << shard_bits, sizeof(Shard)))) {
    JZ_ASSERT(shards_ != nullptr);
}

IdIndex::~IdIndex() {
    for (std::size_t i = 0; i < std::size_t{1} << shard_bits_; ++i) {
        if (shards_[i].count < buckets_a_page) std::free(shards_[i].buckets);
    }
}

IdIndex::Bucket* IdIndex::allocate(std::uint32_t count) {
    const std::size_t bytes = count * sizeof(Bucket);
    if (count >= buckets_a_page) return static_cast<Bucket*>(arena_.allocate(bytes));
    void* memory = std::aligned_alloc(alignof(Bucket), bytes);
    JZ_ASSERT(memory != nullptr);
    return static_cast<Bucket*>(std::memset(memory, 0, bytes));
}

void IdIndex::release(const Shard& shard) noexcept {
    if (shard.count < buckets_a_page)
        std::free(shard.buckets);
    else
        arena_.free(shard.buckets, shard.count * sizeof(Bucket));
}

void IdIndex::place(Shard& shard, std::uint64_t slot) noexcept {
    for (std::uint32_t at = home_of(slot >> print_shift, shard.count);; at = next(at, shard.count)) {
        Bucket& bucket = shard.buckets[at];
        const std::size_t filled = bucket.filled();
        if (filled == bucket_slots) continue;
        bucket.slots[filled] = slot;
        return;
    }
}

void IdIndex::expect(std::uint64_t entries) noexcept {
    // Some shards get more than others; a sixteenth more is room for most of them.
    const std::uint64_t in_a_shard = (entries >> shard_bits_) * 17 / 16;
    expected_buckets_ =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(in_a_shard * 5 / 4 / bucket_slots + 1, UINT32_MAX / 8));
}

// By half, or to what is expected; in whole pages from the first page on.
std::uint32_t IdIndex::next_size(std::uint32_t count) const noexcept {
    const std::uint32_t by_half = count < 2 ? count + 1 : count + count / 2;
    const std::uint32_t larger = std::max(by_half, std::min(expected_buckets_, count * 4));
    return larger < buckets_a_page ? larger : in_whole_pages(larger);
}

void IdIndex::grow(Shard& shard) {
    Shard larger{nullptr, next_size(shard.count), shard.size};
    larger.buckets = allocate(larger.count);
    filled_.assign(larger.count, 0);
    for (std::uint32_t i = 0; i < shard.count; ++i) {
        for (const std::uint64_t slot : shard.buckets[i].slots) {
            if (slot == 0) break;
            std::uint32_t at = home_of(slot >> print_shift, larger.count);
            while (filled_[at] == bucket_slots) at = next(at, larger.count);
            larger.buckets[at].slots[filled_[at]++] = slot;
        }
    }
    release(shard);
    shard = larger;
}

void IdIndex::insert(std::uint64_t hash, Entry entry) {
    JZ_ASSERT(entry.ordinal <= max_ordinal);
    Shard& shard = shard_of(hash);
    // At most four fifths full: few entries then stand outside their own bucket.
    if ((std::uint64_t{shard.size} + 1) * 5 > std::uint64_t{shard.count} * bucket_slots * 4) grow(shard);
    place(shard, slot_of(print_of(hash), entry));
    ++shard.size;
}

// The entries behind the one that goes, up to the next bucket with room, are placed anew: some may belong further in
// front, and no search may stop before it has seen them. Only a broken chain erases.
void IdIndex::erase(std::uint64_t hash, std::uint64_t ordinal) {
    Shard& shard = shard_of(hash);
    const std::uint64_t print = print_of(hash);
    JZ_ASSERT(shard.size > 0);
    std::vector<std::uint64_t> others;
    bool found = false;
    for (std::uint32_t at = home_of(print, shard.count);; at = next(at, shard.count)) {
        const bool full = shard.buckets[at].slots.back() != 0;
        for (std::uint64_t& slot : shard.buckets[at].slots) {
            const bool is_it = slot != 0 && slot >> print_shift == print && entry_of(slot).ordinal == ordinal;
            if (slot != 0 && !is_it) others.push_back(slot);
            found = found || is_it;
            slot = 0;
        }
        if (!full) break;
    }
    JZ_ASSERT(found);
    for (const std::uint64_t slot : others) place(shard, slot);
    --shard.size;
}

namespace {

// How a shard begins.
struct ShardRow {
    std::uint32_t buckets = 0;
    std::uint32_t entries = 0;
};
static_assert(sizeof(ShardRow) == 8 && std::has_unique_object_representations_v<ShardRow>);

}  // namespace

Result<> IdIndex::save(PartSink& sink) const {
    static_assert(sizeof(Bucket) == 64 && std::has_unique_object_representations_v<Bucket>);
    for (std::size_t i = 0; i < std::size_t{1} << shard_bits_; ++i) {
        const Shard& shard = shards_[i];
        const ShardRow row{shard.count, shard.size};
        JZ_CHECK(sink.write({reinterpret_cast<const std::uint8_t*>(&row), sizeof row}));
        if (shard.count == 0) continue;
        JZ_CHECK(sink.write(
            {reinterpret_cast<const std::uint8_t*>(shard.buckets), shard.count * std::size_t{sizeof(Bucket)}}));
    }
    return {};
}

Result<> IdIndex::load(PartSource& parts, std::uint64_t bytes, std::uint64_t ordinals) {
    const auto corrupt = [] { return Error(ErrorKind::corrupt, "an index of ids that cannot be"); };
    for (std::size_t i = 0; i < std::size_t{1} << shard_bits_; ++i) {
        ShardRow row;
        if (bytes < sizeof row) return corrupt();
        JZ_CHECK(parts.read({reinterpret_cast<std::uint8_t*>(&row), sizeof row}));
        bytes -= sizeof row;
        const std::uint64_t size = std::uint64_t{row.buckets} * sizeof(Bucket);
        // Not full, so that every search ends; and memory is taken only for what is there.
        if (size > bytes || std::uint64_t{row.entries} * 5 > std::uint64_t{row.buckets} * bucket_slots * 4)
            return corrupt();
        if (row.buckets >= buckets_a_page && row.buckets % buckets_a_page != 0) return corrupt();
        if (row.buckets == 0) continue;
        bytes -= size;
        Shard& shard = shards_[i];
        shard = {allocate(row.buckets), row.buckets, row.entries};
        JZ_CHECK(parts.read({reinterpret_cast<std::uint8_t*>(shard.buckets), static_cast<std::size_t>(size)}));
        if (!is_whole(shard, ordinals)) return corrupt();
    }
    return bytes == 0 ? Result<>() : corrupt();
}

// As many entries as it says, each bucket filled from the front, each ordinal in range.
bool IdIndex::is_whole(const Shard& shard, std::uint64_t ordinals) noexcept {
    std::uint64_t entries = 0;
    bool good = true;
    for (std::uint32_t b = 0; b < shard.count; ++b) {
        std::uint64_t before = 1;
        for (const std::uint64_t slot : shard.buckets[b].slots) {
            const std::uint64_t ordinal = (slot & (mark - 1)) - 1;  // of an empty one: far out of range
            good = good && (slot == 0 || (before != 0 && ordinal < ordinals));
            entries += slot != 0 ? 1 : 0;
            before = slot;
        }
    }
    return good && entries == shard.size;
}

}  // namespace jiaozi::ledger
