// What the ledger tells of histories, digests, and the promises of the interface itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "histories.hpp"

namespace jiaozi::ledger {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t second = 1'000'000'000;
constexpr uint128 wallet = 1;
constexpr uint128 shop = 2;

// A wallet with history that at second 10·n pays n minor units, for n = 1 … 5, each under transfer id n.
class History : public testing::Test {
  protected:
    History() {
        create({.id = wallet, .ledger = 156, .code = 1, .flags = account_flags::history}, second);
        create({.id = shop, .ledger = 156, .code = 1}, 2 * second);
        for (std::uint64_t n = 1; n <= 5; ++n) pay(n, n, n * 10 * second);
    }

    void create(const Account& account, std::uint64_t at_ns) {
        std::vector<CreateAccountResult> results;
        ledger.create_accounts({&account, 1}, at_ns, results);
        ASSERT_THAT(results, ElementsAre(CreateAccountResult::ok));
    }

    CreateTransferResult send(const Transfer& transfer, std::uint64_t at_ns) {
        std::vector<CreateTransferResult> results;
        ledger.create_transfers({&transfer, 1}, at_ns, results);
        return results.at(0);
    }

    void pay(uint128 id, uint128 amount, std::uint64_t at_ns) {
        const Transfer t{.id = id,
                         .debit_account_id = wallet,
                         .credit_account_id = shop,
                         .amount = amount,
                         .ledger = 156,
                         .code = 1};
        ASSERT_EQ(send(t, at_ns), CreateTransferResult::ok);
    }

    std::vector<BalanceChange> history(uint128 account_id) { return histories.changes(ledger, account_id); }

    test::Histories histories;
    Ledger ledger{histories};
};

TEST_F(History, tells_the_balances_after_every_change) {
    const auto changes = history(wallet);
    ASSERT_EQ(changes.size(), 5U);
    EXPECT_EQ(changes[2].transfer_id, 3U);
    EXPECT_EQ(changes[2].debits_posted, 1U + 2U + 3U);
    EXPECT_EQ(changes[2].timestamp, 30 * second);
    EXPECT_THAT(history(shop), IsEmpty());  // no history flag
    EXPECT_THAT(history(99), IsEmpty());
}

TEST_F(History, positions_ascend_and_none_reaches_the_end) {
    EXPECT_EQ(ledger.account_number(wallet), 0U);
    EXPECT_EQ(ledger.account_number(shop), 1U);
    EXPECT_EQ(ledger.account_number(99), std::nullopt);
    EXPECT_EQ(ledger.history_end(), position_of_expiry(5, 0));
    const auto& rows = histories.rows(ledger, wallet);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(rows[i].position, position_of_event(i));
        EXPECT_EQ(rows[i].event, i);
    }
    EXPECT_LT(rows.back().position, ledger.history_end());
}

TEST_F(History, expiry_is_a_change_of_its_own) {
    Transfer hold{.debit_account_id = wallet,
                  .credit_account_id = shop,
                  .amount = 7,
                  .timeout_s = 5,
                  .ledger = 156,
                  .code = 1,
                  .flags = transfer_flags::pending};
    hold.id = 7;
    ASSERT_EQ(send(hold, 70 * second), CreateTransferResult::ok);
    hold.id = 8;
    ASSERT_EQ(send(hold, 71 * second), CreateTransferResult::ok);
    EXPECT_EQ(ledger.next_expiry_ns(), 75 * second);
    std::vector<Expired> expired;
    ledger.expire(80 * second, expired);
    EXPECT_THAT(expired, ElementsAre(Expired{7, 80 * second}, Expired{8, 80 * second}));
    EXPECT_EQ(ledger.next_expiry_ns(), std::nullopt);

    const auto changes = history(wallet);
    ASSERT_EQ(changes.size(), 9U);
    EXPECT_EQ(changes[6].debits_pending, 14U);
    EXPECT_EQ(changes[7].transfer_id, 7U);
    EXPECT_EQ(changes[8].cause, ChangeCause::expiry);
    EXPECT_EQ(changes[8].transfer_id, 8U);
    EXPECT_EQ(changes[8].timestamp, 80 * second);
    EXPECT_EQ(changes[8].debits_pending, 0U);
    const auto& rows = histories.rows(ledger, wallet);
    EXPECT_EQ(rows[7].position, position_of_expiry(7, 0));
    EXPECT_EQ(rows[8].position, position_of_expiry(7, 1));
    EXPECT_EQ(ledger.history_end(), position_of_expiry(7, 2));
}

TEST_F(History, a_hold_is_over_at_the_nanosecond_of_its_expiry) {
    Transfer hold{.id = 7,
                  .debit_account_id = wallet,
                  .credit_account_id = shop,
                  .amount = 1,
                  .timeout_s = 5,
                  .ledger = 156,
                  .code = 1,
                  .flags = transfer_flags::pending};
    ASSERT_EQ(send(hold, 70 * second), CreateTransferResult::ok);
    hold.id = 8;
    ASSERT_EQ(send(hold, 70 * second + 1), CreateTransferResult::ok);
    EXPECT_EQ(send({.id = 9, .pending_id = 7, .flags = transfer_flags::void_pending}, 75 * second),
              CreateTransferResult::pending_transfer_expired);
    std::vector<Expired> expired;
    ledger.expire(75 * second, expired);
    EXPECT_THAT(expired, ElementsAre(Expired{7, 75 * second}));
    ledger.expire(75 * second, expired);
    EXPECT_EQ(expired.size(), 1U);
    ledger.expire(75 * second + 1, expired);
    EXPECT_EQ(expired.size(), 2U);
}

