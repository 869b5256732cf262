// A random life in the town, and beside it a naive model that says what should come of each step: plain sums, no
// accounts, no journal.
#pragma once

#include <map>
#include <random>
#include <vector>

#include "world.hpp"

namespace jiaozi::payments::testing {

class Life {
  public:
    struct Mix {
        bool restarts = true;
        bool days = true;  // time passes by days too, so that allowances renew
    };
    Life(World& world, std::uint64_t seed, Mix mix);

    void step();
    // Everything the model knows is so.
    void check();

    const std::vector<api::NewPayment>& requests() const { return requests_; }

  private:
    struct Spent {  // an allowance that a payment uses
        std::size_t limit = 0;
        std::uint64_t window = 0;
    };
    struct Expected {
        api::NewPayment request;
        WalletId payer;
        WalletId payee;
        std::uint64_t amount = 0;
        std::uint64_t unit = 0;
        PaymentState state = PaymentState::authorized;
        Reason reason = Reason::none;
        std::uint64_t captured = 0;
        std::uint64_t refunded = 0;
        std::uint32_t delivered = 0;
        bool late = false;
        bool acknowledged = false;
        bool restarted = false;
        Timestamp expires;
        std::vector<Spent> spent;
    };

    std::uint64_t pick(std::uint64_t below) {
        return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random_);
    }
    Expected& some() { return expected_[pick(expected_.size())]; }

    void buy();
    void ask_again();
    void acknowledge();
    void report();
    void cancel();
    void refund();
    void let_time_pass();

    std::uint64_t window_of(const Limit& limit) const;
    Reason judge(const Expected& e, MemberId member, const std::string& category, std::vector<Spent>& spent) const;
    std::uint64_t available(WalletId wallet) const;
    void give_back(const Expected& e, std::uint64_t amount);
    void release(Expected& e, Reason reason);
    void expire();
    std::uint64_t open() const;

    World& w_;
    std::mt19937_64 random_;
    Mix mix_;
    std::vector<api::NewPayment> requests_;
    std::vector<Expected> expected_;
    std::map<std::pair<std::size_t, std::uint64_t>, std::uint64_t> used_;  // by limit and window
    std::map<WalletId, std::uint64_t> balance_;
    std::map<WalletId, std::uint64_t> held_;
    std::uint64_t last_refund_ = 0;
};

}  // namespace jiaozi::payments::testing
