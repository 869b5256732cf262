// Histories of an engine, in memory and on disk, against a plain list; and what becomes of them when files are lost,
// damaged or not this journal's. JIAOZI_SEED repeats one run.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

#include <gmock/gmock.h>

#include <jiaozi/engine/histories.hpp>
#include <jiaozi/storage/snapshot.hpp>

#include "engine_fixture.hpp"
#include "histories.hpp"
#include "history_store.hpp"
#include "stream.hpp"

namespace jiaozi::engine {
namespace {

using ledger::BalanceChange;
using ledger::StatementPage;
using ledger::StatementQuery;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t second_ns = 1'000'000'000;

// The shop keeps a history; at second 10·n of the clock it is paid n, for n = 1 … 5, under transfer id n.
class StatementTest : public EngineTest, public ::testing::WithParamInterface<std::size_t> {
  protected:
    StatementTest() {
        options_.history_tail_rows = GetParam();
        options_.history_thread = false;
        options_.snapshot_every_bytes = 0;
    }
    void SetUp() override {
        start_ = clock_.now();
        open_with_accounts();
        for (unsigned n = 1; n <= 5; ++n) pay_at(10 * n, a_transfer(n, till, shop, n));
    }
    void pay_at(std::int64_t second, const ledger::Transfer& transfer) {
        clock_.set(start_ + seconds(second));
        ASSERT_EQ(pay(transfer), CreateTransferResult::ok);
    }
    std::uint64_t at(std::uint64_t second) const { return start_.ns + second * second_ns; }
    StatementPage page(const StatementQuery& query) {
        auto found = engine_->statement(shop, query);
        EXPECT_TRUE(found.ok()) << found.error().to_string();
        return found.ok() ? *found : StatementPage{};
    }
    static std::vector<int> ids(const StatementPage& page) {
        std::vector<int> found;
        for (const BalanceChange& change : page.changes) found.push_back(static_cast<int>(change.transfer_id));
        return found;
    }

