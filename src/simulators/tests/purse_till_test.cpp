// A machine that sells online and to purses while the network comes and goes in the middle of payments: every sale is
// paid once or not at all, by real purses and a network that forgets its answers.
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jiaozi/simulators/purse_till.hpp>

#include "world.hpp"

namespace jiaozi::simulators {
namespace {

using purse_host::Device;
using purse_host::World;

// The server: a payment a key. The network can go before the request arrives and before the answer leaves.
class Network final : public OnlineRoute {
  public:
    bool reachable() override { return up; }
    Answer pay(const std::string& key, std::uint64_t amount) override {
        if (!up || lose_request) {
            up = false;
            return Answer::unknown;
        }
        captured.emplace(key, amount);
        if (lose_answer) {
            up = false;
            return Answer::unknown;
        }
        return Answer::captured;
    }
    Result<void> deposit() override {
        if (!up) return Error(ErrorKind::unavailable, "no network");
        ++deposits;
        return {};
    }
    std::uint64_t total() const {
        std::uint64_t sum = 0;
        for (const auto& [key, amount] : captured) sum += amount;
        return sum;
    }
    bool up = true;
    bool lose_request = false;
    bool lose_answer = false;
    int deposits = 0;
    std::map<std::string, std::uint64_t> captured;
};

// A customer with a purse who holds it to the machine; some take it away too early, and come back.
struct Customer {
    explicit Customer(Device& d) : device(d) {}
    Result<std::unique_ptr<carriers::Link>> come(Duration) {
        if (!willing || visits == 0) return Error(ErrorKind::timeout, "nobody");
        --visits;
        int pair[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        hand.emplace_back([this, descriptor = pair[0], impatient = impatient && visits > 0] {
            const auto link = carriers::link_over(descriptor);
            terminal::Payer payer(device.purse, [](const jz_offer&) { return terminal::Decision{true, false}; });
            if (impatient) {
                const auto request = link->receive(seconds(5));
                if (request.ok()) payer.answer(*request);  // signed and journalled, and taken away before it is sent
                return;
            }
            if (device.purse.info().payments_unknown > 0) {
                ignore_error(payer.resume(*link, {.total = seconds(5), .answer = seconds(1), .resumes = 1}),
                             "shown below");
            } else {
                ignore_error(payer.pay(*link, {.total = seconds(5), .answer = seconds(1), .resumes = 1}),
                             "shown below");
            }
        });
        return carriers::link_over(pair[1]);
    }
    void leave() {
        for (std::thread& one : hand) one.join();
        hand.clear();
    }
    Device& device;
    bool willing = true;
    bool impatient = false;
    int visits = 3;
    std::vector<std::thread> hand;
};

TEST(PurseTill, OnlineWhileThereIsANetworkAndThePurseWhenThereIsNone) {
    World world;
    Device& ann = world.device();
    Device& machine = world.device();
    Network network;
    Customer customer(ann);
    PurseTill till(machine.purse, network, [&](Duration patience) { return customer.come(patience); });
    EXPECT_EQ(till.sell("sale-1", 350, seconds(5)), Sold::online);
    network.up = false;
    EXPECT_EQ(till.sell("sale-2", 350, seconds(5)), Sold::purse);
    customer.leave();
    customer.visits = 3;
    EXPECT_EQ(till.sell("sale-3", 150, seconds(5)), Sold::purse);
    customer.leave();
    EXPECT_EQ(network.total(), 350U);
    EXPECT_EQ(ann.spendable(), 100'000U - 500U);
    EXPECT_EQ(machine.purse.info().received, 500U);
    network.up = true;
    EXPECT_TRUE(till.network_is_back().empty());
    EXPECT_EQ(network.deposits, 1);
}

TEST(PurseTill, AnAnswerThatWasLostIsAskedForAgainAndNoPurseMeanwhile) {
    for (const bool arrived : {false, true}) {
        World world;
        Device& ann = world.device();
        Device& machine = world.device();
        Network network;
        (arrived ? network.lose_answer : network.lose_request) = true;
        Customer customer(ann);
        PurseTill till(machine.purse, network, [&](Duration patience) { return customer.come(patience); });
        EXPECT_EQ(till.sell("sale-1", 350, seconds(5)), Sold::unknown);
        EXPECT_EQ(ann.spendable(), 100'000U) << "nothing was asked of the purse";
        EXPECT_EQ(till.sell("sale-2", 200, seconds(5)), Sold::purse) << "the next customer is served";
        customer.leave();
        network.lose_answer = network.lose_request = false;
        network.up = true;
        EXPECT_EQ(till.network_is_back(), std::vector<std::string>{"sale-1"});
        EXPECT_EQ(network.total(), 350U) << "once, whether the first request arrived or not";
        EXPECT_TRUE(till.unknown_sales().empty());
    }
}

// The customer's purse has signed, nobody has heard it, the machine gives up, and the network is back: paid online,
// once.
TEST(PurseTill, ANoteThatComesAfterTheNetworkIsVoidedAndNotPaidTwice) {
    World world;
    Device& ann = world.device();
    Device& machine = world.device();
    Network network;
    network.up = false;
    Bytes note;
    std::thread taken_away;
    PurseTill till(machine.purse, network, [&](Duration) -> Result<std::unique_ptr<carriers::Link>> {
        int pair[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        if (taken_away.joinable()) {
            taken_away.join();
            network.up = true;
            ::close(pair[0]);
            ::close(pair[1]);
            return Error(ErrorKind::timeout, "nobody");
        }
        taken_away = std::thread([&note, &ann, descriptor = pair[0]] {
            const auto link = carriers::link_over(descriptor);
            note = ann.purse.pay(link->receive(seconds(5)).value(), false).bytes;
        });
        return carriers::link_over(pair[1]);
    });
    EXPECT_EQ(till.sell("sale-1", 350, seconds(5)), Sold::online);
    EXPECT_EQ(ann.purse.info().unknown, 350U);
    const auto late = machine.purse.receive(note);
    EXPECT_EQ(late.status, JZ_ALREADY_VOIDED);
    EXPECT_EQ(ann.purse.receive(late.bytes).status, JZ_OK);
    EXPECT_EQ(ann.purse.info().void_held, 350U) << "comes back with a sync";
    EXPECT_EQ(machine.purse.info().received, 0U);
    EXPECT_EQ(network.total(), 350U);
}

// A day with a bad network: whatever happens, what was delivered was paid, and nothing was paid twice.
TEST(PurseTill, ADayOfSalesWhileTheNetworkComesAndGoes) {
    for (std::uint32_t seed = 1; seed <= 10; ++seed) {
        std::mt19937 random(seed);
        World world;
        Device& ann = world.device();
        Device& machine = world.device();
        Network network;
        Customer customer(ann);
        PurseTill till(machine.purse, network, [&](Duration patience) { return customer.come(patience); });
        std::uint64_t online = 0;
        std::uint64_t offline = 0;
        for (int sale = 0; sale < 12; ++sale) {
            network.up = random() % 2 == 0;
            network.lose_request = random() % 5 == 0;
            network.lose_answer = random() % 5 == 0;
            customer.impatient = random() % 3 == 0;
            customer.willing = random() % 5 != 0;
            customer.visits = 3;
            const std::uint64_t amount = 100 + random() % 50;
            const Sold sold = till.sell("sale-" + std::to_string(sale), amount, seconds(5));
            customer.leave();
            if (sold == Sold::online) online += amount;
            if (sold == Sold::purse) offline += amount;
        }
        network.up = true;
        network.lose_request = network.lose_answer = false;
        for (const std::string& key : till.network_is_back()) online += network.captured.at(key);
        EXPECT_EQ(network.total(), online) << "seed " << seed;
        const jz_info info = machine.purse.info();
        EXPECT_EQ(info.received, offline) << "seed " << seed;
        const jz_info payer = ann.purse.info();
        EXPECT_EQ(payer.spendable + payer.unknown + payer.void_held + offline, 100'000U) << "seed " << seed;
        EXPECT_EQ(info.requests_open, 0U);
    }
}

}  // namespace
}  // namespace jiaozi::simulators
