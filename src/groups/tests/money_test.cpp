// Deposits, freezing, balances and statements: the ledger's side of a wallet.
#include <gmock/gmock.h>

#include <jiaozi/api/accounts.hpp>

#include "groups_fixture.hpp"

namespace jiaozi::groups {
namespace {

class MoneyTest : public GroupsTest {
  protected:
    void SetUp() override {
        GroupsTest::SetUp();
        family = group(1, "family");
        wallet = open_wallet(1, family.id, "pot").value().id;
        other = open_wallet(2, family.id, "jar").value().id;
    }

    ledger::CreateTransferResult transfer(ledger::Transfer event) {
        event.ledger = assets::CNY.ledger;
        event.code = api::transfer_payment;
        engine::Command command;
        command.transfers.push_back(event);
        return engine->execute(std::move(command)).value().transfers.at(0);
    }

    Group family;
    WalletId wallet, other;
};

TEST_F(MoneyTest, ADepositIsMadeOncePerId) {
    const Deposit first = deposit(1, wallet, 10'000).value();
    clock.advance(seconds(60));
    EXPECT_EQ(deposit(1, wallet, 10'000).value().created, first.created);
    EXPECT_EQ(deposit(1, wallet, 10'001).error().code(), "idempotency_mismatch");
    EXPECT_EQ(deposit(1, other, 10'000).error().code(), "idempotency_mismatch");
    EXPECT_EQ(groups->balance(wallet)->total, Amount(10'000, assets::CNY));
    EXPECT_EQ(groups->balance(other)->total, Amount(0, assets::CNY));
    const auto funding = engine->account(api::system_account(api::code_funding, assets::CNY.ledger));
    EXPECT_TRUE(funding->debits_posted == 10'000) << "money comes from somewhere";
    restart();
    EXPECT_EQ(groups->balance(wallet)->available, Amount(10'000, assets::CNY));
    EXPECT_EQ(deposit(1, wallet, 10'000).value().created, first.created);
}

TEST_F(MoneyTest, BadDepositsAreRefused) {
    EXPECT_EQ(deposit(1, wallet, 0).error().param(), "amount");
    EXPECT_EQ(deposit(1, wallet, 5, assets::EUR).error().code(), "asset_mismatch");
    EXPECT_EQ(deposit(1, WalletId(99), 5).error().code(), "wallet_not_found");
    EXPECT_TRUE(deposit(1, wallet, 5).ok()) << "a refusal before the ledger uses up no id";
}

TEST_F(MoneyTest, TheJournalTellsADepositInItsAnnotation) {
    Bytes annotation;
    const std::uint64_t before = engine->last_sequence();
    ASSERT_TRUE(deposit(1, wallet, 300).ok());
    std::atomic<bool> seen = false;
    const auto feed = engine->subscribe(before, [&](std::span<const engine::Committed> commands) {
        annotation = commands[0].command.annotation;
        seen = true;
    });
    ASSERT_TRUE(app.run_until([&] { return seen.load(); }));
    // {1: 32, 2: deposit, 3: wallet, 4: 300, 5: "CNY"}
    EXPECT_EQ(to_hex(annotation),
              "a5011820"
              "0250"
              "00000000000000080000000000000001"
              "0350"
              "00000000000000070000000000000001"
              "0419012c"
              "0563434e59");
}

TEST_F(MoneyTest, AFrozenWalletTakesNothingUntilUnfrozenAndTheLedgerDecides) {
    ASSERT_TRUE(set_frozen(wallet, true).ok());
    EXPECT_TRUE(groups->wallet(wallet)->frozen);
    EXPECT_EQ(deposit(1, wallet, 5).error().code(), "wallet_frozen");
    ASSERT_TRUE(set_frozen(wallet, true).ok()) << "again is fine";
    restart();
    EXPECT_TRUE(groups->wallet(wallet)->frozen);
    ASSERT_TRUE(set_frozen(wallet, false).ok());
    EXPECT_TRUE(deposit(1, wallet, 5).ok());
    EXPECT_THAT(event_types(), testing::IsSupersetOf({"wallet.frozen", "wallet.unfrozen"}));

    // A stop between ledger and record: the next start puts the record right.
    engine::Command freeze;
    freeze.flag_changes.push_back({.account_id = wallet.value, .set = ledger::account_flags::frozen});
    ASSERT_TRUE(engine->execute(std::move(freeze)).ok());
    restart();
    EXPECT_TRUE(groups->wallet(wallet)->frozen);
    EXPECT_TRUE(registry::get_wallet(*session, wallet).value().frozen);
}

TEST_F(MoneyTest, ABalanceSetsHeldMoneyAside) {
    ASSERT_TRUE(deposit(1, wallet, 1'000).ok());
    ASSERT_EQ(transfer({.id = 100,
                        .debit_account_id = wallet.value,
                        .credit_account_id = other.value,
                        .amount = 300,
                        .flags = ledger::transfer_flags::pending}),
              ledger::CreateTransferResult::ok);
    const api::Balance held = groups->balance(wallet).value();
    EXPECT_EQ(held.total, Amount(1'000, assets::CNY));
    EXPECT_EQ(held.held, Amount(300, assets::CNY));
    EXPECT_EQ(held.available, Amount(700, assets::CNY));
    EXPECT_FALSE(groups->balance(WalletId(99)).has_value());
    EXPECT_FALSE(groups->balance(WalletId(api::system_account(api::code_funding, assets::CNY.ledger))).has_value());
}

// A hold captured in part, one released, one that ran out: what the statements of both sides say.
TEST_F(MoneyTest, AStatementTellsEveryChangeNewestFirst) {
    ASSERT_TRUE(deposit(1, wallet, 1'000).ok());
    namespace flags = ledger::transfer_flags;
    const auto hold = [&](std::uint64_t id, std::uint64_t amount, std::uint32_t timeout_s = 0) {
        return transfer({.id = id,
                         .debit_account_id = wallet.value,
                         .credit_account_id = other.value,
                         .amount = amount,
                         .user_data_128 = id * 10,
                         .timeout_s = timeout_s,
                         .flags = flags::pending});
    };
    using enum ledger::CreateTransferResult;
    ASSERT_EQ(hold(100, 300), ok);
    ASSERT_EQ(transfer({.id = 101, .amount = 200, .pending_id = 100, .flags = flags::post_pending}), ok);
    ASSERT_EQ(hold(102, 50), ok);
    ASSERT_EQ(transfer({.id = 103, .amount = ledger::everything, .pending_id = 102, .flags = flags::void_pending}), ok);
    ASSERT_EQ(hold(104, 70, 5), ok);
    clock.advance(seconds(10));
    ASSERT_TRUE(engine->execute({}).ok());

    const auto rows_of = [&](WalletId id) {
        std::vector<std::string> rows;
        std::string cursor;
        do {
            const Statement page = groups->statement(id, {.from = {}, .limit = 3, .cursor = cursor}).value();
            for (const StatementRow& row : page.rows) {
                rows.push_back(std::string(name_of(row.direction)) + " " + std::string(name_of(row.phase)) + " " +
                               row.amount.minor_text() + " -> " + row.balance_after.minor_text() + " held " +
                               row.held_after.minor_text() + " for " + to_decimal(row.reference & 0xFFFF));
            }
            cursor = page.next;
        } while (!cursor.empty());
        return rows;
    };
    EXPECT_THAT(
        rows_of(wallet),
        testing::ElementsAre("debit released 70 -> 800 held 0 for 1040", "debit held 70 -> 800 held 70 for 1040",
                             "debit released 50 -> 800 held 0 for 1020", "debit held 50 -> 800 held 50 for 1020",
                             "debit posted 200 -> 800 held 0 for 1000", "debit held 300 -> 1000 held 300 for 1000",
                             "credit posted 1000 -> 1000 held 0 for 1"));
    const auto other_rows = rows_of(other);
    ASSERT_EQ(other_rows.size(), 6U);
    EXPECT_EQ(other_rows[4], "credit posted 200 -> 200 held 0 for 1000");

    EXPECT_EQ(groups->statement(wallet, {.from = {}, .limit = 0, .cursor = {}}).error().param(), "limit");
    EXPECT_EQ(groups->statement(wallet, {.from = {}, .cursor = "3x"}).error().param(), "cursor");
    EXPECT_EQ(groups->statement(WalletId(9), {.from = {}, .cursor = {}}).error().code(), "wallet_not_found");
}

TEST_F(MoneyTest, ARegistryWithoutItsJournalIsRefused) {
    stop();
    std::filesystem::remove_all(folder / "journal");
    session.reset();
    auto reopened =
        registry::Store::open({.url = "sqlite:" + (folder / "registry.db").string(), .seal = {}, .open = {}}).value();
    auto fresh_session = reopened->session().value();
    auto fresh_engine = engine::Engine::open({.directory = folder / "journal"}, clock).value();
    EXPECT_EQ(GroupService::load({*fresh_session, *fresh_engine, clock, app, signal}).error().kind(),
              ErrorKind::corrupt);
}

}  // namespace
}  // namespace jiaozi::groups
