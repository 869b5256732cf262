// The gateway with real identity and registry; services behind our own interfaces are scripted.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include <jiaozi/devices/gateway.hpp>

#include "../../identity/tests/world.hpp"

namespace jiaozi::devices::testing {

using identity::testing::code_of;
using identity::testing::Machine;
using identity::testing::must;
using identity::testing::World;

// Runs what is due when told to; its time is the test clock's.
class ManualApp final : public api::AppThread {
  public:
    explicit ManualApp(TestClock& clock) : clock_(&clock) {}
    void post(Task task) override { posted_.push_back(std::move(task)); }
    TimerId call_after(Duration delay, Task task) override {
        const TimerId id = next_++;
        timers_.emplace(std::pair{clock_->now() + delay, id}, std::move(task));
        return id;
    }
    void cancel(TimerId id) override {
        std::erase_if(timers_, [&](const auto& timer) { return timer.first.second == id; });
    }
    void advance(Duration by) {
        const Timestamp until = clock_->now() + by;
        while (!timers_.empty() && timers_.begin()->first.first <= until) {
            auto timer = timers_.extract(timers_.begin());
            if (timer.key().first > clock_->now()) clock_->set(timer.key().first);
            timer.mapped()();
        }
        clock_->set(until);
    }
    std::size_t timers() const { return timers_.size(); }

