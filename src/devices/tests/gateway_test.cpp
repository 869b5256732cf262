// What devices ask and are answered, over both carriers.
#include <gtest/gtest.h>

#include <jiaozi/codec/cbor.hpp>

#include "gateway_world.hpp"

namespace jiaozi::devices {
namespace {

using protocol::Heartbeat;
using protocol::HeartbeatAck;
using testing::GatewayTest;
using testing::Machine;
using testing::must;

const PaymentId payment{make_uint128(1, 2)};

template <class B>
const B& only(const std::vector<protocol::Message>& messages) {
    if (messages.size() != 1 || !std::holds_alternative<B>(messages[0].body)) {
        ADD_FAILURE() << messages.size() << " messages, or of another type";
        std::abort();
    }
    return std::get<B>(messages[0].body);
}

Payment declined(PaymentId id) {
    Payment result;
    result.id = id;
    result.state = PaymentState::declined;
    result.reason = Reason::insufficient_funds;
    result.amount = Amount(700, assets::CNY);
    return result;
}

TEST_F(GatewayTest, EnrolOverHttpsThenSpeakOverMqtt) {
    for (const crypto::Suite suite : identity::testing::all_suites) {
        SCOPED_TRACE(crypto::name_of(suite));
        const auto made = world.add();
        Machine machine(made.device.id, suite);
        const Bytes claim = machine.claim(made.code);
        const auto request = https(claim);
        const auto claimed = only<protocol::Claimed>(read(machine, request));
        EXPECT_EQ(claimed.credential, machine.kid);
        EXPECT_EQ(world.broker.passwords.at(machine.id), claimed.mqtt_password);
        // The answer was lost and the claim is sent again: the same answer, and nothing happens twice.
        const std::string before = world.everything();
        EXPECT_EQ(https(claim)->answer->envelopes, request->answer->envelopes);
        EXPECT_EQ(world.everything(), before);

        connect(machine);
        only<HeartbeatAck>(mqtt_exchange(machine, machine.mac(Heartbeat{})));
        EXPECT_EQ(gateway->link(machine.id).firmware, "test 1");
        EXPECT_TRUE(gateway->link(machine.id).over_mqtt);
        EXPECT_TRUE(gateway->heard_within(machine.id, seconds(1)));
        EXPECT_TRUE(gateway->online(machine.id));
        const Timestamp heard = gateway->link(machine.id).last_heard;
        app.advance(heard + seconds(90) - world.clock.now());
        EXPECT_TRUE(gateway->online(machine.id)) << "two heartbeats may be lost";
        app.advance(seconds(1));
        EXPECT_FALSE(gateway->online(machine.id));
    }
    app.advance(seconds(2));
    EXPECT_FALSE(gateway->heard_within(DeviceId(1), seconds(1)));
}

TEST_F(GatewayTest, AnswersComeAsTheyWereAsked) {
    Machine machine = identity::testing::enrolled(world);
    connect(machine);
    for (const bool is_signed : {false, true}) {
        gateway->receive_mqtt(machine.id, is_signed ? machine.sign(Heartbeat{}) : machine.mac(Heartbeat{}));
        EXPECT_EQ(must(protocol::peek(mqtt.sent.back().second, protocol::Direction::down)).is_signed(), is_signed);
    }
}

TEST_F(GatewayTest, PayByDevice) {
    Machine car = identity::testing::enrolled(world);
    connect(car);
    const DeviceId gate(77);
    const protocol::PayRequest body{payment, PaymentKind::device, 3, 2, 700, "CNY", "", gate};
    const Bytes request = car.mac(body);
    EXPECT_TRUE(mqtt_exchange(car, request).empty());
    ASSERT_EQ(payments.created.size(), 1U);
    const api::NewPayment asked = payments.created[0];
    EXPECT_EQ(asked.id, payment);
    EXPECT_EQ(asked.kind, PaymentKind::device);
    EXPECT_EQ(asked.payer_device, car.id);
    EXPECT_EQ(asked.machine, gate);
    EXPECT_EQ(asked.slot, 3U);
    EXPECT_EQ(asked.quantity, 2U);
    EXPECT_EQ(asked.amount->minor(), 700U);
    EXPECT_EQ(asked.code, "");
    EXPECT_EQ(asked.request_hash.size(), 16U);
    payments.answers[0](api::PaymentAnswer{declined(payment), false});
    const auto answer = only<protocol::PayAnswer>(sent_to(car));
    EXPECT_EQ(answer, (protocol::PayAnswer{payment, PaymentState::declined, Reason::insufficient_funds, 700, "CNY"}));

    // Sent again with its bytes, and sealed anew in another session: the same request to payments, which knows its id.
    EXPECT_TRUE(mqtt_exchange(car, request).empty());
    connect(car);
    EXPECT_TRUE(mqtt_exchange(car, car.mac(body)).empty());
    ASSERT_EQ(payments.created.size(), 3U);
    EXPECT_EQ(payments.created[1].request_hash, asked.request_hash);
    EXPECT_EQ(payments.created[2].request_hash, asked.request_hash);
    EXPECT_EQ(gateway->counters().duplicates, 1U);
    // Another device under the same payment id is another request, and so is another quantity.
    Machine other = identity::testing::enrolled(world);
    connect(other);
    gateway->receive_mqtt(other.id, other.mac(body));
    protocol::PayRequest more = body;
    more.quantity = 3;
    gateway->receive_mqtt(car.id, car.mac(more));
    ASSERT_EQ(payments.created.size(), 5U);
    EXPECT_EQ(payments.created[3].payer_device, other.id);
    EXPECT_NE(payments.created[3].request_hash, asked.request_hash);
    EXPECT_NE(payments.created[4].request_hash, asked.request_hash);
}

TEST_F(GatewayTest, PayByScannedCode) {
    Machine machine = identity::testing::enrolled(world);
    connect(machine);
    shop.slots = {{machine.id, 1, shop.water.id, Amount(5, testing::points)}};
    gateway->receive_mqtt(machine.id,
                          machine.mac(protocol::PayRequest{
                              payment, PaymentKind::payment_code, 1, 1, 5, "POINTS", "62000000000000000000", {}}));
    ASSERT_EQ(payments.created.size(), 1U);
    EXPECT_EQ(payments.created[0].machine, machine.id);
    EXPECT_EQ(payments.created[0].payer_device, DeviceId());
    EXPECT_EQ(payments.created[0].code, "62000000000000000000");
    EXPECT_EQ(payments.created[0].amount, Amount(5, testing::points));  // an asset that only the catalogue knows
}

TEST_F(GatewayTest, IdsOfOfflinePaymentsAreNotForDevices) {
    Machine machine = identity::testing::enrolled(world);
    connect(machine);
    const PaymentId taken(static_cast<uint128>(0xFF) << 120 | 1);
    gateway->receive_mqtt(machine.id,
                          machine.mac(protocol::PayRequest{
                              taken, PaymentKind::payment_code, 1, 1, 5, "POINTS", "62000000000000000000", {}}));
    EXPECT_TRUE(payments.created.empty());
}

TEST_F(GatewayTest, ErrorsOfPayments) {
    Machine machine = identity::testing::enrolled(world);
    connect(machine);
    struct Row {
        Error error;
        bool is_told;
    };
    const Row rows[] = {
        {Error(ErrorKind::conflict, "another request has this id").with_code("idempotency_mismatch"), true},
        {Error(ErrorKind::not_found, "no such machine").with_code("device_not_found"), true},
        {Error(ErrorKind::invalid, "quantity"), true},
        {Error(ErrorKind::conflict, "not answered yet").with_code("payment_in_flight"), false},
        {Error(ErrorKind::unavailable, "stopping"), false},
        {Error(ErrorKind::timeout, "no answer"), false},
        {Error(ErrorKind::internal, "a bug"), false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.error.to_string());
        const std::uint64_t seq = machine.next;
        gateway->receive_mqtt(machine.id, machine.mac(protocol::PayRequest{
                                              payment, PaymentKind::device, 1, 1, {}, "", "", DeviceId(77)}));
        payments.answers.back()(Error(row.error));
        const auto answers = sent_to(machine);
        ASSERT_EQ(answers.size(), row.is_told ? 1U : 0U);
        if (row.is_told) {
            const auto& error = only<protocol::ErrorAnswer>(answers);
            EXPECT_EQ(error.code, protocol::RefusalCode::request_refused);
            EXPECT_TRUE(error.message.starts_with(row.error.code() + ": ")) << error.message;
            EXPECT_EQ(error.seq, seq);
        }
    }
}

TEST_F(GatewayTest, SagaOfOneSale) {
    Machine machine = identity::testing::enrolled(world);
    connect(machine);
    gateway->send(machine.id, {.payment = payment,
                               .number = 1,
                               .slot = 3,
                               .quantity = 2,
                               .amount = Amount(700, assets::CNY),
                               .product = ProductId(21),
                               .expires = timestamp_s(1'700'000'020)});
    EXPECT_EQ(only<protocol::Command>(sent_to(machine)),
              (protocol::Command{payment, 1, 3, 2, 700, "CNY", 1'700'000'020'000, ProductId(21)}));

    EXPECT_TRUE(mqtt_exchange(machine, machine.mac(protocol::CommandAck{payment, 1, true, ""})).empty());
    ASSERT_EQ(payments.acks.size(), 1U);
    EXPECT_EQ(payments.acks[0].machine, machine.id);
    EXPECT_TRUE(payments.acks[0].accepted);

    const Bytes report = machine.mac(protocol::DeliveryReport{payment, DeliveryResult::partial, 1, "stuck"});
    for (int times = 0; times < 2; ++times) {
        EXPECT_EQ(only<protocol::ReportAck>(mqtt_exchange(machine, report)),
                  (protocol::ReportAck{payment, PaymentState::captured, 350, false}));
    }
    ASSERT_EQ(payments.reports.size(), 2U);
    EXPECT_EQ(payments.reports[0].machine, machine.id);
    EXPECT_EQ(payments.reports[0].result, DeliveryResult::partial);
    EXPECT_EQ(payments.reports[0].delivered, 1U);

    gateway->send_cancel(machine.id, payment);
    EXPECT_EQ(only<protocol::Cancel>(sent_to(machine)), protocol::Cancel{payment});
    payments.report_error = Error(ErrorKind::not_found, "no such payment").with_code("payment_not_found");
    EXPECT_EQ(only<protocol::ErrorAnswer>(
                  mqtt_exchange(machine, machine.mac(protocol::DeliveryReport{payment, DeliveryResult::failed, 0, ""})))
                  .code,
              protocol::RefusalCode::request_refused);
}

TEST_F(GatewayTest, CatalogueInPages) {
    Machine machine = identity::testing::enrolled(world);
    connect(machine);
    shop.water.name = std::string(200, 'w');
    for (std::uint32_t slot = 300; slot > 0; --slot)
        shop.slots.push_back({machine.id, slot, shop.water.id, Amount(slot, assets::CNY)});
    shop.slots.push_back({machine.id, 301, ProductId(999), Amount(1, assets::CNY)});  // a product that is gone
    std::vector<protocol::CatalogueItem> all;
    std::uint32_t after = 0;
    for (bool more = true; more;) {
        const auto page =
            only<protocol::Catalogue>(mqtt_exchange(machine, machine.mac(protocol::CatalogueRequest{after})));
        ASSERT_FALSE(page.items.empty());
        all.insert(all.end(), page.items.begin(), page.items.end());
        after = all.back().slot;
        more = page.more;
    }
    ASSERT_EQ(all.size(), 300U);
    for (std::uint32_t slot = 1; slot <= 300; ++slot) {
        EXPECT_EQ(all[slot - 1], (protocol::CatalogueItem{slot, shop.water.id, shop.water.name, "水", slot, "CNY"}));
    }
    Machine other = identity::testing::enrolled(world);
    connect(other);
    EXPECT_TRUE(only<protocol::Catalogue>(mqtt_exchange(other, other.mac(protocol::CatalogueRequest{}))).items.empty());
}

TEST_F(GatewayTest, BalanceAndQr) {
    Machine car = identity::testing::enrolled(world);
    Machine machine = identity::testing::enrolled(world);
    connect(car);
    connect(machine);
    shop.car.device = car.id;
    EXPECT_EQ(only<protocol::BalanceAnswer>(mqtt_exchange(car, car.mac(protocol::BalanceRequest{}))).wallets,
              (std::vector<protocol::WalletBalance>{{WalletId(11), 800, "CNY"}, {WalletId(12), UINT64_MAX, "POINTS"}}));
    EXPECT_TRUE(
        only<protocol::BalanceAnswer>(mqtt_exchange(machine, machine.mac(protocol::BalanceRequest{}))).wallets.empty());

    EXPECT_EQ(only<protocol::Qr>(mqtt_exchange(machine, machine.mac(protocol::QrRequest{payment, 4, 2}))),
              (protocol::Qr{payment, "000201", 1'800'000'000'000}));
    ASSERT_EQ(payments.qrs.size(), 1U);
    EXPECT_EQ(payments.qrs[0].machine, machine.id);
    EXPECT_EQ(
        only<protocol::ErrorAnswer>(mqtt_exchange(machine, machine.mac(protocol::QrRequest{payment, 99, 2}))).message,
        "slot_not_found: slot 99 sells nothing");
}

struct ScriptedErrands final : api::PurseErrands {
    void run(DeviceId device, Bytes errand, api::Done<Bytes> done) override {
        asked.emplace_back(device, std::move(errand));
        answers.push_back(std::move(done));
    }
    std::vector<std::pair<DeviceId, Bytes>> asked;
    std::deque<api::Done<Bytes>> answers;
};

TEST_F(GatewayTest, ErrandsOfPursesInPieces) {
    Machine machine = identity::testing::enrolled(world);
    connect(machine);
    const Bytes errand(3'000, 7);
    const auto piece = [&](std::uint32_t offset, std::uint32_t length) {
        return machine.mac(protocol::PursePiece{protocol::transfer_id(errand), 3'000, offset, Bytes(length, 7)});
    };
    EXPECT_TRUE(mqtt_exchange(machine, piece(0, 2'000)).empty()) << "nobody is there to do them";
    ScriptedErrands errands;
    gateway->attach(&errands);
    EXPECT_EQ(only<protocol::PurseTaken>(mqtt_exchange(machine, piece(0, 2'000))).offset, 2'000U);
    EXPECT_TRUE(mqtt_exchange(machine, piece(2'000, 1'000)).empty()) << "it is being done";
    ASSERT_EQ(errands.asked.size(), 1U);
    EXPECT_EQ(errands.asked[0], (std::pair{machine.id, errand}));
    // What can't be done now is not answered, and the next piece tries again.
    errands.answers[0](Error(ErrorKind::unavailable, "the disk is full"));
    EXPECT_TRUE(sent_to(machine).empty());
    EXPECT_TRUE(mqtt_exchange(machine, piece(2'000, 1'000)).empty());
    ASSERT_EQ(errands.asked.size(), 2U);
    errands.answers[1](Bytes(2'500, 9));
    const auto first = only<protocol::PurseAnswer>(sent_to(machine));
    EXPECT_EQ(first.data, Bytes(2'048, 9));
    const auto rest =
        only<protocol::PurseAnswer>(mqtt_exchange(machine, machine.mac(protocol::PurseMore{first.transfer, 2'048})));
    EXPECT_EQ(rest.data, Bytes(452, 9));
    EXPECT_EQ(errands.asked.size(), 2U);
    // What will never be done is refused, and the same may be asked anew.
    const Bytes other(10, 1);
    const auto small = machine.mac(protocol::PursePiece{protocol::transfer_id(other), 10, 0, other});
    EXPECT_TRUE(mqtt_exchange(machine, small).empty());
    errands.answers[2](Error(ErrorKind::not_found, "no such purse").with_code("purse_not_found"));
    EXPECT_EQ(only<protocol::ErrorAnswer>(sent_to(machine)).message, "purse_not_found: no such purse");
    gateway->attach(static_cast<api::PurseErrands*>(nullptr));
}

TEST_F(GatewayTest, Rotation) {
    Machine machine = identity::testing::enrolled(world);
    connect(machine);
    Machine fresh(machine.id, crypto::Suite::sm2);
    const auto proof = must(protocol::make_rotation_proof(*fresh.signer, machine.id));
    auto wrong = proof;
    wrong[0] ^= 1;
    const std::string before = world.everything();
    EXPECT_EQ(
        only<protocol::ErrorAnswer>(
            mqtt_exchange(machine, machine.sign(protocol::Rotate{crypto::Suite::sm2, fresh.pair.public_key, wrong})))
            .code,
        protocol::RefusalCode::request_refused);
    EXPECT_EQ(world.everything(), before);
    EXPECT_EQ(only<protocol::Rotated>(mqtt_exchange(machine, machine.sign(protocol::Rotate{
                                                                 crypto::Suite::sm2, fresh.pair.public_key, proof})))
                  .credential,
              fresh.kid);
    EXPECT_FALSE(world.sessions->has(machine.id));
    EXPECT_TRUE(mqtt_exchange(machine, machine.hello(next_time())).empty());  // the old credential is nobody's
    connect(fresh);
    only<HeartbeatAck>(mqtt_exchange(fresh, fresh.mac(Heartbeat{})));
}

TEST_F(GatewayTest, Probes) {
    Machine machine = identity::testing::enrolled(world);
    std::vector<std::pair<int, bool>> told;
    const auto ask = [&](int number, Duration patience) {
        gateway->probe(machine.id, patience, [&told, number](bool alive) { told.emplace_back(number, alive); });
    };
    // Nobody there.
    ask(1, milliseconds(500));
    app.advance(milliseconds(500));
    EXPECT_EQ(told, (std::vector<std::pair<int, bool>>{{1, false}}));
    // It says hello in time, and is asked then.
    ask(2, seconds(1));
    mqtt_exchange(machine, machine.hello(next_time()));
    app.advance(milliseconds(2));
    auto answers = mqtt.sent;
    ASSERT_EQ(answers.size(), 2U);
    machine.welcome(std::get<protocol::Welcome>(must(machine.read(answers[0].second, world)).body));
    mqtt.sent.erase(mqtt.sent.begin());
    const auto nonce = only<protocol::Probe>(sent_to(machine)).nonce;
    // Another nonce proves nothing; a second asker is served by the same answer; a repeated answer tells nobody
    // anything.
    only<HeartbeatAck>(
        mqtt_exchange(machine, machine.mac(Heartbeat{protocol::DeviceStatus::ready, protocol::ProbeNonce{1}})));
    ask(3, seconds(1));
    EXPECT_EQ(only<protocol::Probe>(sent_to(machine)).nonce, nonce);
    EXPECT_EQ(told.size(), 1U);
    const Bytes alive = machine.mac(Heartbeat{protocol::DeviceStatus::busy, nonce});
    only<HeartbeatAck>(mqtt_exchange(machine, alive));
    EXPECT_EQ(told, (std::vector<std::pair<int, bool>>{{1, false}, {2, true}, {3, true}}));
    EXPECT_EQ(gateway->link(machine.id).status, protocol::DeviceStatus::busy);
    ask(4, milliseconds(100));
    EXPECT_NE(only<protocol::Probe>(sent_to(machine)).nonce, nonce);
    only<HeartbeatAck>(mqtt_exchange(machine, alive));
    app.advance(milliseconds(100));
    EXPECT_EQ(told.back(), (std::pair{4, false}));
    // Unknown devices are not there at once; timers are all used up but the sweep's.
    gateway->probe(DeviceId(1), seconds(1), [&told](bool is_alive) { told.emplace_back(5, is_alive); });
    EXPECT_EQ(told.back(), (std::pair{5, false}));
    EXPECT_EQ(app.timers(), 1U);
}

TEST_F(GatewayTest, HttpsCarriesWhatWaits) {
    Machine machine = identity::testing::enrolled(world);
    // The answer to a hello comes with the same request.
    auto request = https(machine.hello(next_time()));
    EXPECT_FALSE(request->answer.has_value());
    app.advance(milliseconds(2));
    machine.welcome(std::get<protocol::Welcome>(read(machine, request)[0].body));
    EXPECT_FALSE(gateway->link(machine.id).over_mqtt);
    // What is answered at once comes at once; no wait, nothing waiting: empty.
    only<HeartbeatAck>(read(machine, https(machine.mac(Heartbeat{}))));
    EXPECT_TRUE(read(machine, https(machine.mac(protocol::CommandAck{payment, 1, true, ""}))).empty());
    // Held until there is something.
    request = https(machine.mac(protocol::CommandAck{payment, 1, true, ""}), seconds(20));
    EXPECT_FALSE(request->answer.has_value());
    gateway->send_cancel(machine.id, payment);
    only<protocol::Cancel>(read(machine, request));
    // Held to the end of the wait, which is 30 seconds at most.
    request = https(machine.mac(protocol::CommandAck{payment, 1, true, ""}), seconds(3600));
    app.advance(seconds(30) - milliseconds(1));
    EXPECT_FALSE(request->answer.has_value());
    app.advance(milliseconds(1));
    EXPECT_TRUE(read(machine, request).empty());
    // A request whose answer is being made is held for it without being asked to.
    const Bytes pay = machine.mac(protocol::PayRequest{payment, PaymentKind::device, 1, 1, {}, "", "", DeviceId(77)});
    request = https(pay);
    EXPECT_FALSE(request->answer.has_value());
    payments.answers[0](api::PaymentAnswer{declined(payment), false});
    only<protocol::PayAnswer>(read(machine, request));
    // A newer request takes the place of an older one.
    const auto older = https(machine.mac(protocol::CommandAck{payment, 1, true, ""}), seconds(20));
    const auto newer = https(machine.mac(protocol::CommandAck{payment, 1, true, ""}), seconds(20));
    EXPECT_TRUE(read(machine, older).empty());
    gateway->send_cancel(machine.id, payment);
    only<protocol::Cancel>(read(machine, newer));
    EXPECT_TRUE(mqtt.sent.empty());
    EXPECT_EQ(app.timers(), 1U);
}

TEST_F(GatewayTest, TheMailboxIsBounded) {
    start({.mailbox_messages = 3});
    Machine machine = identity::testing::enrolled(world);
    const auto request = https(machine.hello(next_time()));
    app.advance(milliseconds(2));
    machine.welcome(std::get<protocol::Welcome>(read(machine, request)[0].body));
    for (std::uint32_t i = 1; i <= 5; ++i) gateway->send_cancel(machine.id, PaymentId(i));
    const auto got = read(machine, https(machine.mac(protocol::CommandAck{payment, 1, true, ""})));
    ASSERT_EQ(got.size(), 3U);
    EXPECT_EQ(std::get<protocol::Cancel>(got[0].body).payment, PaymentId(3));
    EXPECT_EQ(gateway->counters().unsendable, 2U);
}

TEST_F(GatewayTest, ARecordedMessageDoesNotMoveADeviceToAnotherCarrier) {
    Machine machine = identity::testing::enrolled(world);
    connect(machine);
    const Bytes recorded = machine.mac(Heartbeat{protocol::DeviceStatus::busy, {}});
    mqtt_exchange(machine, recorded);
    only<HeartbeatAck>(mqtt_exchange(machine, machine.mac(Heartbeat{})));
    app.advance(seconds(10));
    EXPECT_TRUE(read(machine, https(recorded, seconds(20))).empty());
    only<HeartbeatAck>(sent_to(machine));
    EXPECT_FALSE(gateway->heard_within(machine.id, seconds(9)));
    EXPECT_EQ(gateway->link(machine.id).status, protocol::DeviceStatus::ready);
    EXPECT_TRUE(gateway->link(machine.id).over_mqtt);
}

TEST_F(GatewayTest, AFleetSaysHelloInOneTransaction) {
    std::vector<Machine> fleet;
    for (int i = 0; i < 50; ++i) fleet.push_back(identity::testing::enrolled(world));
    for (Machine& machine : fleet) gateway->receive_mqtt(machine.id, machine.hello(next_time()));
    EXPECT_TRUE(mqtt.sent.empty());
    app.advance(milliseconds(2));
    ASSERT_EQ(mqtt.sent.size(), fleet.size());
    for (std::size_t i = 0; i < fleet.size(); ++i) {
        fleet[i].welcome(std::get<protocol::Welcome>(must(fleet[i].read(mqtt.sent[i].second, world)).body));
        EXPECT_NE(must(registry::get_device(*world.session, fleet[i].id)).last_hello, Timestamp{});
    }
}

TEST_F(GatewayTest, WithoutSessionOrCarrierNothingIsSent) {
    Machine machine = identity::testing::enrolled(world);
    gateway->send_cancel(machine.id, payment);
    connect(machine);
    gateway->attach(static_cast<Carrier*>(nullptr));
    gateway->send_cancel(machine.id, payment);
    EXPECT_EQ(gateway->counters().unsendable, 2U);
    gateway->attach(static_cast<api::Payments*>(nullptr));
    gateway->receive_mqtt(
        machine.id, machine.mac(protocol::PayRequest{payment, PaymentKind::device, 1, 1, {}, "", "", DeviceId(77)}));
    EXPECT_TRUE(payments.created.empty());
}

TEST_F(GatewayTest, LateAnswersAfterTheGatewayAreDropped) {
    Machine machine = identity::testing::enrolled(world);
    connect(machine);
    gateway->receive_mqtt(
        machine.id, machine.mac(protocol::PayRequest{payment, PaymentKind::device, 1, 1, {}, "", "", DeviceId(77)}));
    mqtt.sent.clear();
    gateway.reset();
    payments.answers[0](api::PaymentAnswer{declined(payment), false});
    app.advance(seconds(120));
    EXPECT_TRUE(mqtt.sent.empty());
}

}  // namespace
}  // namespace jiaozi::devices
