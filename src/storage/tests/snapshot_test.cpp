// The file of a snapshot, whatever is in it; and a journal that is opened behind an entry that is known.
#include <array>
#include <functional>

#include <jiaozi/storage/faulty_disk.hpp>
#include <jiaozi/storage/snapshot.hpp>

#include "journal_fixture.hpp"

namespace jiaozi::storage {
namespace {

class SnapshotTest : public JournalTest {
  protected:
    SnapshotTest() : disk_(system_disk()), folder_(root_ / "snapshots") {}

    static SnapshotTip a_tip(std::uint64_t sequence) {
        SnapshotTip tip;
        tip.sequence = sequence;
        tip.entry = tip.segment = 1;
        tip.offset = sizeof(SegmentHeader);
        tip.extent = 512;
        return tip;
    }
    // Three sections: some bytes, none, and more than a buffer of them.
    Result<std::uint64_t> write(std::uint64_t sequence) {
        JZ_TRY(auto writer, SnapshotWriter::create(disk_, folder_));
        for (std::uint32_t kind = 1; kind <= 3; ++kind) {
            JZ_CHECK(writer.begin(kind));
            JZ_CHECK(writer.write(section(kind)));
        }
        return writer.finish(a_tip(sequence));
    }
    static Bytes section(std::uint32_t kind) {
        constexpr std::array<std::size_t, 4> sizes{0, 1000, 0, 3'000'000};
        return payload_of(sizes.at(kind), kind);
    }
    Result<> read(std::uint64_t sequence) {
        JZ_TRY(auto reader, SnapshotReader::open(disk_, folder_ / snapshot_name(sequence)));
        for (std::uint32_t kind = 1; kind <= 3; ++kind) {
            JZ_TRY(const std::uint64_t length, reader->begin(kind));
            Bytes bytes(static_cast<std::size_t>(length));
            JZ_CHECK(reader->read(bytes));
            EXPECT_TRUE(bytes == section(kind) || !reader->finish().ok());
        }
        return reader->finish();
    }
    std::vector<std::string> names() { return *disk_.list(folder_); }

