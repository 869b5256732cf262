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
        EXPECT_FALSE(engine_->transfer(11).has_value());
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
    const bool there = engine_->transfer(11).has_value();
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
    EXPECT_FALSE(engine_->transfer(11).has_value());
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
