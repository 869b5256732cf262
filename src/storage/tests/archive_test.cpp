// A journal whose oldest segments are in an archive reads as before, and says where they should be when they are not
// there.
#include <jiaozi/storage/archive.hpp>
#include <jiaozi/storage/faulty_disk.hpp>
#include <jiaozi/storage/journal_copy.hpp>

#include "journal_fixture.hpp"

namespace jiaozi::storage {
namespace {

class ArchiveTest : public JournalTest {
  protected:
    ArchiveTest() { options_.segment_bytes = 4096; }

    // Entry i is written at second i.
    void make_entries(std::uint64_t from, std::uint64_t to) {
        ArchivedDisk disk(system_disk(), options_.directory);
        options_.disk = &disk;
        auto journal = open();
        options_.disk = nullptr;
        ASSERT_TRUE(journal.ok()) << journal.error().to_string();
        for (std::uint64_t i = from; i <= to; ++i) {
            ASSERT_TRUE((*journal)->append(timestamp_s(i), payload_of(300, static_cast<unsigned>(i))).ok());
        }
    }
    std::vector<std::uint64_t> segments_in(const std::filesystem::path& directory) {
        std::vector<std::uint64_t> found;
        const auto names = system_disk().list(directory);
        EXPECT_TRUE(names.ok());
        for (const std::string& name : *names) {
            if (const auto segment = parse_segment_name(name)) found.push_back(*segment);
        }
        return found;
    }
    // All but the last `kept` segments.
    Pruned prune(std::size_t kept = 2) {
        const auto all = segments_in(options_.directory);
        ArchivedDisk disk(system_disk(), options_.directory);
        auto begin = read_pruned(disk, options_.directory);
        EXPECT_TRUE(begin.ok());
        std::uint64_t copied = 0;
        const auto done = archive_segments(disk, options_.directory, begin->value_or(Pruned{archive_, 1, {}}),
                                           all[all.size() - kept], copied);
        EXPECT_TRUE(done.ok()) << done.error().to_string();
        EXPECT_TRUE(write_pruned(system_disk(), options_.directory, *done).ok());
        EXPECT_EQ(remove_archived(system_disk(), options_.directory, *done).value(), all.size() - kept);
        return *done;
    }

    const std::filesystem::path archive_ = root_ / "archive";
};

TEST_F(ArchiveTest, TheTwoReadAsOneJournal) {
    make_entries(1, 40);
    const auto before = check_journal(options_.directory);
    ASSERT_TRUE(before.ok());
    const auto all = segments_in(options_.directory);
    const Pruned pruned = prune();
    EXPECT_EQ(segments_in(options_.directory), (std::vector{all[all.size() - 2], all.back()}));
    EXPECT_EQ(*read_pruned(system_disk(), options_.directory).value(), pruned);
    EXPECT_EQ(check_journal(options_.directory).value(), *before);
    // It grows, and is pruned again.
    make_entries(41, 60);
    prune();
    const auto after = check_journal(options_.directory);
    ASSERT_TRUE(after.ok()) << after.error().to_string();
    EXPECT_EQ(after->entries, 60U);
    // A copy of it is whole, and needs no archive.
    const auto copied = copy_journal(options_.directory, root_ / "copy");
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    EXPECT_EQ(copied->end, *after);
    std::filesystem::remove_all(archive_);
    EXPECT_EQ(check_journal(root_ / "copy").value(), *after);
}

TEST_F(ArchiveTest, WhatIsNotThereIsSaid) {
    make_entries(1, 40);
    prune();
    std::filesystem::rename(archive_, root_ / "elsewhere");
    const auto named = [&](const Error& error) {
        return error.message().find(archive_.string()) != std::string::npos &&
               error.message().find(segment_name(1)) != std::string::npos;
    };
    const auto checked = check_journal(options_.directory);
    ASSERT_FALSE(checked.ok());
    EXPECT_EQ(checked.error().kind(), ErrorKind::not_found);
    EXPECT_TRUE(named(checked.error())) << checked.error().to_string();
    EXPECT_FALSE(copy_journal(options_.directory, root_ / "copy").ok());
    ArchivedDisk disk(system_disk(), options_.directory);
    options_.disk = &disk;
    const auto opened = open();
    ASSERT_FALSE(opened.ok());
    EXPECT_TRUE(named(opened.error())) << opened.error().to_string();
    const auto read = read_entry(disk, options_.directory, Position{});
    ASSERT_FALSE(read.ok());
    EXPECT_TRUE(named(read.error())) << read.error().to_string();
}

// Without the file that says so, segments that are gone are lost, not archived.
TEST_F(ArchiveTest, AJournalThatBeginsLaterIsRefused) {
    make_entries(1, 40);
    prune();
    std::filesystem::remove(options_.directory / pruned_name);
    const auto opened = open();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().kind(), ErrorKind::corrupt);
    EXPECT_FALSE(check_journal(options_.directory).ok());
}

TEST_F(ArchiveTest, IsNotThatOfAnotherJournal) {
    make_entries(1, 40);
    prune();
    const auto first = options_.directory;
    options_.directory = root_ / "another";
    found_.clear();
    make_entries(2, 41);
    ArchivedDisk disk(system_disk(), options_.directory);
    std::uint64_t copied = 0;
    const auto before = read_file(archive_ / segment_name(1));
    const auto done =
        archive_segments(disk, options_.directory, {archive_, 1, {}}, segments_in(options_.directory).back(), copied);
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().kind(), ErrorKind::conflict);
    EXPECT_EQ(read_file(archive_ / segment_name(1)), before);
    EXPECT_TRUE(check_journal(first).ok());
}

