// Commands, deliveries, reports, cancellations, restarts, and the faults to order.
#include "bench.hpp"

namespace jiaozi::device::test {
namespace {

using protocol::Cancel;
using protocol::CommandAck;
using protocol::DeliveryReport;
using protocol::RefusalCode;
using protocol::ReportAck;

ReportAck captured(std::uint64_t number, std::uint64_t amount = 350) {
    return {payment(number), PaymentState::captured, amount, false};
}

// A state whose disk fails on demand.
class FailingState final : public State {
  public:
    bool fails = false;
    Result<void> commit() override {
        if (fails) return Error(ErrorKind::io, "No space left on device");
        return {};
    }
};

TEST(Command, IsAcknowledgedDeliveredReportedAndSettled) {
    Bench bench;
    bench.open();
    const auto command = bench.command(1, 2);
    bench.say(command);
    EXPECT_EQ(bench.body<CommandAck>(), (CommandAck{payment(1), 1, true, {}}));
    ASSERT_EQ(bench.deliveries, std::vector{command});
    EXPECT_EQ(bench.memory.data()->commands.at(payment(1)).stage, CommandStage::begun) << "before the motor turns";

    ASSERT_TRUE(bench.client->delivered(payment(1), DeliveryResult::delivered, 2, "slot 3").ok());
    EXPECT_EQ(bench.body<DeliveryReport>(), (DeliveryReport{payment(1), DeliveryResult::delivered, 2, "slot 3"}));
    bench.say(captured(1));
    ASSERT_EQ(bench.settled.size(), 1U);
    bench.say(captured(1));
    EXPECT_EQ(bench.settled.size(), 1U);
    bench.pass(seconds(20));
    EXPECT_TRUE(bench.sent.empty());
    EXPECT_EQ(bench.memory.data()->commands.at(payment(1)).stage, CommandStage::settled);
}

TEST(Command, CanBeDeliveredFromInsideTheCallback) {
    Bench bench;
    bench.claim();
    Actions actions = bench.actions();
    actions.deliver = [&](const protocol::Command& command) {
        ASSERT_TRUE(bench.client->delivered(command.payment, DeliveryResult::delivered, command.quantity).ok());
    };
    bench.client = DeviceClient::create(bench.options, bench.memory, actions, bench.clock).value();
    bench.connect();
    bench.say(bench.command(1));
    EXPECT_TRUE(bench.body<CommandAck>().accepted);
    EXPECT_EQ(bench.body<DeliveryReport>().result, DeliveryResult::delivered);
}

TEST(Command, ThatIsRepeatedGetsTheSameAckAndReportAndNoSecondDelivery) {
    Bench bench;
    bench.open();
    const auto command = bench.command(1);
    for (int i = 0; i < 3; ++i) {
        bench.say(command);
        EXPECT_EQ(bench.body<CommandAck>(), (CommandAck{payment(1), 1, true, {}}));
    }
    ASSERT_TRUE(bench.client->delivered(payment(1), DeliveryResult::delivered, 1).ok());
    const Bytes report = bench.sent.front();
    bench.body<DeliveryReport>();
    bench.say(command);
    bench.body<CommandAck>();
    ASSERT_EQ(bench.sent.front(), report) << "the identical bytes";
    bench.body<DeliveryReport>();
    bench.say(captured(1));
    bench.say(command);  // even afterwards
    bench.body<CommandAck>();
    EXPECT_EQ(bench.body<DeliveryReport>().delivered, 1U);
    bench.pass(seconds(10));  // and long after its expiry
    bench.say(command);
    bench.body<CommandAck>();
    bench.body<DeliveryReport>();
    EXPECT_EQ(bench.deliveries.size(), 1U);
}

TEST(Command, IsRefusedForGoodWhen) {
    struct Case {
        const char* why;
        std::function<void(Bench&)> arrange;
        std::function<void(Bench&)> lift;
    };
    const std::vector<Case> cases{
        {"out of service", [](Bench& b) { b.client->set_out_of_service(true); },
         [](Bench& b) { b.client->set_out_of_service(false); }},
        {"refused", [](Bench& b) { b.client->set_faults({.nack = true}); }, [](Bench& b) { b.client->set_faults({}); }},
        {"cancelled", [](Bench& b) { b.say(Cancel{payment(1)}); }, [](Bench&) {}},
    };
    for (const auto& [why, arrange, lift] : cases) {
        SCOPED_TRACE(why);
        Bench bench;
        bench.open();
        arrange(bench);
        const auto command = bench.command(1);
        bench.say(command);
        EXPECT_EQ(bench.body<CommandAck>(), (CommandAck{payment(1), 1, false, why}));
        lift(bench);
        bench.say(command);
        EXPECT_EQ(bench.body<CommandAck>(), (CommandAck{payment(1), 1, false, why}));
        bench.start();
        bench.connect();
        bench.say(command);
        EXPECT_EQ(bench.body<CommandAck>(), (CommandAck{payment(1), 1, false, why}));
        EXPECT_TRUE(bench.deliveries.empty());
        EXPECT_TRUE(bench.sent.empty());
    }
}

TEST(Command, NeverBeginsAtOrAfterItsExpiryByTheServersClock) {
    for (const std::int64_t clock_error_s : {0, -3600, 3600, 1'000'000'000}) {
        SCOPED_TRACE(clock_error_s);
        Bench bench;
        bench.clock.set(bench.server_clock.now() + seconds(clock_error_s));
        bench.open();
        bench.say(bench.command(1, 1, milliseconds(1)));
        EXPECT_TRUE(bench.body<CommandAck>().accepted);
        bench.say(bench.command(2, 1, milliseconds(0)));
        EXPECT_EQ(bench.body<CommandAck>(), (CommandAck{payment(2), 1, false, "expired"}));
        EXPECT_EQ(bench.deliveries.size(), 1U);
    }
}

TEST(Command, ThatTheCarrierHeldBackBeyondItsExpiryIsNotBegun) {
    Bench bench;
    bench.claim();
    bench.client->connected();
    const auto hello = bench.expect<protocol::Hello>();
    const Bytes welcome = bench.server.welcome(hello.message);
    const Bytes command = bench.server.say(bench.command(1, 1, seconds(10)));
    bench.clock.advance(seconds(11));  // an evil carrier delivers both now
    bench.server_clock.advance(seconds(11));
    bench.client->receive(welcome);
    ASSERT_TRUE(bench.client->in_session());
    bench.client->receive(command);
    EXPECT_TRUE(bench.deliveries.empty());
    // It looks expired and late: the device would rather measure again than refuse what may be good.
    bench.welcome();
    bench.say(bench.command(2));
    EXPECT_TRUE(bench.body<CommandAck>().accepted);
}

TEST(Command, IsNotRefusedBecauseTheClockWasSetForward) {
    Bench bench;
    bench.open();
    bench.pass(seconds(2));
    bench.clock.advance(seconds(3600));
    const auto command = bench.command(1);
    bench.say(command);
    EXPECT_TRUE(bench.deliveries.empty());
    bench.welcome();
    bench.say(command);
    EXPECT_TRUE(bench.body<CommandAck>().accepted);
    EXPECT_EQ(bench.deliveries.size(), 1U);
}

TEST(Command, WaitsForItsTurnAndMayExpireOrBeCancelledMeanwhile) {
    Bench bench;
    bench.options.waiting_at_most = 3;
    bench.open();
    bench.say(bench.command(1, 1, seconds(20)));
    bench.say(bench.command(2, 1, seconds(3)));
    bench.say(bench.command(3, 1, seconds(20)));
    bench.say(bench.command(4, 1, seconds(20)));
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(bench.body<CommandAck>().accepted);
    bench.say(bench.command(5, 1, seconds(20)));
    EXPECT_EQ(bench.body<CommandAck>().detail, "busy");
    EXPECT_EQ(bench.deliveries.size(), 1U);

    bench.say(Cancel{payment(3)});
    EXPECT_EQ(bench.body<DeliveryReport>(), (DeliveryReport{payment(3), DeliveryResult::failed, 0, "cancelled"}));
    bench.pass(milliseconds(2999));
    for (auto& left : bench.sent) EXPECT_EQ(bench.server.hear(left)->message.seq, 6U) << "the same report again";
    bench.sent.clear();
    bench.say(captured(3));
    bench.pass(milliseconds(1));
    EXPECT_EQ(bench.body<DeliveryReport>().detail, "expired before its turn");
    EXPECT_EQ(bench.cancelled, (std::vector{payment(3), payment(2)}));

    ASSERT_TRUE(bench.client->delivered(payment(1), DeliveryResult::delivered, 1).ok());
    ASSERT_EQ(bench.deliveries.size(), 2U);
    EXPECT_EQ(bench.deliveries[1].payment, payment(4));
}

TEST(Command, GoesSeveralAtOnceWhereTheMachineCan) {
    Bench bench;
    bench.options.deliveries_at_once = 2;
    bench.open();
    for (std::uint64_t i = 1; i <= 3; ++i) bench.say(bench.command(i));
    EXPECT_EQ(bench.deliveries.size(), 2U);
}

TEST(Command, IsNotPromisedWhenItCannotBeStored) {
    Bench bench;
    FailingState state;
    bench.state = &state;
    bench.open();
    const auto command = bench.command(1);
    state.fails = true;
    bench.say(command);
    EXPECT_TRUE(bench.sent.empty());
    EXPECT_TRUE(bench.deliveries.empty());
    EXPECT_EQ(bench.troubles.size(), 1U);
    EXPECT_FALSE(bench.client->pay(scanned(9)).ok());
    EXPECT_TRUE(bench.sent.empty());
    state.fails = false;
    bench.say(command);
    EXPECT_TRUE(bench.body<CommandAck>().accepted);
    EXPECT_EQ(bench.deliveries.size(), 1U);
    EXPECT_EQ(bench.client->counters().state_failures, 2U);
}

TEST(Report, IsNotSentBeforeItIsStored) {
    Bench bench;
    FailingState state;
    bench.state = &state;
    bench.open();
    bench.say(bench.command(1));
    bench.body<CommandAck>();
    state.fails = true;
    ASSERT_TRUE(bench.client->delivered(payment(1), DeliveryResult::delivered, 1).ok());
    for (int i = 0; i < 30; ++i) bench.pass(milliseconds(100));
    EXPECT_TRUE(bench.sent.empty()) << "a restart now would tell another story";
    EXPECT_EQ(bench.client->counters().state_failures, 4U) << "tried again once a second";
    state.fails = false;
    bench.pass(seconds(1));
    EXPECT_EQ(bench.body<DeliveryReport>().delivered, 1U);
}

TEST(Command, CancelComesTooLateForADeliveryUnderWay) {
    Bench bench;
    bench.open();
    bench.say(bench.command(1));
    bench.body<CommandAck>();
    bench.say(Cancel{payment(1)});
    EXPECT_TRUE(bench.sent.empty());
    ASSERT_TRUE(bench.client->delivered(payment(1), DeliveryResult::delivered, 1).ok());
    bench.body<DeliveryReport>();
    bench.say(Cancel{payment(1)});
    EXPECT_EQ(bench.body<DeliveryReport>().delivered, 1U) << "it was delivered: it says so";
    bench.say(captured(1));
    bench.say(Cancel{payment(1)});
    EXPECT_EQ(bench.body<DeliveryReport>().delivered, 1U);
}

TEST(Report, UnitsMustFitTheResult) {
    Bench bench;
    bench.open();
    bench.say(bench.command(1, 3));
    using enum DeliveryResult;
    for (const auto& [result, units] : std::vector<std::pair<DeliveryResult, std::uint32_t>>{
             {delivered, 0}, {delivered, 2}, {delivered, 4}, {partial, 0}, {partial, 3}, {failed, 1}}) {
        EXPECT_EQ(bench.client->delivered(payment(1), result, units).error().kind(), ErrorKind::invalid);
    }
    EXPECT_EQ(bench.client->delivered(payment(1), failed, 0, std::string(65, 'x')).error().param(), "detail");
    EXPECT_EQ(bench.client->delivered(payment(2), failed, 0).error().kind(), ErrorKind::not_found);
    EXPECT_TRUE(bench.client->delivered(payment(1), partial, 2).ok());
    EXPECT_EQ(bench.client->delivered(payment(1), partial, 2).error().kind(), ErrorKind::not_found);
}

TEST(Report, IsSentAgainUntilItIsAcknowledgedOrRefused) {
    Bench bench;
    bench.server.heartbeat_s = 600;
    bench.open();
    for (const std::uint64_t number : {1U, 2U}) {
        bench.say(bench.command(number));
        bench.body<CommandAck>();
        ASSERT_TRUE(bench.client->delivered(payment(number), DeliveryResult::delivered, 1).ok());
        const auto seq = bench.expect<DeliveryReport>().message.seq;
        for (const std::int64_t gap_s : {1, 2, 4, 8, 15, 15}) {
            bench.pass(seconds(gap_s) - milliseconds(1));
            EXPECT_TRUE(bench.sent.empty());
            bench.pass(milliseconds(1));
            EXPECT_EQ(bench.expect<DeliveryReport>().message.seq, seq) << "a resent message keeps its number";
        }
        if (number == 1) bench.say(captured(1));
        if (number == 2) bench.client->receive(bench.server.error(RefusalCode::request_refused, seq));
        bench.pass(seconds(60));
        EXPECT_TRUE(bench.sent.empty());
    }
    EXPECT_EQ(
        bench.refusals,
        (std::vector<std::pair<RefusalCode, std::optional<PaymentId>>>{{RefusalCode::request_refused, payment(2)}}));
}

TEST(Restart, ADeliveryCutShortIsReportedAsTheSensorSaysOrFailed) {
    for (const bool has_sensor : {false, true}) {
        Bench bench;
        bench.open();
        bench.say(bench.command(1, 3));
        bench.sent.clear();
        if (has_sensor) {
            bench.recover = [](const protocol::Command& command) {
                EXPECT_EQ(command.slot, 3U);
                return Drop{DeliveryResult::partial, 2, "counted"};
            };
        }
        bench.start();
        bench.connect();
        const auto report = bench.body<DeliveryReport>();
        EXPECT_EQ(report.result, has_sensor ? DeliveryResult::partial : DeliveryResult::failed);
        EXPECT_EQ(report.delivered, has_sensor ? 2U : 0U);
        EXPECT_EQ(report.detail, has_sensor ? "counted" : "restarted during delivery");
        bench.say(bench.command(1, 3));
        bench.body<CommandAck>();
        EXPECT_EQ(bench.deliveries.size(), 1U) << "once is once";
    }
}

TEST(Restart, KeepsWhatWaitsForAnswersAndForItsTurn) {
    Folder folder;
    Bench bench;
    auto file = StateFile::open(folder.file()).value();
    bench.state = file.get();
    bench.open();
    bench.say(bench.command(1));
    bench.say(bench.command(2, 1, seconds(30)));
    ASSERT_TRUE(bench.client->delivered(payment(1), DeliveryResult::delivered, 1).ok());
    bench.say(bench.command(3, 1, seconds(30)));
    bench.say(bench.command(4, 1, seconds(2)));
    ASSERT_TRUE(bench.client->pay(scanned(9)).ok());
    ASSERT_EQ(bench.deliveries.size(), 2U);
    bench.sent.clear();

    bench.client.reset();
    file = StateFile::open(folder.file()).value();
    bench.state = file.get();
    bench.clock.advance(seconds(5));
    bench.server_clock.advance(seconds(5));
    bench.start();
    bench.client->tick();
    EXPECT_EQ(bench.deliveries.size(), 2U) << "without the server's time nothing begins";
    bench.connect();
    EXPECT_EQ(bench.body<protocol::PayRequest>(), scanned(9));
    EXPECT_EQ(bench.body<DeliveryReport>(), (DeliveryReport{payment(1), DeliveryResult::delivered, 1, {}}));
    EXPECT_EQ(bench.body<DeliveryReport>().detail, "restarted during delivery");
    EXPECT_EQ(bench.body<DeliveryReport>(),
              (DeliveryReport{payment(4), DeliveryResult::failed, 0, "expired before its turn"}));
    ASSERT_EQ(bench.deliveries.size(), 3U);
    EXPECT_EQ(bench.deliveries[2].payment, payment(3));
    bench.say(protocol::PayAnswer{payment(9), PaymentState::declined, Reason::insufficient_funds, 0, {}});
    EXPECT_EQ(bench.paid.at(0).reason, Reason::insufficient_funds);
    file = StateFile::open(folder.file()).value();
    EXPECT_TRUE(file->data()->unpaid.empty());
}

TEST(Memory, TheOldestOutcomesMakeRoomForNewOnes) {
    Bench bench;
    bench.open();
    auto& state = *bench.memory.data();
    for (std::uint64_t i = 0; i < StoredState::max_commands - 1; ++i) {
        CommandRecord record;
        record.stage = CommandStage::settled;
        record.command.payment = payment(1000 + i);
        record.drop = {DeliveryResult::delivered, 1, {}};
        record.order = state.next_order++;
        state.commands.emplace(record.command.payment, record);
    }
    bench.start();
    bench.connect();
    bench.say(bench.command(1));
    bench.say(bench.command(2));
    EXPECT_EQ(state.commands.size(), StoredState::max_commands);
    EXPECT_FALSE(state.commands.contains(payment(1000)));
    EXPECT_TRUE(state.commands.contains(payment(1001)));
    EXPECT_TRUE(state.commands.contains(payment(1)));
}

// ---- faults to order

struct DropCase {
    const char* name;
    Faults faults;
    std::uint32_t quantity;
    DeliveryResult result;
    std::uint32_t units;
};

TEST(Faults, ChangeWhatFalls) {
    using enum DeliveryResult;
    const DropCase cases[] = {
        {"sound", {}, 4, delivered, 4},
        {"fail_drop", {.fail_drop = true}, 4, failed, 0},
        {"partial of four", {.partial = true}, 4, partial, 3},
        {"partial of two", {.partial = true}, 2, partial, 1},
        {"partial of one", {.partial = true}, 1, failed, 0},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.name);
        Bench bench;
        bench.open();
        bench.client->set_faults(each.faults);
        bench.say(bench.command(1, each.quantity));
        bench.body<CommandAck>();
        ASSERT_TRUE(bench.client->delivered(payment(1), delivered, each.quantity).ok());
        const auto report = bench.body<DeliveryReport>();
        EXPECT_EQ(report.result, each.result);
        EXPECT_EQ(report.delivered, each.units);
    }
}

TEST(Faults, SilentHearsAndSaysNothing) {
    Bench bench;
    bench.open();
    bench.client->set_faults({.silent = true});
    bench.say(bench.command(1));
    bench.say(protocol::Probe{});
    bench.pass(seconds(300));
    EXPECT_TRUE(bench.sent.empty());
    EXPECT_TRUE(bench.deliveries.empty());
}

TEST(Faults, SilentAfterAckReportsLateWhenLifted) {
    Bench bench;
    bench.open();
    bench.client->set_faults({.silent_after_ack = true});
    bench.say(bench.command(1));
    EXPECT_TRUE(bench.body<CommandAck>().accepted);
    ASSERT_TRUE(bench.client->delivered(payment(1), DeliveryResult::delivered, 1).ok());
    bench.pass(seconds(20));
    bench.say(bench.command(1));
    bench.body<CommandAck>();
    EXPECT_TRUE(bench.sent.empty());
    bench.client->set_faults({});
    EXPECT_EQ(bench.body<DeliveryReport>().delivered, 1U);
    bench.say(ReportAck{payment(1), PaymentState::voided, 0, true});
    EXPECT_TRUE(bench.settled.at(0).late);
}

TEST(Faults, DuplicateSaysEverythingTwice) {
    Bench bench;
    bench.open();
    bench.client->set_faults({.duplicate = true});
    bench.client->request_balance();
    ASSERT_EQ(bench.sent.size(), 2U);
    EXPECT_EQ(bench.sent[0], bench.sent[1]);
}

TEST(Faults, ReorderSaysEachSecondMessageFirst) {
    Bench bench;
    bench.open();
    bench.client->set_faults({.reorder = true});
    bench.client->request_balance();
    EXPECT_TRUE(bench.sent.empty());
    EXPECT_EQ(bench.client->next_deadline(), bench.clock.now());
    bench.client->request_catalogue();
    bench.body<protocol::CatalogueRequest>();
    bench.body<protocol::BalanceRequest>();
    ASSERT_TRUE(bench.client->request_qr({}, 1, 1).ok());
    EXPECT_TRUE(bench.sent.empty());
    bench.client->tick();
    bench.body<protocol::QrRequest>();
}

TEST(Faults, DropPercentLosesTheSameMessagesForTheSameSeed) {
    const auto run = [](std::uint64_t seed) {
        Bench bench;
        bench.open();
        bench.client->set_faults({.drop_percent = 40, .seed = seed});
        std::string seen;
        for (int i = 0; i < 100; ++i) {
            bench.say(protocol::Probe{});
            seen += bench.sent.empty() ? '.' : '#';
            bench.sent.clear();
        }
        EXPECT_GT(bench.client->counters().lost_by_fault, 20U);
        return seen;
    };
    EXPECT_EQ(run(7), run(7));
    EXPECT_NE(run(7), run(8));
}

TEST(Faults, ClockSkewChangesTheDevicesTimeNotItsDeadlines) {
    for (const std::int64_t skew_s : {-86'400, 86'400}) {
        Bench bench;
        bench.open();
        bench.pass(seconds(2));
        bench.client->set_faults({.clock_skew = seconds(skew_s)});
        bench.client->tick();
        const auto command = bench.command(1);
        if (bench.client->in_session()) bench.say(command);  // the clock went forward: it doubts, and measures again
        bench.welcome();
        bench.say(command);
        const auto ack = bench.expect<CommandAck>();
        EXPECT_EQ(ack.message.time_ms, (bench.clock.now() + seconds(skew_s)).ms());
        EXPECT_EQ(bench.deliveries.size(), 1U);
    }
}

// ---- requests

TEST(Pay, IsCheckedStoredAndSentUntilAnswered) {
    Bench bench;
    bench.open();
    protocol::PayRequest request;
    request.kind = PaymentKind::device;
    request.slot = 2;
    request.machine = DeviceId(77);
    request.amount = 350;
    EXPECT_EQ(bench.client->pay(request).error().param(), "amount");
    request.asset = "CNY";
    const auto id = bench.client->pay(request);
    ASSERT_TRUE(id.ok());
    EXPECT_TRUE(static_cast<bool>(*id));
    EXPECT_EQ(bench.body<protocol::PayRequest>().payment, *id);
    request.payment = *id;
    EXPECT_TRUE(bench.client->pay(request).ok()) << "the same request";
    request.quantity = 2;
    EXPECT_EQ(bench.client->pay(request).error().kind(), ErrorKind::conflict);
    EXPECT_TRUE(bench.sent.empty());
    bench.pass(seconds(1));
    bench.body<protocol::PayRequest>();
    const protocol::PayAnswer answer{*id, PaymentState::authorized, Reason::none, 350, "CNY"};
    bench.say(answer);
    bench.say(answer);
    EXPECT_EQ(bench.paid, std::vector{answer});
    EXPECT_TRUE(bench.memory.data()->unpaid.empty());
}

TEST(Pay, NamesWhatIsWrong) {
    Bench bench;
    bench.open();
    const auto param = [&](auto change) {
        auto request = scanned(1);
        change(request);
        return bench.client->pay(request).error().param();
    };
    EXPECT_EQ(param([](auto& r) { r.slot = 0; }), "slot");
    EXPECT_EQ(param([](auto& r) { r.quantity = 0; }), "quantity");
    EXPECT_EQ(param([](auto& r) { r.kind = PaymentKind::person; }), "kind");
    EXPECT_EQ(param([](auto& r) { r.code.clear(); }), "code");
    EXPECT_EQ(param([](auto& r) { r.machine = DeviceId(1); }), "machine");
    EXPECT_EQ(param([](auto& r) { r.kind = PaymentKind::device; }), "machine");
    EXPECT_EQ(param([](auto& r) { r.asset = "CNY"; }), "amount");
    for (std::uint64_t i = 0; i < StoredState::max_unpaid; ++i) ASSERT_TRUE(bench.client->pay(scanned(100 + i)).ok());
    EXPECT_EQ(bench.client->pay(scanned(1)).error().kind(), ErrorKind::rate_limited);
}

TEST(Pay, ThatIsRefusedIsForgotten) {
    Bench bench;
    bench.open();
    ASSERT_TRUE(bench.client->pay(scanned(1)).ok());
    const auto seq = bench.expect<protocol::PayRequest>().message.seq;
    bench.client->receive(bench.server.error(RefusalCode::request_refused, seq));
    EXPECT_EQ(bench.refusals.at(0).second, payment(1));
    EXPECT_TRUE(bench.memory.data()->unpaid.empty());
}

TEST(Catalogue, ComesInPagesAndIsShownWhole) {
    Bench bench;
    bench.open();
    const auto item = [](std::uint32_t slot) {
        return protocol::CatalogueItem{slot, ProductId(slot), "Tea", "茶", 500, "CNY"};
    };
    bench.client->request_catalogue();
    bench.client->request_catalogue();
    EXPECT_EQ(bench.body<protocol::CatalogueRequest>().after, 0U);
    const protocol::Catalogue first{{item(1), item(4)}, true};
    bench.say(first);
    EXPECT_EQ(bench.body<protocol::CatalogueRequest>().after, 4U);
    bench.say(first);  // answered twice
    EXPECT_TRUE(bench.sent.empty());
    bench.say(protocol::Catalogue{{item(5)}, false});
    ASSERT_EQ(bench.catalogues.size(), 1U);
    EXPECT_EQ(bench.catalogues[0], (std::vector{item(1), item(4), item(5)}));
    bench.say(protocol::Catalogue{{item(5)}, false});
    EXPECT_EQ(bench.catalogues.size(), 1U);
}

TEST(Qr, IsAskedForAndShown) {
    Bench bench;
    bench.open();
    const auto id = bench.client->request_qr({}, 2, 1);
    ASSERT_TRUE(id.ok());
    EXPECT_EQ(bench.client->request_qr(*id, 2, 2).error().kind(), ErrorKind::conflict);
    EXPECT_FALSE(bench.client->request_qr({}, 0, 1).ok());
    bench.body<protocol::QrRequest>();
    bench.say(protocol::Qr{*id, "000201", 1'700'000'100'000});
    EXPECT_EQ(bench.qrs.at(0).payload, "000201");
}

}  // namespace
}  // namespace jiaozi::device::test
