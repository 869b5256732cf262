// The ledger against the naive model, over random streams. JIAOZI_SEED repeats one run, JIAOZI_STREAMS sets how many.
#include "model.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include <jiaozi/ledger/invariants.hpp>
#include <jiaozi/ledger/ledger.hpp>

#include "histories.hpp"
#include "stream.hpp"

namespace jiaozi::ledger::test {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What all streams together ran into.
struct Tally {
    std::size_t events = 0;
    std::size_t expired = 0;
    std::map<CreateAccountResult, std::size_t> accounts;
    std::map<CreateTransferResult, std::size_t> transfers;
};

class Comparison {
  public:
    Comparison(std::uint64_t seed, Tally& tally) : stream_(seed), tally_(tally) {
        // A few streams live at the end of 64-bit time, where timeouts overflow.
        now_ = seed % 20 == 0 ? UINT64_MAX - 3'000'000'000'000 : 1'700'000'000'000'000'000;
    }

    void run(std::size_t batches) {
        for (std::size_t i = 0; i < batches && !testing::Test::HasFailure(); ++i) {
            const std::uint64_t kind = stream_.below(100);
            now_ += stream_.pause_ns();
            if (i < 2 || kind < 4)
                create_accounts();
            else if (kind < 12)
                freeze_or_unfreeze();
            else
                create_transfers();
            if (stream_.chance(70)) expire();
            compare_state();
        }
        replay();
    }

  private:
    void create_accounts() {
        const std::vector<Account> events = stream_.accounts();
        const std::uint64_t last = now_ += events.size();
        std::vector<CreateAccountResult> results;
        ledger_.create_accounts(events, last, results);
        calls_.push_back([events, last](Ledger& ledger) {
            std::vector<CreateAccountResult> ignored;
            ledger.create_accounts(events, last, ignored);
        });
        const std::vector<CreateAccountResult> expected = model_.create_accounts(events, last);
        for (std::size_t i = 0; i < events.size(); ++i) {
            EXPECT_EQ(name_of(results[i]), name_of(expected[i])) << "account " << to_decimal(events[i].id);
            ++tally_.accounts[results[i]];
        }
        tally_.events += events.size();
    }

    void create_transfers() {
        const std::vector<Transfer> events = stream_.transfers();
        const std::uint64_t last = now_ += events.size();
        std::vector<CreateTransferResult> results;
        ledger_.create_transfers(events, last, results);
        stream_.learn(events, results);
        calls_.push_back([events, last](Ledger& ledger) {
            std::vector<CreateTransferResult> ignored;
            ledger.create_transfers(events, last, ignored);
        });
        const std::vector<CreateTransferResult> expected = model_.create_transfers(events, last);
        for (std::size_t i = 0; i < events.size(); ++i) {
            EXPECT_EQ(name_of(results[i]), name_of(expected[i]))
                << "transfer " << to_decimal(events[i].id) << ", event " << i << " of " << events.size();
            ++tally_.transfers[results[i]];
        }
        tally_.events += events.size();
    }

    void freeze_or_unfreeze() {
        const uint128 id = stream_.account_id();
        const bool frozen = stream_.chance(20);
        const std::uint16_t set = frozen ? account_flags::frozen : 0;
        const std::uint16_t clear = frozen ? 0 : account_flags::frozen;
        const auto expected =
            ledger_.find_account(id) != nullptr ? SetAccountFlagsResult::ok : SetAccountFlagsResult::account_not_found;
        EXPECT_EQ(ledger_.set_account_flags(id, set, clear), expected);
        calls_.push_back([=](Ledger& ledger) { ledger.set_account_flags(id, set, clear); });
        model_.set_frozen(id, frozen);
    }

    void expire() {
        std::vector<Expired> expired;
        const std::uint64_t now = now_;
        ledger_.expire(now, expired);
        calls_.push_back([now](Ledger& ledger) {
            std::vector<Expired> ignored;
            ledger.expire(now, ignored);
        });
        EXPECT_EQ(expired, model_.expire(now));
        tally_.expired += expired.size();
    }

