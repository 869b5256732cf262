// Directories that earlier versions wrote open, and show what they showed then.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include <jiaozi/storage/journal_copy.hpp>
#include <jiaozi/storage/read_only_disk.hpp>

#include "state_text.hpp"

namespace jiaozi::golden {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

class Golden : public ::testing::TestWithParam<std::string> {
  protected:
    const fs::path directory_ = fs::path(GOLDEN_FOLDER) / GetParam();
};

TEST_P(Golden, OpensAndShowsWhatItShowed) {
    const auto end = storage::check_journal(directory_ / "journal" / "journal");
    ASSERT_TRUE(end.ok()) << end.error().to_string();
    storage::ReadOnlyDisk disk(storage::system_disk());
    TestClock clock(end->last);  // no hold runs out meanwhile
    engine::Options options;
    options.directory = directory_ / "journal";
    options.disk = &disk;
    const auto engine = engine::Engine::open(options, clock);
    ASSERT_TRUE(engine.ok()) << engine.error().to_string();
    EXPECT_EQ(state_text(**engine), text_of(directory_ / "expected.txt"));
    EXPECT_TRUE((*engine)->check_invariants().empty());
}

// From the snapshot that was made then, and without it.
TEST(GoldenSnapshot, OpensAndShowsWhatItShowed) {
    const fs::path directory = fs::path(GOLDEN_FOLDER) / "snapshot-v1";
    const auto end = storage::check_journal(directory / "journal" / "journal");
    ASSERT_TRUE(end.ok()) << end.error().to_string();
    storage::ReadOnlyDisk disk(storage::system_disk());
    TestClock clock(end->last);
    engine::Options options;
    options.directory = directory / "journal";
    options.disk = &disk;
    options.snapshot_every_bytes = 0;
    std::uint64_t digest = 0;
    for (const bool use : {true, false}) {
        options.use_snapshots = use;
        const auto engine = engine::Engine::open(options, clock);
        ASSERT_TRUE(engine.ok()) << engine.error().to_string();
        EXPECT_EQ((*engine)->opening().snapshots_skipped, 0U);
        EXPECT_EQ((*engine)->opening().snapshot_sequence != 0, use);
        EXPECT_EQ(state_text(**engine), text_of(directory / "expected.txt"));
        EXPECT_TRUE((*engine)->check_invariants().empty());
        if (use) digest = (*engine)->state_digest();
        EXPECT_EQ((*engine)->state_digest(), digest);
    }
}

INSTANTIATE_TEST_SUITE_P(Version, Golden, ::testing::Values("journal-v2"), [](const auto& version) {
    std::string name = version.param;
    std::erase(name, '-');
    return name;
});

// Format 1 was never in a release (docs/adr/0007). What it must not be is misread.
TEST(GoldenOfPreRelease, IsRefusedInSoManyWordsAndNotTouched) {
    storage::ReadOnlyDisk disk(storage::system_disk());
    TestClock clock;
    engine::Options options;
    options.directory = fs::path(GOLDEN_FOLDER) / "journal-v1" / "journal";
    options.disk = &disk;
    const auto engine = engine::Engine::open(options, clock);
    ASSERT_FALSE(engine.ok());
    EXPECT_EQ(engine.error().kind(), ErrorKind::invalid);
    EXPECT_NE(engine.error().message().find("pre-release (format 1)"), std::string::npos) << engine.error().to_string();
}

}  // namespace
}  // namespace jiaozi::golden
