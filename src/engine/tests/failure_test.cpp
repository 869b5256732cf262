// The disk fails: the engine stops taking writes, says so, and goes on answering questions.
#include <atomic>

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
    disk_.slow_syncs(2000);
    disk_.fail_syncs_from(disk_.syncs() + 3);
    std::atomic<unsigned> ok{0};
    std::atomic<unsigned> unknown{0};
    std::atomic<unsigned> refused{0};
    for (unsigned i = 0; i < 2000; ++i) {
        engine_->submit(of(a_transfer(100 + i, till, shop, 1)), [&](Result<Outcome> outcome) {
            if (outcome.ok()) {
                ++ok;
            } else {
                ++(outcome.error().kind() == ErrorKind::timeout ? unknown : refused);
            }
        });
        if (i % 400 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
    engine_.reset();
    std::printf("%u ok, %u unknown, %u refused\n", ok.load(), unknown.load(), refused.load());
    EXPECT_EQ(ok + unknown + refused, 2000u);
    EXPECT_GT(unknown, 0u);
    disk_.fail_syncs_from(storage::FaultyDisk::never);
    open();
    const auto posted = static_cast<unsigned>(engine_->account(shop)->credits_posted);
    EXPECT_GE(posted, ok.load());
    EXPECT_LE(posted, ok + unknown);
}

}  // namespace
}  // namespace jiaozi::engine
