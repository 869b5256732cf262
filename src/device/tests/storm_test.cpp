// A machine, a server and a network that loses, repeats, swaps and delays, over restarts, full disks and clocks that
// jump. Whatever happens: no payment is delivered twice, nothing begins after its expiry, and what was accepted is
// reported until the server knows. Run another storm with JIAOZI_SEED=<number>.
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "bench.hpp"

namespace jiaozi::device::test {
namespace {

using protocol::DeliveryReport;

class StormyState final : public State {
  public:
    explicit StormyState(std::function<bool()> fails) : fails_(std::move(fails)) {}
    // The disk as it is: what a restart finds.
    void cut_the_power() {
        if (!disk_.empty()) data() = decode_state(disk_).value();
    }
    Result<void> commit() override {
        if (!disk_.empty() && fails_()) return Error(ErrorKind::io, "No space left on device");
        disk_ = encode_state(*data());
        return {};
    }

  private:
    std::function<bool()> fails_;
    Bytes disk_;
};

class Storm {
  public:
    Storm(std::uint64_t seed, crypto::Suite suite) : random_(seed), bench_(suite) {
        bench_.state = &state_;
        bench_.options.deliveries_at_once = 1 + random_() % 2;
        bench_.server.heartbeat_s = 5;
        bench_.clock.set(timestamp_s(1'700'000'000 + random_() % 1'000'000));
        start();
        const auto claim = bench_.client->claim_envelope("CODE").value();
        EXPECT_TRUE(bench_.client->claimed(bench_.server.answer_claim(claim)).ok());
        bench_.client->connected();
    }

    void run() {
        stormy_ = true;
        for (int step = 0; step < 3000; ++step) {
            if (step % 20 == 0) order();
            if (chance(4)) restart();
            if (chance(3)) jump();
            if (chance(5)) bench_.server.restart();
            if (chance(10)) bench_.client->connected();
            if (chance(10) && !commands_.empty()) send_cancel();
            advance();
        }
        stormy_ = false;
        bench_.client->connected();
        for (int step = 0; step < 2000; ++step) advance();
    }

    void check() const {
        std::size_t reported = 0;
        for (const auto& [id, each] : commands_) {
            const auto times = delivered_.contains(id) ? delivered_.at(id) : 0;
            EXPECT_LE(times, 1) << id.to_string();
            EXPECT_FALSE(each.acked && !each.report) << id.to_string() << " was accepted and never reported";
            EXPECT_FALSE(each.refused && times > 0) << id.to_string() << " was refused and delivered";
            if (!each.report) continue;
            ++reported;
            EXPECT_FALSE(each.report->result == DeliveryResult::delivered && times == 0) << "reported, not delivered";
            if (finished_.contains(id)) {
                // What the host said is what the server hears, unless the disk or the power failed in between.
                EXPECT_TRUE(each.report->result == DeliveryResult::delivered ||
                            each.report->detail == "restarted during delivery");
            }
        }
        EXPECT_GT(commands_.size(), 100U);
        EXPECT_GT(reported, commands_.size() / 10) << "the storm was so heavy that it proves nothing";
        EXPECT_EQ(begun_late_, 0);
        EXPECT_EQ(contradicted_, 0) << "a payment was reported in two ways";
        EXPECT_TRUE(bench_.state->data()->unpaid.empty());
        for (const auto& [id, record] : bench_.state->data()->commands) {
            EXPECT_TRUE(record.stage == CommandStage::settled || record.stage == CommandStage::refused);
        }
    }

  private:
    struct Ordered {
        protocol::Command command;
        bool acked = false;
        bool refused = false;
        std::optional<DeliveryReport> report;
    };
    struct InFlight {
        Bytes bytes;
        int steps = 0;
    };

    bool chance(unsigned per_thousand) { return random_() % 1000 < per_thousand; }

    void start() {
        Actions actions = bench_.actions();
        actions.send = [this](ByteView bytes) { launch(up_, to_bytes(bytes)); };
        actions.deliver = [this](const protocol::Command& command) {
            ++delivered_[command.payment];
            if (bench_.server_clock.now().ms() >= command.expires_ms) ++begun_late_;
            under_way_[command.payment] = {command.quantity, static_cast<int>(random_() % 40)};
        };
        auto made = DeviceClient::create(bench_.options, state_, actions, bench_.clock);
        for (int i = 0; i < 100 && !made.ok(); ++i) {  // the disk was full at that moment: try again
            state_.cut_the_power();
            made = DeviceClient::create(bench_.options, state_, actions, bench_.clock);
        }
        ASSERT_TRUE(made.ok()) << made.error().to_string();
        bench_.client = std::move(made).value();
    }

    void restart() {
        bench_.client.reset();
        under_way_.clear();
        state_.cut_the_power();
        start();
        bench_.client->connected();
    }

    // The device's clock, by at least a minute: less than a tick cannot be told from time that passed.
    void jump() {
        const auto by = seconds(static_cast<std::int64_t>(60 + random_() % 7200));
        bench_.clock.set(random_() % 2 == 0 ? bench_.clock.now() + by : bench_.clock.now() + Duration{-by.ns});
    }

    void launch(std::vector<InFlight>& to, Bytes bytes) {
        if (stormy_ && chance(200)) return;
        const int copies = stormy_ && chance(200) ? 2 : 1;
        for (int i = 0; i < copies; ++i) {
            to.push_back({bytes, stormy_ ? static_cast<int>(random_() % (chance(100) ? 100 : 8)) : 1});
        }
    }

    void order() {
        const auto command = bench_.command(next_payment_, 1 + static_cast<std::uint32_t>(random_() % 3),
                                            milliseconds(static_cast<std::int64_t>(500 + random_() % 6000)));
        commands_[command.payment].command = command;
        if (next_payment_ % 7 == 0) {
            ignore_error(bench_.client->pay(scanned(1'000'000 + next_payment_)), "the disk may be full");
        }
        ++next_payment_;
    }

    void send_cancel() {
        auto chosen = commands_.begin();
        std::advance(chosen, static_cast<std::ptrdiff_t>(random_() % commands_.size()));
        say(protocol::Cancel{chosen->first});
    }

    void say(protocol::Body body) {
        if (bench_.server.has_session()) launch(down_, bench_.server.say(std::move(body)));
    }

    // A tenth of a second everywhere.
    void advance() {
        bench_.clock.advance(milliseconds(100));
        bench_.server_clock.advance(milliseconds(100));
        bench_.client->tick();
        for (const Bytes& bytes : arriving(up_)) server_hears(bytes);
        for (const Bytes& bytes : arriving(down_)) bench_.client->receive(bytes);
        if (++steps_ % 10 == 0) repeat_commands();
        finish_some();
    }

    static std::vector<Bytes> arriving(std::vector<InFlight>& from) {
        std::vector<Bytes> now;
        std::erase_if(from, [&](InFlight& each) {
            if (--each.steps > 0) return false;
            now.push_back(std::move(each.bytes));
            return true;
        });
        return now;
    }

    void repeat_commands() {
        for (const auto& [id, each] : commands_) {
            if (each.acked || each.refused || each.report) continue;
            if (bench_.server_clock.now().ms() < each.command.expires_ms) say(each.command);
        }
    }

    void finish_some() {
        std::vector<std::pair<PaymentId, std::uint32_t>> over;
        for (auto& [id, each] : under_way_) {
            if (--each.second <= 0) over.emplace_back(id, each.first);
        }
        for (const auto& [id, quantity] : over) {
            under_way_.erase(id);
            finished_.insert(id);
            EXPECT_TRUE(bench_.client->delivered(id, DeliveryResult::delivered, quantity).ok());
        }
    }

    void server_hears(const Bytes& bytes) {
        const auto heard = bench_.server.hear(bytes);
        if (!heard) {
            launch(down_, bench_.server.error(protocol::RefusalCode::session_unknown));
            return;
        }
        const auto& body = heard->message.body;
        if (std::holds_alternative<protocol::Hello>(body)) {
            if (heard->message.time_ms <= bench_.server.last_hello_ms()) {
                launch(down_, bench_.server.error(protocol::RefusalCode::stale_hello, heard->message.seq));
            } else {
                launch(down_, bench_.server.welcome(heard->message));
            }
        } else if (const auto* ack = std::get_if<protocol::CommandAck>(&body)) {
            Ordered& each = commands_.at(ack->payment);
            (ack->accepted ? each.acked : each.refused) = true;
        } else if (const auto* report = std::get_if<DeliveryReport>(&body)) {
            Ordered& each = commands_.at(report->payment);
            if (each.report && *each.report != *report) ++contradicted_;
            if (!each.report) each.report = *report;
            say(protocol::ReportAck{report->payment, PaymentState::captured, 1, false});
        } else if (const auto* pay = std::get_if<protocol::PayRequest>(&body)) {
            say(protocol::PayAnswer{pay->payment, PaymentState::authorized, Reason::none, 1, "CNY"});
        } else if (std::holds_alternative<protocol::Heartbeat>(body)) {
            say(protocol::HeartbeatAck{});
        }
    }

    std::mt19937_64 random_;
    bool stormy_ = false;
    StormyState state_{[this] { return stormy_ && chance(20); }};
    Bench bench_;
    std::vector<InFlight> up_;
    std::vector<InFlight> down_;
    std::map<PaymentId, Ordered> commands_;
    std::map<PaymentId, int> delivered_;
    std::set<PaymentId> finished_;
    std::map<PaymentId, std::pair<std::uint32_t, int>> under_way_;
    std::uint64_t next_payment_ = 1;
    int steps_ = 0;
    int begun_late_ = 0;
    int contradicted_ = 0;
};

TEST(Storm, DeliversOnceInTimeAndReports) {
    const char* const given = std::getenv("JIAOZI_SEED");
    std::uint64_t first = std::random_device{}();
    if (given != nullptr) first = std::strtoull(given, nullptr, 10);
    const int runs = given != nullptr ? 1 : 6;
    constexpr crypto::Suite suites[] = {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2};
    for (int i = 0; i < runs; ++i) {
        const std::uint64_t seed = first + static_cast<std::uint64_t>(i);
        SCOPED_TRACE("JIAOZI_SEED=" + std::to_string(seed));
        std::printf("JIAOZI_SEED=%llu\n", static_cast<unsigned long long>(seed));
        Storm storm(seed, suites[seed % 3]);
        storm.run();
        storm.check();
    }
}

}  // namespace
}  // namespace jiaozi::device::test
