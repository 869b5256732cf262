// Every row of the outcome tables of docs/payments.md.
#include <map>

#include <gtest/gtest.h>

#include "world.hpp"

namespace jiaozi::payments::testing {
namespace {

using enum PaymentState;
using Story = std::function<PaymentId(World&)>;

struct Row {
    std::string name;
    PaymentState state;
    Reason reason;
    std::uint64_t paid;  // by the family, in the end
    Story story;
};

// Asks and takes the answer's id: a payment by QR has the QR's.
PaymentId asked(World& w, const api::NewPayment& request) {
    return w.created(request).id;
}

api::NewPayment by_code(World& w, std::string digits) {
    api::NewPayment request = w.buy();
    request.kind = PaymentKind::payment_code;
    request.payer_wallet = {};
    request.payer_member = {};
    request.code = std::move(digits);
    return request;
}

api::NewPayment by_qr(World& w, std::string text) {
    api::NewPayment request = w.buy();
    request.kind = PaymentKind::qr;
    request.machine = {};
    request.slot = 0;
    request.code = std::move(text);
    return request;
}

PaymentId silent_machine(World& w, const api::NewPayment& request, bool answers) {
    w.wire.heard.clear();
    std::optional<Result<api::PaymentAnswer>> answer;
    w.payments->create(request, [&](Result<api::PaymentAnswer> given) { answer = std::move(given); });
    EXPECT_EQ(w.wire.probes.size(), 1U);
    EXPECT_EQ(w.find(request.id).state, pending);
    EXPECT_EQ(w.held(World::family_cny), 0U) << "no money is held while the machine is asked";
    w.wire.probes.front().done(answers);
    return w.wait(answer)->payment.id;
}

const std::vector<Row>& rows() {
    static const std::vector<Row> table = {
        // Declined before the ledger is asked.
        {"a stranger pays from the family's wallet", declined, Reason::payer_not_member, 0,
         [](World& w) {
             auto request = w.buy();
             request.payer_member = World::ben;
             return asked(w, request);
         }},
        {"a car that is in no group", declined, Reason::payer_not_member, 0,
         [](World& w) {
             auto request = w.park();
             request.payer_device = World::stray_car;
             return asked(w, request);
         }},
        {"somebody pays from the shop's wallet", declined, Reason::payer_not_member, 0,
         [](World& w) {
             auto request = w.buy();
             request.payer_wallet = World::shop_cny;
             return asked(w, request);
         }},
        {"the wallet is frozen", declined, Reason::payer_frozen, 0,
         [](World& w) {
             w.town.wallets[World::family_cny].frozen = true;
             return asked(w, w.buy());
         }},
        {"the wallet was frozen a moment ago and only the ledger knows", declined, Reason::payer_frozen, 0,
         [](World& w) {
             w.freeze(World::family_cny, true);
             return asked(w, w.buy());
         }},
        {"the machine is suspended", declined, Reason::device_not_active, 0,
         [](World& w) {
             w.town.devices[World::vending].state = DeviceState::suspended;
             return asked(w, w.buy());
         }},
        {"the car is reported lost", declined, Reason::device_not_active, 0,
         [](World& w) {
             w.town.devices[World::car].state = DeviceState::lost;
             return asked(w, w.park());
         }},
        {"nothing in that slot", declined, Reason::product_unavailable, 0, [](World& w) { return asked(w, w.buy(9)); }},
        {"a slot without a price", declined, Reason::product_unavailable, 0,
         [](World& w) {
             w.town.slots[{World::vending, 1}].price = World::cny(0);
             return asked(w, w.buy());
         }},
        {"the price has changed since the menu was shown", declined, Reason::price_changed, 0,
         [](World& w) {
             auto request = w.buy();
             request.amount = World::cny(300);
             return asked(w, request);
         }},
        {"the right number in another currency", declined, Reason::price_changed, 0,
         [](World& w) {
             auto request = w.buy();
             request.amount = World::eur(350);
             return asked(w, request);
         }},
        {"a euro wallet at a yuan machine", declined, Reason::asset_mismatch, 0,
         [](World& w) {
             auto request = w.buy();
             request.payer_wallet = World::family_eur;
             return asked(w, request);
         }},
        {"the car's family has no wallet in the gate's currency", declined, Reason::asset_mismatch, 0,
         [](World& w) {
             w.town.slots[{World::gate, 1}].price = {100, assets::JPY};
             return asked(w, w.park());
         }},
        {"euros to a yuan wallet", declined, Reason::asset_mismatch, 0,
         [](World& w) {
             auto request = w.pay_ben(100);
             request.payer_wallet = World::family_eur;
             request.amount = World::eur(100);
             return asked(w, request);
         }},
        {"a payment code that nobody made", declined, Reason::code_invalid, 0,
         [](World& w) { return asked(w, by_code(w, "62000000000000000000")); }},
        {"a payment code after its minute", declined, Reason::code_invalid, 0,
         [](World& w) {
             const auto code = *w.payments->new_payment_code(World::family_cny, World::ana);
             w.clock.advance(seconds(60));
             return asked(w, by_code(w, code.digits));
         }},
        {"a payment code for the second time", declined, Reason::code_invalid, 350,
         [](World& w) {
             const auto code = *w.payments->new_payment_code(World::family_cny, World::ana);
             const PaymentId first = asked(w, by_code(w, code.digits));
             EXPECT_TRUE(w.report(first, DeliveryResult::delivered, 1).ok());
             return asked(w, by_code(w, code.digits));
         }},
        {"a QR after its five minutes", declined, Reason::code_invalid, 0,
         [](World& w) {
             const auto qr = *w.payments->new_qr(w.new_id(), World::vending, 1, 1);
             w.clock.advance(seconds(300));
             return asked(w, by_qr(w, qr.payload));
         }},
        {"a QR that somebody else has paid", declined, Reason::code_invalid, 350,
         [](World& w) {
             const auto qr = *w.payments->new_qr(w.new_id(), World::vending, 1, 1);
             const PaymentId first = asked(w, by_qr(w, qr.payload));
             EXPECT_TRUE(w.report(first, DeliveryResult::delivered, 1).ok());
             return asked(w, by_qr(w, qr.payload));
         }},
        {"a QR of another scheme", declined, Reason::code_invalid, 0,
         [](World& w) { return asked(w, by_qr(w, "hello")); }},
        {"to oneself", declined, Reason::self_payment, 0,
         [](World& w) {
             auto request = w.pay_ben(100);
             request.payee_wallet = World::family_cny;
             return asked(w, request);
         }},
        // Declined by the ledger, inside the chain.
        {"over the limit for one payment", declined, Reason::limit_per_payment, 0,
         [](World& w) {
             w.limit(World::ana, LimitKind::per_payment, 349);
             return asked(w, w.buy());
         }},
        {"over the daily allowance", declined, Reason::limit_per_day, 0,
         [](World& w) {
             w.limit(World::ana, LimitKind::per_day, 349);
             return asked(w, w.buy());
         }},
        {"over the allowance for drinks", declined, Reason::limit_per_category, 0,
         [](World& w) {
             w.limit(World::ana, LimitKind::per_category, 349, 1, "drinks");
             return asked(w, w.buy());
         }},
        {"not enough money", declined, Reason::insufficient_funds, 0,
         [](World& w) { return asked(w, w.buy(World::cola_slot, 29)); }},
        {"not enough money for a friend", declined, Reason::insufficient_funds, 0,
         [](World& w) { return asked(w, w.pay_ben(World::family_start + 1)); }},
        {"the shop's wallet is frozen", declined, Reason::ledger_refused, 0,
         [](World& w) {
             w.freeze(World::shop_cny, true);
             return asked(w, w.buy());
         }},
        // Failed: no money was held.
        {"no answer to the alive check", failed, Reason::device_offline, 0,
         [](World& w) { return silent_machine(w, w.buy(), false); }},
        {"the charger is busy", failed, Reason::device_busy, 100,
         [](World& w) {
             auto first = w.buy(1);
             first.machine = World::charger;
             auto second = w.buy(1);
             second.machine = World::charger;
             const PaymentId charging = asked(w, first);
             const PaymentId refused = asked(w, second);
             EXPECT_TRUE(w.report(charging, DeliveryResult::delivered, 1).ok());
             return refused;
         }},
        {"cancelled while the machine is asked", failed, Reason::cancelled, 0,
         [](World& w) {
             w.wire.heard.clear();
             const auto request = w.buy();
             std::optional<Result<api::PaymentAnswer>> answer;
             w.payments->create(request, [&](Result<api::PaymentAnswer> given) { answer = std::move(given); });
             EXPECT_TRUE(w.cancel(request.id).ok());
             EXPECT_EQ(w.wait(answer)->payment.state, failed);
             w.wire.probes.front().done(true);  // too late
             return request.id;
         }},
        // Authorized, then captured.
        {"delivered", captured, Reason::none, 350,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             w.ack(id);
             EXPECT_EQ(w.report(id, DeliveryResult::delivered, 1)->captured_minor, 350U);
             return id;
         }},
        {"delivered after the machine was asked", captured, Reason::none, 350,
         [](World& w) {
             const PaymentId id = silent_machine(w, w.buy(), true);
             EXPECT_TRUE(w.report(id, DeliveryResult::delivered, 1).ok());
             return id;
         }},
        {"the car pays the gate from the family's wallet", captured, Reason::none, 800,
         [](World& w) {
             const PaymentId id = asked(w, w.park());
             EXPECT_EQ(w.find(id).payer_wallet, World::family_cny);
             EXPECT_EQ(w.find(id).payer_member, World::car_member);
             EXPECT_TRUE(w.report(id, DeliveryResult::delivered, 1).ok());
             return id;
         }},
        {"by payment code, the machine not asked again", captured, Reason::none, 350,
         [](World& w) {
             w.wire.heard.clear();
             const auto code = *w.payments->new_payment_code(World::family_cny, World::ana);
             const PaymentId id = asked(w, by_code(w, code.digits));
             EXPECT_EQ(w.find(id).payer_member, World::ana);
             EXPECT_TRUE(w.report(id, DeliveryResult::delivered, 1).ok());
             return id;
         }},
        {"by the machine's QR", captured, Reason::none, 350,
         [](World& w) {
             const auto qr = *w.payments->new_qr(w.new_id(), World::vending, 1, 1);
             const PaymentId id = asked(w, by_qr(w, qr.payload));
             EXPECT_EQ(id, qr.payment);
             EXPECT_TRUE(w.report(id, DeliveryResult::delivered, 1).ok());
             return id;
         }},
        {"two of three delivered", captured, Reason::none, 700,
         [](World& w) {
             const PaymentId id = asked(w, w.buy(World::cola_slot, 3));
             EXPECT_EQ(w.report(id, DeliveryResult::partial, 2)->captured_minor, 700U);
             EXPECT_EQ(w.find(id).delivered, 2U);
             return id;
         }},
        {"the report came before the acknowledgement", captured, Reason::none, 350,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             EXPECT_TRUE(w.report(id, DeliveryResult::delivered, 1).ok());
             w.ack(id);
             return id;
         }},
        {"reported twice", captured, Reason::none, 350,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             EXPECT_TRUE(w.report(id, DeliveryResult::delivered, 1).ok());
             const auto again = *w.report(id, DeliveryResult::delivered, 1);
             EXPECT_EQ(again.state, captured);
             EXPECT_EQ(again.captured_minor, 350U);
             EXPECT_FALSE(again.late);
             return id;
         }},
        {"delivered, then reported as failed: the first report counts", captured, Reason::none, 350,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             EXPECT_TRUE(w.report(id, DeliveryResult::delivered, 1).ok());
             EXPECT_EQ(w.report(id, DeliveryResult::failed, 0)->state, captured);
             return id;
         }},
        {"refused after it was accepted: the acceptance counts", captured, Reason::none, 350,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             w.ack(id);
             w.ack(id, false);
             EXPECT_TRUE(w.report(id, DeliveryResult::delivered, 1).ok());
             return id;
         }},
        {"a friend is paid in one step", captured, Reason::none, 120,
         [](World& w) { return asked(w, w.pay_ben(120)); }},
        // Authorized, then voided.
        {"the drop failed", voided, Reason::not_delivered, 0,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             EXPECT_EQ(w.report(id, DeliveryResult::failed, 0)->state, voided);
             return id;
         }},
        {"the machine refused", voided, Reason::device_nack, 0,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             w.ack(id, false);
             EXPECT_TRUE(w.app.run_until([&] { return w.find(id).state == voided; }));
             return id;
         }},
        {"cancelled in time", voided, Reason::cancelled, 0,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             EXPECT_EQ(w.cancel(id)->state, voided);
             EXPECT_EQ(w.cancel(id)->state, voided) << "again is the same";
             EXPECT_EQ(w.wire.cancels, std::vector{id});
             w.ack(id);  // the machine did not hear it
             EXPECT_EQ(w.wire.cancels.size(), 2U);
             return id;
         }},
        {"never heard again", voided, Reason::device_silent, 0,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             w.let_expire(id);
             EXPECT_EQ(w.wire.cancels, std::vector{id});
             return id;
         }},
        {"acknowledged, then silent", voided, Reason::device_silent, 0,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             w.ack(id);
             w.let_expire(id);
             return id;
         }},
        {"delivered after the deadline: recorded, the money does not move", voided, Reason::device_silent, 0,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             w.let_expire(id);
             const auto late = *w.report(id, DeliveryResult::delivered, 1);
             EXPECT_EQ(late.state, voided);
             EXPECT_TRUE(late.late);
             EXPECT_TRUE(w.report(id, DeliveryResult::delivered, 1)->late) << "again is the same";
             EXPECT_TRUE(w.find(id).late_delivery);
             return id;
         }},
        {"reported before the service heard of the expiry", voided, Reason::device_silent, 0,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             w.clock.advance(seconds(60) + milliseconds(1));
             const auto late = *w.report(id, DeliveryResult::delivered, 1);
             EXPECT_EQ(late.state, voided);
             EXPECT_TRUE(late.late);
             return id;
         }},
        {"failed after the deadline: nothing to record", voided, Reason::device_silent, 0,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             w.let_expire(id);
             EXPECT_FALSE(w.report(id, DeliveryResult::failed, 0)->late);
             EXPECT_FALSE(w.find(id).late_delivery);
             return id;
         }},
        {"the wallet is frozen between authorization and report", voided, Reason::device_silent, 0,
         [](World& w) {
             const PaymentId id = asked(w, w.buy());
             w.freeze(World::family_cny, true);
             EXPECT_EQ(w.report(id, DeliveryResult::delivered, 1)->state, authorized);
             EXPECT_EQ(w.report(id, DeliveryResult::delivered, 1)->state, authorized) << "again is the same";
             w.let_expire(id);
             EXPECT_TRUE(w.find(id).late_delivery);
             return id;
         }},
    };
    return table;
}

