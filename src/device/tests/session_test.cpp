// Enrolment, hello, sessions, errors, keys.
#include "bench.hpp"

namespace jiaozi::device::test {
namespace {

using protocol::RefusalCode;

class EverySuite : public testing::TestWithParam<crypto::Suite> {};
INSTANTIATE_TEST_SUITE_P(Device, EverySuite,
                         testing::Values(crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2),
                         [](const auto& each) { return std::string(crypto::name_of(each.param)); });

TEST_P(EverySuite, ClaimsSaysHelloAndIsInSession) {
    Bench bench(GetParam());
    bench.options.firmware = "1.4.2";
    bench.options.server_key = bench.server.public_key();
    bench.claim();
    EXPECT_TRUE(bench.client->is_claimed());
    EXPECT_EQ(bench.client->mqtt_password(), "secret of this device");

    bench.client->connected();
    const auto hello = bench.expect<protocol::Hello>();
    EXPECT_TRUE(hello.is_signed);
    EXPECT_EQ(std::get<protocol::Hello>(hello.message.body).firmware, "1.4.2");
    bench.client->receive(bench.server.welcome(hello.message));
    EXPECT_TRUE(bench.client->in_session());
    EXPECT_EQ(bench.sessions, 1);
    EXPECT_TRUE(bench.sent.empty());
}

TEST_P(EverySuite, SignsEverythingWhenToldTo) {
    Bench bench(GetParam());
    bench.options.sign_everything = true;
    bench.open();
    bench.client->request_balance();
    EXPECT_TRUE(bench.expect<protocol::BalanceRequest>().is_signed);
    bench.client->receive(bench.server.say(protocol::BalanceAnswer{{{WalletId(7), 500, "CNY"}}}, true));
    ASSERT_EQ(bench.balances.size(), 1U);
    EXPECT_EQ(bench.balances[0][0].available, 500U);
}

TEST_P(EverySuite, RotatesToAnySuite) {
    for (const auto next : {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2}) {
        Bench bench(GetParam());
        bench.open();
        ASSERT_TRUE(bench.client->rotate(next).ok());
        EXPECT_EQ(bench.client->rotate(next).error().kind(), ErrorKind::conflict);
        const auto heard = bench.expect<protocol::Rotate>();
        EXPECT_TRUE(heard.is_signed);
        const auto& rotate = std::get<protocol::Rotate>(heard.message.body);
        const auto key = crypto::make_verifier(rotate.suite, rotate.public_key).value();
        EXPECT_TRUE(protocol::check_rotation_proof(key, bench_device, rotate.proof));

        bench.server.use_credential(rotate.suite, rotate.public_key);
        bench.pass(milliseconds(500));
        EXPECT_TRUE(bench.sent.empty());
        bench.say(
            protocol::Rotated{protocol::credential_id(rotate.suite, rotate.public_key), bench.server.certificate()});
        EXPECT_EQ(bench.rotations, 1);
        EXPECT_FALSE(bench.client->in_session());
        bench.pass(milliseconds(500));
        bench.welcome();  // the hello verifies under the new key
        EXPECT_TRUE(bench.client->in_session());
        EXPECT_EQ(bench.memory.data()->key.suite, next);
        EXPECT_FALSE(bench.memory.data()->next_key.has_value());
    }
}

TEST(Rotation, LosesItsAnswerAndFindsOutWhichKeyTheServerKnows) {
    for (const bool server_took_it : {true, false}) {
        Bench bench;
        bench.open();
        ASSERT_TRUE(bench.client->rotate(crypto::Suite::p256).ok());
        const auto rotate = bench.body<protocol::Rotate>();
        if (server_took_it) bench.server.use_credential(rotate.suite, rotate.public_key);
        bench.start();  // and the power is cut
        bench.client->connected();
        for (int i = 0; i < 4 && !bench.client->in_session(); ++i) {
            const auto hello = bench.server.hear(bench.sent.front());
            bench.sent.pop_front();
            if (hello) bench.client->receive(bench.server.welcome(hello->message));
            if (!hello) bench.client->receive(bench.server.error(RefusalCode::unknown_device));
            bench.pass(seconds(2));
        }
        ASSERT_TRUE(bench.client->in_session());
        EXPECT_TRUE(bench.refusals.empty());
        EXPECT_EQ(bench.memory.data()->next_key.has_value(), !server_took_it);
        EXPECT_EQ(bench.rotations, server_took_it ? 1 : 0);
        if (!server_took_it) bench.expect<protocol::Rotate>();  // asked again
    }
}

TEST(Claim, RepeatsTheSameBytesForTheSameCode) {
    Bench bench;
    bench.start();
    const Bytes first = bench.client->claim_envelope("CODE").value();
    bench.clock.advance(seconds(5));
    EXPECT_EQ(bench.client->claim_envelope("CODE").value(), first);
    EXPECT_NE(bench.client->claim_envelope("OTHER").value(), first);
    EXPECT_EQ(bench.client->claim_envelope("").error().param(), "code");
}

TEST(Claim, BelievesOnlyAnAnswerAboutItsKeyFromTheServerExpected) {
    Bench bench;
    bench.start();
    const Bytes claim = bench.client->claim_envelope("CODE").value();
    Bytes answer = bench.server.answer_claim(claim);
    Bytes torn = answer;
    torn.back() ^= 1;
    EXPECT_EQ(bench.client->claimed(torn).error().kind(), ErrorKind::unauthenticated);
    EXPECT_EQ(bench.client->claimed(claim).error().kind(), ErrorKind::malformed);
    const auto refused = bench.client->claimed(bench.server.error(RefusalCode::claim_refused));
    EXPECT_EQ(refused.error().code(), "claim_refused");

    Bench other;  // another device's answer
    other.start();
    EXPECT_FALSE(other.client->claimed(answer).ok());
    other.options.server_key = bench.server.public_key();  // another server than expected
    other.start();
    const auto wrong = other.client->claimed(other.server.answer_claim(other.client->claim_envelope("CODE").value()));
    EXPECT_EQ(wrong.error().kind(), ErrorKind::unauthenticated);
    EXPECT_FALSE(other.client->is_claimed());

    EXPECT_TRUE(bench.client->claimed(answer).ok());
    EXPECT_TRUE(bench.client->claimed(answer).ok()) << "a repeated answer changes nothing";
    ScriptedServer stranger(bench.server_clock);
    EXPECT_EQ(bench.client->claimed(stranger.answer_claim(claim)).error().kind(), ErrorKind::conflict);
}

TEST(Client, RefusesOptionsAndStatesThatCannotBeRight) {
    Bench bench;
    bench.start();
    auto other = bench.options;
    other.id = DeviceId(42);
    EXPECT_EQ(DeviceClient::create(other, bench.memory, bench.actions(), bench.clock).error().kind(),
              ErrorKind::conflict);
    auto long_winded = bench.options;
    long_winded.firmware.assign(65, 'x');
    EXPECT_EQ(DeviceClient::create(long_winded, bench.memory, bench.actions(), bench.clock).error().param(),
              "firmware");
    EXPECT_FALSE(DeviceClient::create(bench.options, bench.memory, {}, bench.clock).ok());
    EXPECT_EQ(bench.client->pay({}).error().kind(), ErrorKind::unauthenticated) << "not claimed";
}

TEST(Hello, IsSentAgainAfterOneTwoFourEightThenFifteenSeconds) {
    Bench bench;
    bench.claim();
    bench.client->connected();
    std::vector<std::int64_t> gaps;
    Timestamp last = bench.clock.now();
    bench.sent.clear();
    while (gaps.size() < 6) {
        bench.pass(milliseconds(100));
        if (bench.sent.empty()) continue;
        gaps.push_back((bench.clock.now() - last).ms());
        last = bench.clock.now();
        bench.sent.clear();
    }
    EXPECT_EQ(gaps, (std::vector<std::int64_t>{1000, 2000, 4000, 8000, 15'000, 15'000}));
}

TEST(Hello, HasATimeAboveEveryOneBeforeWhateverTheClockSays) {
    Bench bench;
    bench.claim();
    std::uint64_t last = 0;
    for (const std::uint64_t clock_s :
         {1'700'000'000U, 1'700'000'000U, 1'600'000'000U, 5U, 1'800'000'000U, 1'700'000'000U}) {
        bench.clock.set(timestamp_s(clock_s));
        bench.start();
        bench.client->connected();
        const std::uint64_t time = bench.expect<protocol::Hello>().message.time_ms;
        EXPECT_GT(time, last);
        last = time;
    }
}

TEST(Hello, ThatWasStaleIsRepeatedAtOnceWithTheServersTime) {
    Bench bench;
    bench.claim();
    bench.clock.set(timestamp_s(1'000'000));  // 1970
    bench.client->connected();
    const auto first = bench.expect<protocol::Hello>();
    bench.client->receive(bench.server.error(RefusalCode::stale_hello, first.message.seq + 1));
    EXPECT_TRUE(bench.sent.empty()) << "that was about another hello";
    bench.client->receive(bench.server.error(RefusalCode::stale_hello, first.message.seq));
    const auto second = bench.expect<protocol::Hello>();
    EXPECT_GE(second.message.time_ms, bench.server_clock.now().ms());
    bench.client->receive(bench.server.error(RefusalCode::stale_hello, second.message.seq));
    EXPECT_TRUE(bench.sent.empty()) << "no progress: the ordinary schedule";
    bench.pass(seconds(2));
    EXPECT_GT(bench.expect<protocol::Hello>().message.time_ms, second.message.time_ms);
}

TEST(Welcome, MustAnswerTheLastHelloAndBeTheServers) {
    Bench bench;
    bench.claim();
    bench.client->connected();
    const auto first = bench.expect<protocol::Hello>();
    bench.pass(seconds(1));
    const auto second = bench.expect<protocol::Hello>();
    bench.client->receive(bench.server.welcome(first.message));
    EXPECT_FALSE(bench.client->in_session());

    Bytes forged = bench.server.welcome(second.message);
    forged[forged.size() - 1] ^= 1;
    bench.client->receive(forged);
    ScriptedServer stranger(bench.server_clock);
    ASSERT_FALSE(stranger.answer_claim(bench.client->claim_envelope("CODE").value()).empty());
    bench.client->receive(stranger.welcome(second.message));
    EXPECT_FALSE(bench.client->in_session());
    EXPECT_EQ(bench.client->counters().bad, 2U);

    const Bytes good = bench.server.welcome(second.message);
    bench.client->receive(good);
    EXPECT_TRUE(bench.client->in_session());
    bench.client->receive(good);
    EXPECT_EQ(bench.sessions, 1) << "a repeated welcome opens no second session";
}

TEST(Session, HearsNothingFromOtherKeysSessionsDirectionsOrDevices) {
    Bench bench;
    bench.open();
    const Bytes probe = bench.server.say(protocol::Probe{{1, 2, 3}});
    Bytes changed = probe;
    changed[changed.size() - 1] ^= 0x80;
    bench.client->receive(changed);
    bench.client->receive({});
    bench.client->receive(Bytes(protocol::max_envelope_down + 1, 0xD2));
    bench.client->request_balance();
    const Bytes own = bench.sent.front();
    bench.sent.clear();
    bench.client->receive(own);  // reflected
    EXPECT_EQ(bench.client->counters().bad, 4U);
    EXPECT_TRUE(bench.sent.empty());
    bench.client->receive(probe);
    const auto heartbeat = bench.body<protocol::Heartbeat>();
    EXPECT_EQ(heartbeat.probe, (protocol::ProbeNonce{1, 2, 3}));
    bench.client->disconnected();
    bench.client->receive(probe);
    EXPECT_EQ(bench.client->counters().bad, 5U) << "of a session that is over";
}

TEST(Session, BeatsWithItsStatus) {
    Bench bench;
    bench.server.heartbeat_s = 5;
    bench.open();
    bench.pass(seconds(5));
    EXPECT_EQ(bench.body<protocol::Heartbeat>().status, protocol::DeviceStatus::ready);
    bench.say(protocol::HeartbeatAck{});
    bench.say(bench.command(1));
    bench.body<protocol::CommandAck>();
    bench.pass(seconds(5));
    EXPECT_EQ(bench.body<protocol::Heartbeat>().status, protocol::DeviceStatus::busy);
    bench.client->set_out_of_service(true);
    bench.pass(seconds(5));
    EXPECT_EQ(bench.body<protocol::Heartbeat>().status, protocol::DeviceStatus::out_of_service);
}

TEST(Session, ThatIsSilentForThreeHeartbeatsIsBegunAnew) {
    Bench bench;
    bench.server.heartbeat_s = 5;
    bench.open();
    for (int i = 0; i < 4; ++i) bench.pass(seconds(5));
    EXPECT_FALSE(bench.client->in_session());
    EXPECT_GE(bench.client->counters().hellos, 2U);
}

TEST(Session, EndsAtItsExpiryByTheServersClock) {
    Bench bench;
    bench.server.heartbeat_s = 1000;
    bench.server.session_lifetime = seconds(100);
    bench.clock.set(timestamp_s(1'500'000'000));
    bench.open();
    bench.pass(seconds(99));
    EXPECT_TRUE(bench.client->in_session());
    EXPECT_TRUE(bench.sent.empty());
    bench.pass(seconds(1));
    bench.welcome();
    EXPECT_EQ(bench.sessions, 2);
}

TEST(Session, UnknownToTheServerIsReplacedAndWhatWaitsIsSealedAnew) {
    Bench bench;
    bench.open();
    bench.pass(seconds(2));
    ASSERT_TRUE(bench.client->pay(scanned(1)).ok());
    const auto first = bench.expect<protocol::PayRequest>();
    bench.server.restart();
    bench.client->receive(bench.server.error(RefusalCode::session_unknown));
    bench.welcome();
    const auto again = bench.expect<protocol::PayRequest>();
    EXPECT_EQ(again.message.body, first.message.body);
    EXPECT_NE(again.message.session, first.message.session);
    bench.say(protocol::PayAnswer{payment(1), PaymentState::authorized, Reason::none, 300, "CNY"});
    EXPECT_EQ(bench.paid.size(), 1U);
    EXPECT_TRUE(bench.sent.empty());
}

TEST(Session, IsNotEndedByAnErrorThatIsPlayedBack) {
    Bench bench;
    bench.open();
    const Bytes old = bench.server.error(RefusalCode::session_unknown);
    bench.pass(seconds(2));
    bench.client->receive(old);
    bench.welcome();
    bench.pass(seconds(2));
    bench.client->receive(old);
    EXPECT_TRUE(bench.client->in_session());
    EXPECT_EQ(bench.sessions, 2);
}

TEST(Session, NeverAsksForAnotherFasterThanOnceASecond) {
    Bench bench;
    bench.open();
    for (int i = 0; i < 20; ++i) {
        bench.client->receive(bench.server.error(RefusalCode::session_unknown));
        if (!bench.sent.empty()) bench.welcome();
        bench.pass(milliseconds(100));
        if (!bench.sent.empty()) bench.welcome();
    }
    EXPECT_LE(bench.client->counters().hellos, 4U);
}

TEST(Session, IsMeasuredAgainWhenTheClockIsSetBack) {
    Bench bench;
    bench.open();
    bench.pass(seconds(10));
    bench.clock.set(timestamp_s(1'600'000'000));
    bench.client->tick();
    EXPECT_FALSE(bench.client->in_session());
    bench.welcome();
    EXPECT_TRUE(bench.client->in_session());
}

TEST(Errors, AsTheSpecificationTellsTheDevice) {
    Bench bench;
    bench.open();
    bench.pass(seconds(2));
    for (const auto code : {RefusalCode::device_not_active, RefusalCode::unknown_device}) {
        bench.client->receive(bench.server.error(code));
        EXPECT_FALSE(bench.client->in_session());
        EXPECT_EQ(bench.refusals.back().first, code);
        for (int i = 0; i < 59; ++i) bench.pass(seconds(1));
        EXPECT_TRUE(bench.sent.empty()) << "it stops";
        bench.pass(seconds(1));
        bench.welcome();  // and asks once a minute whether it may again
    }
    const auto count = bench.refusals.size();
    bench.client->receive(bench.server.error(RefusalCode::claim_refused));
    EXPECT_EQ(bench.refusals.size(), count + 1);
    bench.client->refused_by_carrier(RefusalCode::session_unknown);
    EXPECT_FALSE(bench.client->in_session()) << "over HTTPS an error may come unsigned";
}

TEST(Errors, RateLimitedWaitsReplayedCountsOnRefusedIsDropped) {
    Bench bench;
    bench.open();
    ASSERT_TRUE(bench.client->request_qr(payment(5), 1, 1).ok());
    const auto first = bench.expect<protocol::QrRequest>();
    bench.client->receive(bench.server.error(RefusalCode::rate_limited, first.message.seq));
    bench.pass(milliseconds(900));
    EXPECT_TRUE(bench.sent.empty());
    bench.pass(milliseconds(100));
    EXPECT_EQ(bench.expect<protocol::QrRequest>().message.seq, first.message.seq);
    bench.client->receive(bench.server.error(RefusalCode::replayed, first.message.seq));
    const auto renumbered = bench.expect<protocol::QrRequest>();
    EXPECT_GT(renumbered.message.seq, first.message.seq);
    bench.client->receive(bench.server.error(RefusalCode::request_refused, renumbered.message.seq));
    ASSERT_EQ(bench.refusals.size(), 1U);
    EXPECT_EQ(bench.refusals[0].second, payment(5));
    bench.pass(seconds(60));
    bench.sent.pop_front();  // a heartbeat
    EXPECT_TRUE(bench.sent.empty());
}

TEST(Deadline, IsWhenTickHasSomethingToDo) {
    Bench bench;
    bench.server.heartbeat_s = 30;
    bench.claim();
    bench.client->connected();
    EXPECT_EQ(bench.client->next_deadline(), bench.clock.now() + seconds(1));
    bench.welcome();
    EXPECT_EQ(bench.client->next_deadline(), bench.clock.now() + seconds(30));
    bench.client->request_balance();
    EXPECT_EQ(bench.client->next_deadline(), bench.clock.now() + seconds(1));
}

TEST(SplitEnvelopes, TakesASequenceApart) {
    Bench bench;
    bench.open();
    const Bytes one = bench.server.say(protocol::HeartbeatAck{});
    const Bytes two = bench.server.say(protocol::Probe{});
    Bytes body = one;
    append(body, two);
    const auto parts = split_envelopes(body);
    ASSERT_TRUE(parts.ok());
    ASSERT_EQ(parts->size(), 2U);
    EXPECT_TRUE(equal((*parts)[0], one));
    EXPECT_TRUE(equal((*parts)[1], two));
    EXPECT_TRUE(split_envelopes({})->empty());
    body.pop_back();
    EXPECT_FALSE(split_envelopes(body).ok());
    EXPECT_EQ(split_envelopes(Bytes(65, 0)).error().kind(), ErrorKind::too_large);
}

}  // namespace
}  // namespace jiaozi::device::test