    void compare_state() {
        const std::vector<Account> accounts = model_.accounts();
        ASSERT_EQ(ledger_.account_count(), accounts.size());
        for (std::size_t i = 0; i < accounts.size(); ++i) {
            ASSERT_EQ(ledger_.account_at(i), accounts[i]) << "account " << to_decimal(accounts[i].id);
            ASSERT_EQ(ledger_.find_account(accounts[i].id), &ledger_.account_at(i));
            ASSERT_EQ(histories_.changes(ledger_, accounts[i].id), model_.history(accounts[i].id))
                << "history of account " << to_decimal(accounts[i].id);
        }
        const auto& transfers = model_.transfers();
        ASSERT_EQ(ledger_.transfer_count(), transfers.size());
        std::uint64_t ordinal = 0;
        for (std::size_t i = 0; i < transfers.size(); ++i, ++ordinal) {
            const uint128 id = transfers[i].transfer.id;
            while (ordinal < ledger_.event_count() && !ledger_.stored_transfer(ordinal)) ++ordinal;
            ASSERT_LT(ordinal, ledger_.event_count());
            ASSERT_EQ(ledger_.stored_transfer(ordinal), transfers[i].transfer) << "transfer " << to_decimal(id);
            ASSERT_EQ(ledger_.pending_status(id).value(), transfers[i].status) << "transfer " << to_decimal(id);
            ASSERT_EQ(ledger_.refusal_of(id), std::nullopt);
        }
        for (const Model::Refused& refused : model_.refusals()) {
            ASSERT_EQ(ledger_.refusal_of(refused.asked.id), refused.result);
            ASSERT_EQ(ledger_.find_transfer(refused.asked.id).value(), std::nullopt);
        }
        ASSERT_EQ(ledger_.next_expiry_ns(), model_.next_expiry_ns());
        for (const Violation& violation : check_invariants(ledger_)) {
            ADD_FAILURE() << violation.checker << ": " << violation.detail;
        }
    }

    void replay() {
        Ledger again;
        for (const auto& call : calls_) call(again);
        EXPECT_EQ(again.state_digest(), ledger_.state_digest());
    }

    Stream stream_;
    Tally& tally_;
    Histories histories_;
    Ledger ledger_{histories_};
    Model model_;
    std::uint64_t now_ = 0;
    std::vector<std::function<void(Ledger&)>> calls_;
};

TEST(LedgerModel, agrees_with_the_naive_model) {
    const std::uint64_t seed = from_environment("JIAOZI_SEED", std::random_device{}());
    const std::uint64_t streams = from_environment("JIAOZI_STREAMS", 300);
    std::cout << "JIAOZI_SEED=" << seed << '\n';
    Tally tally;
    for (std::uint64_t i = 0; i < streams && !HasFailure(); ++i) {
        SCOPED_TRACE("JIAOZI_SEED=" + std::to_string(seed) + ", stream " + std::to_string(i));
        Comparison(seed * 1'000'003 + i, tally).run(120);
    }
    std::cout << tally.events << " events, " << tally.expired << " holds expired, "
              << tally.transfers[CreateTransferResult::ok] << " transfers stored\n";
    if (streams < 300) return;
    // A generator that no longer reaches a case would let it rot.
    for (std::uint32_t i = 0; i < create_transfer_result_count; ++i) {
        const auto result = static_cast<CreateTransferResult>(i);
        EXPECT_GT(tally.transfers[result], 0U) << name_of(result) << " was never answered";
    }
    for (std::uint32_t i = 0; i < create_account_result_count; ++i) {
        const auto result = static_cast<CreateAccountResult>(i);
        EXPECT_GT(tally.accounts[result], 0U) << name_of(result) << " was never answered";
    }
}

}  // namespace
}  // namespace jiaozi::ledger::test