class Outcomes : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Outcomes, AreAsDocumented) {
    const Row& row = rows()[GetParam()];
    SCOPED_TRACE(row.name);
    World world({.serial_kinds = {DeviceKind::charger}});
    const Limit roomy = world.limit(World::ana, LimitKind::per_day, 1'000'000);
    const Limit cars = world.limit(World::car_member, LimitKind::per_day, 1'000'000);
    const PaymentId id = row.story(world);
    const Payment payment = world.find(id);
    EXPECT_EQ(name_of(payment.state), name_of(row.state));
    EXPECT_EQ(name_of(payment.reason), name_of(row.reason));
    EXPECT_EQ(World::family_start - world.balance(World::family_cny), row.paid);
    world.check_money();
    const std::uint64_t used = 2'000'000 - world.left(roomy).value_or(1'000'000) - world.left(cars).value_or(1'000'000);
    EXPECT_EQ(used, row.paid) << "allowances are used by what was paid and by nothing else";
    // The same after a restart, from the journal alone.
    world.restart();
    const Payment again = world.find(id);
    EXPECT_EQ(again.state, payment.state);
    EXPECT_EQ(again.reason, payment.reason);
    EXPECT_EQ(again.captured_minor, payment.captured_minor);
    EXPECT_EQ(again.delivered, payment.delivered);
    EXPECT_EQ(again.late_delivery, payment.late_delivery);
    EXPECT_EQ(again.sequence, payment.sequence);
    EXPECT_EQ(again.updated, payment.updated);
    EXPECT_EQ(again.created, payment.created);
}

