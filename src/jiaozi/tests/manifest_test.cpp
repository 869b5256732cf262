// backup.json is read from wherever a backup was kept: nothing in it is trusted.
#include "backup/manifest.hpp"

#include <string>

#include <gtest/gtest.h>

namespace jiaozi::backup {
namespace {

Manifest example(std::string path) {
    Manifest manifest;
    manifest.made_at = timestamp_s(1'700'000'000);
    manifest.entries = 42;
    manifest.last_entry_at = timestamp_s(1'600'000'000);
    manifest.last_hash = std::string(64, 'a');
    manifest.registry = true;
    manifest.files = {{std::move(path), 16, std::string(64, 'b')}};
    return manifest;
}

TEST(Manifest, ReadsWhatItWrites) {
    const Manifest manifest = example("journal/format");
    const auto read = parse_manifest(format_manifest(manifest));
    ASSERT_TRUE(read.ok()) << read.error().to_string();
    EXPECT_EQ(format_manifest(*read), format_manifest(manifest));
    EXPECT_EQ(read->made_at, manifest.made_at);
    EXPECT_EQ(read->files.at(0).path, "journal/format");
}

TEST(Manifest, NamesNoFileOutsideTheBackup) {
    for (const char* path : {"/etc/passwd", "../data/keystore.key", "journal/../../x", "", ".", "journal//"}) {
        const auto read = parse_manifest(format_manifest(example(path)));
        ASSERT_FALSE(read.ok()) << path;
        EXPECT_EQ(read.error().kind(), ErrorKind::invalid) << path;
    }
}

TEST(Manifest, RefusesWhatIsNone) {
    EXPECT_EQ(parse_manifest("").error().kind(), ErrorKind::malformed);
    EXPECT_EQ(parse_manifest("[]").error().kind(), ErrorKind::malformed);
    EXPECT_EQ(parse_manifest("{}").error().kind(), ErrorKind::malformed);
    EXPECT_EQ(parse_manifest(R"({"object":"backup","version":1})").error().kind(), ErrorKind::malformed);
    EXPECT_EQ(parse_manifest(R"({"object":"backup","version":2})").error().kind(), ErrorKind::invalid);
    EXPECT_EQ(parse_manifest(std::string((std::size_t{16} << 20) + 1, ' ')).error().kind(), ErrorKind::too_large);
}

}  // namespace
}  // namespace jiaozi::backup
