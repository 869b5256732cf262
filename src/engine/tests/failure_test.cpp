// The disk fails: the engine stops taking writes, says so, and goes on answering questions.
#include <semaphore>

#include "engine_fixture.hpp"

namespace jiaozi::engine {
namespace {

class FailureTest : public EngineTest {
  protected:
    void expect_stopped(ErrorKind first_answer) {
        const auto failed = engine_->execute(of(a_transfer(11, till, shop, 5)));
        ASSERT_FALSE(failed.ok());
        EXPECT_EQ(failed.error().kind(), first_answer) << failed.error().to_string();
        EXPECT_EQ(engine_->health().state, Health::State::stopped);
        EXPECT_NE(engine_->health().cause.find("injected"), std::string::npos) << engine_->health().cause;
        const auto later = engine_->execute(of(a_transfer(12, till, shop, 5)));
        ASSERT_FALSE(later.ok());
        EXPECT_EQ(later.error().kind(), ErrorKind::unavailable);
        EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{100})
            << "reads go on, and see nothing that is not durable";
        EXPECT_FALSE(engine_->transfer(11).value().has_value());
    }
};

TEST_F(FailureTest, AFailedSync) {
    open_with_accounts();
    ASSERT_EQ(pay(a_transfer(10, till, shop, 100)), CreateTransferResult::ok);
    disk_.fail_syncs_from(disk_.syncs());
    expect_stopped(ErrorKind::timeout);
    // The bytes had been written: after a restart the transfer is there, once; or it would be gone. Never twice.
    disk_.fail_syncs_from(storage::FaultyDisk::never);
    open();
    const bool there = engine_->transfer(11).value().has_value();
    EXPECT_EQ(pay(a_transfer(11, till, shop, 5)), there ? CreateTransferResult::exists : CreateTransferResult::ok);
    EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{105});
}

TEST_F(FailureTest, AFailedWriteThatLeavesHalfAnEntry) {
    open_with_accounts();
    ASSERT_EQ(pay(a_transfer(10, till, shop, 100)), CreateTransferResult::ok);
    disk_.fail_writes_from(disk_.writes(), 150);
    expect_stopped(ErrorKind::timeout);
    disk_.fail_writes_from(storage::FaultyDisk::never);
    open();
    EXPECT_FALSE(engine_->transfer(11).value().has_value());
    EXPECT_EQ(pay(a_transfer(11, till, shop, 5)), CreateTransferResult::ok);
}

TEST_F(FailureTest, AFullDisk) {
    open_with_accounts();
    ASSERT_EQ(pay(a_transfer(10, till, shop, 100)), CreateTransferResult::ok);
    disk_.fail_preallocations_from(disk_.preallocations());
    Command large;  // fills the segment
    large.annotation.assign(max_annotation_bytes, 'x');
    unsigned filled = 0;
    while (engine_->execute(large).ok()) ++filled;
    EXPECT_GT(filled, 5u);
    expect_stopped(ErrorKind::unavailable);
    disk_.fail_preallocations_from(storage::FaultyDisk::never);
    open();
    EXPECT_EQ(pay(a_transfer(11, till, shop, 5)), CreateTransferResult::ok);
}

class OldEventsTest : public FailureTest {
  protected:
    static constexpr unsigned batches = 10;  // more transfers than are kept in memory

    static ledger::Transfer old_transfer(unsigned number) { return a_transfer(1000 + number, till, shop, 1); }
    void pay_many() {
        open_with_accounts();
        for (unsigned batch = 0; batch < batches; ++batch) {
            Command command;
            for (unsigned i = 0; i < max_events; ++i)
                command.transfers.push_back(old_transfer(batch * static_cast<unsigned>(max_events) + i));
            const auto outcome = engine_->execute(std::move(command));
            ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
            ASSERT_EQ(outcome->transfers, std::vector<CreateTransferResult>(max_events));
        }
    }
};

TEST_F(OldEventsTest, AreReadBackFromTheJournal) {
    pay_many();
    for (int life = 0; life < 2; ++life) {
        for (const unsigned number : {0u, 1u, 8189u, 8190u, 12'345u, 81'899u}) {
            const auto found = engine_->transfer(1000 + number).value();
            ASSERT_TRUE(found.has_value()) << number;
            EXPECT_EQ(found->amount, uint128{1});
            EXPECT_GT(found->timestamp, 0u);
            EXPECT_EQ(pay(old_transfer(number)), CreateTransferResult::exists) << number;
        }
        EXPECT_EQ(pay(a_transfer(1000, till, shop, 2)), CreateTransferResult::exists_with_different_amount);
        EXPECT_FALSE(engine_->transfer(999).value().has_value());
        open();
    }
}

TEST_F(OldEventsTest, ThatCannotBeReadStopTheEngineAndChangeNothing) {
    options_.recent_bytes = 0;
    pay_many();
    disk_.fail_reads(true);
    Command command = of(a_transfer(500, till, shop, 7));
    command.transfers.push_back(old_transfer(0));  // a duplicate, or another under its id? only the journal knows
    command.transfers.push_back(a_transfer(501, till, shop, 7));
    const auto failed = engine_->execute(std::move(command));
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind(), ErrorKind::timeout) << failed.error().to_string();
    EXPECT_EQ(engine_->health().state, Health::State::stopped);
    EXPECT_FALSE(engine_->transfer(501).value().has_value());
    EXPECT_EQ(engine_->execute(of(a_transfer(502, till, shop, 1))).error().kind(), ErrorKind::unavailable);
    // The entry is durable: after a restart all of it has happened, once.
    disk_.fail_reads(false);
    open();
    EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{batches * max_events + 14});
    EXPECT_EQ(pay(a_transfer(501, till, shop, 7)), CreateTransferResult::exists);
}

TEST_F(FailureTest, EveryWaitingCommandIsAnswered) {
    open_with_accounts();
    engine_.reset();
    options_.max_entry_bytes = 80 * 60;  // 60 of these commands
    open();
    std::binary_semaphore in_callback(0);
    std::binary_semaphore go_on(0);
    engine_->submit(of(a_transfer(10, till, shop, 1)), [&](Result<Outcome>) {
        in_callback.release();
        go_on.acquire();  // holds the writer until all below wait
    });
    in_callback.acquire();
    unsigned ok = 0;  // the callbacks run on the writer, which is joined before these are read
    unsigned unknown = 0;
    unsigned refused = 0;
    for (unsigned i = 0; i < 240; ++i) {
        engine_->submit(of(a_transfer(100 + i, till, shop, 1)), [&](Result<Outcome> outcome) {
            if (outcome.ok()) {
                ++ok;
            } else {
                ++(outcome.error().kind() == ErrorKind::timeout ? unknown : refused);
            }
        });
    }
    disk_.fail_syncs_from(disk_.syncs() + 2);
    go_on.release();
    engine_.reset();
    EXPECT_EQ(ok, 120u) << "two entries";
    EXPECT_EQ(unknown, 60u) << "the entry whose sync failed";
    EXPECT_EQ(refused, 60u) << "the entry that was never begun";
    disk_.fail_syncs_from(storage::FaultyDisk::never);
    open();
    EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{1 + 180}) << "this disk had kept what it could not sync";
}

}  // namespace
}  // namespace jiaozi::engine
