#include <atomic>
#include <fstream>
#include <semaphore>

#include "engine_fixture.hpp"

namespace jiaozi::engine {
namespace {

namespace tf = ledger::transfer_flags;

TEST_F(EngineTest, ACommandIsAnsweredWithItsSequenceAndResults) {
    open_with_accounts();
    const auto paid = engine_->execute(of(a_transfer(10, till, wallet, 500)));
    ASSERT_TRUE(paid.ok());
    EXPECT_EQ(paid->sequence, 2u);
    EXPECT_EQ(paid->transfers, std::vector{CreateTransferResult::ok});
    EXPECT_EQ(pay(a_transfer(11, wallet, shop, 501)), CreateTransferResult::exceeds_credits);
    EXPECT_EQ(pay(a_transfer(10, till, wallet, 500)), CreateTransferResult::exists);
    EXPECT_EQ(engine_->account(wallet)->credits_posted, uint128{500});
    EXPECT_EQ(engine_->transfer(10).value()->timestamp, paid->timestamp.ns);
    EXPECT_FALSE(engine_->transfer(11).value().has_value());
    EXPECT_FALSE(engine_->account(99).has_value());
    EXPECT_EQ(engine_->last_sequence(), 4u);
}

TEST_F(EngineTest, AccountsThenFlagChangesThenTransfersInOneCommand) {
    open();
    Command command;
    command.accounts = {an_account(till), an_account(wallet), an_account(shop)};
    command.flag_changes = {{shop, ledger::account_flags::frozen, 0}, {99, ledger::account_flags::frozen, 0}};
    command.transfers = {a_transfer(10, till, wallet, 5), a_transfer(11, till, shop, 5)};
    const auto outcome = engine_->execute(std::move(command));
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->accounts, std::vector<CreateAccountResult>(3));
    EXPECT_EQ(outcome->flag_changes,
              (std::vector{ledger::SetAccountFlagsResult::ok, ledger::SetAccountFlagsResult::account_not_found}));
    EXPECT_EQ(outcome->transfers, (std::vector{CreateTransferResult::ok, CreateTransferResult::credit_account_frozen}));
    EXPECT_EQ(engine_->transfer(10).value()->timestamp, outcome->timestamp.ns - 1) << "the event before the last";

