// Entries that are whole on disk, and still can't be what this program wrote: replay refuses them, naming the entry.
#include <array>

#include <jiaozi/engine/payload.hpp>
#include <jiaozi/storage/journal.hpp>

#include "engine_fixture.hpp"

namespace jiaozi::engine {
namespace {

class RecoveryTest : public EngineTest {
  protected:
    // Appends a second entry, after that of the accounts, as a program with other ideas would.
    void append(std::uint64_t first_sequence, Timestamp timestamp, const Outcome& outcome_of_the_first) {
        OutcomeRecorder recorder;
        recorder.begin();
        recorder.add(0, outcome_of_the_first, {});
        Bytes outcomes;
        recorder.finish(outcomes);
        PayloadEncoder encoder;
        encoder.begin(first_sequence);
        encoder.add(of(a_transfer(10, till, shop, 1)), timestamp);
        append_bytes(encoder.finish({.first_entry = 1, .count = 1, .blocks = outcomes}));
    }
    void append_bytes(ByteView payload) {
        engine_.reset();
        const storage::JournalOptions options{options_.directory / "journal", options_.segment_bytes, nullptr};
        auto journal = storage::Journal::open(options, [](const storage::EntryView&) -> Result<> { return {}; });
        ASSERT_TRUE(journal.ok()) << journal.error().to_string();
        ASSERT_TRUE((*journal)->append(timestamp_s(1), payload).ok());
    }
    void expect_refused(const char* message_has) {
        const auto opened = Engine::open(options_, clock_);
        ASSERT_FALSE(opened.ok());
        EXPECT_EQ(opened.error().kind(), ErrorKind::corrupt);
        EXPECT_NE(opened.error().message().find("entry 2"), std::string::npos) << opened.error().message();
        EXPECT_NE(opened.error().message().find(message_has), std::string::npos) << opened.error().message();
    }

    const Timestamp later_ = TestClock().now() + seconds(1);
    const Outcome all_ok_{.sequence = 1, .accounts = std::vector<CreateAccountResult>(3)};
};

TEST_F(RecoveryTest, AnEntryThatFollowsIsReplayed) {
    open_with_accounts();
    append(2, later_, all_ok_);
    open();
    EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{1});
}

TEST_F(RecoveryTest, OutcomesThatOurRulesDoNotGive) {
    open_with_accounts();
    Outcome other = all_ok_;
    other.accounts[1] = CreateAccountResult::exists;
    append(2, later_, other);
    expect_refused("other outcomes");
}

TEST_F(RecoveryTest, AGapInTheSequences) {
    open_with_accounts();
    append(3, later_, all_ok_);
    expect_refused("2 must come next");
}

TEST_F(RecoveryTest, TimeThatDoesNotMoveOn) {
    open_with_accounts();
    append(2, timestamp_s(5), all_ok_);
    expect_refused("timestamps do not follow");
}

TEST_F(RecoveryTest, APayloadThatDoesNotDecode) {
    open_with_accounts();
    append_bytes(as_bytes("not a payload"));
    expect_refused("ends inside its header");
}

}  // namespace
}  // namespace jiaozi::engine