// A damaged segment is not taken to the archive, and one that was damaged there is made again.
TEST_F(ArchiveTest, OnlyWholeSegmentsCount) {
    make_entries(1, 40);
    const auto all = segments_in(options_.directory);
    ArchivedDisk disk(system_disk(), options_.directory);
    std::uint64_t copied = 0;
    ASSERT_TRUE(archive_segments(disk, options_.directory, {archive_, 1, {}}, all.back(), copied).ok());
    EXPECT_EQ(copied, all.size() - 1);
    const auto path = archive_ / segment_name(all[1]);
    Bytes file = read_file(path);
    const Bytes good = file;
    file[700] ^= 1;
    write_file(path, file);
    ASSERT_TRUE(archive_segments(disk, options_.directory, {archive_, 1, {}}, all.back(), copied).ok());
    EXPECT_EQ(copied, 1U);
    EXPECT_EQ(read_file(path), good);
    write_file(path, file);
    write_file(segment(all[1]), file);
    const auto done = archive_segments(disk, options_.directory, {archive_, 1, {}}, all.back(), copied);
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().kind(), ErrorKind::corrupt);
}

// The disk fails at any write on the way: what is left is the whole journal.
TEST_F(ArchiveTest, AFailureAtAnyWriteLosesNothing) {
    make_entries(1, 40);
    const auto before = check_journal(options_.directory);
    const auto all = segments_in(options_.directory);
    FaultyDisk faulty(system_disk());
    bool done = false;
    for (std::uint64_t at = 0; !done; ++at) {
        ASSERT_LT(at, 1000U);
        faulty.fail_writes_from(faulty.writes() + at, 10);
        ArchivedDisk disk(faulty, options_.directory);
        std::uint64_t copied = 0;
        const auto attempt = [&]() -> Result<> {
            JZ_TRY(const auto pruned,
                   archive_segments(disk, options_.directory, {archive_, 1, {}}, all[all.size() - 2], copied));
            JZ_CHECK(write_pruned(disk, options_.directory, pruned));
            JZ_TRY(const auto removed, remove_archived(disk, options_.directory, pruned));
            EXPECT_EQ(removed, all.size() - 2);
            return {};
        };
        done = attempt().ok();
        faulty.fail_writes_from(FaultyDisk::never);
        EXPECT_EQ(check_journal(options_.directory).value(), *before) << "after write " << at;
        if (!done) std::filesystem::remove_all(archive_);
    }
}

TEST(Pruned, DecodesOnlyWhatWasEncoded) {
    const Pruned pruned{"/mnt/archive", 4711, Hash{1, 2, 3}};
    const Bytes good = encode_pruned(pruned);
    ASSERT_TRUE(decode_pruned(good).ok());
    EXPECT_EQ(*decode_pruned(good), pruned);
    for (std::size_t i = 0; i < good.size(); ++i) {
        Bytes bytes = good;
        bytes[i] ^= 0x10;
        EXPECT_FALSE(decode_pruned(bytes).ok()) << "byte " << i;
        EXPECT_FALSE(decode_pruned(ByteView(good).first(i)).ok()) << i << " bytes";
    }
    EXPECT_FALSE(decode_pruned(encode_pruned({"relative", 4711, {}})).ok());
}

}  // namespace
}  // namespace jiaozi::storage