    Command thaw;
    thaw.flag_changes = {{shop, 0, ledger::account_flags::frozen}};
    ASSERT_TRUE(engine_->execute(std::move(thaw)).ok());
    EXPECT_EQ(pay(a_transfer(12, till, shop, 5)), CreateTransferResult::ok);
}

TEST_F(EngineTest, TimestampsRiseThoughTheClockStandsStillOrGoesBack) {
    open_with_accounts();
    std::uint64_t last = 0;
    for (unsigned i = 0; i < 50; ++i) {
        if (i == 25) clock_.set(timestamp_s(1));
        const auto outcome = engine_->execute(of(a_transfer(100 + i, till, shop, 1)));
        ASSERT_GT(outcome->timestamp.ns, last);
        last = outcome->timestamp.ns;
    }
}

TEST_F(EngineTest, AChainDoesNotReachIntoTheNextCommand) {
    open_with_accounts();
    std::atomic<int> answered{0};
    std::vector<CreateTransferResult> results(2);
    for (unsigned i = 0; i < 2; ++i) {
        engine_->submit(of(a_transfer(10 + i, till, shop, 1, i == 0 ? tf::linked : std::uint16_t{0})),
                        [&, i](Result<Outcome> outcome) {
                            results[i] = outcome->transfers[0];
                            ++answered;
                        });
    }
    eventually([&] { return answered == 2; }, "both answered");
    EXPECT_EQ(results[0], CreateTransferResult::linked_event_chain_open);
    EXPECT_EQ(results[1], CreateTransferResult::ok);
}

TEST_F(EngineTest, ReplayGivesTheSameState) {
    open_with_accounts();
    for (unsigned i = 0; i < 200; ++i) {
        pay(a_transfer(100 + i, till, wallet, i + 1));
        pay(a_transfer(1000 + i, wallet, shop, i + 2, i % 3 == 0 ? tf::pending : std::uint16_t{0}, i % 3 == 0 ? 5 : 0));
        if (i % 20 == 0) clock_.advance(seconds(1));
    }
    const auto digest = engine_->state_digest();
    const auto sequence = engine_->last_sequence();
    options_.tick = milliseconds(50);
    open();
    EXPECT_EQ(engine_->last_sequence(), sequence);
    EXPECT_EQ(engine_->state_digest(), digest);
    EXPECT_EQ(pay(a_transfer(100, till, wallet, 1)), CreateTransferResult::exists) << "idempotent over restarts";
}

TEST_F(EngineTest, HoldsExpireByTheClockWithoutTraffic) {
    open_with_accounts();
    ASSERT_EQ(pay(a_transfer(10, till, shop, 70, tf::pending, 30)), CreateTransferResult::ok);
    clock_.advance(milliseconds(29'900));
    EXPECT_EQ(engine_->pending_status(10).value(), ledger::PendingStatus::pending);
    const auto before = engine_->last_sequence();
    clock_.advance(milliseconds(200));
    eventually([&] { return engine_->pending_status(10).value() == ledger::PendingStatus::expired; },
               "the hold expires");
    eventually([&] { return engine_->last_sequence() == before + 1; }, "a tick is journaled");
    EXPECT_EQ(engine_->account(shop)->credits_pending, uint128{0});
    const auto digest = engine_->state_digest();
    open();
    EXPECT_EQ(engine_->state_digest(), digest) << "expiry is replayed from the journal";
    EXPECT_EQ(engine_->pending_status(10).value(), ledger::PendingStatus::expired);
}

TEST_F(EngineTest, HoldsThatExpiredWhileTheEngineWasDownAreVoidedBeforeTheNextCommand) {
    open_with_accounts();
    for (unsigned i = 0; i < 5; ++i) {
        ASSERT_EQ(pay(a_transfer(10 + i, till, shop, 7, tf::pending, 10 + 10 * i)), CreateTransferResult::ok);
    }
    engine_.reset();
    clock_.advance(seconds(35));
    open();
    EXPECT_EQ(pay(a_transfer(50, till, wallet, 1)), CreateTransferResult::ok);
    for (unsigned i = 0; i < 5; ++i) {
        EXPECT_EQ(engine_->pending_status(10 + i).value(),
                  i < 3 ? ledger::PendingStatus::expired : ledger::PendingStatus::pending)
            << i;
    }
    EXPECT_EQ(engine_->account(shop)->credits_pending, uint128{14});
}

TEST_F(EngineTest, CommandsThatWaitTogetherShareASync) {
    open_with_accounts();
    disk_.slow_syncs(2000);
    const auto syncs = disk_.syncs();
    constexpr unsigned threads = 4;
    constexpr unsigned each = 250;
    std::atomic<unsigned> answered{0};
    {
        std::vector<std::jthread> submitters;
        for (unsigned t = 0; t < threads; ++t) {
            submitters.emplace_back([&, t] {
                for (unsigned i = 0; i < each; ++i) {
                    engine_->submit(of(a_transfer(1000 * (t + 1) + i, till, shop, 1)), [&](Result<Outcome> outcome) {
                        EXPECT_TRUE(outcome.ok());
                        ++answered;
                    });
                }
            });
        }
    }
    eventually([&] { return answered == threads * each; }, "all answered");
    const auto used = disk_.syncs() - syncs;
    std::printf("%u commands, %llu syncs\n", threads * each, static_cast<unsigned long long>(used));
    EXPECT_LT(used, threads * each / 4);
    EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{threads * each});
    EXPECT_EQ(engine_->counters().commands, threads * each + 1);
}

TEST_F(EngineTest, AFullQueueRefusesAtOnce) {
    open_with_accounts();
    engine_.reset();
    options_.max_queue = 10;
    open();
    std::binary_semaphore in_callback(0);
    std::binary_semaphore go_on(0);
    engine_->submit(of(a_transfer(10, till, shop, 1)), [&](Result<Outcome>) {
        in_callback.release();
        go_on.acquire();  // holds the writer, so that the queue fills
    });
    in_callback.acquire();
    std::atomic<unsigned> ok{0};
    std::atomic<unsigned> refused{0};
    for (unsigned i = 0; i < 15; ++i) {
        engine_->submit(of(a_transfer(100 + i, till, shop, 1)), [&](Result<Outcome> outcome) {
            if (outcome.ok()) {
                ++ok;
            } else {
                EXPECT_EQ(outcome.error().kind(), ErrorKind::unavailable);
                ++refused;
            }
        });
    }
    EXPECT_EQ(refused, 5u);
    go_on.release();
    eventually([&] { return ok == 10; }, "those that were taken are answered");
}

TEST_F(EngineTest, WhatIsTooLargeIsRefusedBeforeAnythingHappens) {
    open_with_accounts();
    const auto sequence = engine_->last_sequence();
    Command transfers;
    transfers.transfers.assign(max_events + 1, a_transfer(10, till, shop, 1));
    Command annotation;
    annotation.annotation.assign(max_annotation_bytes + 1, 'x');
    for (Command* command : {&transfers, &annotation}) {
        const auto refused = engine_->execute(std::move(*command));
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().kind(), ErrorKind::too_large);
    }
    EXPECT_EQ(engine_->last_sequence(), sequence);
    Command largest;
    largest.annotation.assign(max_annotation_bytes, 0);
    for (std::size_t i = 0; i < max_events; ++i) largest.transfers.push_back(a_transfer(1000 + i, till, shop, 1));
    EXPECT_TRUE(engine_->execute(std::move(largest)).ok());
    open();
    EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{max_events});
}

