// Copies of a journal: while it is written, brought up to date, cut.
#include <atomic>
#include <chrono>
#include <thread>

#include <jiaozi/storage/journal_copy.hpp>
#include <jiaozi/storage/read_only_disk.hpp>

#include "journal_fixture.hpp"

namespace jiaozi::storage {
namespace {

class JournalCopyTest : public JournalTest {
  protected:
    JournalCopyTest() { options_.segment_bytes = 4096; }

    // Entry i is written at second i.
    void append(Journal& journal, std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t i = from; i <= to; ++i) {
            ASSERT_TRUE(journal.append(timestamp_s(i), payload_of(300, static_cast<unsigned>(i))).ok());
        }
    }
    void make_entries(std::uint64_t count) {
        auto journal = open();
        ASSERT_TRUE(journal.ok()) << journal.error().to_string();
        append(**journal, 1, count);
    }
    std::size_t entries_in(const std::filesystem::path& directory) {
        options_.directory = directory;
        const auto opened = open();
        EXPECT_TRUE(opened.ok()) << opened.error().to_string();
        return found_.size();
    }

    const std::filesystem::path copy_ = root_ / "copy";
};

TEST_F(JournalCopyTest, HoldsTheSameEntriesInLessSpace) {
    make_entries(20);
    const auto copied = copy_journal(options_.directory, copy_);
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    EXPECT_EQ(copied->end.entries, 20U);
    EXPECT_EQ(copied->end.last, timestamp_s(20));
    EXPECT_GT(copied->segments_copied, 2U);
    const auto original = check_journal(options_.directory);
    ASSERT_TRUE(original.ok());
    EXPECT_EQ(*original, copied->end);
    EXPECT_EQ(entries_in(copy_), 20U);
}

TEST_F(JournalCopyTest, IsBroughtUpToDateWithoutCopyingWholeSegmentsAgain) {
    make_entries(20);
    ASSERT_TRUE(copy_journal(options_.directory, copy_).ok());
    {
        auto journal = open();
        ASSERT_TRUE(journal.ok());
        append(**journal, 21, 40);
    }
    const auto again = copy_journal(options_.directory, copy_);
    ASSERT_TRUE(again.ok()) << again.error().to_string();
    EXPECT_GT(again->segments_kept, 1U);
    EXPECT_EQ(again->end.entries, 40U);
    EXPECT_EQ(entries_in(copy_), 40U);
}

TEST_F(JournalCopyTest, TakenWhileTheWriterGoesOnHoldsWhatWasAcknowledgedBefore) {
    options_.segment_bytes = 64 * 1024;
    auto opened = open();
    ASSERT_TRUE(opened.ok());
    Journal& journal = **opened;
    std::atomic<bool> done{false};
    std::thread writer([&] {
        for (std::uint64_t i = 1; i <= 2000; ++i) {
            if (!journal.append(timestamp_s(i), payload_of(700, static_cast<unsigned>(i))).ok()) break;
            std::this_thread::sleep_for(std::chrono::microseconds(20));
        }
        done = true;
    });
    while (!done) {
        const std::uint64_t acknowledged = journal.durable_entry();
        const auto copied = copy_journal(options_.directory, copy_);
        if (!copied.ok()) {
            ADD_FAILURE() << copied.error().to_string();
            break;
        }
        EXPECT_GE(copied->end.entries, acknowledged);
    }
    writer.join();
}

TEST_F(JournalCopyTest, IsNotMixedWithAnotherJournal) {
    make_entries(3);
    ASSERT_TRUE(copy_journal(options_.directory, copy_).ok());
    options_.directory = root_ / "other";
    auto journal = open();
    ASSERT_TRUE(journal.ok());
    append(**journal, 7, 9);
    const auto copied = copy_journal(options_.directory, copy_);
    ASSERT_FALSE(copied.ok());
    EXPECT_EQ(copied.error().kind(), ErrorKind::conflict);
    EXPECT_EQ(entries_in(copy_), 3U);
}

TEST_F(JournalCopyTest, DamageIsNotCopied) {
    make_entries(20);
    const auto first = segment(1);
    Bytes bytes = read_file(first);
    bytes[700] ^= 1;
    write_file(first, bytes);
    const auto copied = copy_journal(options_.directory, copy_);
    ASSERT_FALSE(copied.ok());
    EXPECT_EQ(copied.error().kind(), ErrorKind::corrupt);
    EXPECT_NE(copied.error().message().find(first.string()), std::string::npos) << copied.error().message();
}

TEST_F(JournalCopyTest, IsCutAfterAnyEntry) {
    make_entries(20);
    for (std::uint64_t until = 0; until <= 21; ++until) {
        const auto target = root_ / ("cut" + std::to_string(until));
        ASSERT_TRUE(copy_journal(options_.directory, target).ok());
        const auto cut = cut_journal(target, timestamp_s(until));
        ASSERT_TRUE(cut.ok()) << cut.error().to_string();
        EXPECT_EQ(cut->entries, std::min<std::uint64_t>(until, 20));
        const auto kept = options_.directory;
        EXPECT_EQ(entries_in(target), std::min<std::uint64_t>(until, 20));
        options_.directory = kept;
    }
}

TEST_F(JournalCopyTest, AJournalInUseIsNotCut) {
    make_entries(3);
    const auto opened = open();
    ASSERT_TRUE(opened.ok());
    const auto cut = cut_journal(options_.directory, timestamp_s(1));
    ASSERT_FALSE(cut.ok());
    EXPECT_EQ(cut.error().kind(), ErrorKind::conflict);
}

TEST_F(JournalCopyTest, AReadOnlyDiskOpensAndChangesNothing) {
    make_entries(20);
    const auto before = files();
    ReadOnlyDisk disk(system_disk());
    options_.disk = &disk;
    {
        auto journal = open();
        ASSERT_TRUE(journal.ok()) << journal.error().to_string();
        EXPECT_EQ(found_.size(), 20U);
        EXPECT_TRUE((*journal)->append(timestamp_s(99), payload_of(100, 1)).ok()) << "accepted, and dropped";
    }
    EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace jiaozi::storage
