// A small town: cheaters are found, nobody honest is accused. `jiaozi bench purse --population` runs the large one.
#include <iostream>

#include <gtest/gtest.h>

#include <jiaozi/purse_bench/population.hpp>

namespace jiaozi::purse_bench {
namespace {

TEST(Population, CheatersAreFoundAndNobodyElse) {
    const PopulationResult r =
        run_population({.seed = 5, .devices = 400, .cheaters_per_mille = 50, .neighbourhood = 50, .days = 5});
    std::cout << r.payments << " payments, " << r.syncs << " syncs, " << r.cheaters << " cheaters, " << r.found
              << " found, median " << r.median_minutes << " min, p95 " << r.p95_minutes << " min, " << r.frauds
              << " frauds, " << r.carried << " deposits carried\n";
    EXPECT_EQ(r.accused, 0U) << r.first_accused;
    EXPECT_GT(r.cheaters, 5U);
    EXPECT_EQ(r.found_in_72h, r.cheaters - r.late);
    EXPECT_LE(r.frauds, 6U * r.cheaters);
    // What finds the last cheaters is deposits that mules bring, and there is nearly two for each payment: 1.83 ± 0.02
    // in towns of 2,000. With 16 places instead of 48 it was 1.15, however many copies were offered (ADR 29). Thousands
    // of deposits are counted here, and no seed comes near the bound.
    EXPECT_GT(r.carried * 10, r.payments * 16);
}

TEST(Population, FollowsFromItsSeed) {
    const PopulationOptions options{.seed = 9, .devices = 60, .days = 1};
    EXPECT_EQ(run_population(options).payments, run_population(options).payments);
}

}  // namespace
}  // namespace jiaozi::purse_bench
