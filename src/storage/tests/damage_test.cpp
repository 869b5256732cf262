// What a crash leaves is cut; everything else that is wrong is refused (docs/formats/journal.md, Opening).
#include <cstring>
#include <functional>
#include <random>

#include <jiaozi/storage/faulty_disk.hpp>

#include "journal_fixture.hpp"

namespace jiaozi::storage {
namespace {

class TornTailTest : public JournalTest {
  protected:
    // Puts `image` in place of the segment, opens, and expects exactly the first `entries` entries; then the journal
    // must go on as if nothing had happened.
    void expect_entries(const Bytes& image, std::size_t entries, const std::string& what) {
        write_file(segment(1), image);
        {
            auto journal = open();
            ASSERT_TRUE(journal.ok()) << what << ": " << journal.error().to_string();
            ASSERT_EQ(found_.size(), entries) << what;
            ASSERT_TRUE((*journal)->append(timestamp_s(9), payload_of(20, 9)).ok()) << what;
        }
        auto again = open();
        ASSERT_TRUE(again.ok()) << what << ": " << again.error().to_string();
        ASSERT_EQ(found_.size(), entries + 1) << what;
        ASSERT_EQ(found_.back(), payload_of(20, 9)) << what;
        ASSERT_EQ((*again)->recovery().torn_bytes, 0u) << what;
    }

