// A person who buys at a machine by one call, online or with the purse, while network and power come and go in the
// middle: each purchase is paid once or not at all, and what is not known is not said to be.
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <jiaozi/terminal/shopper.hpp>
#include <jiaozi/terminal/till.hpp>

#include "slot.hpp"

namespace jiaozi::terminal {
namespace {

using purse_host::Device;
using purse_host::World;
using Answer = OnlineRoute::Answer;

constexpr std::uint64_t price_each = 350;

// The server: a payment a key. The network can go before the question, before the request arrives, and before the
// answer leaves.
class Network final : public OnlineRoute {
  public:
    Result<Price> price(const Order& order) override {
        if (!up) return Error(ErrorKind::unavailable, "no network");
        if (order.slot == 9) return Error(ErrorKind::not_found, "nothing there");
        return Price{price_each * order.quantity, "CNY"};
    }
    Result<Paid> pay(const Order&, const Price& price, const std::string& key, Duration) override {
        if (!up) return Paid{};
        if (lose_request) return up = false, Paid{};
        if (refuse) return Paid{Answer::refused, "pay_1", "limit_per_day"};
        // The first answer is the answer.
        if (!failed.contains(key) && !captured.contains(key)) {
            machine_away ? static_cast<void>(failed.insert(key))
                         : static_cast<void>(captured.emplace(key, price.amount));
        }
        if (on_payment) on_payment();
        if (lose_answer) return up = false, Paid{};
        if (captured.contains(key)) return Paid{Answer::captured, "pay_1", "none"};
        return Paid{Answer::machine_away, "pay_1", "device_offline"};
    }
    std::uint64_t total() const {
        std::uint64_t sum = 0;
        for (const auto& [key, amount] : captured) sum += amount;
        return sum;
    }
    bool up = true;
    bool lose_request = false;
    bool lose_answer = false;
    bool machine_away = false;
    bool refuse = false;
    std::function<void()> on_payment;  // it has been made, and nobody was told yet
    std::map<std::string, std::uint64_t> captured;
    std::set<std::string> failed;
};

// The machine's slot: whoever comes is asked for the price; told to, it hears nothing or says nothing.
class Machine {
  public:
    explicit Machine(Device& device) : device_(device), till_(Till::open(device.purse, folder_ / sales_name).value()) {}
    ~Machine() { closed(); }
    Result<std::unique_ptr<carriers::Link>> touched() {
        if (!there) return Error(ErrorKind::unavailable, "nobody listens");
        closed();
        auto ends = std::make_shared<Ends>();
        auto payer = std::move(ends->payer);
        hand_ = std::thread([this, ends] { serve(std::move(ends->payee)); });
        return payer;
    }
    void closed() {
        if (hand_.joinable()) hand_.join();
    }
    // The machine's power.
    void restart() {
        closed();
        till_.reset();
        EXPECT_EQ(device_.restart(), JZ_OK);
        till_ = Till::open(device_.purse, folder_ / sales_name).value();
    }
    bool there = true;
    bool deaf = false;  // the note is lost, and with it the customer's patience
    bool mute = false;  // the receipt is
    std::uint64_t sold = 0;

  private:
    void serve(std::unique_ptr<carriers::Link> link) {
        if (deaf || mute) {
            Payee payee = Payee::ask(device_.purse, price_each).value();
            EXPECT_TRUE(link->send(payee.request()).ok());
            const auto note = link->receive(seconds(5));
            if (note.ok() && mute) payee.answer(*note);
            if (payee.outcome() == Outcome::credited) sold += price_each;
            if (payee.outcome() != Outcome::credited) ignore_error(payee.give_up(), "never left open");
            return;
        }
        const auto result = till_->sell("sale-" + std::to_string(++sales_), price_each, seconds(5),
                                        [&](Duration) -> Result<std::unique_ptr<carriers::Link>> {
                                            if (link) return std::move(link);
                                            return Error(ErrorKind::timeout, "nobody");
                                        });
        if (result.ok() && *result == Sold::paid) sold += price_each;
    }
    Folder folder_;
    Device& device_;
    std::unique_ptr<Till> till_;
    std::thread hand_;
    int sales_ = 0;
};

struct Street {
    World world;
    Device& ann = world.device();
    Device& slot = world.device();
    Machine machine{slot};
    Network network;
    Folder folder;
    Order order{.device = "dev_1", .slot = 1, .quantity = 1, .wallet = "wal_1", .member = "mem_1"};
    bool agrees = true;

