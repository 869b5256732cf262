#include <random>

#include <gtest/gtest.h>

#include <jiaozi/settlement/range_index.hpp>

namespace jiaozi::settlement {
namespace {

// Who has each unit, written down unit by unit.
class NaiveRanges {
  public:
    explicit NaiveRanges(std::size_t size) : owner_(size, 0) {}

    std::vector<OwnedSpan> taken(Span range) const {
        std::vector<OwnedSpan> out;
        for (std::uint64_t at = range.from; at < range.to; ++at) {
            if (owner_[at] == 0) continue;
            const bool more = !out.empty() && out.back().span.to == at && out.back().owner == owner_[at];
            if (more) {
                ++out.back().span.to;
            } else {
                out.push_back({{at, at + 1}, owner_[at]});
            }
        }
        return out;
    }
    void claim(Span range, std::uint32_t owner) {
        for (std::uint64_t at = range.from; at < range.to; ++at) {
            if (owner_[at] == 0) owner_[at] = owner;
        }
    }
    void release(Span range, std::uint32_t owner) {
        for (std::uint64_t at = range.from; at < range.to; ++at) {
            if (owner_[at] == owner) owner_[at] = 0;
        }
    }

  private:
    std::vector<std::uint32_t> owner_;
};

// Neighbours of one owner are one for the comparison: the index may keep them apart.
std::vector<OwnedSpan> joined(const std::vector<OwnedSpan>& spans) {
    std::vector<OwnedSpan> out;
    for (const OwnedSpan& span : spans) {
        const bool more = !out.empty() && out.back().span.to == span.span.from && out.back().owner == span.owner;
        if (more) {
            out.back().span.to = span.span.to;
        } else {
            out.push_back(span);
        }
    }
    return out;
}

TEST(RangeIndex, AdjacentRangesDoNotOverlap) {
    RangeIndex index;
    EXPECT_TRUE(index.claim({0, 100}, 1).empty());
    EXPECT_TRUE(index.claim({100, 200}, 2).empty());
}

TEST(RangeIndex, OneUnitOfOverlapIsFoundAndStaysWithTheFirst) {
    RangeIndex index;
    EXPECT_TRUE(index.claim({0, 100}, 1).empty());
    EXPECT_EQ(index.claim({99, 200}, 2), (std::vector<OwnedSpan>{{{99, 100}, 1}}));
    EXPECT_EQ(index.taken({0, 200}), (std::vector<OwnedSpan>{{{0, 100}, 1}, {{100, 200}, 2}}));
}

TEST(RangeIndex, WhatIsReleasedIsFreeAgain) {
    RangeIndex index;
    index.claim({10, 20}, 1);
    index.claim({0, 30}, 2);
    EXPECT_EQ(index.release({0, 30}, 1), (std::vector<Span>{{10, 20}}));
    EXPECT_EQ(index.gaps({0, 40}), (std::vector<Span>{{10, 20}, {30, 40}}));
}

TEST(RangeIndex, AgreesWithCountingUnitByUnit) {
    const std::uint64_t seed = std::random_device{}();
    RecordProperty("seed", std::to_string(seed));
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    constexpr std::uint64_t size = 64;
    for (int round = 0; round < 300; ++round) {
        RangeIndex index;
        NaiveRanges naive(size);
        for (std::uint32_t step = 1; step < 60; ++step) {
            const std::uint64_t from = random() % size;
            const Span range{from, from + 1 + random() % (size - from)};
            if (random() % 3 == 0) {
                const auto owner = static_cast<std::uint32_t>(1 + random() % step);
                index.release(range, owner);
                naive.release(range, owner);
            } else {
                const auto others = naive.taken(range);
                ASSERT_EQ(joined(index.claim(range, step)), others);
                naive.claim(range, step);
            }
            ASSERT_EQ(joined(index.taken({0, size})), naive.taken({0, size}));
            std::uint64_t free = 0;
            for (const Span& gap : index.gaps(range)) free += gap.size();
            std::uint64_t held = 0;
            for (const OwnedSpan& span : index.taken(range)) held += span.span.size();
            ASSERT_EQ(free + held, range.size());
        }
    }
}

}  // namespace
}  // namespace jiaozi::settlement
