// Limits are accounts: what uses an allowance, what gives it back, when it renews.
#include <gtest/gtest.h>

#include "world.hpp"

namespace jiaozi::payments::testing {
namespace {

using enum PaymentState;

// A day has begun a while ago, so that a test does not cross midnight unless it wants to.
struct Day : World {
    Day() { clock.set(timestamp_s(1'700'006'400)); }  // 2023-11-15T00:00:00Z
};

TEST(Limits, PerPaymentIsJudgedAloneEachTime) {
    Day w;
    const Limit limit = w.limit(World::ana, LimitKind::per_payment, 350);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(w.created(w.buy()).state, authorized);
    EXPECT_EQ(w.created(w.buy(World::cola_slot, 2)).reason, Reason::limit_per_payment);
    EXPECT_EQ(w.left(limit), 350U) << "a check leaves no trace";
}

TEST(Limits, DailyAllowanceIsUsedUpByWhatIsPaid) {
    Day w;
    const Limit limit = w.limit(World::ana, LimitKind::per_day, 1'000);
    for (const std::uint64_t left : {650U, 300U}) {
        const Payment p = w.created(w.buy());
        ASSERT_TRUE(w.report(p.id, DeliveryResult::delivered, 1).ok());
        EXPECT_EQ(w.left(limit), left);
    }
    EXPECT_EQ(w.created(w.buy()).reason, Reason::limit_per_day);
    EXPECT_EQ(w.created(w.pay_ben(300)).state, captured) << "the rest fits";
    EXPECT_EQ(w.left(limit), 0U);
}

TEST(Limits, HoldsCountWhileTheyLast) {
    Day w;
    const Limit limit = w.limit(World::ana, LimitKind::per_day, 700);
    const Payment first = w.created(w.buy());
    const Payment second = w.created(w.buy());
    EXPECT_EQ(w.created(w.pay_ben(1)).reason, Reason::limit_per_day);
    ASSERT_TRUE(w.report(first.id, DeliveryResult::failed, 0).ok());
    EXPECT_EQ(w.left(limit), 350U) << "a failed drop gives its allowance back";
    w.let_expire(second.id);
    EXPECT_EQ(w.left(limit), 700U) << "silence does too";
}

TEST(Limits, DeclinedPaymentsUseNone) {
    Day w;
    const Limit day = w.limit(World::ana, LimitKind::per_day, 2'000);
    const Limit drinks = w.limit(World::ana, LimitKind::per_category, 500, 1, "drinks");
    EXPECT_EQ(w.created(w.buy(World::cola_slot, 2)).reason, Reason::limit_per_category);
    EXPECT_EQ(w.created(w.pay_ben(World::family_start + 1)).reason, Reason::limit_per_day);
    EXPECT_EQ(w.left(day), 2'000U);
    EXPECT_EQ(w.left(drinks), 500U);
    w.town.limits.erase(w.town.limits.begin());
    w.freeze(World::shop_cny, true);
    EXPECT_EQ(w.created(w.buy()).reason, Reason::ledger_refused);
    EXPECT_EQ(w.left(drinks), 500U);
}

TEST(Limits, CategoryCountsItsCategoryOnly) {
    Day w;
    const Limit drinks = w.limit(World::ana, LimitKind::per_category, 400, 1, "drinks");
    EXPECT_EQ(w.created(w.buy(World::crisps_slot, 3)).state, authorized);
    EXPECT_EQ(w.created(w.pay_ben(500)).state, captured);
    EXPECT_FALSE(w.left(drinks).has_value());
    EXPECT_EQ(w.created(w.buy()).state, authorized);
    EXPECT_EQ(w.created(w.buy()).reason, Reason::limit_per_category);
    EXPECT_EQ(w.left(drinks), 50U);
}

TEST(Limits, OtherMembersAndOtherAssetsDoNotCount) {
    Day w;
    Limit euros = w.limit(World::ana, LimitKind::per_day, 1);
    w.town.limits.back().amount = World::eur(1);
    w.limit(World::car_member, LimitKind::per_day, 1);
    EXPECT_EQ(w.created(w.buy()).state, authorized);
    EXPECT_EQ(w.created(w.park()).reason, Reason::limit_per_day);
}

TEST(Limits, PartialDeliveryUsesItsPart) {
    Day w;
    const Limit limit = w.limit(World::ana, LimitKind::per_day, 2'000);
    const Payment p = w.created(w.buy(World::cola_slot, 4));
    EXPECT_EQ(w.left(limit), 600U);
    ASSERT_TRUE(w.report(p.id, DeliveryResult::partial, 1).ok());
    EXPECT_EQ(w.left(limit), 1'650U);
}

TEST(Limits, WindowsRenewAtMidnightUtc) {
    Day w;
    const Limit limit = w.limit(World::ana, LimitKind::per_day, 400);
    EXPECT_EQ(w.created(w.pay_ben(400)).state, captured);
    w.clock.set(timestamp_s(1'700'006'400 + 86'399));
    EXPECT_EQ(w.created(w.pay_ben(1)).reason, Reason::limit_per_day);
    w.clock.set(timestamp_s(1'700'006'400 + 86'400));
    EXPECT_EQ(w.created(w.pay_ben(400)).state, captured);
    EXPECT_EQ(w.left(limit), 0U);
}

TEST(Limits, WindowsOfSevenDays) {
    Day w;
    w.clock.set(timestamp_s(std::uint64_t{86'400} * 7 * 3'000));
    w.limit(World::ana, LimitKind::per_day, 400, 7);
    EXPECT_EQ(w.created(w.pay_ben(400)).state, captured);
    w.clock.advance(seconds(std::int64_t{86'400} * 7 - 60));
    EXPECT_EQ(w.created(w.pay_ben(1)).reason, Reason::limit_per_day);
    w.clock.advance(seconds(60));
    EXPECT_EQ(w.created(w.pay_ben(400)).state, captured);
}

TEST(Limits, APaymentUsesTheWindowInWhichItWasAuthorized) {
    Day w;
    w.clock.set(timestamp_s(1'700'006'400 + 86'390));
    const Limit limit = w.limit(World::ana, LimitKind::per_day, 400);
    const Payment p = w.created(w.buy());
    w.clock.advance(seconds(20));
    ASSERT_EQ(w.report(p.id, DeliveryResult::delivered, 1)->state, captured);
    EXPECT_EQ(w.created(w.pay_ben(400)).state, captured) << "today's allowance is whole";
    w.clock.set(timestamp_s(1'700'006'400 + 86'390));
    EXPECT_EQ(w.left(limit), 50U);
}

TEST(Limits, RefundsGiveTheAllowanceBack) {
    Day w;
    const Limit day = w.limit(World::ana, LimitKind::per_day, 1'000);
    const Limit drinks = w.limit(World::ana, LimitKind::per_category, 900, 1, "drinks");
    const Payment p = w.created(w.buy(World::cola_slot, 2));
    ASSERT_TRUE(w.report(p.id, DeliveryResult::delivered, 2).ok());
    ASSERT_TRUE(w.refund(RefundId(1), p.id, World::cny(200)).ok());
    EXPECT_EQ(w.left(day), 500U);
    EXPECT_EQ(w.left(drinks), 400U);
    w.restart();
    ASSERT_TRUE(w.refund(RefundId(2), p.id).ok());
    EXPECT_EQ(w.left(day), 1'000U);
    EXPECT_EQ(w.left(drinks), 900U);
}

TEST(Limits, RestartsRememberWhatWasGrantedAndUsed) {
    Day w;
    const Limit limit = w.limit(World::ana, LimitKind::per_day, 1'000);
    EXPECT_EQ(w.created(w.pay_ben(600)).state, captured);
    w.restart();
    EXPECT_EQ(w.created(w.pay_ben(401)).reason, Reason::limit_per_day);
    EXPECT_EQ(w.created(w.pay_ben(400)).state, captured);
    EXPECT_EQ(w.left(limit), 0U);
}

TEST(Limits, AnAmountThatChangesWithinTheWindow) {
    struct Step {
        std::uint64_t amount;  // the limit from now on
        std::uint64_t pays;
        PaymentState state;
        std::uint64_t left;
    };
    Day w;
    const Limit limit = w.limit(World::ana, LimitKind::per_day, 100);
    const std::vector<Step> steps = {
        {100, 90, captured, 10},  // 90 used
        {150, 20, captured, 40},  // raised: 110 used
        {130, 10, captured, 10},  // lowered: 120 used
        {100, 1, declined, 0},    // lowered below what is used
        {125, 6, declined, 5},    // raised: 120 of 125 are used
        {125, 5, captured, 0},
    };
    for (const bool with_restarts : {false, true}) {
        SCOPED_TRACE(with_restarts);
        if (with_restarts) w.clock.advance(seconds(86'400));
        for (const Step& step : steps) {
            SCOPED_TRACE(step.amount);
            if (with_restarts) w.restart();
            w.town.limits.front().amount = World::cny(step.amount);
            EXPECT_EQ(w.created(w.pay_ben(step.pays)).state, step.state);
            EXPECT_EQ(w.left(limit), step.left);
        }
    }
    w.check_money();
}

TEST(Limits, ManyPaymentsAtOnceShareOneAllowance) {
    Day w;
    const Limit limit = w.limit(World::ana, LimitKind::per_day, 50);
    std::size_t captures = 0;
    std::size_t answers = 0;
    for (int i = 0; i < 100; ++i) {
        w.payments->create(w.pay_ben(3), [&](Result<api::PaymentAnswer> answer) {
            ++answers;
            if (answer.ok() && answer->payment.state == captured) ++captures;
        });
    }
    ASSERT_TRUE(w.app.run_until([&] { return answers == 100; }));
    EXPECT_EQ(captures, 16U);
    EXPECT_EQ(w.left(limit), 2U);
}

}  // namespace
}  // namespace jiaozi::payments::testing
