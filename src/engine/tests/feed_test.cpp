#include <atomic>
#include <mutex>

#include "engine_fixture.hpp"

namespace jiaozi::engine {
namespace {

namespace tf = ledger::transfer_flags;

// Collects what a subscription is fed, checking order.
class Collector {
  public:
    explicit Collector(std::uint64_t after) : next_(after + 1) {}

    FeedHandler handler() {
        return [this](std::span<const Committed> batch) {
            const std::lock_guard guard(mutex_);
            ASSERT_FALSE(batch.empty());
            for (const Committed& one : batch) {
                ASSERT_EQ(one.sequence, next_++) << "in order, no gap, no repeat";
                ASSERT_EQ(one.outcome.sequence, one.sequence);
                ASSERT_EQ(one.outcome.timestamp, one.timestamp);
                all_.push_back(one);
            }
        };
    }
    std::size_t size() const {
        const std::lock_guard guard(mutex_);
        return all_.size();
    }
    std::vector<Committed> all() const {
        const std::lock_guard guard(mutex_);
        return all_;
    }

  private:
    mutable std::mutex mutex_;
    std::uint64_t next_;
    std::vector<Committed> all_;
};

class FeedTest : public EngineTest {
  protected:
    void load(unsigned first, unsigned count) {
        std::atomic<unsigned> answered{0};
        for (unsigned i = first; i < first + count; ++i) {
            Command command =
                of(a_transfer(1000 + i, i % 5 == 0 ? wallet : till, shop, 1));  // the wallet is empty: refused
            command.annotation = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)};
            engine_->submit(std::move(command), [&](Result<Outcome>) { ++answered; });
        }
        eventually([&] { return answered == count; }, "the load is answered");
    }

    void expect_load(const std::vector<Committed>& fed, std::size_t at, unsigned first, unsigned count) {
        ASSERT_GE(fed.size(), at + count);
        for (unsigned i = first; i < first + count; ++i) {
            const Committed& one = fed[at + i - first];
            ASSERT_EQ(one.command.transfers.size(), 1u);
            ASSERT_EQ(one.command.transfers[0].id, uint128{1000 + i});
            ASSERT_EQ(one.command.annotation, (Bytes{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)}));
            ASSERT_EQ(one.outcome.transfers,
                      std::vector{i % 5 == 0 ? CreateTransferResult::exceeds_credits : CreateTransferResult::ok});
        }
    }
};

TEST_F(FeedTest, FromTheBeginningAndFromTheMiddleWhileLive) {
    open_with_accounts();
    load(0, 500);
    Collector all(0);
    Collector middle(250);
    auto from_zero = engine_->subscribe(0, all.handler());
    auto from_middle = engine_->subscribe(250, middle.handler());
    load(500, 500);
    eventually([&] { return all.size() == 1001 && middle.size() == 751; }, "both have everything");
    expect_load(all.all(), 1, 0, 1000);
    expect_load(middle.all(), 0, 249, 751);
    eventually([&] { return from_zero->position() == 1001; }, "the position follows");
    EXPECT_FALSE(from_zero->failure().has_value());
}

TEST_F(FeedTest, TheJournalAndTheLiveFeedSayTheSame) {
    open_with_accounts();
    Collector live(1);
    auto live_feed = engine_->subscribe(1, live.handler());
    ASSERT_EQ(pay(a_transfer(10, till, shop, 70, tf::pending, 30)), CreateTransferResult::ok);
    load(0, 300);
    clock_.advance(seconds(31));
    eventually([&] { return engine_->pending_status(10).value() == ledger::PendingStatus::expired; },
               "the hold expires");
    load(300, 300);
    Command bad;
    bad.accounts = {an_account(till), an_account(0)};
    bad.flag_changes = {{99, ledger::account_flags::frozen, 0}};
    ASSERT_TRUE(engine_->execute(std::move(bad)).ok());
    const auto last = engine_->last_sequence();
    eventually([&] { return live_feed->position() == last; }, "live feed has all");
    live_feed.reset();
    open();
    Collector replayed(1);
    auto feed = engine_->subscribe(1, replayed.handler());
    eventually([&] { return feed->position() == last; }, "replayed feed has all");
    const auto one = live.all();
    const auto two = replayed.all();
    ASSERT_EQ(one.size(), two.size());
    unsigned expired = 0;
    for (std::size_t i = 0; i < one.size(); ++i) {
        ASSERT_EQ(one[i].timestamp, two[i].timestamp);
        ASSERT_EQ(one[i].outcome, two[i].outcome) << i;
        ASSERT_EQ(one[i].expired, two[i].expired);
        ASSERT_EQ(one[i].command.accounts, two[i].command.accounts);
        ASSERT_EQ(one[i].command.flag_changes, two[i].command.flag_changes);
        ASSERT_EQ(one[i].command.transfers, two[i].command.transfers);
        ASSERT_EQ(one[i].command.annotation, two[i].command.annotation);
        expired += static_cast<unsigned>(one[i].expired.size());
    }
    EXPECT_EQ(expired, 1u);
}

TEST_F(FeedTest, ASlowSubscriberSlowsNobodyAndMissesNothing) {
    options_.feed_memory_bytes = 64 * 1024;  // far less than what it falls behind by
    open_with_accounts();
    Collector collector(0);
    auto collect = collector.handler();
    std::atomic<bool> held{true};
    auto feed = engine_->subscribe(0, [&](std::span<const Committed> batch) {
        while (held) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        collect(batch);
    });
    for (unsigned round = 0; round < 10; ++round) load(round * 500, 500);
    EXPECT_LE(collector.size(), 1u);
    held = false;
    eventually([&] { return collector.size() == 5001; }, "it catches up from the journal");
    expect_load(collector.all(), 1, 0, 5000);
}

TEST_F(FeedTest, UnsubscribingStopsTheHandler) {
    open_with_accounts();
    std::atomic<unsigned> calls{0};
    auto feed = engine_->subscribe(0, [&](std::span<const Committed>) { ++calls; });
    eventually([&] { return calls > 0; }, "first call");
    feed.reset();
    const unsigned seen = calls;
    load(0, 50);
    EXPECT_EQ(calls, seen);
}

TEST_F(FeedTest, ASubscriptionFromTheFutureWaitsForIt) {
    open_with_accounts();
    Collector collector(10);
    auto feed = engine_->subscribe(10, collector.handler());
    load(0, 20);
    eventually([&] { return collector.size() == 11; }, "11 to 21");
}

TEST_F(FeedTest, AJournalThatCannotBeReadStopsTheFeedOnly) {
    open_with_accounts();
    load(0, 10);
    disk_.fail_reads(true);
    auto feed = engine_->subscribe(0, [](std::span<const Committed>) {});
    eventually([&] { return feed->failure().has_value(); }, "the feed reports");
    EXPECT_EQ(pay(a_transfer(10, till, shop, 1)), CreateTransferResult::ok);
}

TEST_F(FeedTest, FeedsGoOnAfterTheJournalStopped) {
    open_with_accounts();
    load(0, 100);
    disk_.fail_syncs_from(disk_.syncs());
    ASSERT_FALSE(engine_->execute(of(a_transfer(9, till, shop, 1))).ok());
    Collector collector(0);
    auto feed = engine_->subscribe(0, collector.handler());
    eventually([&] { return collector.size() == 101; }, "everything durable is fed");
    expect_load(collector.all(), 1, 0, 100);
}

}  // namespace
}  // namespace jiaozi::engine
