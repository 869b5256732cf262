#include <thread>

#include <jiaozi/storage/faulty_disk.hpp>

#include "../src/next_segment.hpp"
#include "journal_fixture.hpp"

namespace jiaozi::storage {
namespace {

TEST_F(JournalTest, WhatWasAppendedIsThereAfterReopening) {
    const std::vector<Bytes> payloads = {payload_of(1, 1), {}, payload_of(127, 2), payload_of(5000, 3)};
    make(payloads);
    auto journal = open();
    ASSERT_TRUE(journal.ok()) << journal.error().to_string();
    EXPECT_EQ(found_, payloads);
    EXPECT_EQ((*journal)->durable_entry(), 4u);
    EXPECT_EQ((*journal)->recovery().torn_bytes, 0u);
}

TEST_F(JournalTest, SegmentsRollAndAreNamedAfterTheirFirstEntry) {
    options_.segment_bytes = 1536;
    std::vector<Bytes> payloads;
    for (unsigned i = 0; i < 10; ++i) payloads.push_back(payload_of(300, i));  // two fit a segment
    make(payloads);
    EXPECT_TRUE(std::filesystem::exists(segment(1)));
    EXPECT_TRUE(std::filesystem::exists(segment(3)));
    EXPECT_TRUE(std::filesystem::exists(segment(9)));
    EXPECT_EQ(std::filesystem::file_size(segment(9)), 1536u) << "preallocated";
    EXPECT_FALSE(std::filesystem::exists(options_.directory / "next.tmp"));
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(found_, payloads);
}

std::uint64_t size_or_zero(const std::filesystem::path& path) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(path, missing);
    return missing ? 0 : size;
}

void wait_until_it_has(const std::filesystem::path& path, std::uint64_t size) {
    for (int i = 0; i < 2000 && size_or_zero(path) < size; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_GE(size_or_zero(path), size);
}

TEST_F(JournalTest, TheNextSegmentGrowsAsFarAsItMay) {
    constexpr std::uint64_t kib = 1024;
    const auto path = options_.directory / "next.tmp";
    std::filesystem::create_directories(options_.directory);
    NextSegment next(system_disk(), path, 1000 * kib);
    for (const std::uint64_t allowed : {300 * kib, 600 * kib}) {
        next.allow(allowed);
        ASSERT_NO_FATAL_FAILURE(wait_until_it_has(path, allowed - 128 * kib));
        EXPECT_LE(size_or_zero(path), allowed);
    }
    const auto file = next.take();
    ASSERT_TRUE(file.ok()) << file.error().to_string();
    EXPECT_EQ((*file)->size().value(), 1000 * kib);
    Bytes bytes(1000 * kib, 1);
    ASSERT_EQ((*file)->read_at(0, bytes).value(), bytes.size());
    EXPECT_EQ(bytes, Bytes(1000 * kib));
}

TEST_F(JournalTest, ANextSegmentThatNobodyTakesIsRemoved) {
    const auto path = options_.directory / "next.tmp";
    std::filesystem::create_directories(options_.directory);
    {
        NextSegment next(system_disk(), path, std::uint64_t{1} << 20);
        next.allow(300'000);
        ASSERT_NO_FATAL_FAILURE(wait_until_it_has(path, 100'000));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(JournalTest, SegmentsAreMadeAheadAndLeaveNothingBehind) {
    options_.segment_bytes = std::uint64_t{1} << 20;
    std::vector<Bytes> payloads;
    for (unsigned i = 0; i < 60; ++i) payloads.push_back(payload_of(60'000, i));
    make(payloads);
    EXPECT_FALSE(std::filesystem::exists(options_.directory / "next.tmp"));
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(found_, payloads);
}

TEST_F(JournalTest, AnEntryLargerThanASegmentGetsALargerSegment) {
    options_.segment_bytes = 2560;
    make({payload_of(10, 1), payload_of(100'000, 2), payload_of(10, 3)});
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(found_.size(), 3u);
    EXPECT_GT(std::filesystem::file_size(segment(2)), 100'000u);
}

TEST_F(JournalTest, APayloadOverTheLimitIsRefusedAndNothingHappens) {
    auto journal = open();
    const auto refused = (*journal)->append(timestamp_s(1), Bytes(max_payload_bytes + 1));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::too_large);
    EXPECT_TRUE((*journal)->append(timestamp_s(1), payload_of(10, 1)).ok());
}

TEST_F(JournalTest, ASecondOpenerIsToldWhoHasIt) {
    auto first = open();
    ASSERT_TRUE(first.ok());
    auto second = open();
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind(), ErrorKind::conflict);
    EXPECT_NE(second.error().message().find("process " + std::to_string(::getpid())), std::string::npos)
        << second.error().message();
    first->reset();
    EXPECT_TRUE(open().ok());
}

TEST_F(JournalTest, AReaderFollowsTheWriterAcrossSegments) {
    options_.segment_bytes = 16 * 1024;
    auto opened = open();
    ASSERT_TRUE(opened.ok());
    Journal& journal = **opened;
    constexpr std::uint64_t entries = 2000;
    std::jthread writer([&] {
        for (unsigned i = 1; i <= entries; ++i)
            ASSERT_TRUE(journal.append(timestamp_s(i), payload_of(i % 700, i)).ok());
    });
    Reader reader = journal.read({});
    std::vector<Position> positions;
    while (positions.size() < entries) {
        const auto entry = reader.next();
        ASSERT_TRUE(entry.ok()) << entry.error().to_string();
        if (!*entry) {
            std::this_thread::yield();
            continue;
        }
        positions.push_back((*entry)->position);
        const auto i = static_cast<unsigned>(positions.size());
        ASSERT_EQ((*entry)->position.entry, i);
        ASSERT_EQ((*entry)->timestamp, timestamp_s(i));
        ASSERT_TRUE(equal((*entry)->payload, payload_of(i % 700, i)));
    }
    Reader from_the_middle = journal.read(positions[1234]);
    const auto entry = from_the_middle.next();
    ASSERT_TRUE(entry.ok());
    EXPECT_EQ((*entry)->position, positions[1234]);
}

TEST_F(JournalTest, AFailedSyncEndsWritingForGood) {
    FaultyDisk disk(system_disk());
    options_.disk = &disk;
    auto opened = open();
    Journal& journal = **opened;
    ASSERT_TRUE(journal.append(timestamp_s(1), payload_of(10, 1)).ok());
    disk.fail_syncs_from(disk.syncs());
    const auto failed = journal.append(timestamp_s(2), payload_of(10, 2));
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind(), ErrorKind::io) << "the entry's fate is unknown";
    disk.fail_syncs_from(FaultyDisk::never);
    const auto writes = disk.writes();
    const auto later = journal.append(timestamp_s(3), payload_of(10, 3));
    ASSERT_FALSE(later.ok());
    EXPECT_EQ(later.error().kind(), ErrorKind::unavailable);
    EXPECT_EQ(disk.writes(), writes) << "a second try would report a success that means nothing";
    ASSERT_TRUE(journal.failure().has_value());
    EXPECT_EQ(journal.durable_entry(), 1u);
    Reader reader = journal.read({});
    EXPECT_TRUE(reader.next()->has_value());
    EXPECT_FALSE(reader.next()->has_value()) << "only what is durable can be read";
}

TEST_F(JournalTest, ADiskThatIsFullAtASegmentsEndLeavesTheEntryOut) {
    FaultyDisk disk(system_disk());
    options_.disk = &disk;
    options_.segment_bytes = 1536;
    options_.segments_ahead = false;
    {
        auto opened = open();
        ASSERT_TRUE((*opened)->append(timestamp_s(1), payload_of(500, 1)).ok());
        disk.fail_preallocations_from(disk.preallocations());
        const auto failed = (*opened)->append(timestamp_s(2), payload_of(500, 2));
        ASSERT_FALSE(failed.ok());
        EXPECT_EQ(failed.error().kind(), ErrorKind::unavailable);
    }
    disk.fail_preallocations_from(FaultyDisk::never);
    auto again = open();
    ASSERT_TRUE(again.ok()) << again.error().to_string();
    EXPECT_EQ(found_.size(), 1u);
    EXPECT_TRUE((*again)->append(timestamp_s(2), payload_of(500, 2)).ok());
}

TEST_F(JournalTest, TheVisitorsErrorEndsTheOpening) {
    make({payload_of(10, 1)});
    const auto opened =
        Journal::open(options_, [](const EntryView&) -> Result<> { return Error(ErrorKind::corrupt, "not mine"); });
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().message(), "not mine");
}

TEST(SegmentName, IsTwentyDigits) {
    EXPECT_EQ(segment_name(4711), "00000000000000004711.segment");
    EXPECT_EQ(parse_segment_name("00000000000000004711.segment"), 4711u);
    for (const char* bad : {"4711.segment", "0000000000000000471x.segment", "00000000000000000000.segment",
                            "99999999999999999999.segment", "00000000000000004711.segments"}) {
        EXPECT_FALSE(parse_segment_name(bad).has_value()) << bad;
    }
}

}  // namespace
}  // namespace jiaozi::storage
