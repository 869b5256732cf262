// The real engine in simulated worlds. JIAOZI_SEED starts with another seed; JIAOZI_BATCHES sets how many simulated
// batches a run takes (a million in all without it). A failing world is repeated with `jiaozi vopr --seed N --worlds
// 1`.
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <jiaozi/base/log.hpp>
#include <jiaozi/sim/world.hpp>

namespace jiaozi::sim {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t default_batches = 40'000;  // they make it ten times slower
#else
constexpr std::uint64_t default_batches = 1'000'000;
#endif
#else
constexpr std::uint64_t default_batches = 1'000'000;
#endif
constexpr std::uint64_t shares = 4;  // that can run at the same time

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class WorldTest : public ::testing::Test {
  protected:
    WorldTest() { log::set_level(log::Level::off); }  // thousands of crashes, each with its warning
    ~WorldTest() override { log::set_level(log::Level::info); }
};

class ManyWorlds : public WorldTest, public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(ManyWorlds, LoseNothingAndDoNothingTwice) {
    const std::uint64_t first = from_environment("JIAOZI_SEED", 1) + GetParam() * 1'000'000;
    const std::uint64_t batches = from_environment("JIAOZI_BATCHES", default_batches) / shares;
    WorldReport all;
    std::uint64_t seed = first;
    for (; all.batches < batches; ++seed) {
        const WorldReport report = run_world({.seed = seed});
        ASSERT_EQ(report.failure, "") << "repeat it: jiaozi vopr --seed " << seed << " --worlds 1";
        all.add(report);
    }
    std::cout << "JIAOZI_SEED=" << first << ": " << seed - first << " worlds, " << all.batches << " batches, "
              << all.opens << " recoveries, " << all.survivors << " commands in flight survived a crash, "
              << all.vanished << " did not\n";
    if (batches < 100'000) return;
    // A generator that no longer reaches a case would let it rot.
    EXPECT_GT(all.power_failures, 0U);
    EXPECT_GT(all.kills, 0U);
    EXPECT_GT(all.clean_ends, 0U);
    EXPECT_GT(all.disk_errors, 0U);
    EXPECT_GT(all.disk_full, 0U);
    EXPECT_GT(all.read_errors, 0U);
    EXPECT_GT(all.survivors, 0U);
    EXPECT_GT(all.vanished, 0U);
    EXPECT_GT(all.expired, 0U);
    EXPECT_GT(all.ticks, 0U);
    EXPECT_GT(all.refusals, 0U);
    EXPECT_GT(all.checkpoints, 0U);
    EXPECT_GT(all.log_stops, 0U);
    EXPECT_GT(all.damage_refused, 0U);
    EXPECT_GT(all.damage_harmless, 0U);
    EXPECT_GT(all.snapshots, 0U);
    EXPECT_GT(all.from_snapshots, 0U);
    EXPECT_GT(all.pruned, 0U);
    EXPECT_GT(all.history_runs, 0U);
}

INSTANTIATE_TEST_SUITE_P(Share, ManyWorlds, ::testing::Range(std::uint64_t{0}, shares));

TEST_F(WorldTest, TheSameSeedGivesTheSameRun) {
    std::set<std::uint64_t> traces;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const bool has_log = seed % 2 == 0;
        const WorldReport first = run_world({.seed = seed, .has_log = has_log});
        const WorldReport again = run_world({.seed = seed, .has_log = has_log});
        EXPECT_EQ(first.failure, "");
        EXPECT_EQ(again.trace, first.trace) << "seed " << seed;
        EXPECT_EQ(again.operations, first.operations) << "seed " << seed;
        EXPECT_EQ(again.batches, first.batches) << "seed " << seed;
        EXPECT_EQ(again.checkpoints, first.checkpoints) << "seed " << seed;
        traces.insert(first.trace);
    }
    EXPECT_EQ(traces.size(), 20U);
}

// One accident at each operation of a short life, recovery included, one kind of it after the other.
class EveryOperation : public WorldTest, public ::testing::WithParamInterface<bool> {};

TEST_P(EveryOperation, AnAccidentHappens) {
    const bool has_log = GetParam();
    for (const Fate fate : {Fate::crash_before, Fate::crash_during, Fate::crash_after, Fate::fail, Fate::no_space}) {
        std::uint64_t accidents = 0;
        for (std::uint64_t seed = 1; seed <= (has_log ? 2 : 4); ++seed) {
            for (std::uint64_t operation = 1;; ++operation) {
                const WorldReport report = run_world({.seed = seed,
                                                      .batches = has_log ? 30U : 60U,
                                                      .only_accident = WorldOptions::Accident{operation, fate},
                                                      .has_log = has_log});
                ASSERT_EQ(report.failure, "")
                    << "seed " << seed << ", operation " << operation << ", fate " << static_cast<int>(fate);
                if (report.operations < operation) break;
                ++accidents;
            }
        }
        std::cout << accidents << " accidents of kind " << static_cast<int>(fate) << '\n';
        EXPECT_GT(accidents, 100U);
    }
}

INSTANTIATE_TEST_SUITE_P(Engine, EveryOperation, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(EngineAndLog, EveryOperation, ::testing::Values(true));

// The planted bug "a sync is skipped": an auditor that does not find it would be of no use.
TEST_F(WorldTest, FindsSyncsThatDoNothing) {
    std::uint64_t batches = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        const WorldReport report = run_world({.seed = seed, .syncs_pretend = true});
        batches += report.batches;
        if (report.failure.empty()) continue;
        std::cout << "found in world " << seed << ", after " << batches << " batches: " << report.failure << '\n';
        return;
    }
    FAIL() << "50 worlds with a disk that lies, and nothing found";
}

}  // namespace
}  // namespace jiaozi::sim