    // What the person does, and all that the person does. A new shopper each time, as a command is.
    Result<Bought> buys() {
        Shopper shopper(ann.purse, folder / purchases_name, network,
                        [&](std::uint64_t, const std::string&, std::uint32_t) { return Decision{agrees, false}; });
        auto bought = shopper.buy(order, [&] { return machine.touched(); },
                                  {.total = seconds(3), .answer = milliseconds(200), .resumes = 0});
        machine.closed();
        return bought;
    }
    std::uint64_t left_in_purse() const { return ann.spendable(); }
    bool nothing_open() const { return read_purchases(folder / purchases_name)->empty(); }
};

TEST(Shopper, OnlineWhileThereIsANetworkAndThePurseWhenThereIsNone) {
    Street street;
    auto bought = street.buys().value();
    EXPECT_EQ(bought.outcome, Outcome::paid);
    EXPECT_TRUE(bought.online);
    EXPECT_EQ(street.left_in_purse(), 100'000U);
    street.network.up = false;
    bought = street.buys().value();
    EXPECT_EQ(bought.outcome, Outcome::paid);
    EXPECT_FALSE(bought.online);
    EXPECT_EQ(street.network.total(), price_each);
    EXPECT_EQ(street.left_in_purse(), 100'000U - price_each);
    EXPECT_EQ(street.slot.purse.info().received, price_each);
    EXPECT_TRUE(street.nothing_open());
}

TEST(Shopper, TheServerDoesNotReachTheMachine) {
    Street street;
    street.network.machine_away = true;
    const auto bought = street.buys().value();
    EXPECT_EQ(bought.outcome, Outcome::paid);
    EXPECT_FALSE(bought.online);
    EXPECT_EQ(street.network.total(), 0U);
}

TEST(Shopper, ThePurseIsNoWayAroundARefusal) {
    Street street;
    street.network.refuse = true;
    const auto bought = street.buys().value();
    EXPECT_EQ(bought.outcome, Outcome::nothing);
    EXPECT_EQ(bought.reason, "limit_per_day");
    EXPECT_EQ(street.left_in_purse(), 100'000U);
    EXPECT_TRUE(street.nothing_open());
    street.order.slot = 9;
    EXPECT_EQ(street.buys().error().kind(), ErrorKind::not_found);
    EXPECT_EQ(street.left_in_purse(), 100'000U);
}

TEST(Shopper, NobodyAgrees) {
    Street street;
    street.agrees = false;
    EXPECT_EQ(street.buys().error().code(), "not_agreed");
    street.network.up = false;
    EXPECT_EQ(street.buys().error().code(), "not_agreed");
    EXPECT_EQ(street.network.total(), 0U);
    EXPECT_EQ(street.left_in_purse(), 100'000U);
    EXPECT_TRUE(street.nothing_open());
}

TEST(Shopper, AnOnlineAnswerThatWasLostIsAskedForAgainAndThePurseDoesNotPayMeanwhile) {
    for (const bool arrived : {false, true}) {
        Street street;
        (arrived ? street.network.lose_answer : street.network.lose_request) = true;
        auto bought = street.buys().value();
        EXPECT_EQ(bought.outcome, Outcome::unknown);
        EXPECT_TRUE(bought.online);
        bought = street.buys().value();  // still no network: the same again
        EXPECT_EQ(bought.outcome, Outcome::unknown);
        EXPECT_EQ(street.left_in_purse(), 100'000U) << "the purse was not asked";
        street.network.lose_answer = street.network.lose_request = false;
        street.network.up = true;
        bought = street.buys().value();
        EXPECT_EQ(bought.outcome, Outcome::paid);
        EXPECT_TRUE(bought.earlier);
        EXPECT_EQ(street.network.total(), price_each) << "once, whether the first request arrived or not";
        EXPECT_TRUE(street.nothing_open());
    }
}

// Lost before the server had it, and when the network is back the machine is away: known not to have happened.
TEST(Shopper, AnUnknownPaymentThatNeverHappenedFreesThePurse) {
    Street street;
    street.network.lose_request = true;
    EXPECT_EQ(street.buys()->outcome, Outcome::unknown);
    street.network.lose_request = false;
    street.network.up = true;
    street.network.machine_away = true;
    const auto bought = street.buys().value();
    EXPECT_EQ(bought.outcome, Outcome::paid);
    EXPECT_FALSE(bought.online);
    EXPECT_EQ(street.network.total(), 0U);
    EXPECT_EQ(street.slot.purse.info().received, price_each);
}

TEST(Shopper, ANoteThatWasCreditedIsNotPaidOnlineAfterwards) {
    Street street;
    street.network.up = false;
    street.machine.mute = true;
    auto bought = street.buys().value();
    EXPECT_EQ(bought.outcome, Outcome::unknown);
    EXPECT_FALSE(bought.online);
    street.machine.restart();
    street.machine.mute = false;
    street.network.up = true;  // the network is back: the purse goes on all the same
    street.machine.there = false;
    EXPECT_EQ(street.buys()->outcome, Outcome::unknown) << "away from the machine nobody can say";
    street.machine.there = true;
    bought = street.buys().value();
    EXPECT_EQ(bought.outcome, Outcome::paid);
    EXPECT_TRUE(bought.earlier);
    EXPECT_FALSE(bought.online);
    EXPECT_EQ(street.network.total(), 0U);
    EXPECT_EQ(street.slot.purse.info().received, price_each);
    EXPECT_TRUE(street.nothing_open());
}

TEST(Shopper, ANoteThatWasVoidedIsPaidAnew) {
    Street street;
    street.network.up = false;
    street.machine.deaf = true;
    EXPECT_EQ(street.buys()->outcome, Outcome::unknown);
    street.machine.deaf = false;
    street.network.up = true;
    const auto bought = street.buys().value();  // the machine says "never", so it is paid online
    EXPECT_EQ(bought.outcome, Outcome::paid);
    EXPECT_TRUE(bought.online);
    EXPECT_FALSE(bought.earlier);
    EXPECT_EQ(street.ann.purse.info().void_held, price_each);
    EXPECT_EQ(street.network.total(), price_each);
    EXPECT_EQ(street.slot.purse.info().received, 0U);
}

// A day with a bad network and a bad contact: whatever happens, each purchase is paid once, and what the person was
// told to be paid is paid.
TEST(Shopper, ADayWhileEverythingComesAndGoes) {
    for (std::uint32_t seed = 1; seed <= 8; ++seed) {
        std::mt19937 random(seed);
        Street street;
        std::uint64_t told_paid = 0;
        const auto calm = [&] {
            street.network.up = true;
            street.network.lose_request = street.network.lose_answer = street.network.machine_away = false;
            street.machine.deaf = street.machine.mute = false;
            street.machine.there = true;
        };
        for (int day = 0; day < 12; ++day) {
            street.network.up = random() % 2 == 0;
            street.network.lose_request = random() % 5 == 0;
            street.network.lose_answer = random() % 5 == 0;
            street.network.machine_away = random() % 4 == 0;
            street.machine.deaf = random() % 6 == 0;
            street.machine.mute = !street.machine.deaf && random() % 5 == 0;
            street.machine.there = random() % 8 != 0;
            const auto bought = street.buys();
            if (bought.ok() && bought->outcome == Outcome::paid) told_paid += price_each;
            if (random() % 4 == 0) street.machine.restart();
            if (random() % 4 == 0) {
                EXPECT_EQ(street.ann.restart(), JZ_OK);
            }
        }
        calm();
        if (!street.nothing_open()) {
            const auto last = street.buys().value();
            EXPECT_EQ(last.outcome, Outcome::paid) << "seed " << seed;
            told_paid += price_each;
        }
        const jz_info payer = street.ann.purse.info();
        const jz_info payee = street.slot.purse.info();
        EXPECT_TRUE(street.nothing_open()) << "seed " << seed;
        EXPECT_EQ(payer.unknown, 0U) << "seed " << seed;
        EXPECT_EQ(street.network.total() + payee.received, told_paid) << "seed " << seed;
        EXPECT_EQ(street.machine.sold, payee.received) << "seed " << seed;
        EXPECT_EQ(payer.spendable + payer.void_held + payee.received, 100'000U) << "seed " << seed;
        EXPECT_EQ(payee.requests_open, 0U) << "seed " << seed;
    }
}

// The file's place is taken by a folder with something in it, which nobody can remove for the file.
TEST(Shopper, WhatIsPaidIsSaidToBeAlsoIfItsEntryCannotBeRemoved) {
    Street street;
    const auto book = street.folder / purchases_name;
    street.network.on_payment = [&] {
        std::filesystem::remove(book);
        std::filesystem::create_directories(book / "in the way");
    };
    const auto bought = street.buys();
    ASSERT_TRUE(bought.ok()) << bought.error().to_string();
    EXPECT_EQ(bought->outcome, Outcome::paid);
    EXPECT_EQ(street.network.total(), price_each);
}

}  // namespace
}  // namespace jiaozi::terminal