INSTANTIATE_TEST_SUITE_P(Rows, Outcomes, ::testing::Range<std::size_t>(0, rows().size()));

TEST(OutcomeTable, ReachesEveryReason) {
    std::set<Reason> reached;
    for (const Row& row : rows()) reached.insert(row.reason);
    for (std::uint8_t number = 1; number != 0; ++number) {
        const bool exists =
            (number >= 1 && number <= 13) || number == 32 || number == 33 || (number >= 48 && number <= 51);
        if (!exists) continue;
        EXPECT_TRUE(reached.contains(static_cast<Reason>(number)))
            << "no row for " << name_of(static_cast<Reason>(number)) << " (" << int{number} << ")";
    }
}

// Where several reasons hold, the first of the list is told.
TEST(OutcomeTable, FollowsThePrecedence) {
    World w;
    w.limit(World::ana, LimitKind::per_payment, 1);
    w.limit(World::ana, LimitKind::per_day, 1);
    w.limit(World::ana, LimitKind::per_category, 1, 1, "drinks");
    auto request = w.buy(World::cola_slot, 100);  // also more than there is
    const auto told = [&] {
        request.id = w.new_id();
        return name_of(w.created(request).reason);
    };
    EXPECT_EQ(told(), "limit_per_payment");
    w.town.limits.erase(w.town.limits.begin());
    EXPECT_EQ(told(), "limit_per_day");
    w.town.limits.erase(w.town.limits.begin());
    EXPECT_EQ(told(), "limit_per_category");
    w.town.limits.clear();
    EXPECT_EQ(told(), "insufficient_funds");
    request.payer_wallet = World::family_eur;
    EXPECT_EQ(told(), "asset_mismatch");
    request.amount = World::cny(1);
    EXPECT_EQ(told(), "price_changed");
    request.slot = 77;
    EXPECT_EQ(told(), "product_unavailable");
    w.town.devices[World::vending].state = DeviceState::retired;
    EXPECT_EQ(told(), "device_not_active");
    w.town.wallets[World::family_eur].frozen = true;
    EXPECT_EQ(told(), "payer_frozen");
    request.payer_member = World::ben;
    EXPECT_EQ(told(), "payer_not_member");
}

