// Tiles against the plain tree, over restarts, and the paths that tlog-tiles has.
#include <vector>

#include <gtest/gtest.h>

#include <jiaozi/proof/tiles.hpp>

#include "folder.hpp"
#include "subjects.hpp"

namespace jiaozi::proof {
namespace {

crypto::Digest entry(std::uint64_t i) {
    return crypto::sha256(as_bytes("entry " + std::to_string(i)));
}

TEST(Tiles, PathsAreThoseOfTlogTiles) {
    EXPECT_EQ(tile_number(1'234'067), "x001/x234/067");  // the example of the specification
    EXPECT_EQ(tile_number(0), "000");
    EXPECT_EQ(tile_number(999), "999");
    EXPECT_EQ(tile_number(1000), "x001/000");
    const TileName partial{.entries = true, .level = 0, .index = 1'234'067, .width = 7};
    EXPECT_EQ(partial.path(), "entries/x001/x234/067.p/7");
    for (const char* path : {"0/000", "6/x001/234", "entries/x001/x234/067.p/255", "1/x999/x999/x999/x999/x999/999"}) {
        const auto name = TileName::parse(path);
        ASSERT_TRUE(name.ok()) << path;
        EXPECT_EQ(name->path(), path);
    }
    for (const char* path : {"", "0", "0/", "0/00", "0/0000", "7/000", "00/000", "0/x000/001", "0/001/000", "0/000.p/0",
                             "0/000.p/256", "0/000.p/01", "0/000.p/", "x/000", "0/../position", "0/-01", "0/x001000",
                             "entries/000/", "1/x999/x999/x999/x999/x999/x999/999"})
        EXPECT_FALSE(TileName::parse(path).ok()) << path;
}

TEST(Tiles, GiveTheRootsAndProofsOfThePlainTree) {
    const Folder folder;
    auto tiles = *Tiles::open(folder.path() / "tile", storage::system_disk());
    std::vector<crypto::Digest> leaves;
    crypto::merkle::LeafSource plain{std::span(leaves)};
    for (std::uint64_t i = 0; i < 1300; ++i) {
        ASSERT_TRUE(tiles->append(entry(i)).ok());
        leaves.push_back(crypto::merkle::hash_leaf(entry(i)));
        if (i % 97 == 0 || i % 256 < 2) {
            EXPECT_EQ(*tiles->root(), crypto::merkle::root_of(leaves)) << i + 1 << " leaves";
        }
    }
    crypto::merkle::LeafSource source{std::span(leaves)};
    for (const std::uint64_t size : {1U, 255U, 256U, 257U, 512U, 1024U, 1299U, 1300U}) {
        for (std::uint64_t index = 0; index < size; index += 113)
            EXPECT_EQ(*crypto::merkle::inclusion_proof(*tiles, index, size),
                      *crypto::merkle::inclusion_proof(source, index, size));
        EXPECT_EQ(*crypto::merkle::consistency_proof(*tiles, size, 1300),
                  *crypto::merkle::consistency_proof(source, size, 1300));
    }
    EXPECT_EQ(*tiles->read(*TileName::parse("0/004")), *tiles->read({.index = 4}));
    EXPECT_EQ(tiles->read(*TileName::parse("0/005.p/20"))->size(), 20U * 32);
    EXPECT_EQ(tiles->read(*TileName::parse("0/002.p/20"))->size(), 20U * 32);
    EXPECT_EQ(tiles->read(*TileName::parse("1/000.p/5"))->size(), 5U * 32);
    EXPECT_EQ(tiles->read(*TileName::parse("entries/000"))->size(), 256U * 34);
    EXPECT_EQ(tiles->read(*TileName::parse("entries/005.p/3"))->size(), 3U * 34);
    for (const char* beyond : {"0/005", "0/005.p/21", "1/000", "1/001.p/1", "2/000.p/1", "entries/006.p/1",
                               "0/x999/x999/x999/x999/x999/999"})
        EXPECT_EQ(tiles->read(*TileName::parse(beyond)).error().kind(), ErrorKind::not_found) << beyond;
}

TEST(Tiles, GoOnAfterARestartFromWhatIsDurable) {
    const Folder folder;
    crypto::merkle::Frontier tree;
    const auto fill = [&](Tiles& tiles, std::uint64_t to) {
        for (std::uint64_t i = tiles.size(); i < to; ++i) {
            ASSERT_TRUE(tiles.append(entry(i)).ok());
            if (tiles.size() % group_leaves == 0) tiles.end_group();
        }
        ASSERT_TRUE(tiles.settle({}).ok());
    };
    const std::uint64_t stops[] = {group_leaves - 1, group_leaves + 300, 2 * group_leaves};
    std::uint64_t appended = 0;
    for (const std::uint64_t stop : stops) {
        auto tiles = *Tiles::open(folder.path() / "tile", storage::system_disk());
        EXPECT_EQ(tiles->size(), appended / group_leaves * group_leaves);
        fill(*tiles, stop);
        for (; appended < stop; ++appended) tree.append(crypto::merkle::hash_leaf(entry(appended)));
        EXPECT_EQ(*tiles->root(), tree.root()) << stop << " leaves";
    }
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "tile/entries/511"));
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "tile/1/001"));
    std::filesystem::remove(folder.path() / "tile/1/000");
    auto tiles = Tiles::open(folder.path() / "tile", storage::system_disk());
    EXPECT_EQ(tiles.error().kind(), ErrorKind::corrupt);
}

TEST(Tiles, SubjectsAreFoundInFilesAndInMemory) {
    const Folder folder;
    Subjects subjects(folder.path(), storage::system_disk(), 0);
    for (std::uint64_t group = 0; group < 3; ++group) {
        for (std::uint64_t i = 0; i < 100; ++i) subjects.add(1000 + i % 10, group * 1000 + i);
        ASSERT_TRUE(subjects.end_group().ok());
    }
    subjects.add(1003, 5000);
    subjects.add(1003, 5000);
    const auto all = *subjects.find(1003, 1000);
    ASSERT_EQ(all.size(), 31U);
    EXPECT_TRUE(std::ranges::is_sorted(all));
    EXPECT_EQ(all.front(), 3U);
    EXPECT_EQ(all.back(), 5000U);
    EXPECT_EQ(*subjects.find(1003, 2), (std::vector<std::uint64_t>{2093, 5000}));
    EXPECT_TRUE(subjects.find(999, 10)->empty());
    EXPECT_TRUE(subjects.find(2000, 10)->empty());
    std::filesystem::resize_file(folder.path() / "subjects/001", 100);
    EXPECT_EQ(subjects.find(1003, 1000).error().kind(), ErrorKind::corrupt);
}

}  // namespace
}  // namespace jiaozi::proof