  private:
    TestClock* clock_;
    std::deque<Task> posted_;
    std::map<std::pair<Timestamp, TimerId>, Task> timers_;
    TimerId next_ = 1;
};

// Keeps what it was asked; answers when the test says so.
struct ScriptedPayments final : api::Payments {
    void create(api::NewPayment request, api::Done<api::PaymentAnswer> done) override {
        created.push_back(std::move(request));
        answers.push_back(std::move(done));
    }
    void find(PaymentId, api::Done<Payment>) override { FAIL() << "no device asks this"; }
    void cancel(PaymentId, api::Done<Payment>) override { FAIL() << "no device asks this"; }
    void refund(RefundId, PaymentId, std::optional<Amount>, api::Done<api::RefundAnswer>) override {
        FAIL() << "no device asks this";
    }
    Result<api::PaymentCode> new_payment_code(WalletId, MemberId) override {
        return Error(ErrorKind::internal, "no device asks this");
    }
    Result<api::DynamicQr> new_qr(PaymentId id, DeviceId machine, std::uint32_t slot, std::uint32_t quantity) override {
        qrs.push_back({id, machine, slot, quantity});
        if (slot == 99) return Error(ErrorKind::not_found, "slot 99 sells nothing").with_code("slot_not_found");
        return api::DynamicQr{id, "000201", timestamp_s(1'800'000'000)};
    }
    void command_acknowledged(DeviceId machine, PaymentId payment, bool accepted) override {
        acks.push_back({machine, payment, accepted});
    }
    void delivery_reported(DeviceId machine, PaymentId payment, DeliveryResult result, std::uint32_t delivered,
                           api::Done<api::ReportOutcome> done) override {
        reports.push_back({machine, payment, result, delivered});
        if (!report_error) return done(api::ReportOutcome{PaymentState::captured, 350, false});
        done(Error(*report_error));
    }

    struct QrAsked {
        PaymentId id;
        DeviceId machine;
        std::uint32_t slot, quantity;
    };
    struct Ack {
        DeviceId machine;
        PaymentId payment;
        bool accepted;
    };
    struct Report {
        DeviceId machine;
        PaymentId payment;
        DeliveryResult result;
        std::uint32_t delivered;
    };
    std::vector<api::NewPayment> created;
    std::deque<api::Done<api::PaymentAnswer>> answers;
    std::vector<QrAsked> qrs;
    std::vector<Ack> acks;
    std::vector<Report> reports;
    std::optional<Error> report_error;
};

inline const Asset points{900'001, 0, "POINTS"};

// One group with a car and two wallets; one machine with its catalogue.
struct Shop final : api::Groups, api::Merchants, api::Balances {
    const Member* member(MemberId) const override { return nullptr; }
    const Member* member_of_device(DeviceId device) const override { return device == car.device ? &car : nullptr; }
    const Member* member_of_person(PersonId, GroupId) const override { return nullptr; }
    const Wallet* wallet(WalletId) const override { return nullptr; }
    const Wallet* wallet_of_group(GroupId, const Asset&) const override { return nullptr; }
    std::vector<const Wallet*> wallets_of_group(GroupId) const override { return {&wallets[0], &wallets[1]}; }
    std::vector<const Limit*> limits_of(MemberId) const override { return {}; }
    const Merchant* merchant(MerchantId) const override { return nullptr; }
    const Product* product(ProductId id) const override { return id == water.id ? &water : nullptr; }
    const Slot* slot(DeviceId device, std::uint32_t number) const override {
        for (const Slot& one : slots) {
            if (one.device == device && one.slot == number) return &one;
        }
        return nullptr;
    }
    std::vector<const Slot*> slots_of(DeviceId device) const override {
        std::vector<const Slot*> found;
        for (const Slot& one : slots) {
            if (one.device == device) found.push_back(&one);
        }
        return found;
    }
    std::optional<api::Balance> balance(WalletId id) const override {
        if (id == wallets[0].id)
            return api::Balance{Amount(1000, assets::CNY), Amount(200, assets::CNY), Amount(800, assets::CNY)};
        return api::Balance{Amount(uint128_max, points), Amount(0, points), Amount(uint128_max, points)};
    }

    Member car{.id = MemberId(1), .group = GroupId(1), .person = {}, .device = {}, .role = Role::member, .created = {}};
    Wallet wallets[2] = {{.id = WalletId(11),
                          .group = GroupId(1),
                          .merchant = {},
                          .name = "Car",
                          .asset = assets::CNY,
                          .frozen = false,
                          .created = {}},
                         {.id = WalletId(12),
                          .group = GroupId(1),
                          .merchant = {},
                          .name = "Points",
                          .asset = points,
                          .frozen = false,
                          .created = {}}};
    Product water{
        .id = ProductId(21), .merchant = {}, .name = "Water", .name_zh = "水", .category = "drinks", .created = {}};
    std::vector<Slot> slots;
};

struct Broadcast final : Carrier {
    void send(DeviceId device, ByteView envelope) override { sent.push_back({device, to_bytes(envelope)}); }
    std::vector<std::pair<DeviceId, Bytes>> sent;
};

class GatewayTest : public ::testing::Test {
  protected:
    GatewayTest() { start(); }

    void start(GatewayOptions options = {}) {
        gateway.reset();
        world.start();
        gateway = std::make_unique<Gateway>(Parts{*world.devices, *world.sessions, shop, shop, shop, world.clock, app},
                                            options);
        gateway->attach(&payments);
        gateway->attach(&mqtt);
    }

    // Over MQTT; what came back, verified.
    std::vector<protocol::Message> mqtt_exchange(Machine& machine, ByteView bytes) {
        mqtt.sent.clear();
        gateway->receive_mqtt(machine.id, bytes);
        return sent_to(machine);
    }
    std::vector<protocol::Message> sent_to(Machine& machine) {
        std::vector<protocol::Message> messages;
        for (const auto& [device, bytes] : std::exchange(mqtt.sent, {})) {
            EXPECT_EQ(device, machine.id);
            messages.push_back(must(machine.read(bytes, world)));
        }
        return messages;
    }
    // Over HTTPS; nullopt while the request is held.
    struct Https {
        std::optional<HttpsAnswer> answer;
    };
    std::shared_ptr<Https> https(ByteView bytes, Duration wait = {}) {
        auto request = std::make_shared<Https>();
        gateway->receive_https(bytes, wait, [request](HttpsAnswer answer) {
            EXPECT_FALSE(request->answer.has_value()) << "answered twice";
            request->answer = std::move(answer);
        });
        return request;
    }
    std::vector<protocol::Message> read(const Machine& machine, const std::shared_ptr<Https>& request) {
        std::vector<protocol::Message> messages;
        EXPECT_TRUE(request->answer.has_value());
        if (!request->answer) return messages;
        EXPECT_FALSE(request->answer->refused.has_value()) << request->answer->text;
        codec::CborReader reader(request->answer->envelopes, {.max_bytes = 1 << 20});
        ByteView rest = request->answer->envelopes;
        while (!rest.empty()) {  // a CBOR sequence: one item after the other
            codec::CborReader one(rest, {.max_bytes = 1 << 20});
            const ByteView item = must(one.raw());
            messages.push_back(must(machine.read(item, world)));
            rest = rest.subspan(item.size());
        }
        return messages;
    }

    void connect(Machine& machine) {
        EXPECT_TRUE(mqtt_exchange(machine, machine.hello(next_time())).empty());  // stored first, then answered
        app.advance(milliseconds(2));
        const auto answers = sent_to(machine);
        ASSERT_EQ(answers.size(), 1U);
        machine.welcome(std::get<protocol::Welcome>(answers[0].body));
    }
    std::uint64_t next_time() { return world.clock.now().ms() + ++hellos_; }

    // All that a refused message must leave alone.
    std::string everything(const Machine& machine) {
        const LinkInfo link = gateway->link(machine.id);
        return world.everything() + std::to_string(payments.created.size()) + ' ' +
               std::to_string(payments.acks.size()) + ' ' + std::to_string(payments.reports.size()) + ' ' +
               std::to_string(payments.qrs.size()) + ' ' + std::to_string(link.last_heard.ns) + ' ' +
               std::to_string(static_cast<int>(link.status)) + ' ' + std::to_string(gateway->counters().accepted);
    }

    World world;
    ManualApp app{world.clock};
    ScriptedPayments payments;
    Shop shop;
    Broadcast mqtt;
    std::unique_ptr<Gateway> gateway;

  private:
    std::uint64_t hellos_ = 0;
};

}  // namespace jiaozi::devices::testing
