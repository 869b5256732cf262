// Payments between purses in memory, for the three suites; sizes are taken from these messages.
#include "world.hpp"

namespace jiaozi::purse_host {
namespace {

class Suites : public testing::TestWithParam<crypto::Suite> {};
INSTANTIATE_TEST_SUITE_P(All, Suites, testing::Values(crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2),
                         [](const auto& suite) { return std::string(crypto::name_of(suite.param)); });

TEST_P(Suites, TwoPursesPayEachOther) {
    World world(GetParam());
    Device& ann = world.device();
    Device& bob = world.device();
    const Payment first = transfer(ann, bob, 1'250);
    ASSERT_TRUE(first.ok()) << first;
    EXPECT_EQ(ann.spendable(), 98'750U);
    EXPECT_EQ(bob.spendable(), 101'250U);
    EXPECT_EQ(ann.purse.info().payments_unknown, 0U);
    const Payment second = transfer(bob, ann, 300);
    ASSERT_TRUE(second.ok()) << second;
    EXPECT_EQ(ann.spendable(), 99'050U);
}

TEST_P(Suites, SizesOfAFirstMeetingAndOfARepeat) {
    World world(GetParam());
    Device& ann = world.device();
    Device& bob = world.device();
    const Payment first = transfer(ann, bob, 1'250);
    ASSERT_TRUE(first.ok()) << first;
    const Payment repeat = transfer(ann, bob, 1'250, false);
    ASSERT_TRUE(repeat.ok()) << repeat;
    RecordProperty("bytes_hop1", static_cast<int>(first.bytes()));
    RecordProperty("bytes_repeat", static_cast<int>(repeat.bytes()));
    std::cout << crypto::name_of(GetParam()) << ": " << first.request.size() << " + " << first.pay.size() << " + "
              << first.receipt.size() << " = " << first.bytes() << ", repeat " << repeat.bytes() << "\n";
    EXPECT_LE(first.bytes(), 1'024U);
    EXPECT_LE(repeat.bytes(), 640U);
}

TEST_P(Suites, ReceivedValueIsSpentOnFiveTimes) {
    World world(GetParam());
    std::vector<Device*> people;
    people.push_back(&world.device());
    Terms only_receives;
    only_receives.amount = 0;
    for (int i = 0; i < 6; ++i) people.push_back(&world.device(0, only_receives));
    for (std::size_t hop = 1; hop <= 5; ++hop) {
        const Payment p = transfer(*people[hop - 1], *people[hop], 5'000);
        ASSERT_TRUE(p.ok()) << "hop " << hop << ": " << p;
        std::cout << crypto::name_of(GetParam()) << " hop " << hop << ": PAY of " << p.pay.size() << " bytes\n";
        EXPECT_LE(p.pay.size(), JZ_BUNDLE_BYTES);
    }
    EXPECT_EQ(people[5]->spendable(), 0U);  // five hops are the most
    EXPECT_EQ(people[5]->purse.info().received, 5'000U);
}

}  // namespace
}  // namespace jiaozi::purse_host
