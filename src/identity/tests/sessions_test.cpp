#include <gtest/gtest.h>

#include "world.hpp"

namespace jiaozi::identity {
namespace {

using protocol::Heartbeat;
using protocol::RefusalCode;
using testing::code_of;
using testing::Machine;
using testing::must;
using testing::World;

class SessionsTest : public ::testing::Test {
  protected:
    // "ok", "duplicate" or the refusal's name; takes what is accepted, as the gateway does.
    std::string give(ByteView bytes, std::optional<DeviceId> topic = {}) {
        const auto opened = world.sessions->open(topic, bytes);
        if (!opened) {
            proven = opened.error().proven;
            return std::string(protocol::name_of(opened.error().code));
        }
        world.sessions->mark_seen(opened->message);
        return opened->duplicate ? "duplicate" : "ok";
    }
    std::string hello(Machine& machine, std::uint64_t time_ms) {
        const auto opened = world.sessions->open({}, machine.hello(time_ms));
        if (!opened) return std::string(protocol::name_of(opened.error().code));
        const auto welcome = world.sessions->begin(opened->message);
        if (!welcome.ok()) return welcome.error().code();
        machine.welcome(*welcome);
        must(world.devices->store_hellos());
        return "ok";
    }

    World world;
    DeviceId proven;
};

TEST_F(SessionsTest, BothWaysInEverySuite) {
    for (const crypto::Suite suite : testing::all_suites) {
        SCOPED_TRACE(crypto::name_of(suite));
        Machine machine = testing::enrolled(world, suite);
        machine.connect(world);
        EXPECT_EQ(give(machine.mac(Heartbeat{}), machine.id), "ok");
        EXPECT_EQ(give(machine.sign(Heartbeat{}), machine.id), "ok");
        for (const bool as_signed : {false, true}) {
            const Bytes bytes = must(world.sessions->seal(machine.id, protocol::HeartbeatAck{}, as_signed));
            EXPECT_EQ(protocol::peek(bytes, protocol::Direction::down)->is_signed(), as_signed);
            const auto read = machine.read(bytes, world);
            ASSERT_TRUE(read.ok()) << read.error().to_string();
            EXPECT_EQ(read->seq, as_signed ? 2U : 1U);
            EXPECT_EQ(read->session, machine.session);
        }
    }
}

TEST_F(SessionsTest, OrderDuplicatesAndTheWindow) {
    Machine machine = testing::enrolled(world);
    machine.connect(world);
    const Bytes third = machine.mac(Heartbeat{}, 3);
    EXPECT_EQ(give(third), "ok");
    EXPECT_EQ(give(machine.mac(Heartbeat{}, 1)), "ok");
    EXPECT_EQ(give(third), "duplicate");
    EXPECT_EQ(give(machine.mac(Heartbeat{}, 2)), "ok");
    EXPECT_EQ(give(machine.mac(Heartbeat{}, 1026)), "ok");
    EXPECT_EQ(give(third), "duplicate");
    EXPECT_EQ(give(machine.mac(Heartbeat{}, 2)), "replayed");
    EXPECT_EQ(proven, machine.id);
    EXPECT_EQ(give(machine.mac(Heartbeat{}, 1027)), "ok");
    EXPECT_EQ(give(third), "replayed");
    EXPECT_EQ(give(machine.sign(Heartbeat{}, 3)), "replayed");  // one window for both forms
}

TEST_F(SessionsTest, HellosGoForwardWhateverTheClock) {
    Machine machine = testing::enrolled(world);
    EXPECT_EQ(hello(machine, 1'000'000), "ok");
    EXPECT_EQ(hello(machine, 1'000'000), "stale_hello");
    EXPECT_EQ(hello(machine, 999'999), "stale_hello");
    EXPECT_EQ(hello(machine, 1'000'001), "ok");  // clock set back: last + 1
    EXPECT_EQ(hello(machine, UINT64_MAX), "malformed");
    world.start();
    EXPECT_EQ(hello(machine, 1'000'001), "stale_hello");  // remembered across a restart
    EXPECT_FALSE(world.sessions->has(machine.id));
    EXPECT_EQ(hello(machine, 1'000'002), "ok");
}

TEST_F(SessionsTest, ARecordedHelloIsUseless) {
    Machine machine = testing::enrolled(world);
    const Bytes recorded = machine.hello(5000);
    const auto opened = world.sessions->open(machine.id, recorded);
    machine.welcome(must(world.sessions->begin(opened->message)));
    const std::string before = world.everything();
    const auto again = world.sessions->open(machine.id, recorded);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(code_of(world.sessions->begin(again->message)), "stale_hello");
    EXPECT_EQ(world.everything(), before);
    EXPECT_EQ(give(machine.mac(Heartbeat{})), "ok");  // the session lives on
}

TEST_F(SessionsTest, AnEphemeralKeyOfLowOrderIsRefused) {
    Machine machine = testing::enrolled(world);
    const protocol::Message message = machine.message(protocol::Hello{}, 1, 5000);
    const auto opened = world.sessions->open({}, must(protocol::seal(message, *machine.signer, machine.kid)));
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(code_of(world.sessions->begin(opened->message)), "malformed");
    EXPECT_EQ(hello(machine, 5000), "ok");  // its time was not remembered
}

TEST_F(SessionsTest, ASessionEnds) {
    Machine machine = testing::enrolled(world);
    const auto ended = [&](std::string_view what) {
        SCOPED_TRACE(what);
        EXPECT_EQ(give(machine.mac(Heartbeat{})), "session_unknown");
        EXPECT_FALSE(world.sessions->has(machine.id));
        EXPECT_EQ(code_of(world.sessions->seal(machine.id, protocol::HeartbeatAck{})), "session_unknown");
    };
    machine.connect(world);
    world.start();
    ended("with a restart");

    machine.connect(world);
    world.clock.advance(seconds(24 * 60 * 60) - milliseconds(1));
    EXPECT_EQ(give(machine.mac(Heartbeat{})), "ok");
    world.clock.advance(milliseconds(1));
    ended("after a day");

    machine.connect(world);
    world.clock.advance(seconds(24 * 60 * 60));
    world.sessions->sweep();
    EXPECT_EQ(world.sessions->count(), 0U);
    ended("swept");

    machine.connect(world);
    const Bytes earlier = machine.mac(Heartbeat{});
    machine.connect(world);
    EXPECT_EQ(give(earlier), "session_unknown");  // with the next hello
    EXPECT_EQ(world.sessions->count(), 1U);

    must(world.devices->suspend(machine.id));
    ended("with a suspension");
    EXPECT_EQ(give(machine.hello(world.clock.now().ms() + 10'000)), "device_not_active");
    EXPECT_EQ(proven, machine.id);
    must(world.devices->resume(machine.id));
    machine.connect(world);
    must(world.devices->report_lost(machine.id));
    ended("when it is lost");
}

TEST_F(SessionsTest, Rotation) {
    for (const crypto::Suite suite : testing::all_suites) {
        SCOPED_TRACE(crypto::name_of(suite));
        Machine machine = testing::enrolled(world);
        machine.connect(world);
        Machine fresh(machine.id, suite);
        const auto proof = must(protocol::make_rotation_proof(*fresh.signer, machine.id));
        const std::string before = world.everything();
        auto wrong = proof;
        wrong[5] ^= 1;
        EXPECT_EQ(code_of(world.devices->rotate(machine.id, {suite, fresh.pair.public_key, wrong})), "claim_refused");
        Bytes bad_point = fresh.pair.public_key;
        bad_point.assign(bad_point.size(), 0);
        EXPECT_EQ(code_of(world.devices->rotate(machine.id, {suite, bad_point, proof})), "claim_refused");
        const Machine other = testing::enrolled(world);
        const auto others = must(protocol::make_rotation_proof(*other.signer, machine.id));
        const std::string between = world.everything();
        EXPECT_EQ(code_of(world.devices->rotate(machine.id, {other.pair.suite, other.pair.public_key, others})),
                  "claim_refused");
        EXPECT_EQ(world.everything(), between);
        EXPECT_NE(between, before);  // the other machine came

        EXPECT_EQ(give(machine.sign(protocol::Rotate{suite, fresh.pair.public_key, proof})), "ok");
        const auto rotated = must(world.devices->rotate(machine.id, {suite, fresh.pair.public_key, proof}));
        EXPECT_EQ(rotated.credential, fresh.kid);
        EXPECT_EQ(world.newest_event(), "device.credential_rotated");
        world.sessions->end(machine.id);
        EXPECT_EQ(give(machine.hello(world.clock.now().ms() + 60'000)),
                  "unknown_device");  // the old credential is gone
        world.start();
        fresh.hellos = machine.hellos;  // the last time counts, whatever the key
        fresh.connect(world);
        EXPECT_EQ(give(fresh.mac(Heartbeat{})), "ok");
    }
}

// Everything that open() refuses: nothing is changed by it, and the sender is believed only where it proved itself.
TEST_F(SessionsTest, Refusals) {
    Machine machine = testing::enrolled(world);
    Machine other = testing::enrolled(world);
    Machine stranger(machine.id);
    Machine pending(world.add().device.id);
    machine.connect(world);
    other.connect(world);

    Bytes changed = machine.mac(Heartbeat{});
    changed.back() ^= 1;
    const Bytes reflected = must(world.sessions->seal(machine.id, protocol::Probe{}));
    const protocol::Message about_other = [&] {
        auto message = machine.in_session(Heartbeat{});
        message.device = other.id;
        return message;
    }();
    const protocol::Message others_session = [&] {
        auto message = machine.in_session(Heartbeat{});
        message.session = other.session;
        return message;
    }();
    const protocol::Message no_session = [&] {
        auto message = machine.in_session(Heartbeat{});
        message.session = protocol::SessionId{1, 2, 3};
        return message;
    }();
    // A P-256 key under the id of an Ed25519 credential: alg must be the credential's.
    const Machine wrong_suite(machine.id, crypto::Suite::p256);
    const Bytes unknown_type = [&] {
        Bytes payload = protocol::encode(machine.in_session(Heartbeat{}));
        payload[2] = 11;  // after the map's head and key 1
        return crypto::cose_mac0(machine.keys->up, payload, ByteView(machine.session), as_bytes("jiaozi/device/1/up"));
    }();
    const Bytes bad_claim = [&] {
        return must(protocol::seal(
            stranger.message(protocol::Claim{"X", stranger.pair.suite, stranger.pair.public_key, "", "", ""}, 1, 1),
            *other.signer, {}));
    }();

    struct Row {
        std::string_view what;
        Bytes bytes;
        std::optional<DeviceId> topic;
        std::string_view code;
        bool is_proven;
    };
    const Row rows[] = {
        {"too long", Bytes(4097, 0xd1), {}, "too_large", false},
        {"no COSE", Bytes{1, 2, 3}, {}, "malformed", false},
        {"empty", {}, {}, "malformed", false},
        {"a type nobody has, well authenticated", unknown_type, machine.id, "malformed", true},
        {"a changed MAC", changed, machine.id, "bad_signature", false},
        {"the server's own message, sent back", reflected, machine.id, "bad_signature", false},
        {"another suite under this credential",
         must(protocol::seal(machine.in_session(Heartbeat{}), *wrong_suite.signer, machine.kid)),
         {},
         "bad_signature",
         false},
        {"another key under this credential",
         must(protocol::seal(machine.in_session(Heartbeat{}), *other.signer, machine.kid)),
         {},
         "bad_signature",
         false},
        {"a credential nobody has", stranger.hello(1), {}, "unknown_device", false},
        {"a device that never claimed", pending.hello(1), pending.id, "unknown_device", false},
        {"a MAC on another's topic", other.mac(Heartbeat{}), machine.id, "unknown_device", false},
        {"a signature on another's topic", other.sign(Heartbeat{}), machine.id, "unknown_device", false},
        {"a payload about another device",
         must(protocol::seal(about_other, machine.keys->up)),
         {},
         "unknown_device",
         true},
        {"a signed payload about another device",
         must(protocol::seal(about_other, *machine.signer, machine.kid)),
         {},
         "unknown_device",
         true},
        {"another device's session, signed",
         must(protocol::seal(others_session, *machine.signer, machine.kid)),
         {},
         "session_unknown",
         true},
        {"another device's session id, under the own key",
         must(protocol::seal(others_session, machine.keys->up)),
         {},
         "bad_signature",
         false},
        {"a session nobody has", must(protocol::seal(no_session, machine.keys->up)), machine.id, "session_unknown",
         false},
        {"a session nobody has, signed", must(protocol::seal(no_session, *machine.signer, machine.kid)), machine.id,
         "session_unknown", true},
        {"a claim signed by another key than it brings", bad_claim, {}, "bad_signature", false},
        {"a claim on another's topic", stranger.claim("X"), other.id, "unknown_device", false},
    };
    const std::string before = world.everything();
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        proven = {};
        EXPECT_EQ(give(row.bytes, row.topic), row.code);
        EXPECT_EQ(proven, row.is_proven ? machine.id : DeviceId());
        EXPECT_EQ(world.everything(), before);
    }
    EXPECT_EQ(give(machine.mac(Heartbeat{}, 1)), "ok");  // no number was used up
}

}  // namespace
}  // namespace jiaozi::identity
