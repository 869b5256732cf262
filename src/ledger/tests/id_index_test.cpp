// The index against a map: what was put in is found, nothing else is, also while shards grow and entries go.
#include "id_index.hpp"

#include <random>
#include <unordered_map>

#include <gtest/gtest.h>

#include "mix.hpp"

namespace jiaozi::ledger {
namespace {

bool holds(const IdIndex& index, std::uint64_t hash, std::uint64_t ordinal, bool marked) {
    return index.find(hash, [&](IdIndex::Entry e) { return e.ordinal == ordinal && e.marked == marked; }).has_value();
}

// Few shards are used, so that each grows through every size up to several pages.
std::uint64_t crowded_hash(std::mt19937_64& random) {
    const std::uint64_t hash = random();
    return (hash & ~(0xFFFFULL << 48)) | (hash % 3) << 48;
}

TEST(IdIndex, agrees_with_a_map) {
    const std::uint64_t seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    IdIndex index(14);
    std::unordered_map<std::uint64_t, std::uint64_t> hashes;  // by ordinal
    std::uint64_t next = 0;
    for (int step = 0; step < 60'000; ++step) {
        // Right or wrong, what is expected changes nothing but sizes.
        if (step % 1'000 == 0) index.expect((random() % 20'000) << 14);
        if (!hashes.empty() && random() % 4 == 0) {
            const std::uint64_t ordinal = random() % next;
            if (const auto found = hashes.find(ordinal); found != hashes.end()) {
                index.erase(found->second, ordinal);
                ASSERT_FALSE(holds(index, found->second, ordinal, ordinal % 5 == 0));
                hashes.erase(found);
            }
        } else {
            const std::uint64_t hash = crowded_hash(random);
            index.insert(hash, {.ordinal = next, .marked = next % 5 == 0});
            hashes.emplace(next++, hash);
        }
        if (step % 10'000 != 0) continue;
        for (const auto& [ordinal, hash] : hashes) ASSERT_TRUE(holds(index, hash, ordinal, ordinal % 5 == 0));
    }
    std::size_t entries = 0;
    index.each([&](std::uint32_t, std::uint64_t) { ++entries; });
    EXPECT_EQ(entries, hashes.size());
}

TEST(IdIndex, keeps_the_largest_ordinal) {
    IdIndex index(14);
    index.insert(~0ULL, {.ordinal = IdIndex::max_ordinal, .marked = true});
    index.insert(0, {.ordinal = 0, .marked = false});
    EXPECT_TRUE(holds(index, ~0ULL, IdIndex::max_ordinal, true));
    EXPECT_TRUE(holds(index, 0, 0, false));
}

TEST(IdIndex, tells_ids_apart_that_share_a_shard) {
    IdIndex index(14);
    for (std::uint64_t i = 0; i < 10'000; ++i) index.insert(IdHash{}(i + 1), {.ordinal = i, .marked = false});
    std::size_t wrong = 0;
    for (std::uint64_t i = 0; i < 10'000; ++i) {
        ASSERT_TRUE(holds(index, IdHash{}(i + 1), i, false));
        wrong += index.find(IdHash{}(i + 1'000'000), [](IdIndex::Entry) { return true; }).has_value() ? 1 : 0;
    }
    EXPECT_LE(wrong, 1U);
}

}  // namespace
}  // namespace jiaozi::ledger
