// A file of signed notes: appended once, cut where a write was cut off, and never where something else stands.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include <jiaozi/anchor/places.hpp>

namespace jiaozi::anchor {
namespace {

class AnchorFileTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "jiaozi-anchor-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        signer_ = *crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519));
        key_ = *proof::note_key("shop.example/journal", proof::NoteAlgorithm::ed25519, *signer_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    SignedCheckpoint checkpoint(std::uint64_t size, std::uint8_t root) const {
        SignedCheckpoint made{{key_.name, size, {}}, {}};
        made.checkpoint.root.fill(root);
        const std::string text = made.checkpoint.text();
        made.note = proof::Note{text, {*proof::sign_note(text, key_, *signer_)}}.to_string();
        return made;
    }
    std::string path() const { return (folder_ / "anchors").string(); }
    std::string contents() const {
        std::ifstream file(path(), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void write(const std::string& text) const { std::ofstream(path(), std::ios::binary) << text; }
    Result<bool> append(const SignedCheckpoint& one) const { return append_to_file(path(), one, key_); }

    std::filesystem::path folder_;
    std::unique_ptr<crypto::Signer> signer_;
    proof::NoteKey key_;
};

TEST_F(AnchorFileTest, OneNoteAfterAnotherAndNoneTwice) {
    const auto first = checkpoint(5, 1);
    const auto second = checkpoint(9, 2);
    EXPECT_TRUE(*append(first));
    EXPECT_FALSE(*append(first));
    EXPECT_TRUE(*append(second));
    EXPECT_FALSE(*append(second));
    EXPECT_EQ(contents(), first.note + second.note);
    const auto list = read_anchor_file(path());
    ASSERT_TRUE(list.ok());
    EXPECT_EQ(list->notes, (std::vector<std::string>{first.note, second.note}));
    EXPECT_FALSE(list->torn);
}

TEST_F(AnchorFileTest, AWriteCutOffAnywhereIsMadeGood) {
    const auto first = checkpoint(5, 1);
    const auto second = checkpoint(9, 2);
    for (std::size_t cut = 1; cut < second.note.size(); ++cut) {
        write(first.note + second.note.substr(0, cut));
        const auto list = read_anchor_file(path());
        ASSERT_TRUE(list.ok()) << cut << ": " << list.error().to_string();
        EXPECT_TRUE(list->torn);
        EXPECT_EQ(list->notes.size(), 1U);
        const auto appended = append(second);
        ASSERT_TRUE(appended.ok()) << cut << ": " << appended.error().to_string();
        EXPECT_EQ(contents(), first.note + second.note);
    }
}

TEST_F(AnchorFileTest, AnotherFileIsLeftAlone) {
    for (const std::string text : {"a shopping list\n", "a\n\nb\n", "a\n1\nAAAA\n\n\u2014 x not-base64!\n"}) {
        write(text);
        EXPECT_EQ(append(checkpoint(5, 1)).error().kind(), ErrorKind::malformed) << text;
        EXPECT_EQ(contents(), text);
    }
}

TEST_F(AnchorFileTest, AShorterOrAnotherHistoryIsNotWritten) {
    ASSERT_TRUE(append(checkpoint(5, 1)).ok());
    ASSERT_TRUE(append(checkpoint(9, 2)).ok());
    const std::string before = contents();
    for (const auto& other : {checkpoint(8, 3), checkpoint(9, 3), checkpoint(5, 1)})
        EXPECT_EQ(append(other).error().kind(), ErrorKind::conflict);
    EXPECT_EQ(contents(), before);
}

TEST_F(AnchorFileTest, WhatAnotherLogSignedDoesNotCount) {
    const auto theirs = checkpoint(100, 1);
    const auto log = key_;
    signer_ = *crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519));
    key_ = *proof::note_key("shop.example/journal", proof::NoteAlgorithm::ed25519, *signer_);
    write(theirs.note);
    EXPECT_TRUE(*append(checkpoint(5, 1)));
}

TEST(NoteLists, AreLimited) {
    EXPECT_TRUE(split_notes("")->notes.empty());
    EXPECT_EQ(split_notes(std::string(max_anchor_text_bytes + 1, 'a')).error().kind(), ErrorKind::too_large);
    // No note is that long, so it is not the beginning of one.
    EXPECT_EQ(split_notes(std::string(proof::max_note_bytes + 1, 'a')).error().kind(), ErrorKind::malformed);
}

}  // namespace
}  // namespace jiaozi::anchor