TEST_F(History, a_hold_can_be_posted_until_then) {
    const Transfer hold{.id = 7,
                        .debit_account_id = wallet,
                        .credit_account_id = shop,
                        .amount = 1,
                        .timeout_s = 5,
                        .ledger = 156,
                        .code = 1,
                        .flags = transfer_flags::pending};
    ASSERT_EQ(send(hold, 70 * second), CreateTransferResult::ok);
    EXPECT_EQ(
        send({.id = 8, .amount = everything, .pending_id = 7, .flags = transfer_flags::post_pending}, 75 * second - 1),
        CreateTransferResult::ok);
}

TEST_F(History, a_broken_chain_leaves_no_trace) {
    Transfer one{.id = 10,
                 .debit_account_id = wallet,
                 .credit_account_id = shop,
                 .amount = 1,
                 .ledger = 156,
                 .code = 1,
                 .flags = transfer_flags::linked};
    Transfer two = one;
    two.id = 11;
    two.flags = 0;
    two.credit_account_id = 99;
    std::vector<CreateTransferResult> results;
    const Transfer chain[]{one, two};
    ledger.create_transfers(chain, 90 * second, results);
    EXPECT_THAT(results,
                ElementsAre(CreateTransferResult::linked_event_failed, CreateTransferResult::credit_account_not_found));
    EXPECT_EQ(history(wallet).size(), 5U);
    EXPECT_EQ(ledger.refusal_of(10), CreateTransferResult::linked_event_failed);
    EXPECT_EQ(ledger.refusal_of(11), CreateTransferResult::credit_account_not_found);
    EXPECT_EQ(ledger.refusal_of(1), std::nullopt);
}

TEST_F(History, digest_sees_every_kind_of_change) {
    std::vector<std::uint64_t> digests{ledger.state_digest()};
    const auto note = [&] {
        digests.push_back(ledger.state_digest());
        EXPECT_NE(digests.back(), digests[digests.size() - 2]);
    };
    EXPECT_EQ(ledger.state_digest(), digests[0]);
    ledger.set_account_flags(wallet, account_flags::frozen, 0);
    note();
    ledger.set_account_flags(wallet, 0, account_flags::frozen);
    EXPECT_EQ(ledger.state_digest(), digests[0]);
    pay(6, 0, 100 * second);
    note();
    std::vector<Expired> expired;
    ledger.expire(101 * second, expired);  // time alone is state
    note();
    EXPECT_EQ(
        send({.id = 12, .debit_account_id = 98, .credit_account_id = shop, .ledger = 156, .code = 1}, 102 * second),
        CreateTransferResult::debit_account_not_found);
    note();
}

TEST(Interface, timestamps_count_up_to_that_of_the_batch) {
    Ledger ledger;
    const std::vector<Account> accounts{
        {.id = 1, .ledger = 1, .code = 1}, {.id = 0}, {.id = 2, .ledger = 1, .code = 1}};
    std::vector<CreateAccountResult> results{CreateAccountResult::exists};
    ledger.create_accounts(accounts, 100, results);
    EXPECT_THAT(results, ElementsAre(CreateAccountResult::ok, CreateAccountResult::id_must_not_be_zero,
                                     CreateAccountResult::ok));
    EXPECT_EQ(ledger.find_account(1)->timestamp, 98U);
    EXPECT_EQ(ledger.find_account(2)->timestamp, 100U);
    EXPECT_EQ(ledger.last_timestamp_ns(), 100U);
    ledger.create_accounts({}, 0, results);
    EXPECT_THAT(results, IsEmpty());
}

TEST(Interface, the_largest_batch_and_stable_addresses) {
    Ledger ledger;
    std::vector<Account> accounts;
    for (std::size_t i = 1; i <= max_batch; ++i) accounts.push_back({.id = i, .ledger = 1, .code = 1});
    std::vector<CreateAccountResult> results;
    ledger.create_accounts({accounts.data(), 1}, 1, results);
    const Account* first = ledger.find_account(1);
    ledger.create_accounts(accounts, 1'000'000, results);
    EXPECT_EQ(results.front(), CreateAccountResult::exists);
    EXPECT_EQ(results.back(), CreateAccountResult::ok);
    const Ledger moved = std::move(ledger);
    EXPECT_EQ(moved.find_account(1), first);
    EXPECT_EQ(moved.account_count(), max_batch);
}

TEST(InterfaceDeathTest, wrong_use_is_a_bug_and_stops_the_program) {
    Ledger ledger;
    std::vector<CreateTransferResult> results;
    std::vector<Expired> expired;
    const std::vector<Transfer> three(3);
    const std::vector<Transfer> too_many(max_batch + 1);
    ledger.create_transfers(three, 100, results);
    EXPECT_DEATH(ledger.create_transfers(three, 102, results), "last_timestamp_ns");
    EXPECT_DEATH(ledger.create_transfers(too_many, 1'000'000, results), "max_batch");
    EXPECT_DEATH(ledger.expire(99, expired), "last_timestamp_ns");
    ledger.expire(100, expired);
    ledger.create_transfers(three, 103, results);
}

}  // namespace
}  // namespace jiaozi::ledger
