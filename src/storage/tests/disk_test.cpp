#include <array>

#include <jiaozi/storage/disk.hpp>
#include <jiaozi/storage/faulty_disk.hpp>

#include "journal_fixture.hpp"

namespace jiaozi::storage {
namespace {

class DiskTest : public JournalTest {};

TEST_F(DiskTest, WritesPartsInOrderAndReadsUpToTheEnd) {
    auto file = system_disk().create(root_ / "a");
    ASSERT_TRUE(file.ok());
    const Bytes one = {1, 2};
    const Bytes none;
    const Bytes two = {3, 4, 5};
    const std::array<ByteView, 3> parts = {one, none, two};
    ASSERT_TRUE((*file)->write_at(10, parts).ok());
    Bytes into(8);
    EXPECT_EQ((*file)->read_at(9, into).value(), 6u);
    EXPECT_EQ(into, (Bytes{0, 1, 2, 3, 4, 5, 0, 0}));
    EXPECT_EQ((*file)->size().value(), 15u);
    ASSERT_TRUE((*file)->preallocate(4096).ok());
    EXPECT_EQ((*file)->size().value(), 4096u);
}

TEST_F(DiskTest, SaysWhatIsMissing) {
    const auto missing = system_disk().open(root_ / "none", Disk::Mode::read);
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().kind(), ErrorKind::not_found);
    const auto no_parent = system_disk().create(root_ / "no" / "such" / "file");
    ASSERT_FALSE(no_parent.ok());
    EXPECT_FALSE(system_disk().list(root_ / "none").ok());
}

TEST_F(DiskTest, ListsNamesInOrder) {
    for (const char* name : {"b", "a", "c"}) ASSERT_TRUE(system_disk().create(root_ / name).ok());
    EXPECT_EQ(system_disk().list(root_).value(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(DiskTest, TheFaultyDiskCountsAndBreaksOnOrder) {
    FaultyDisk disk(system_disk());
    auto file = disk.create(root_ / "a");
    const Bytes bytes = {1, 2, 3, 4};
    const std::array<ByteView, 1> parts = {bytes};
    ASSERT_TRUE((*file)->write_at(0, parts).ok());
    ASSERT_TRUE((*file)->sync_data().ok());
    disk.fail_writes_from(1, 3);
    disk.fail_syncs_from(1);
    EXPECT_FALSE((*file)->write_at(4, parts).ok());
    EXPECT_FALSE((*file)->write_at(4, parts).ok());
    EXPECT_FALSE((*file)->sync_data().ok());
    EXPECT_EQ(disk.writes(), 3u);
    EXPECT_EQ(disk.syncs(), 2u);
    EXPECT_EQ((*file)->size().value(), 7u) << "the failing write left three bytes";
}

}  // namespace
}  // namespace jiaozi::storage