    Timestamp start_;
};

TEST_P(StatementTest, BetweenTwoTimes) {
    EXPECT_THAT(ids(page({})), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_THAT(ids(page({.reversed = true})), ElementsAre(5, 4, 3, 2, 1));
    EXPECT_THAT(ids(page({.from_ns = at(20), .to_ns = at(40)})), ElementsAre(2, 3, 4));
    EXPECT_THAT(ids(page({.from_ns = at(20) + 1, .to_ns = at(40) - 1})), ElementsAre(3));
    EXPECT_THAT(ids(page({.from_ns = at(40), .to_ns = at(20)})), IsEmpty());
    EXPECT_THAT(ids(page({.from_ns = at(51)})), IsEmpty());
    EXPECT_THAT(ids(page({.to_ns = at(10) - 1})), IsEmpty());
}

TEST_P(StatementTest, PageByPage) {
    StatementQuery query{.from_ns = at(20), .limit = 2};
    StatementPage found = page(query);
    EXPECT_THAT(ids(found), ElementsAre(2, 3));
    query.cursor = found.next;
    found = page(query);
    EXPECT_THAT(ids(found), ElementsAre(4, 5));
    EXPECT_EQ(found.next, std::nullopt);

    query = {.limit = 2, .reversed = true};
    found = page(query);
    EXPECT_THAT(ids(found), ElementsAre(5, 4));
    pay_at(60, a_transfer(6, till, shop, 6));  // what comes meanwhile does not shift the pages
    query.cursor = found.next;
    found = page(query);
    EXPECT_THAT(ids(found), ElementsAre(3, 2));
    query.cursor = found.next;
    found = page(query);
    EXPECT_THAT(ids(found), ElementsAre(1));
    EXPECT_EQ(found.next, std::nullopt);
    query.cursor = UINT64_MAX;  // a cursor from somewhere else does no harm
    EXPECT_THAT(ids(page(query)), ElementsAre(6, 5));
}

TEST_P(StatementTest, BalanceAtATime) {
    EXPECT_EQ(engine_->balance_at(shop, Timestamp{at(10) - 1})->has_value(), false);
    EXPECT_EQ((*engine_->balance_at(shop, Timestamp{at(10)}))->credits_posted, 1U);
    EXPECT_EQ((*engine_->balance_at(shop, Timestamp{at(29)}))->credits_posted, 3U);
    EXPECT_EQ((*engine_->balance_at(shop, Timestamp{UINT64_MAX}))->credits_posted, 15U);
}

TEST_P(StatementTest, ExpiryIsAChangeOfItsOwn) {
    for (const unsigned id : {7U, 8U}) {
        pay_at(70 + id, a_transfer(id, till, shop, 7, ledger::transfer_flags::pending, 5));
    }
    clock_.set(start_ + seconds(90));
    eventually([&] { return engine_->pending_status(8).value() == ledger::PendingStatus::expired; },
               "the holds run out");
    pay_at(100, a_transfer(9, till, shop, 1));
    const StatementPage found = page({.from_ns = at(60)});
    EXPECT_THAT(ids(found), ElementsAre(7, 8, 7, 8, 9));
    ASSERT_EQ(found.changes.size(), 5U);
    const BalanceChange& last = found.changes[3];
    EXPECT_EQ(last.cause, ledger::ChangeCause::expiry);
    EXPECT_EQ(last.credits_pending, 0U);
    EXPECT_EQ((*engine_->balance_at(shop, Timestamp{found.changes[2].timestamp - 1}))->credits_pending, 14U);
    EXPECT_EQ(*engine_->balance_at(shop, Timestamp{last.timestamp}), last);
    // Bounds that fall between the last event and the holds that ran out after it.
    EXPECT_THAT(ids(page({.from_ns = found.changes[1].timestamp + 1})), ElementsAre(7, 8, 9));
    EXPECT_THAT(ids(page({.from_ns = last.timestamp + 1})), ElementsAre(9));
    EXPECT_THAT(ids(page({.from_ns = at(60), .to_ns = found.changes[2].timestamp - 1})), ElementsAre(7, 8));
    EXPECT_THAT(ids(page({.from_ns = at(60), .to_ns = last.timestamp, .limit = 3, .reversed = true})),
                ElementsAre(8, 7, 8));
}

INSTANTIATE_TEST_SUITE_P(InMemoryAndOnDisk, StatementTest, ::testing::Values(std::size_t{1} << 17, 1, 3),
                         [](const auto& tail) { return "TailOf" + std::to_string(tail.param); });

// An engine and a plain ledger that are given the same, compared in every way a history can be asked for.
class HistoryTest : public EngineTest {
  protected:
    HistoryTest() {
        options_.snapshot_every_bytes = 0;
        options_.history_tail_rows = 40;
        options_.history_thread = false;
        options_.segment_bytes = std::uint64_t{64} << 10;
    }

    std::filesystem::path folder() const { return options_.directory / histories_folder; }
    std::vector<std::filesystem::path> runs() const {
        std::vector<std::filesystem::path> found;
        if (!std::filesystem::exists(folder())) return found;
        for (const auto& entry : std::filesystem::directory_iterator(folder())) found.push_back(entry.path());
        std::ranges::sort(found);
        return found;
    }

    // Runs its commands through both.
    void live(ledger::test::Stream& stream, unsigned steps) {
        for (unsigned step = 0; step < steps && !HasFailure(); ++step) {
            Command command;
            if (sent_++ == 0) {
                command.accounts = {an_account(payer, ledger::account_flags::history),
                                    an_account(payee, ledger::account_flags::history)};
            } else if (stream.chance(10)) {
                command.accounts = stream.accounts();
            } else if (stream.chance(30)) {
                // Some streams close all their accounts early; these two stay open.
                for (int i = 0; i < 5; ++i)
                    command.transfers.push_back(a_transfer(payer + ++sent_, payer, payee, 1 + stream.below(500)));
            } else {
                command.transfers = stream.transfers();
            }
            clock_.advance(milliseconds(static_cast<std::int64_t>(stream.below(1500))));
            const auto outcome = engine_->execute(command);
            ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
            stream.learn(command.transfers, outcome->transfers);
        }
        // Ticks are commands as well; so what happened is taken from the journal.
        while (applied_ < engine_->last_sequence()) {
            const auto committed = read_command(*engine_, applied_ + 1, seconds(60));
            ASSERT_TRUE(committed.ok()) << committed.error().to_string();
            apply(*committed);
            ++applied_;
        }
    }
    void apply(const Committed& committed) {
        const Command& command = committed.command;
        std::vector<ledger::Expired> expired;
        std::vector<CreateAccountResult> accounts;
        std::vector<CreateTransferResult> transfers;
        std::uint64_t event = committed.timestamp.ns - command.accounts.size() - command.transfers.size();
        plain_.expire(event, expired);
        event += command.accounts.size();
        if (!command.accounts.empty()) plain_.create_accounts(command.accounts, event, accounts);
        event += command.transfers.size();
        if (!command.transfers.empty()) plain_.create_transfers(command.transfers, event, transfers);
    }

    // Until that many runs are there; merging takes some away again.
    void live_until_runs(ledger::test::Stream& stream, std::size_t count) {
        for (unsigned i = 0; i < 200 && runs().size() < count && !HasFailure(); ++i) live(stream, 5);
        ASSERT_GE(runs().size(), count);
    }

    std::vector<BalanceChange> wanted(const std::vector<BalanceChange>& all, const StatementQuery& query) {
        std::vector<BalanceChange> found;
        for (const BalanceChange& change : all) {
            if (change.timestamp >= query.from_ns && change.timestamp <= query.to_ns) found.push_back(change);
        }
        if (query.reversed) std::ranges::reverse(found);
        return found;
    }

    void compare(ledger::test::Stream& stream) {
        std::size_t compared = 0;
        for (std::size_t i = 0; i < plain_.account_count() && !HasFailure(); ++i) {
            const ledger::Account& account = plain_.account_at(i);
            if ((account.flags & ledger::account_flags::history) == 0) continue;
            const auto all = histories_.changes(plain_, account.id);
            StatementQuery query;
            query.limit = 1 + stream.below(20);
            query.reversed = stream.chance(50);
            if (!all.empty() && stream.chance(40))
                query.from_ns = all[stream.below(all.size())].timestamp + stream.below(2);
            if (!all.empty() && stream.chance(40))
                query.to_ns = all[stream.below(all.size())].timestamp - stream.below(2);
            std::vector<BalanceChange> found;
            for (;;) {
                const auto page = engine_->statement(account.id, query);
                ASSERT_TRUE(page.ok()) << page.error().to_string();
                ASSERT_LE(page->changes.size(), query.limit);
                found.insert(found.end(), page->changes.begin(), page->changes.end());
                if (!page->next) break;
                query.cursor = page->next;
            }
            ASSERT_EQ(found, wanted(all, query)) << "account " << to_decimal(account.id);
            compared += all.size();
        }
        const auto violations = engine_->check_invariants();
        ASSERT_TRUE(violations.empty()) << violations.front().detail;
        compared_ += compared;
    }

    static std::uint64_t seed_of_run() {
        const char* text = std::getenv("JIAOZI_SEED");
        const std::uint64_t seed = text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, 10);
        std::cout << "JIAOZI_SEED=" << seed << '\n';
        return seed;
    }

    static constexpr uint128 payer = 1'000'000'000, payee = 2'000'000'000;
    ledger::test::Histories histories_;
    ledger::Ledger plain_{histories_};
    std::uint64_t sent_ = 0;
    std::uint64_t applied_ = 0;
    std::size_t compared_ = 0;
};

TEST_F(HistoryTest, IsWhatAPlainListSaysThroughManyLives) {
    const std::uint64_t seed = seed_of_run();
    ledger::test::Stream stream(seed);
    open();
    for (unsigned life = 0; life < 8 && !HasFailure(); ++life) {
        live(stream, 25);
        compare(stream);
        if (stream.chance(40)) {
            ASSERT_TRUE(engine_->make_snapshot().ok());
        }
        options_.use_snapshots = stream.chance(70);
        options_.history_thread = stream.chance(30);
        options_.history_tail_rows = stream.chance(20) ? 5 : 40;
        open();
        EXPECT_EQ(engine_->opening().snapshots_skipped, 0U);
        compare(stream);
    }
    EXPECT_GT(compared_, 100U);
}

TEST_F(HistoryTest, AThreadOfItsOwnWritesTheSame) {
    ledger::test::Stream stream(seed_of_run());
    options_.history_thread = true;
    options_.history_tail_rows = 8;
    open();
    for (unsigned i = 0; i < 10; ++i) {
        live(stream, 20);
        compare(stream);
    }
    open();
    // Fours become one, and those one again, as soon as the thread gets to it.
    eventually([&] { return runs().size() < 40; }, "runs are joined");
    compare(stream);
}

TEST_F(HistoryTest, FilesThatAreLostAreMadeAgain) {
    ledger::test::Stream stream(seed_of_run());
    open();
    live_until_runs(stream, 2);
    ASSERT_TRUE(engine_->make_snapshot().ok());
    live(stream, 10);
    const auto files = runs();
    ASSERT_GE(files.size(), 1U);
    for (const auto& lost : {files.front(), files.back()}) {
        engine_.reset();
        std::filesystem::remove(lost);
        open();
        compare(stream);
    }
    EXPECT_EQ(runs(), files) << "the same journal gives the same files";
    engine_.reset();
    std::filesystem::remove_all(folder());
    open();
    EXPECT_EQ(engine_->opening().snapshot_sequence, 0U) << "a snapshot relies on them";
    EXPECT_EQ(engine_->opening().snapshots_skipped, 1U);
    compare(stream);
}

TEST_F(HistoryTest, WhatIsLeftOfACrashIsRemoved) {
    ledger::test::Stream stream(seed_of_run());
    open();
    live_until_runs(stream, 2);
    const auto files = runs();
    engine_.reset();
    std::ofstream(folder() / "next.tmp") << "half";
    std::ofstream(folder() / "merge-0.tmp") << "half";
    // Parts of a run that took their place already.
    std::filesystem::copy_file(files.front(), folder() / run_name({5, 6}));
    open();
    compare(stream);
    EXPECT_EQ(runs(), files);
}

TEST_F(HistoryTest, ADamagedFileIsSaidToBeAndNeverBelieved) {
    ledger::test::Stream stream(seed_of_run());
    open();
    live_until_runs(stream, 1);
    const auto files = runs();
    const auto damage = [&](std::size_t offset) {
        engine_.reset();
        std::fstream file(files.front(), std::ios::binary | std::ios::in | std::ios::out);
        file.seekg(static_cast<std::streamoff>(offset));
        const int byte = file.get();
        file.seekp(static_cast<std::streamoff>(offset));
        file.put(static_cast<char>(byte ^ 0x10));
    };
    damage(40);  // the header: it is left out, and made again
    open();
    compare(stream);
    EXPECT_EQ(runs(), files);
    damage(300);  // its changes: whoever asks for them is told
    open();
    std::size_t told = 0;
    for (std::size_t i = 0; i < plain_.account_count(); ++i) {
        const ledger::Account& account = plain_.account_at(i);
        if ((account.flags & ledger::account_flags::history) == 0) continue;
        const auto page = engine_->statement(account.id, {.limit = 8000});
        if (page.ok()) {
            EXPECT_EQ(page->changes, histories_.changes(plain_, account.id));
            continue;
        }
        ++told;
        EXPECT_EQ(page.error().kind(), ErrorKind::corrupt);
        EXPECT_NE(page.error().message().find(files.front().filename().string()), std::string::npos);
        EXPECT_NE(page.error().message().find("remove that file"), std::string::npos);
    }
    EXPECT_GT(told, 0U);
    EXPECT_FALSE(check_histories(options_.directory, disk_).ok());
    engine_.reset();
    std::filesystem::remove(files.front());
    open();
    compare(stream);
    EXPECT_TRUE(check_histories(options_.directory, disk_).ok());
}

TEST_F(HistoryTest, OnesOfAFutureThatWasTakenBackAreNotUsed) {
    options_.history_tail_rows = 2;
    open_with_accounts();
    for (unsigned i = 0; i < 4; ++i) ASSERT_EQ(pay(a_transfer(100 + i, till, shop, 5)), CreateTransferResult::ok);
    engine_.reset();
    const auto saved = root_ / "saved";
    std::filesystem::copy(options_.directory / "journal", saved, std::filesystem::copy_options::recursive);
    open();
    for (unsigned i = 0; i < 6; ++i) ASSERT_EQ(pay(a_transfer(200 + i, till, shop, 7)), CreateTransferResult::ok);
    engine_.reset();
    std::filesystem::remove_all(options_.directory / "journal");
    std::filesystem::rename(saved, options_.directory / "journal");
    open();
    EXPECT_EQ(engine_->statement(shop, {})->changes.size(), 4U);
    for (unsigned i = 0; i < 6; ++i) ASSERT_EQ(pay(a_transfer(300 + i, till, shop, 9)), CreateTransferResult::ok);
    open();
    const auto page = engine_->statement(shop, {});
    ASSERT_TRUE(page.ok());
    EXPECT_EQ(page->changes.size(), 10U);
    EXPECT_EQ(page->changes.back().credits_posted, uint128{4 * 5 + 6 * 9});
}

}  // namespace
}  // namespace jiaozi::engine
