// Transfers that are no longer in memory, read back from the journal.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "engine_fixture.hpp"
#include "recent_payloads.hpp"

namespace jiaozi::engine {
namespace {

class EventLogTest : public EngineTest {
  protected:
    // More than the latest that are kept in memory.
    static constexpr std::size_t many = 80'000;

    static uint128 id_of(std::size_t number) { return make_uint128(number * 0x9E3779B97F4A7C15ULL + 1, number + 1); }

    ledger::Transfer transfer(std::size_t number) const {
        auto one = a_transfer(id_of(number), till, shop, number + 1);
        one.user_data_64 = number;
        return one;
    }

    // Large commands, whose entries have many stretches, and small ones between them.
    void submit_many() {
        std::size_t number = 0;
        for (std::size_t round = 0; number < many; ++round) {
            const std::size_t count = std::min<std::size_t>(round % 3 == 0   ? 8190
                                                            : round % 3 == 1 ? 257
                                                                             : 1,
                                                            many - number);
            Command command;
            for (std::size_t i = 0; i < count; ++i) command.transfers.push_back(transfer(number++));
            command.annotation.assign(round % 40, 0x55);
            const auto outcome = engine_->execute(std::move(command));
            ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
            ASSERT_EQ(outcome->transfers, std::vector<CreateTransferResult>(count));
        }
    }

