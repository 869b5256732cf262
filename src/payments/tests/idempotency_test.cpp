// The same id is answered the same for ever; a crash between any two steps loses nothing and does nothing twice.
#include <gtest/gtest.h>

#include "world.hpp"

namespace jiaozi::payments::testing {
namespace {

using enum PaymentState;

void expect_same_answer(const Payment& first, const Payment& again) {
    EXPECT_EQ(again.id, first.id);
    EXPECT_EQ(again.state, first.state);
    EXPECT_EQ(again.reason, first.reason);
    EXPECT_EQ(again.amount, first.amount);
    EXPECT_EQ(again.captured_minor, first.captured_minor);
    EXPECT_EQ(again.refunded_minor, first.refunded_minor);
    EXPECT_EQ(again.delivered, first.delivered);
    EXPECT_EQ(again.late_delivery, first.late_delivery);
    EXPECT_EQ(again.payer_wallet, first.payer_wallet);
    EXPECT_EQ(again.payer_member, first.payer_member);
    EXPECT_EQ(again.payee_wallet, first.payee_wallet);
    EXPECT_EQ(again.device, first.device);
    EXPECT_EQ(again.payer_device, first.payer_device);
    EXPECT_EQ(again.product, first.product);
    EXPECT_EQ(again.slot, first.slot);
    EXPECT_EQ(again.quantity, first.quantity);
    EXPECT_EQ(again.created, first.created);
    EXPECT_EQ(again.updated, first.updated);
    EXPECT_EQ(again.expires, first.expires);
}

TEST(Idempotency, TheFirstAnswerIsGivenAgain) {
    World w;
    w.limit(World::ana, LimitKind::per_day, 5'000);
    auto offline = w.buy();
    auto declined_one = w.buy(99);
    auto broke = w.pay_ben(1'000'000);
    const std::vector<api::NewPayment> requests = {w.buy(),      w.park(), w.pay_ben(20),
                                                   declined_one, broke,    w.buy(World::cola_slot, 2)};
    std::vector<Payment> first;
    for (const auto& request : requests) first.push_back(w.created(request));
    w.wire.heard.clear();
    std::optional<Result<api::PaymentAnswer>> answer;
    w.payments->create(offline, [&](auto given) { answer = std::move(given); });
    w.wire.probes.front().done(false);
    const Payment failed_one = w.wait(answer)->payment;
    // What becomes of them later does not change the first answer.
    ASSERT_TRUE(w.report(requests[0].id, DeliveryResult::delivered, 1).ok());
    ASSERT_TRUE(w.refund(RefundId(5), requests[0].id, World::cny(10)).ok());
    w.ack(requests[1].id, false);
    ASSERT_TRUE(w.app.run_until([&] { return w.find(requests[1].id).state == voided; }));
    ASSERT_TRUE(w.refund(RefundId(6), requests[2].id).ok());
    w.let_expire(requests[5].id);
    ASSERT_TRUE(w.report(requests[5].id, DeliveryResult::delivered, 2).ok());
    // Even when the same request would fare otherwise now.
    w.town.slots[{World::vending, 99}] = {World::vending, 99, World::cola, World::cny(1)};
    w.wire.heard = {World::vending};
    for (const bool after_restart : {false, true}) {
        SCOPED_TRACE(after_restart);
        if (after_restart) w.restart();
        for (std::size_t i = 0; i < requests.size(); ++i) {
            SCOPED_TRACE(i);
            const auto again = w.create(requests[i]);
            ASSERT_TRUE(again.ok());
            EXPECT_TRUE(again->replayed);
            expect_same_answer(first[i], again->payment);
        }
        const auto again = w.create(offline);
        ASSERT_TRUE(again.ok() && again->replayed);
        expect_same_answer(failed_one, again->payment);
    }
    EXPECT_EQ(w.wire.commands_for(requests[0].id), 1U) << "a replay commands nothing";
    w.check_money();
}

TEST(Idempotency, AnotherRequestUnderTheIdIsRefused) {
    World w;
    auto request = w.pay_ben(10);
    EXPECT_EQ(w.created(request).state, captured);
    request.request_hash = Bytes(16, 0xEE);
    for (const bool after_restart : {false, true}) {
        if (after_restart) w.restart();
        const auto answer = w.create(request);
        ASSERT_FALSE(answer.ok());
        EXPECT_EQ(answer.error().kind(), ErrorKind::conflict);
        EXPECT_EQ(answer.error().code(), "idempotency_mismatch");
    }
    EXPECT_EQ(w.balance(World::friend_cny), World::friend_start + 10);
}

TEST(Idempotency, TheSecondWhileTheFirstIsUnderWay) {
    World w;
    const auto request = w.pay_ben(10);
    auto other = request;
    other.request_hash = Bytes(16, 0xEE);
    std::optional<Result<api::PaymentAnswer>> first;
    std::optional<Result<api::PaymentAnswer>> second;
    std::optional<Result<api::PaymentAnswer>> third;
    w.payments->create(request, [&](auto given) { first = std::move(given); });
    w.payments->create(request, [&](auto given) { second = std::move(given); });
    w.payments->create(other, [&](auto given) { third = std::move(given); });
    ASSERT_TRUE(second && !second->ok() && third && !third->ok());
    EXPECT_EQ(second->error().code(), "payment_in_flight");
    EXPECT_EQ(third->error().code(), "idempotency_mismatch");
    EXPECT_EQ(w.wait(first)->payment.state, captured);
}

TEST(Idempotency, ARetriedQrIsTheSamePayment) {
    World w;
    const auto qr = *w.payments->new_qr(w.new_id(), World::vending, World::cola_slot, 2);
    EXPECT_EQ(w.payments->new_qr(qr.payment, World::vending, World::cola_slot, 2)->payload, qr.payload);
    EXPECT_EQ(w.payments->new_qr(qr.payment, World::vending, World::cola_slot, 1).error().code(),
              "idempotency_mismatch");
    auto request = w.buy();
    request.kind = PaymentKind::qr;
    request.code = qr.payload;
    const Payment first = w.created(request);
    EXPECT_EQ(first.id, qr.payment);
    EXPECT_EQ(first.amount, World::cny(700));
    for (const bool after_restart : {false, true}) {
        if (after_restart) w.restart();
        const auto again = w.create(request);
        ASSERT_TRUE(again.ok());
        EXPECT_TRUE(again->replayed);
        expect_same_answer(first, again->payment);
    }
    EXPECT_EQ(w.wire.commands_for(first.id), 2U) << "once, and once more after the restart";
}

TEST(Idempotency, AQrWhosePaymentCameToNothingIsGoodAgain) {
    World w;
    const auto qr = *w.payments->new_qr(w.new_id(), World::vending, World::cola_slot, 1);
    auto request = w.buy();
    request.kind = PaymentKind::qr;
    request.code = qr.payload;
    request.payer_member = World::ben;
    EXPECT_EQ(w.created(request).reason, Reason::payer_not_member);
    auto second = w.buy();
    second.kind = PaymentKind::qr;
    second.code = qr.payload;
    EXPECT_EQ(w.created(second).id, qr.payment);
}

// The story of one sale, told to a step; the server is killed there; then the story goes on as machines and payers go
// on: they ask and report again.
enum class KilledAfter { request, authorization, command, acknowledgement, report, nothing };

class Crash : public ::testing::TestWithParam<KilledAfter> {};

TEST_P(Crash, NothingIsLostAndNothingDoneTwice) {
    World w;
    const Limit limit = w.limit(World::ana, LimitKind::per_day, 1'000);
    const auto request = w.buy();
    const auto killed = [&](KilledAfter step) {
        if (GetParam() != step) return false;
        w.restart();
        return true;
    };
    // The answer is lost with the server that would have given it.
    w.payments->create(request, [](auto) {});
    if (GetParam() == KilledAfter::authorization) {
        ASSERT_TRUE(w.app.run_until([&] { return w.wire.commands_for(request.id) > 0; }));
    }
    killed(KilledAfter::request);
    killed(KilledAfter::authorization);
    const auto answer = w.create(request);
    if (answer.ok()) {
        EXPECT_EQ(answer->payment.state, authorized);
    } else {
        EXPECT_EQ(answer.error().code(), "payment_in_flight");
    }
    ASSERT_TRUE(w.app.run_until([&] { return w.find(request.id).state == authorized; }));
    EXPECT_EQ(w.held(World::family_cny), 350U);
    EXPECT_EQ(w.left(limit), 650U);
    if (killed(KilledAfter::command)) {
        EXPECT_GE(w.wire.commands_for(request.id), 2U) << "sent again";
    }
    w.ack(request.id);
    if (killed(KilledAfter::acknowledgement)) {
        const auto cancelled = w.cancel(request.id);
        ASSERT_FALSE(cancelled.ok()) << "it may have been acknowledged before";
        EXPECT_EQ(cancelled.error().code(), "payment_not_cancellable");
        w.ack(request.id);
    }
    if (GetParam() == KilledAfter::report) {
        w.payments->delivery_reported(World::vending, request.id, DeliveryResult::delivered, 1, [](auto) {});
        w.restart();
    }
    const auto reported = w.report(request.id, DeliveryResult::delivered, 1);
    ASSERT_TRUE(reported.ok());
    EXPECT_EQ(reported->state, captured);
    EXPECT_EQ(reported->captured_minor, 350U);
    w.restart();
    EXPECT_EQ(w.find(request.id).state, captured);
    EXPECT_EQ(w.balance(World::shop_cny), 350U);
    EXPECT_EQ(w.left(limit), 650U);
    w.check_money();
}

INSTANTIATE_TEST_SUITE_P(AtEveryStep, Crash,
                         ::testing::Values(KilledAfter::request, KilledAfter::authorization, KilledAfter::command,
                                           KilledAfter::acknowledgement, KilledAfter::report, KilledAfter::nothing));

TEST(Crashes, UntilAfterTheDeadline) {
    World w;
    const Payment p = w.created(w.buy());
    w.stop();
    w.clock.advance(seconds(61));
    w.go();
    EXPECT_TRUE(w.app.run_until([&] { return w.find(p.id).state == voided; }));
    EXPECT_EQ(w.find(p.id).reason, Reason::device_silent);
    EXPECT_TRUE(w.report(p.id, DeliveryResult::delivered, 1)->late);
    w.check_money();
}

TEST(Commands, AreResentUntilAcknowledgedOrExpired) {
    World w;
    const Payment acknowledged = w.created(w.buy());
    const Payment unheard = w.created(w.buy());
    w.pass(seconds(3));
    EXPECT_GE(w.wire.commands_for(acknowledged.id), 3U);
    w.ack(acknowledged.id);
    const std::size_t sent = w.wire.commands_for(acknowledged.id);
    w.pass(seconds(40));
    EXPECT_EQ(w.wire.commands_for(acknowledged.id), sent);
    const std::size_t all = w.wire.commands_for(unheard.id);
    EXPECT_GE(all, 20U);
    EXPECT_LE(all, 28U);
    std::uint32_t number = 0;
    for (const auto& command : w.wire.commands) {
        if (command.payment != unheard.id) continue;
        EXPECT_EQ(command.number, ++number);
        EXPECT_EQ(command.expires, unheard.created + seconds(20));
        EXPECT_EQ(command.amount, World::cny(350));
        EXPECT_EQ(command.product, World::cola);
    }
    EXPECT_EQ(w.payments->counters().commands_resent, w.wire.commands.size() - 2);
}

TEST(Cancellation, HasItsTime) {
    World w;
    const Payment p = w.created(w.buy());
    w.ack(p.id);
    EXPECT_EQ(w.cancel(p.id).error().code(), "payment_not_cancellable");
    EXPECT_EQ(w.cancel(w.created(w.pay_ben(1)).id).error().code(), "payment_not_cancellable");
    EXPECT_EQ(w.cancel(PaymentId(4711)).error().code(), "payment_not_found");
    // A report that meets a cancellation on its way to the journal is late; one that comes first wins.
    const Payment second = w.created(w.buy());
    std::optional<Result<Payment>> cancelled;
    w.payments->cancel(second.id, [&](auto given) { cancelled = std::move(given); });
    EXPECT_TRUE(w.report(second.id, DeliveryResult::delivered, 1)->late);
    EXPECT_EQ(w.wait(cancelled)->reason, Reason::cancelled);
    const Payment third = w.created(w.buy());
    std::optional<Result<api::ReportOutcome>> reported;
    w.payments->delivery_reported(World::vending, third.id, DeliveryResult::delivered, 1,
                                  [&](auto given) { reported = std::move(given); });
    EXPECT_EQ(w.cancel(third.id).error().code(), "payment_not_cancellable");
    EXPECT_EQ(w.wait(reported)->state, captured);
    w.check_money();
}

TEST(Cancellation, WhileTheMoneyIsBeingHeld) {
    World w;
    const auto request = w.buy();
    std::optional<Result<api::PaymentAnswer>> created;
    std::optional<Result<Payment>> cancelled;
    w.payments->create(request, [&](auto given) { created = std::move(given); });
    w.payments->cancel(request.id, [&](auto given) { cancelled = std::move(given); });
    EXPECT_EQ(w.wait(created)->payment.state, authorized);
    EXPECT_EQ(w.wait(cancelled)->state, voided);
    w.check_money();
}

// The engine takes no more for a moment: nothing is journaled, nothing stays behind, and asking again works.
TEST(Overload, IsAnErrorThatMayBeRetried) {
    World w;
    const Limit limit = w.limit(World::ana, LimitKind::per_day, 5'000);
    w.max_queue = 1;
    w.restart();
    std::vector<api::NewPayment> refused;
    std::size_t answers = 0;
    std::size_t captures = 0;
    const auto ask = [&](const api::NewPayment& request) {
        w.payments->create(request, [&, request](Result<api::PaymentAnswer> answer) {
            ++answers;
            if (answer.ok() && answer->payment.state == captured) {
                ++captures;
            } else {
                ASSERT_FALSE(answer.ok());
                EXPECT_EQ(answer.error().kind(), ErrorKind::unavailable);
                refused.push_back(request);
            }
        });
    };
    for (int i = 0; i < 200; ++i) ask(w.pay_ben(10));
    ASSERT_TRUE(w.app.run_until([&] { return answers == 200; }));
    EXPECT_FALSE(refused.empty()) << "200 at once do not fit into a queue of one";
    const std::size_t before = captures;
    for (const auto& request : std::vector(std::move(refused))) {
        EXPECT_EQ(w.created(request).state, captured);
        ++captures;
    }
    EXPECT_GT(before, 0U);
    EXPECT_EQ(captures, 200U);
    EXPECT_EQ(w.balance(World::friend_cny), World::friend_start + 2'000);
    EXPECT_EQ(w.left(limit), 3'000U);
    w.check_money();
}

TEST(Reports, ThatNobodyMayMake) {
    World w;
    const Payment p = w.created(w.buy());
    const auto told = [&](DeviceId machine, PaymentId id, DeliveryResult result, std::uint32_t delivered) {
        std::optional<Result<api::ReportOutcome>> answer;
        w.payments->delivery_reported(machine, id, result, delivered, [&](auto given) { answer = std::move(given); });
        const auto outcome = w.wait(answer);
        return outcome.ok() ? std::string("ok") : outcome.error().code();
    };
    EXPECT_EQ(told(World::gate, p.id, DeliveryResult::delivered, 1), "payment_not_found") << "another machine's";
    EXPECT_EQ(told(World::vending, PaymentId(77), DeliveryResult::delivered, 1), "payment_not_found");
    EXPECT_EQ(told(World::vending, w.created(w.buy(99)).id, DeliveryResult::delivered, 1), "payment_not_found")
        << "declined: nobody told it to deliver";
    EXPECT_EQ(told(World::vending, p.id, DeliveryResult::delivered, 2), "invalid");
    EXPECT_EQ(told(World::vending, p.id, DeliveryResult::delivered, 0), "invalid");
    EXPECT_EQ(told(World::vending, p.id, DeliveryResult::partial, 1), "invalid");
    EXPECT_EQ(told(World::vending, p.id, DeliveryResult::failed, 1), "invalid");
    w.payments->command_acknowledged(World::gate, p.id, false);  // another machine cannot void it
    EXPECT_EQ(told(World::vending, p.id, DeliveryResult::delivered, 1), "ok");
}

TEST(Tickets, CodesAreTwentyDigitsAndOnlyMembersGetThem) {
    World w;
    const auto code = w.payments->new_payment_code(World::family_cny, World::ana);
    ASSERT_TRUE(code.ok());
    EXPECT_EQ(code->digits.size(), 20U);
    EXPECT_TRUE(code->digits.starts_with("62"));
    EXPECT_EQ(code->digits.find_first_not_of("0123456789"), std::string::npos);
    EXPECT_EQ(code->expires, w.clock.now() + seconds(60));
    EXPECT_NE(w.payments->new_payment_code(World::family_cny, World::ana)->digits, code->digits);
    EXPECT_EQ(w.payments->new_payment_code(World::family_cny, World::ben).error().code(), "payer_not_member");
    EXPECT_EQ(w.payments->new_payment_code(WalletId(9), World::ben).error().code(), "wallet_not_found");
}

TEST(Tickets, QrsNameWhatIsSold) {
    World w;
    const auto qr = w.payments->new_qr(w.new_id(), World::vending, World::crisps_slot, 3);
    ASSERT_TRUE(qr.ok()) << qr.error().to_string();
    EXPECT_NE(qr->payload.find("540515.00"), std::string::npos) << qr->payload;
    EXPECT_NE(qr->payload.find("5303156"), std::string::npos);
    EXPECT_NE(qr->payload.find("io.jiaozi"), std::string::npos);
    EXPECT_EQ(w.payments->new_qr(w.new_id(), World::vending, 9, 1).error().code(), "product_unavailable");
    EXPECT_EQ(w.payments->new_qr(w.new_id(), World::vending, 1, 0).error().code(), "invalid");
    EXPECT_EQ(w.payments->new_qr(w.new_id(), DeviceId(9), 1, 1).error().code(), "device_not_found");
    w.town.devices[World::vending].state = DeviceState::lost;
    EXPECT_EQ(w.payments->new_qr(w.new_id(), World::vending, 1, 1).error().code(), "device_not_active");
}

}  // namespace
}  // namespace jiaozi::payments::testing
