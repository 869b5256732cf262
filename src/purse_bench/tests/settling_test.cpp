// The benchmark measures what it says: every note settles, sizes are within the goals. No rates are asserted.
#include <gtest/gtest.h>

#include <jiaozi/purse_bench/junk.hpp>
#include <jiaozi/purse_bench/settling.hpp>

namespace jiaozi::purse_bench {
namespace {

class EverySuite : public ::testing::TestWithParam<crypto::Suite> {};
INSTANTIATE_TEST_SUITE_P(All, EverySuite,
                         ::testing::Values(crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2),
                         [](const auto& suite) { return std::string(crypto::name_of(suite.param)); });

TEST_P(EverySuite, RealMessagesMeetTheSizeGoals) {
    const Sizes sizes = measure_sizes(GetParam());
    EXPECT_LE(sizes.first_meeting, 1'024U);
    EXPECT_LE(sizes.repeat, 640U);
    EXPECT_LE(sizes.fork_proof, 650U);
    EXPECT_GT(sizes.repeat, 500U);
}

TEST_P(EverySuite, ASmallRunSettlesEveryNote) {
    const auto figures = measure_settling({.suite = GetParam(), .notes = 300, .purses = 20, .batch = 100});
    ASSERT_TRUE(figures.ok()) << figures.error().to_string();
    EXPECT_GT(figures->verify_per_s_core, 0U);
    EXPECT_GT(figures->verify_together_per_s_core, 0U);
    EXPECT_GT(figures->settle_per_s_core, 0U);
    EXPECT_GT(figures->ratio_per_mille, 0U);
}

TEST(Junk, TheHonestAreServedBesideIt) {
    const auto figures = measure_junk({.junk_per_s = 2'000, .senders = 10, .honest_per_s = 20, .seconds = 1});
    ASSERT_TRUE(figures.ok()) << figures.error().to_string();
    EXPECT_GT(figures->junk_per_s, 0U);
    EXPECT_GT(figures->junk_p95_us, 0U);
    EXPECT_LT(figures->verified, 2'000U) << "random bytes and what was said before are not verified";
}

TEST(Settling, OptionsThatCannotBeAreRefused) {
    EXPECT_FALSE(measure_settling({.notes = 0}).ok());
    EXPECT_FALSE(measure_settling({.notes = 100'000, .purses = 1}).ok());
}

}  // namespace
}  // namespace jiaozi::purse_bench
