// An engine in a directory of its own, with a clock that stands still until told otherwise.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/storage/faulty_disk.hpp>

namespace jiaozi::engine {

using ledger::CreateAccountResult;
using ledger::CreateTransferResult;

inline ledger::Account an_account(uint128 id, std::uint16_t flags = 0) {
    return {.id = id, .ledger = 156, .code = 1, .flags = flags};
}

inline ledger::Transfer a_transfer(uint128 id, uint128 from, uint128 to, uint128 amount, std::uint16_t flags = 0,
                                   std::uint32_t timeout_s = 0) {
    return {.id = id,
            .debit_account_id = from,
            .credit_account_id = to,
            .amount = amount,
            .timeout_s = timeout_s,
            .ledger = 156,
            .code = 1,
            .flags = flags};
}

inline Command of(ledger::Transfer transfer) {
    Command command;
    command.transfers.push_back(transfer);
    return command;
}

// Waits for what another thread will surely do; fails the test after a minute.
inline void eventually(const std::function<bool()>& done, const char* what) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!done()) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "never happened: " << what;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

class EngineTest : public ::testing::Test {
  protected:
    static constexpr uint128 till = 1, wallet = 2, shop = 3;

    EngineTest() : disk_(storage::system_disk()) {
        std::string pattern = (std::filesystem::temp_directory_path() / "jz_engine.XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
        options_.directory = root_ / "data";
        options_.segment_bytes = std::uint64_t{1} << 20;
        options_.tick = milliseconds(1);
        options_.disk = &disk_;
    }
    ~EngineTest() override {
        engine_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }

    void open() {
        engine_.reset();
        auto opened = Engine::open(options_, clock_);
        ASSERT_TRUE(opened.ok()) << opened.error().to_string();
        engine_ = std::move(opened).value();
    }

    // Opens with three accounts: the till money comes from, a wallet that can't be overdrawn, and a shop.
    void open_with_accounts() {
        open();
        Command command;
        command.accounts = {an_account(till), an_account(wallet, ledger::account_flags::debits_must_not_exceed_credits),
                            an_account(shop, ledger::account_flags::history)};
        const auto outcome = engine_->execute(std::move(command));
        ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
        ASSERT_EQ(outcome->accounts, std::vector<CreateAccountResult>(3));
    }

    CreateTransferResult pay(ledger::Transfer transfer) {
        const auto outcome = engine_->execute(of(transfer));
        EXPECT_TRUE(outcome.ok()) << outcome.error().to_string();
        return outcome.ok() ? outcome->transfers.at(0) : CreateTransferResult::linked_event_failed;
    }

    std::filesystem::path root_;
    storage::FaultyDisk disk_;
    Options options_;
    TestClock clock_;
    std::unique_ptr<Engine> engine_;
};

}  // namespace jiaozi::engine
