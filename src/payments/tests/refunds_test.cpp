// The refund table of docs/payments.md.
#include <gtest/gtest.h>

#include "world.hpp"

namespace jiaozi::payments::testing {
namespace {

using enum PaymentState;

Payment sold(World& w, std::uint32_t quantity = 1) {
    const Payment p = w.created(w.buy(World::cola_slot, quantity));
    EXPECT_TRUE(w.report(p.id, DeliveryResult::delivered, quantity).ok());
    return p;
}

TEST(Refunds, FullAndPartial) {
    World w;
    const Payment p = sold(w, 2);
    const auto part = w.refund(RefundId(1), p.id, World::cny(100));
    ASSERT_TRUE(part.ok());
    EXPECT_EQ(part->refund.amount, World::cny(100));
    EXPECT_EQ(part->payment.state, captured);
    EXPECT_EQ(part->payment.refunded_minor, 100U);
    const auto rest = w.refund(RefundId(2), p.id);
    ASSERT_TRUE(rest.ok());
    EXPECT_EQ(rest->refund.amount, World::cny(600));
    EXPECT_EQ(w.balance(World::family_cny), World::family_start);
    EXPECT_EQ(w.balance(World::shop_cny), 0U);
    EXPECT_EQ(w.refund(RefundId(3), p.id).error().code(), "refund_exceeds_captured");
    EXPECT_EQ(w.refund(RefundId(4), p.id, World::cny(1)).error().code(), "refund_exceeds_captured");
    w.restart();
    EXPECT_EQ(w.find(p.id).refunded_minor, 700U);
    EXPECT_EQ(w.refund(RefundId(4), p.id, World::cny(1)).error().code(), "refund_exceeds_captured");
}

TEST(Refunds, AreIdempotentByTheirId) {
    World w;
    const Payment p = sold(w);
    const auto first = w.refund(RefundId(1), p.id, World::cny(50));
    ASSERT_TRUE(first.ok());
    for (const bool after_restart : {false, true}) {
        if (after_restart) w.restart();
        for (const std::optional<Amount>& amount : {std::optional(World::cny(50)), std::optional<Amount>()}) {
            const auto again = w.refund(RefundId(1), p.id, amount);
            ASSERT_TRUE(again.ok());
            EXPECT_TRUE(again->replayed);
            EXPECT_EQ(again->refund.amount, World::cny(50));
            EXPECT_EQ(again->refund.created, first->refund.created);
        }
        EXPECT_EQ(w.refund(RefundId(1), p.id, World::cny(51)).error().code(), "idempotency_mismatch");
        EXPECT_EQ(w.refund(RefundId(1), sold(w).id, World::cny(50)).error().code(), "idempotency_mismatch");
    }
    EXPECT_EQ(w.find(p.id).refunded_minor, 50U);
}

TEST(Refunds, ThatAreNotPossible) {
    World w;
    const Payment open = w.created(w.buy());
    const Payment done = sold(w);
    struct Row {
        std::string name;
        PaymentId payment;
        std::optional<Amount> amount;
        std::string code;
    };
    const std::vector<Row> table = {
        {"not captured yet", open.id, {}, "payment_not_captured"},
        {"declined", w.created(w.buy(99)).id, {}, "payment_not_captured"},
        {"unknown", PaymentId(77), {}, "payment_not_found"},
        {"more than was paid", done.id, World::cny(351), "refund_exceeds_captured"},
        {"nothing", done.id, World::cny(0), "invalid"},
        {"another currency", done.id, World::eur(1), "asset_mismatch"},
    };
    for (const Row& row : table) {
        SCOPED_TRACE(row.name);
        const auto answer = w.refund(RefundId(1), row.payment, row.amount);
        ASSERT_FALSE(answer.ok());
        EXPECT_EQ(answer.error().code(), row.code);
    }
    EXPECT_TRUE(w.refund(RefundId(1), done.id).ok()) << "the id is still good";
}

TEST(Refunds, FromAnEmptyOrFrozenWallet) {
    World w;
    const Payment p = w.created(w.pay_ben(500));
    api::NewPayment spend = w.pay_ben(1'400);
    spend.payer_wallet = World::friend_cny;
    spend.payer_member = World::ben;
    spend.payee_wallet = World::family_cny;
    EXPECT_EQ(w.created(spend).state, captured);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(w.refund(RefundId(1), p.id, World::cny(300)).error().code(), "insufficient_funds");
    }
    EXPECT_EQ(w.created(w.pay_ben(1'000)).state, captured);
    EXPECT_EQ(w.refund(RefundId(1), p.id, World::cny(300)).error().code(), "insufficient_funds")
        << "remembered for this id";
    EXPECT_TRUE(w.refund(RefundId(2), p.id, World::cny(300)).ok());
    w.freeze(World::friend_cny, true);
    EXPECT_EQ(w.refund(RefundId(3), p.id, World::cny(100)).error().code(), "ledger_refused");
    EXPECT_EQ(w.find(p.id).refunded_minor, 300U);
    w.check_money();
}

TEST(Refunds, AtTheSameTimeNeverExceedTheCapture) {
    World w;
    const Payment p = sold(w, 2);
    sold(w, 4);  // so that the shop could pay too much back
    std::size_t answers = 0;
    std::size_t refunded = 0;
    for (std::uint64_t i = 0; i < 50; ++i) {
        w.payments->refund(RefundId(100 + i), p.id, World::cny(30), [&](Result<api::RefundAnswer> answer) {
            ++answers;
            EXPECT_TRUE(answer.ok() || answer.error().code() == "refund_exceeds_captured");
            if (answer.ok()) ++refunded;
        });
    }
    std::optional<Result<api::RefundAnswer>> twice;
    w.payments->refund(RefundId(100), p.id, World::cny(30), [&](auto answer) { twice = std::move(answer); });
    ASSERT_TRUE(twice.has_value());
    EXPECT_EQ(twice->error().code(), "refund_in_flight");
    ASSERT_TRUE(w.app.run_until([&] { return answers == 50; }));
    EXPECT_EQ(refunded, 23U);
    EXPECT_EQ(w.find(p.id).refunded_minor, 690U);
    EXPECT_TRUE(w.refund(RefundId(1), p.id).ok());
    EXPECT_EQ(w.find(p.id).refunded_minor, 700U);
    w.check_money();
}

}  // namespace
}  // namespace jiaozi::payments::testing
