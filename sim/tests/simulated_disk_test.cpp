// What the simulated disk may do and may not: it would be of no use if it lost what was synced, or never lost anything.
#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <jiaozi/sim/simulated_disk.hpp>

namespace jiaozi::sim {
namespace {

using Survival = SimulatedDisk::Survival;

Result<> put(storage::File& file, std::uint64_t offset, std::string_view text) {
    const std::array parts{as_bytes(text)};
    return file.write_at(offset, parts);
}

std::string get(SimulatedDisk& disk, const char* path, std::size_t size = 4096) {
    auto file = disk.open(path, storage::Disk::Mode::read);
    if (!file.ok()) return "(" + std::string(name_of(file.error().kind())) + ")";
    Bytes bytes(size);
    const auto got = (*file)->read_at(0, bytes);
    return got.ok() ? std::string(as_text(ByteView(bytes).first(*got))) : "(io)";
}

// A file /f with "old", synced, and its name too.
std::unique_ptr<storage::File> synced_file(SimulatedDisk& disk) {
    auto file = disk.create("/f");
    EXPECT_TRUE(file.ok());
    EXPECT_TRUE(put(**file, 0, "old").ok());
    EXPECT_TRUE((*file)->sync_all().ok());
    EXPECT_TRUE(disk.sync_directory("/").ok());
    return std::move(file).value();
}

TEST(SimulatedDisk, KeepsWhatWasSynced) {
    for (const Survival survival : {Survival::none, Survival::any, Survival::all}) {
        SimulatedDisk disk(1);
        synced_file(disk);
        disk.power_off();
        disk.power_on(survival);
        EXPECT_EQ(get(disk, "/f"), "old");
    }
}

TEST(SimulatedDisk, LosesWhatWasNotSyncedOrKeepsIt) {
    unsigned kept = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        SimulatedDisk disk(seed);
        const auto file = synced_file(disk);
        ASSERT_TRUE(put(*file, 0, "new").ok());
        EXPECT_EQ(get(disk, "/f"), "new") << "reads see the cache";
        disk.power_off();
        disk.power_on(Survival::any);
        const std::string left = get(disk, "/f");
        EXPECT_TRUE(left == "old" || left == "new") << left;
        kept += left == "new" ? 1 : 0;
    }
    EXPECT_GT(kept, 20U);
    EXPECT_LT(kept, 80U);
}

TEST(SimulatedDisk, TearsAWriteBetweenSectorsAndReordersThem) {
    bool second_without_first = false;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        SimulatedDisk disk(seed);
        const auto file = synced_file(disk);
        ASSERT_TRUE(file->preallocate(2 * sector_bytes).ok());
        ASSERT_TRUE(file->sync_all().ok());
        const std::string both = std::string(sector_bytes, 'a') + std::string(sector_bytes, 'b');
        ASSERT_TRUE(put(*file, 0, both).ok());
        disk.power_off();
        disk.power_on(Survival::any);
        const std::string left = get(disk, "/f");
        for (std::size_t at : {std::size_t{0}, sector_bytes}) {
            const std::string sector = left.substr(at, sector_bytes);
            EXPECT_TRUE(sector == both.substr(at, sector_bytes) || sector[4] == '\0')
                << "a sector is whole, or not there";
        }
        second_without_first = second_without_first || (left[0] == 'o' && left[sector_bytes] == 'b');
    }
    EXPECT_TRUE(second_without_first);
}

TEST(SimulatedDisk, ForgetsANameThatItsDirectoryWasNotSyncedFor) {
    SimulatedDisk disk(1);
    synced_file(disk);
    ASSERT_TRUE(disk.rename("/f", "/g").ok());
    EXPECT_EQ(get(disk, "/g"), "old");
    disk.power_off();
    disk.power_on(Survival::none);
    EXPECT_EQ(get(disk, "/g"), "(not_found)");
    EXPECT_EQ(get(disk, "/f"), "old");
}

TEST(SimulatedDisk, ADirectoryThatWasNotSyncedTakesItsFilesAlong) {
    SimulatedDisk disk(1);
    ASSERT_TRUE(disk.make_directory("/d").ok());
    auto file = disk.create("/d/f");
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(put(**file, 0, "synced").ok());
    ASSERT_TRUE((*file)->sync_all().ok());
    ASSERT_TRUE(disk.sync_directory("/d").ok());
    disk.power_off();
    disk.power_on(Survival::none);
    EXPECT_EQ(get(disk, "/d/f"), "(not_found)");
}

TEST(SimulatedDisk, AFailedSyncIsNotMadeGoodByAnother) {
    bool lost = false;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SimulatedDisk disk(seed);
        bool fail = false;
        disk.set_referee([&](const Request& request) {
            return fail && request.operation == Operation::sync ? Fate::fail : Fate::proceed;
        });
        const auto file = synced_file(disk);
        ASSERT_TRUE(put(*file, 0, "new").ok());
        fail = true;
        EXPECT_FALSE(file->sync_data().ok());
        fail = false;
        EXPECT_TRUE(file->sync_data().ok()) << "Linux says so, and nothing is written";
        EXPECT_EQ(get(disk, "/f"), "new") << "the cache shows it";
        disk.power_off();
        disk.power_on(Survival::all);
        lost = lost || get(disk, "/f") == "old";
    }
    EXPECT_TRUE(lost);
}

TEST(SimulatedDisk, AfterTheEndOfAProcessItsHandlesAreDeadAndItsWritesAreThere) {
    SimulatedDisk disk(1);
    const auto file = synced_file(disk);
    ASSERT_TRUE(put(*file, 0, "new").ok());
    auto held = disk.lock("/");
    ASSERT_TRUE(held.ok());
    EXPECT_FALSE(disk.lock("/").ok());
    disk.end_process();
    EXPECT_TRUE(disk.lock("/").ok());
    EXPECT_FALSE(put(*file, 0, "late").ok());
    EXPECT_EQ(get(disk, "/f"), "new");
}

TEST(SimulatedDisk, AMisdirectedWriteLandsElsewhereAndIsReportedDone) {
    SimulatedDisk disk(1);
    const auto file = synced_file(disk);
    ASSERT_TRUE(file->preallocate(64 * sector_bytes).ok());
    disk.set_referee(
        [](const Request& request) { return request.operation == Operation::write ? Fate::misdirect : Fate::proceed; });
    EXPECT_TRUE(put(*file, 0, "new").ok());
    const std::string content = get(disk, "/f", 64 * sector_bytes);
    EXPECT_EQ(content.substr(0, 3), "old");
    EXPECT_NE(content.find("new"), std::string::npos);
}

}  // namespace
}  // namespace jiaozi::sim