    void expect_found(std::size_t number) {
        const auto found = engine_->transfer(id_of(number)).value();
        ASSERT_TRUE(found.has_value()) << "transfer " << number;
        EXPECT_EQ(found->amount, number + 1);
        EXPECT_EQ(found->user_data_64, number);
        EXPECT_EQ(found->credit_account_id, shop);
    }
};

// Answered from the disk, from the payloads in memory as far as they reach, or all from those.
class EventLogMemoryTest : public EventLogTest, public testing::WithParamInterface<std::size_t> {
  protected:
    EventLogMemoryTest() { options_.recent_bytes = GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(RecentBytes, EventLogMemoryTest,
                         testing::Values(std::size_t{0}, std::size_t{1} << 20, std::size_t{64} << 20));

TEST_P(EventLogMemoryTest, OldTransfersAreFoundAndKnownAgain) {
    open_with_accounts();
    submit_many();
    std::uint64_t last = 0;
    for (const bool reopened : {false, true}) {
        if (reopened) open();
        // Around the ends of stretches, and all over.
        for (std::size_t number = 0; number < many; number += number % 256 < 2 || number % 256 > 253 ? 1 : 63) {
            ASSERT_NO_FATAL_FAILURE(expect_found(number));
        }
        last = 0;
        for (std::size_t number = 0; number < many; number += 1009) {
            const auto found = engine_->transfer(id_of(number)).value();
            ASSERT_TRUE(found.has_value());
            EXPECT_GT(found->timestamp, last) << "the order of the journal is that of time";
            last = found->timestamp;
            EXPECT_EQ(pay(transfer(number)), CreateTransferResult::exists);
            auto other = transfer(number);
            other.amount += 1;
            EXPECT_EQ(pay(other), CreateTransferResult::exists_with_different_amount);
        }
    }
}

TEST_P(EventLogMemoryTest, WhatIsFoundWhileOthersAreWrittenIsRight) {
    open_with_accounts();
    std::atomic<bool> written{false};
    std::thread writing([&] {
        submit_many();
        written = true;
    });
    std::size_t found = 0;
    for (std::size_t number = 0; !written; number = (number + 997) % many) {
        const auto one = engine_->transfer(id_of(number)).value();
        if (!one) continue;
        ++found;
        EXPECT_EQ(one->amount, number + 1);
        EXPECT_EQ(one->user_data_64, number);
    }
    writing.join();
    EXPECT_GT(found, 0U);
}

TEST_F(EventLogTest, ADamagedPartIsNoAnswerAndTheOthersStand) {
    options_.segment_bytes = std::uint64_t{64} << 20;
    options_.recent_bytes = 0;
    open_with_accounts();
    submit_many();
    // One bit of the amount's neighbourhood: the id of transfer 3000 as it stands in the journal, and the byte behind.
    bool changed = false;
    for (const auto& segment : std::filesystem::directory_iterator(options_.directory / "journal")) {
        if (segment.path().extension() != ".segment") continue;
        std::fstream file(segment.path(), std::ios::in | std::ios::out | std::ios::binary);
        const std::string bytes(std::istreambuf_iterator<char>(file), {});
        std::string id(sizeof(uint128), '\0');
        const uint128 wanted = id_of(3000);
        std::memcpy(id.data(), &wanted, sizeof wanted);
        const std::size_t at = bytes.find(id);
        if (at == std::string::npos) continue;
        file.clear();
        file.seekp(static_cast<std::streamoff>(at + id.size()));
        file.put(static_cast<char>(bytes[at + id.size()] ^ 1));
        changed = true;
    }
    ASSERT_TRUE(changed);
    for (const std::size_t number : {std::size_t{3000}, std::size_t{3001}}) {
        const auto found = engine_->transfer(id_of(number));
        ASSERT_FALSE(found.ok()) << number << ": what stands with it is not trusted either";
        EXPECT_EQ(found.error().kind(), ErrorKind::corrupt);
        EXPECT_NE(found.error().message().find("entry"), std::string::npos) << found.error().message();
        EXPECT_EQ(engine_->pending_status(id_of(number)).error().kind(), ErrorKind::corrupt);
    }
    EXPECT_FALSE(engine_->transfer(id_of(many))->has_value()) << "that there is none is known all the same";
    expect_found(2000);
    expect_found(4000);
    expect_found(many - 1);
    // A duplicate that cannot be compared stops the writes, loudly.
    const auto outcome = engine_->execute(of(transfer(3000)));
    EXPECT_FALSE(outcome.ok());
    EXPECT_EQ(engine_->health().state, Health::State::stopped);
}

TEST_F(EventLogTest, WhatIsInMemoryNeedsNoDisk) {
    open_with_accounts();
    submit_many();
    const auto journal = options_.directory / "journal";
    std::filesystem::rename(journal, options_.directory / "elsewhere");
    for (std::size_t number = 0; number < many; number += 997) ASSERT_NO_FATAL_FAILURE(expect_found(number));
    std::filesystem::rename(options_.directory / "elsewhere", journal);
}

// The entries' numbers found for ordinals 0 to 39; 0 for none. Entry n holds the ordinals 10n-10 to 10n-1.
std::vector<std::uint64_t> entries_found(const RecentPayloads& recent) {
    std::vector<std::uint64_t> found;
    for (std::uint64_t ordinal = 0; ordinal < 40; ordinal += 5) {
        const auto entry = recent.find(ordinal);
        found.push_back(entry ? entry->position.entry : 0);
    }
    return found;
}

TEST(RecentPayloads, TheOldestAreGivenUpWhenAllTakeMoreThanTheyMay) {
    const Bytes kilobytes(4000, 0x11);
    RecentPayloads recent(9000);
    for (std::uint64_t entry = 1; entry <= 4; ++entry) recent.add(entry * 10 - 10, {.entry = entry}, kilobytes);
    EXPECT_EQ(entries_found(recent), (std::vector<std::uint64_t>{0, 0, 0, 0, 3, 3, 4, 4}));
    EXPECT_EQ(*recent.find(35)->payload, kilobytes);
    EXPECT_EQ(recent.find(35)->first_ordinal, 30U);
}

TEST(RecentPayloads, OneThatIsTooLargeAloneIsNotKept) {
    RecentPayloads recent(9000);
    recent.add(0, {.entry = 1}, Bytes(100));
    recent.add(10, {.entry = 2}, Bytes(10'000));
    EXPECT_EQ(entries_found(recent), std::vector<std::uint64_t>(8, 0)) << "nor is what would leave a gap";
    recent.add(20, {.entry = 3}, Bytes(100));
    EXPECT_EQ(entries_found(recent), (std::vector<std::uint64_t>{0, 0, 0, 0, 3, 3, 3, 3}));
}

}  // namespace
}  // namespace jiaozi::engine