TEST_F(EngineTest, StatementsComeInPagesAndBalancesAtAnyTime) {
    open_with_accounts();
    std::vector<Timestamp> times;
    for (unsigned i = 1; i <= 7; ++i) {
        times.push_back(engine_->execute(of(a_transfer(10 + i, till, shop, i)))->timestamp);
        clock_.advance(seconds(60));
    }
    const auto page = engine_->statement(shop, {.limit = 5});
    ASSERT_TRUE(page.ok());
    EXPECT_EQ(page->changes.size(), 5u);
    const auto rest = engine_->statement(shop, {.limit = 5, .cursor = page->next});
    EXPECT_EQ(rest->changes.size(), 2u);
    EXPECT_FALSE(rest->next.has_value());
    EXPECT_EQ((*engine_->balance_at(shop, times[2]))->credits_posted, uint128{1 + 2 + 3});
    EXPECT_FALSE(engine_->balance_at(shop, timestamp_s(1))->has_value()) << "before the first change";

    EXPECT_EQ(engine_->statement(99, {}).error().kind(), ErrorKind::not_found);
    EXPECT_EQ(engine_->statement(wallet, {}).error().kind(), ErrorKind::invalid) << "keeps no history";
    EXPECT_EQ(engine_->statement(shop, {.limit = 0}).error().kind(), ErrorKind::invalid);
    EXPECT_EQ(engine_->balance_at(99, times[0]).error().kind(), ErrorKind::not_found);
}

TEST_F(EngineTest, ClosingCommitsWhatIsQueued) {
    open_with_accounts();
    disk_.slow_syncs(3000);
    std::atomic<unsigned> ok{0};
    for (unsigned i = 0; i < 100; ++i) {
        engine_->submit(of(a_transfer(100 + i, till, shop, 1)),
                        [&](Result<Outcome> outcome) { ok += outcome.ok() ? 1 : 0; });
    }
    engine_.reset();
    EXPECT_EQ(ok, 100u);
}

TEST_F(EngineTest, ACallbackMaySubmitAgain) {
    open_with_accounts();
    std::atomic<bool> done{false};
    engine_->submit(of(a_transfer(10, till, shop, 1)), [&](Result<Outcome>) {
        engine_->submit(of(a_transfer(11, till, shop, 1)), [&](Result<Outcome> outcome) { done = outcome.ok(); });
    });
    eventually([&] { return done.load(); }, "the second is answered");
}

TEST_F(EngineTest, OnlyOneEngineHasADirectory) {
    open();
    const auto second = Engine::open(options_, clock_);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
}

TEST_F(EngineTest, ADirectoryOfAnotherVersionIsRefused) {
    open();
    engine_.reset();
    std::ofstream(options_.directory / "format") << "jiaozi engine 3\n";
    const auto other = Engine::open(options_, clock_);
    ASSERT_FALSE(other.ok());
    EXPECT_EQ(other.error().kind(), ErrorKind::invalid);
    std::ofstream(options_.directory / "format") << "jiaozi engine 1\n";
    const auto older = Engine::open(options_, clock_);
    ASSERT_FALSE(older.ok());
    EXPECT_NE(older.error().message().find("start with another directory"), std::string::npos)
        << older.error().message();
    std::filesystem::remove(options_.directory / "format");
    const auto unmarked = Engine::open(options_, clock_);
    ASSERT_FALSE(unmarked.ok());
    EXPECT_EQ(unmarked.error().kind(), ErrorKind::invalid);
}

TEST_F(EngineTest, OptionsOutOfRangeAreRefused) {
    options_.tick = milliseconds(51);
    const auto refused = Engine::open(options_, clock_);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().param(), "tick");
}

}  // namespace
}  // namespace jiaozi::engine
