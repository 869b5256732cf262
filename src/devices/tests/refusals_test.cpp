// Every error code of docs/protocol/device.md section 5, on both carriers: what is answered, and that nothing changes.
#include <set>

#include <gtest/gtest.h>

#include <jiaozi/codec/cbor.hpp>

#include "gateway_world.hpp"

namespace jiaozi::devices {
namespace {

using protocol::Heartbeat;
using protocol::RefusalCode;
using testing::GatewayTest;
using testing::Machine;
using testing::must;

const PaymentId payment{make_uint128(1, 2)};

TEST_F(GatewayTest, Refusals) {
    Machine machine = identity::testing::enrolled(world);
    Machine suspended = identity::testing::enrolled(world);
    must(world.devices->suspend(suspended.id));
    const auto made = world.add();
    Machine pending(made.device.id);
    Machine stranger(DeviceId(12345));
    connect(machine);
    gateway->receive_mqtt(machine.id, machine.mac(Heartbeat{}, 3000));
    const std::uint64_t last_hello = world.devices->find(machine.id)->last_hello.ms();

    Bytes changed = machine.mac(Heartbeat{}, 3001);
    changed.back() ^= 1;
    auto bad_session = machine.in_session(Heartbeat{}, 3001);
    bad_session.session = protocol::SessionId{9};
    const Bytes bad_type = [&] {
        Bytes payload = protocol::encode(machine.in_session(Heartbeat{}, 3001));
        payload[2] = 11;
        return crypto::cose_mac0(machine.keys->up, payload, ByteView(machine.session), as_bytes("jiaozi/device/1/up"));
    }();

    struct Row {
        std::string_view what;
        RefusalCode code;
        const Machine* sender;
        Bytes bytes;
        bool signed_error;  // told to the sender over either carrier; else a problem over HTTPS and silence over MQTT
        int http = 0;
        bool https_only = false;
        bool mqtt_only = false;
    };
    using enum RefusalCode;
    const Row rows[] = {
        {"too large", too_large, &machine, Bytes(5000), false, 413},
        {"no COSE", malformed, &machine, Bytes{0xff}, false, 400},
        {"a type nobody has, from a device that proved itself", malformed, &machine, bad_type, true},
        {"a credential nobody has", unknown_device, &stranger, stranger.hello(1), false, 401},
        {"a claim for a device nobody has", unknown_device, &stranger, stranger.claim("ABCDE-ABCDE"), false, 401, true},
        {"a message on another's topic", unknown_device, &suspended, changed, false, 401, false, true},
        {"no such session, signed", session_unknown, &machine,
         must(protocol::seal(bad_session, *machine.signer, machine.kid)), true},
        {"no such session, over HTTPS", session_unknown, &machine, must(protocol::seal(bad_session, machine.keys->up)),
         false, 401, true},
        {"a wrong MAC", bad_signature, &machine, changed, false, 401},
        {"a suspended device says hello", device_not_active, &suspended, suspended.hello(world.clock.now().ms() + 1000),
         true},
        {"a suspended device claims", device_not_active, &suspended, suspended.claim("ABCDE-ABCDE"), false, 403, true},
        {"far below the window", replayed, &machine, machine.mac(Heartbeat{}, 1976), true},
        {"an old hello", stale_hello, &machine, machine.hello(last_hello), true},
        {"a wrong code", claim_refused, &pending, pending.claim("00000-00000"), false, 403, true},
        {"a claim over MQTT", claim_refused, &pending, pending.claim(made.code), false, 0, false, true},
        {"an asset nobody has", request_refused, &machine, {}, true},  // built below: its numbers must be fresh
    };
    std::set<RefusalCode> covered{rate_limited};  // has a test of its own
    for (const Row& row : rows) {
        covered.insert(row.code);
        for (const bool over_mqtt : {true, false}) {
            if ((over_mqtt && row.https_only) || (!over_mqtt && row.mqtt_only)) continue;
            SCOPED_TRACE(::testing::Message() << row.what << (over_mqtt ? " over MQTT" : " over HTTPS"));
            app.advance(seconds(10));  // errors are limited, too
            mqtt.sent.clear();
            const bool is_request = row.code == request_refused;
            const Bytes bytes = is_request ? machine.mac(protocol::PayRequest{payment, PaymentKind::device, 1, 1, 5,
                                                                              "NOTHING", "", DeviceId(77)},
                                                         over_mqtt ? 3002 : 3003)
                                           : row.bytes;
            const std::string before = is_request ? world.everything() : everything(*row.sender);
            const std::uint64_t counted = gateway->counters().refused_as(row.code);
            std::shared_ptr<Https> request;
            if (over_mqtt) {
                gateway->receive_mqtt(row.sender->id, bytes);
            } else {
                request = https(bytes);
                ASSERT_TRUE(request->answer.has_value());
            }
            EXPECT_EQ(gateway->counters().refused_as(row.code), counted + 1);
            EXPECT_EQ(is_request ? world.everything() : everything(*row.sender), before);
            EXPECT_TRUE(payments.created.empty());
            if (row.signed_error) {
                const Bytes envelope = over_mqtt ? mqtt.sent.at(0).second : request->answer->envelopes;
                const auto error = std::get<protocol::ErrorAnswer>(must(row.sender->read(envelope, world)).body);
                EXPECT_EQ(error.code, row.code);
                EXPECT_EQ(error.server_time_ms, world.clock.now().ms());
                EXPECT_FALSE(error.message.empty());
            } else if (over_mqtt) {
                EXPECT_TRUE(mqtt.sent.empty());
            } else {
                EXPECT_EQ(request->answer->refused, row.code);
                EXPECT_EQ(http_status(row.code), row.http);
                EXPECT_TRUE(request->answer->envelopes.empty());
            }
        }
    }
    EXPECT_EQ(covered.size(), protocol::all_refusal_codes.size());
}

// The one error told without proof over MQTT, so that a device finds out about a restart.
TEST_F(GatewayTest, AfterARestartADeviceIsToldToSayHello) {
    Machine machine = identity::testing::enrolled(world);
    connect(machine);
    start();
    const auto answers = mqtt_exchange(machine, machine.mac(Heartbeat{}));
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(std::get<protocol::ErrorAnswer>(answers[0].body).code, RefusalCode::session_unknown);
    connect(machine);
    EXPECT_EQ(mqtt_exchange(machine, machine.mac(Heartbeat{})).size(), 1U);
    // A stranger's topic is not answered, and a known one not without end.
    start();
    mqtt.sent.clear();
    const Bytes stale = machine.mac(Heartbeat{});
    gateway->receive_mqtt(DeviceId(12345), stale);
    EXPECT_TRUE(mqtt.sent.empty());
    for (int i = 0; i < 100; ++i) gateway->receive_mqtt(machine.id, stale);
    EXPECT_EQ(mqtt.sent.size(), 10U);
    app.advance(seconds(1));
    for (int i = 0; i < 100; ++i) gateway->receive_mqtt(machine.id, stale);
    EXPECT_EQ(mqtt.sent.size(), 12U);
}

TEST_F(GatewayTest, RateLimits) {
    start({.messages_per_s = 10, .messages_burst = 20});
    Machine machine = identity::testing::enrolled(world);
    Machine other = identity::testing::enrolled(world);
    connect(machine);
    connect(other);
    for (int i = 0; i < 19; ++i)
        gateway->receive_mqtt(machine.id, machine.mac(Heartbeat{}));  // the hello was the first
    EXPECT_EQ(gateway->counters().refused_as(RefusalCode::rate_limited), 0U);
    const Bytes over = machine.mac(Heartbeat{protocol::DeviceStatus::busy, {}});
    const std::string before = everything(machine);
    const auto answers = mqtt_exchange(machine, over);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(std::get<protocol::ErrorAnswer>(answers[0].body).code, RefusalCode::rate_limited);
    EXPECT_EQ(everything(machine), before);
    const auto problem = https(over);
    EXPECT_EQ(std::get<protocol::ErrorAnswer>(read(machine, problem).at(0).body).code, RefusalCode::rate_limited);
    EXPECT_EQ(http_status(RefusalCode::rate_limited), 429);
    // Other devices have their own; and what was refused is taken as new later.
    EXPECT_EQ(mqtt_exchange(other, other.mac(Heartbeat{})).size(), 1U);
    app.advance(milliseconds(100));
    mqtt_exchange(machine, over);
    EXPECT_EQ(gateway->link(machine.id).status, protocol::DeviceStatus::busy);
    EXPECT_EQ(gateway->counters().duplicates, 0U);
}

TEST_F(GatewayTest, ClaimsAreLimited) {
    const auto made = world.add();
    const Machine thief(made.device.id);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(https(thief.claim("WRONG-" + std::to_string(i)))->answer->refused, RefusalCode::claim_refused);
    EXPECT_EQ(https(thief.claim(made.code))->answer->refused, RefusalCode::rate_limited);
    app.advance(seconds(1));
    EXPECT_EQ(https(thief.claim(made.code))->answer->refused, std::nullopt);
}

}  // namespace
}  // namespace jiaozi::devices