    FaultyDisk disk_;
    std::filesystem::path folder_;
};

TEST_F(SnapshotTest, WhatIsWrittenIsRead) {
    ASSERT_TRUE(write(7).ok());
    ASSERT_TRUE(write(12).ok());
    EXPECT_EQ(names(), (std::vector<std::string>{"00000000000000000007.snapshot", "00000000000000000012.snapshot"}));
    EXPECT_EQ(*list_snapshots(disk_, folder_), (std::vector<std::uint64_t>{12, 7}));
    const auto done = read(7);
    EXPECT_TRUE(done.ok()) << done.error().to_string();
}

TEST_F(SnapshotTest, ADamagedFileIsRefused) {
    ASSERT_TRUE(write(7).ok());
    const auto path = folder_ / snapshot_name(7);
    const Bytes good = read_file(path);
    for (std::size_t at = 0; at < good.size(); at += at < 3000 ? 7 : 99'991) {
        Bytes bad = good;
        bad[at] ^= 0x10;
        write_file(path, bad);
        const auto done = read(7);
        ASSERT_FALSE(done.ok()) << "byte " << at;
        EXPECT_EQ(done.error().kind(), ErrorKind::corrupt);
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{1023}, std::size_t{1024}, good.size() - 1}) {
        write_file(path, Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
        EXPECT_FALSE(read(7).ok()) << size << " bytes";
    }
    Bytes longer = good;
    longer.push_back(0);
    write_file(path, longer);
    EXPECT_FALSE(read(7).ok());
}

TEST_F(SnapshotTest, AnotherVersionIsRefusedByName) {
    ASSERT_TRUE(write(7).ok());
    const auto path = folder_ / snapshot_name(7);
    Bytes bytes = read_file(path);
    bytes[8] = 99;
    write_file(path, bytes);
    EXPECT_NE(read(7).error().message().find("version 99"), std::string::npos);
}

TEST_F(SnapshotTest, AWriteThatFailsLeavesNothing) {
    ASSERT_TRUE(write(7).ok());
    const std::uint64_t writes = disk_.writes();
    for (std::uint64_t number = 0; number < 5; ++number) {
        disk_.fail_writes_from(writes + number, 100);
        if (write(9).ok()) break;
        EXPECT_EQ(names(), (std::vector<std::string>{"00000000000000000007.snapshot"}));
        disk_.fail_writes_from(FaultyDisk::never);
        ASSERT_GT(disk_.writes(), writes);
        disk_.fail_writes_from(disk_.writes() + number + 1);
    }
    EXPECT_TRUE(read(7).ok());
}

class KnownEntryTest : public JournalTest {
  protected:
    static constexpr std::size_t count = 40;
    KnownEntryTest() { options_.segment_bytes = 16 * 512; }
    void make_many() {
        std::vector<Bytes> payloads;
        for (unsigned i = 0; i < count; ++i) payloads.push_back(payload_of(100 + i * 37, i));
        make(payloads);
    }
    std::vector<KnownEntry> all() {
        std::vector<KnownEntry> known;
        auto journal = open();
        EXPECT_TRUE(journal.ok());
        auto reader = (*journal)->read({});
        for (;;) {
            const auto view = reader.next();
            EXPECT_TRUE(view.ok());
            if (!view.ok() || !*view) return known;
            known.push_back(reader.last());
        }
    }
};

TEST_F(KnownEntryTest, OpeningReadsOnBehindIt) {
    make_many();
    const auto before = files();
    for (const KnownEntry& known : all()) {
        ASSERT_TRUE(check_known_entry(system_disk(), options_.directory, known).ok());
        std::uint64_t next = known.position.entry;
        const auto journal = Journal::open(
            options_,
            [&](const EntryView& entry) -> Result<> {
                EXPECT_EQ(entry.position.entry, ++next);
                return {};
            },
            [&] { return std::optional(known); });
        ASSERT_TRUE(journal.ok()) << journal.error().to_string();
        EXPECT_EQ(next, count);
        EXPECT_EQ((*journal)->durable_entry(), count);
        ASSERT_TRUE((*journal)->last_at_open().has_value());
        EXPECT_EQ((*journal)->last_at_open()->position.entry, count);
        EXPECT_TRUE(check_known_entry(system_disk(), options_.directory, *(*journal)->last_at_open()).ok());
    }
    EXPECT_EQ(files(), before);
    // And goes on as if it had read everything.
    const KnownEntry last = all().back();
    {
        const auto journal = Journal::open(
            options_, [](const EntryView&) -> Result<> { return {}; }, [&] { return std::optional(last); });
        ASSERT_TRUE(journal.ok());
        ASSERT_TRUE((*journal)->append(timestamp_s(2), payload_of(50, 99)).ok());
    }
    ASSERT_TRUE(open().ok());
    EXPECT_EQ(found_.size(), count + 1);
}

TEST_F(KnownEntryTest, DamageBehindItIsFound) {
    make_many();
    const auto known = all();
    const auto& victim = known[30];
    Bytes bytes = read_file(segment(victim.position.segment));
    bytes[victim.position.offset + 90] ^= 1;
    write_file(segment(victim.position.segment), bytes);
    for (const std::size_t from : {std::size_t{0}, std::size_t{20}, std::size_t{29}}) {
        const auto journal = Journal::open(
            options_, [](const EntryView&) -> Result<> { return {}; }, [&] { return std::optional(known[from]); });
        ASSERT_FALSE(journal.ok()) << "from " << from;
        EXPECT_EQ(journal.error().kind(), ErrorKind::corrupt);
    }
}

TEST_F(KnownEntryTest, AnEntryOfAnotherJournalIsTold) {
    make_many();
    const auto known = all();
    const std::array<std::function<void(KnownEntry&)>, 5> changes{
        [](KnownEntry& one) { one.hash[3] ^= 1; }, [](KnownEntry& one) { one.extent += 512; },
        [](KnownEntry& one) { ++one.position.entry; }, [](KnownEntry& one) { one.position.offset += 512; },
        [](KnownEntry& one) { one.position.segment += 1000; }};
    for (const auto& change : changes) {
        KnownEntry other = known[17];
        change(other);
        EXPECT_FALSE(check_known_entry(system_disk(), options_.directory, other).ok());
    }
}

}  // namespace
}  // namespace jiaozi::storage
