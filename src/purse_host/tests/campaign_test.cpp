// A share of the campaign for every run of the tests; the full number is for a bench.
#include <iostream>

#include <gtest/gtest.h>

#include <jiaozi/purse_host/campaign.hpp>

namespace jiaozi::purse_host {
namespace {

TEST(Campaign, NothingBreaksAndNobodyHonestIsAccused) {
    // In world 82 a torn PAY arrives as a MULE when power goes.
    for (const std::uint64_t seed : {1U, 2U, 3U, 82U}) {
        const CampaignResult r = run_campaign({.seed = seed, .payments = 2'000});
        std::cout << "seed " << seed << ": " << r.payments << " payments, " << r.completed << " completed, " << r.torn
                  << " torn messages, " << r.power_cuts << " power cuts, " << r.voids << " voids, " << r.restores
                  << " restores (" << r.suspects << " suspect), " << r.syncs << " syncs, " << r.notes << " notes\n";
        EXPECT_EQ(r.broken, 0U) << "seed " << seed << ": " << r.first_break;
        EXPECT_EQ(r.accused, 0U);
        EXPECT_GT(r.completed, r.payments / 4);
        EXPECT_GT(r.power_cuts, 50U);
        EXPECT_GT(r.suspects, 0U);
    }
}

TEST(Campaign, FollowsFromItsSeed) {
    const CampaignResult a = run_campaign({.seed = 7, .payments = 300});
    const CampaignResult b = run_campaign({.seed = 7, .payments = 300});
    EXPECT_EQ(a.notes, b.notes);
    EXPECT_EQ(a.power_cuts, b.power_cuts);
    EXPECT_EQ(a.completed, b.completed);
}

}  // namespace
}  // namespace jiaozi::purse_host
