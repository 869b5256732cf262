// Directories that earlier versions wrote open, and show what they showed then.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

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

class GoldenSnapshot : public ::testing::Test {
  protected:
    void open(const std::string& name, bool use_snapshots) {
        directory_ = fs::path(GOLDEN_FOLDER) / name;
        const auto end = storage::check_journal(directory_ / "journal" / "journal");
        ASSERT_TRUE(end.ok()) << end.error().to_string();
        clock_.set(end->last);
        engine::Options options;
        options.directory = directory_ / "journal";
        options.disk = &disk_;
        options.snapshot_every_bytes = 0;
        options.use_snapshots = use_snapshots;
        auto opened = engine::Engine::open(options, clock_);
        ASSERT_TRUE(opened.ok()) << opened.error().to_string();
        engine_ = std::move(opened).value();
        EXPECT_EQ(state_text(*engine_), text_of(directory_ / "expected.txt"));
        EXPECT_TRUE(engine_->check_invariants().empty());
    }

    fs::path directory_;
    storage::ReadOnlyDisk disk_{storage::system_disk()};
    TestClock clock_;
    std::unique_ptr<engine::Engine> engine_;
};

// From the snapshot and the histories that were made then, and without the snapshot.
TEST_F(GoldenSnapshot, OpensAndShowsWhatItShowed) {
    open("snapshot-v2", true);
    EXPECT_EQ(engine_->opening().snapshots_skipped, 0U);
    EXPECT_NE(engine_->opening().snapshot_sequence, 0U);
    const std::uint64_t digest = engine_->state_digest();
    open("snapshot-v2", false);
    EXPECT_EQ(engine_->opening().snapshot_sequence, 0U);
    EXPECT_EQ(engine_->state_digest(), digest);
}

// Pre-releases wrote it. Its journal says the same.
TEST_F(GoldenSnapshot, OneOfVersionOneIsLeftAside) {
    open("snapshot-v1", true);
    EXPECT_EQ(engine_->opening().snapshots_skipped, 1U);
    EXPECT_EQ(engine_->opening().snapshot_sequence, 0U);
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