struct BadRequest {
    std::string name;
    std::string code;
    std::function<void(api::NewPayment&)> spoil;
};

TEST(BadRequests, AreErrorsAndJournalNothing) {
    World w;
    const std::vector<BadRequest> table = {
        {"no id", "invalid", [](auto& r) { r.id = {}; }},
        {"no hash", "invalid", [](auto& r) { r.request_hash.clear(); }},
        {"no units", "invalid", [](auto& r) { r.quantity = 0; }},
        {"nothing to pay", "invalid", [](auto& r) { r.amount = World::cny(0); }},
        {"more than a number can hold", "invalid",
         [&](auto& r) {
             w.town.slots[{World::vending, 1}].price = {uint128_max, assets::CNY};
             r.quantity = 2;
         }},
        {"a wallet that is not there", "wallet_not_found", [](auto& r) { r.payer_wallet = WalletId(9); }},
        {"a machine that is not there", "device_not_found", [](auto& r) { r.machine = DeviceId(9); }},
        {"a friend's wallet that is not there", "wallet_not_found",
         [](auto& r) {
             r.kind = PaymentKind::person;
             r.amount = World::cny(1);
             r.payee_wallet = WalletId(9);
         }},
        {"a person is paid nothing in particular", "invalid", [](auto& r) { r.kind = PaymentKind::person; }},
        {"a car that is not there", "device_not_found",
         [](auto& r) {
             r.kind = PaymentKind::device;
             r.payer_device = DeviceId(9);
         }},
    };
    const std::uint64_t before = w.engine->last_sequence();
    for (const BadRequest& bad : table) {
        SCOPED_TRACE(bad.name);
        auto request = w.buy();
        bad.spoil(request);
        const auto answer = w.create(request);
        ASSERT_FALSE(answer.ok());
        EXPECT_EQ(answer.error().code(), bad.code);
    }
    EXPECT_EQ(w.engine->last_sequence(), before);
}

}  // namespace
}  // namespace jiaozi::payments::testing