    void expect_corrupt(const std::string& what, const std::string& message_has = "") {
        const auto before = files();
        const auto journal = open();
        ASSERT_FALSE(journal.ok()) << what << ": opened with " << found_.size() << " entries";
        EXPECT_EQ(journal.error().kind(), ErrorKind::corrupt) << what << ": " << journal.error().to_string();
        EXPECT_NE(journal.error().message().find(message_has), std::string::npos)
            << what << ": " << journal.error().message();
        EXPECT_EQ(files(), before) << what << ": refusing must change nothing";
    }
};

TEST_F(TornTailTest, TheLastEntryCutAtEveryByteIsDropped) {
    options_.segment_bytes = 2048;
    make({payload_of(10, 1), payload_of(100, 2), payload_of(130, 3)});
    const Bytes whole = read_file(segment(1));
    const std::size_t begin = sizeof(SegmentHeader) + entry_extent(10) + entry_extent(100);
    const std::size_t end = begin + entry_extent(130);
    for (std::size_t cut = begin; cut < end; ++cut) {
        Bytes zeroed = whole;
        std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(cut), zeroed.end(), std::uint8_t{0});
        expect_entries(zeroed, zeroed == whole ? 3 : 2, "zeros from byte " + std::to_string(cut));
        const Bytes truncated(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
        expect_entries(truncated, zeroed == whole ? 3 : 2, "file ends at byte " + std::to_string(cut));
        if (HasFatalFailure()) return;
    }
    std::printf("torn at each of %zu bytes, zeroed and truncated: all cut\n", end - begin);
}

TEST_F(TornTailTest, SectorsOfTheLastEntryThatWereNeverWrittenAreDropped) {
    const auto seed = std::random_device()();
    std::printf("seed %u\n", seed);
    std::mt19937 random(seed);
    options_.segment_bytes = 16 * 1024;
    make({payload_of(10, 1), payload_of(100, 2), payload_of(6000, 3)});
    const Bytes whole = read_file(segment(1));
    const std::size_t begin = sizeof(SegmentHeader) + entry_extent(10) + entry_extent(100);
    const std::size_t end = begin + entry_extent(6000);
    const std::size_t first_sector = begin / sector_bytes;
    const std::size_t last_sector = (end - 1) / sector_bytes;
    for (int round = 0; round < 200; ++round) {
        // A crash leaves any subset of the sectors of the write in flight.
        Bytes torn = whole;
        for (std::size_t sector = first_sector; sector <= last_sector; ++sector) {
            if (random() % 2 == 0) continue;
            const std::size_t from = std::max(sector * sector_bytes, begin);
            std::memset(torn.data() + from, 0, (sector + 1) * sector_bytes - from);
        }
        expect_entries(torn, torn == whole ? 3 : 2, "round " + std::to_string(round));
        if (HasFatalFailure()) return;
    }
}

TEST_F(TornTailTest, AWriteThatFailsHalfwayIsCutAtTheNextOpening) {
    for (const std::uint64_t torn : {1u, 79u, 80u, 81u, 500u, 1000u}) {
        FaultyDisk disk(system_disk());
        options_.disk = &disk;
        options_.directory = root_ / ("torn" + std::to_string(torn));
        {
            auto journal = open();
            ASSERT_TRUE((*journal)->append(timestamp_s(1), payload_of(10, 1)).ok());
            disk.fail_writes_from(disk.writes(), torn);
            EXPECT_FALSE((*journal)->append(timestamp_s(2), payload_of(1000, 2)).ok());
        }
        disk.fail_writes_from(FaultyDisk::never);
        auto again = open();
        ASSERT_TRUE(again.ok()) << again.error().to_string();
        EXPECT_EQ(found_.size(), 1u);
        EXPECT_EQ((*again)->recovery().torn_bytes, torn);
        EXPECT_EQ((*again)->recovery().torn_offset, sizeof(SegmentHeader) + entry_extent(10));
    }
}

TEST_F(TornTailTest, EveryFlippedByteIsRefused) {
    options_.segment_bytes = 2560;
    make({payload_of(10, 1), payload_of(100, 2), payload_of(10, 3)});
    const Bytes whole = read_file(segment(1));
    const std::size_t used = sizeof(SegmentHeader) + entry_extent(10) + entry_extent(100) + entry_extent(10);
    std::size_t flips = 0;
    for (std::size_t at = 0; at < used; ++at) {
        for (const std::uint8_t mask : Bytes{0x01, 0x80, 0xFF}) {
            Bytes flipped = whole;
            flipped[at] ^= mask;
            // The documented exception: the very last byte turned to zero is what a crash leaves.
            if (at == used - 1 && flipped[at] == 0) continue;
            write_file(segment(1), flipped);
            expect_corrupt("byte " + std::to_string(at) + " flipped with " + std::to_string(mask), segment(1).string());
            if (HasFailure()) return;
            ++flips;
        }
    }
    std::printf("%zu flips: all refused\n", flips);
}

TEST_F(TornTailTest, AFlippedByteInUnusedSpaceLosesNoEntry) {
    options_.segment_bytes = 2560;
    make({payload_of(10, 1), payload_of(100, 2), payload_of(10, 3)});
    const Bytes whole = read_file(segment(1));
    const std::size_t used = sizeof(SegmentHeader) + entry_extent(10) + entry_extent(100) + entry_extent(10);
    for (std::size_t at = used; at < whole.size(); ++at) {
        Bytes flipped = whole;
        flipped[at] ^= 0x10;
        write_file(segment(1), flipped);
        const auto journal = open();
        if (journal.ok()) {
            ASSERT_EQ(found_.size(), 3u) << at;
        } else {
            ASSERT_EQ(journal.error().kind(), ErrorKind::corrupt) << at;
        }
    }
}

// Changes one field of entry 3's header and makes the header whole again, as a program with other rules would write it.
void rewrite_entry_header(Bytes& image, std::size_t at, const std::function<void(EntryHeader&)>& change) {
    EntryHeader header;
    std::memcpy(&header, image.data() + at, sizeof header);
    change(header);
    header.check = check_of(header);
    std::memcpy(image.data() + at, &header, sizeof header);
}

TEST_F(TornTailTest, WholeHeadersThatAreWrongAreRefusedWithTheCause) {
    struct Case {
        const char* what;
        std::function<void(EntryHeader&)> change;
        const char* message_has;
    };
    const std::vector<Case> cases = {
        {"an unknown version", [](EntryHeader& h) { h.version = 3; }, "entry version 3"},
        {"a gap in the numbers", [](EntryHeader& h) { h.entry = 4; }, "entry 4 stands where entry 3 must be"},
        {"a repeated number", [](EntryHeader& h) { h.entry = 2; }, "entry 2 stands where entry 3 must be"},
        {"a broken chain", [](EntryHeader& h) { h.previous_hash[5] ^= 1; }, "the hash chain breaks"},
        {"an impossible size", [](EntryHeader& h) { h.payload_size = 0xFFFFFFFF; }, "size is impossible"},
        {"a size beyond the segment", [](EntryHeader& h) { h.payload_size = 5000; }, "does not fit its segment"},
        {"a reserved field", [](EntryHeader& h) { h.reserved_64 = 1; }, "unknown fields"},
    };
    options_.segment_bytes = 2560;
    make({payload_of(10, 1), payload_of(100, 2), payload_of(10, 3)});
    const Bytes whole = read_file(segment(1));
    const std::size_t at = sizeof(SegmentHeader) + entry_extent(10) + entry_extent(100);
    for (const Case& one : cases) {
        Bytes image = whole;
        rewrite_entry_header(image, at, one.change);
        write_file(segment(1), image);
        expect_corrupt(one.what, one.message_has);
        expect_corrupt(one.what, "at offset " + std::to_string(at));
    }
}

TEST_F(TornTailTest, SegmentsThatAreWrongAreRefusedWithTheCause) {
    options_.segment_bytes = 1536;  // two entries each
    std::vector<Bytes> payloads;
    for (unsigned i = 0; i < 6; ++i) payloads.push_back(payload_of(300, i));
    make(payloads);
    const auto restore = [this, good = files()] {
        std::filesystem::remove_all(options_.directory);
        std::filesystem::create_directory(options_.directory);
        for (const auto& [name, bytes] : good) write_file(options_.directory / name, bytes);
    };
    const auto edit = [this](std::uint64_t first, const std::function<void(Bytes&)>& change) {
        Bytes image = read_file(segment(first));
        change(image);
        write_file(segment(first), image);
    };
    const auto edit_header = [&](const std::function<void(SegmentHeader&)>& change) {
        edit(5, [&](Bytes& image) {
            SegmentHeader header;
            std::memcpy(&header, image.data(), sizeof header);
            change(header);
            header.check = check_of(header);
            std::memcpy(image.data(), &header, sizeof header);
        });
    };
    struct Case {
        const char* what;
        std::function<void()> damage;
        const char* message_has;
    };
    const std::vector<Case> cases = {
        {"a segment in the middle is gone", [&] { std::filesystem::remove(segment(3)); }, "entry 3 must come next"},
        {"the first segment is gone", [&] { std::filesystem::remove(segment(1)); }, "entry 1 must come next"},
        {"a torn tail, but later segments exist",
         [&] { edit(3, [](Bytes& image) { std::fill(image.begin() + 1100, image.end(), std::uint8_t{0}); }); },
         "later segments exist"},
        {"a sealed segment lost its last entry",
         [&] { edit(3, [](Bytes& image) { std::fill(image.begin() + 1024, image.end(), std::uint8_t{0}); }); },
         "entry 4 must come next"},
        {"wrong magic", [&] { edit(5, [](Bytes& image) { image[0] = 'X'; }); }, "wrong magic"},
        {"an unknown segment version", [&] { edit_header([](SegmentHeader& h) { h.version = 9; }); },
         "segment version 9"},
        {"a segment that does not follow", [&] { edit_header([](SegmentHeader& h) { h.previous_hash[0] ^= 1; }); },
         "hash chain breaks"},
        {"a header for another name", [&] { edit_header([](SegmentHeader& h) { h.first_entry = 7; }); },
         "starts with entry 7"},
        {"a file that grew", [&] { edit(5, [](Bytes& image) { image.resize(image.size() + 512); }); }, "longer than"},
        {"an empty last file", [&] { edit(5, [](Bytes& image) { image.clear(); }); }, "at offset 0"},
        {"a foreign file", [&] { write_file(options_.directory / "backup.segment", {1, 2, 3}); },
         "not a segment's name"},
        {"a whole entry after a broken one",
         [&] { edit(5, [](Bytes& image) { std::fill(image.begin() + 512, image.begin() + 640, std::uint8_t{0}); }); },
         "a whole entry follows"},
    };
    for (const Case& one : cases) {
        restore();
        one.damage();
        expect_corrupt(one.what, one.message_has);
    }
    restore();
    EXPECT_TRUE(open().ok()) << "the undamaged copy opens";
}

TEST_F(TornTailTest, AnUnfinishedSegmentIsRemoved) {
    make({payload_of(10, 1)});
    write_file(options_.directory / "next.tmp", {1, 2, 3});
    ASSERT_TRUE(open().ok());
    EXPECT_FALSE(std::filesystem::exists(options_.directory / "next.tmp"));
}

}  // namespace
}  // namespace jiaozi::storage
