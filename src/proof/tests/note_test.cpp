// Signed notes against the example of C2SP and of golang.org/x/mod/sumdb/note, and against every way to spoil one.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <jiaozi/proof/note.hpp>

namespace jiaozi::proof {
namespace {

constexpr std::string_view neumann_key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view neumann_note =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

struct Signing {
    std::unique_ptr<crypto::Signer> signer = *crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519));
    NoteKey key = *note_key("shop.example/journal", NoteAlgorithm::ed25519, *signer);

    std::string checkpoint(std::uint64_t size) const {
        const std::string text = Checkpoint{key.name, size, crypto::sha256({})}.text();
        return Note{text, {*sign_note(text, key, *signer)}}.to_string();
    }
};

TEST(Note, TheNoteOfOthersVerifiesAndIsWrittenBackUnchanged) {
    const auto key = NoteKey::parse(neumann_key);
    ASSERT_TRUE(key.ok()) << key.error().to_string();
    EXPECT_EQ(key->to_string(), neumann_key);
    const auto note = Note::parse(neumann_note);
    ASSERT_TRUE(note.ok()) << note.error().to_string();
    EXPECT_TRUE(verify_note(*note, *key).ok());
    EXPECT_EQ(note->to_string(), neumann_note);
}

TEST(Note, EveryChangedCharacterIsFound) {
    const Signing signing;
    const std::string note = signing.checkpoint(12);
    ASSERT_TRUE(open_checkpoint(note, signing.key).ok());
    for (std::size_t i = 0; i < note.size(); ++i) {
        std::string changed = note;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(open_checkpoint(changed, signing.key).ok()) << "character " << i << " changed";
        EXPECT_FALSE(open_checkpoint(note.substr(0, i), signing.key).ok()) << "cut at " << i;
    }
}

TEST(Note, AnotherKeyDoesNotOpenIt) {
    const Signing one;
    const Signing two;
    EXPECT_EQ(open_checkpoint(one.checkpoint(3), two.key).error().kind(), ErrorKind::unauthenticated);
    // Another log's name under the same key is another key.
    const auto renamed = *note_key("other.example/journal", NoteAlgorithm::ed25519, *one.signer);
    EXPECT_EQ(open_checkpoint(one.checkpoint(3), renamed).error().kind(), ErrorKind::unauthenticated);
}

TEST(Note, WitnessesCosignWithTheTime) {
    const Signing log;
    const auto witness = *crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519));
    const NoteKey witness_key = *note_key("witness.example", NoteAlgorithm::cosignature, *witness);
    auto note = *Note::parse(log.checkpoint(7));
    note.signatures.push_back(*cosign_note(note.text, witness_key, *witness, timestamp_s(1'700'000'000)));
    const auto both = *Note::parse(note.to_string());
    EXPECT_TRUE(verify_note(both, log.key).ok());
    EXPECT_EQ(verify_note(both, witness_key)->s(), 1'700'000'000U);
    note.signatures.back().signature[7] ^= 1;  // the time
    EXPECT_FALSE(verify_note(note, witness_key).ok());
    EXPECT_EQ(NoteKey::parse(witness_key.to_string())->algorithm, NoteAlgorithm::cosignature);
}

TEST(Note, WhatIsNoNoteIsRefused) {
    const Signing signing;
    const std::string good = signing.checkpoint(1);
    struct Row {
        const char* what;
        std::string bytes;
    };
    std::string many = good;
    const std::string line = good.substr(good.rfind("\n\n") + 2);
    for (int i = 0; i < 20; ++i) many += line;
    const Row rows[] = {
        {"empty", ""},
        {"no signature", "text\n\n"},
        {"no empty line", "text\n"},
        {"a tab in the text", "te\txt\n\n" + line},
        {"not UTF-8", "te\xff\n\n" + line},
        {"no newline at the end", good.substr(0, good.size() - 1)},
        {"a hyphen instead of the dash", "text\n\n- a AAAAAAAA\n"},
        {"too many signatures", many},
        {"too long", std::string(max_note_bytes, 'a') + "\n\n" + line},
    };
    for (const Row& row : rows) EXPECT_FALSE(Note::parse(row.bytes).ok()) << row.what;
    for (const char* key : {"", "a+b", "a+01234567+AQ==", "a b+01234567+AQ==",
                            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"})
        EXPECT_FALSE(NoteKey::parse(key).ok()) << key;
    EXPECT_EQ(note_key("has space", NoteAlgorithm::ed25519, *signing.signer).error().param(), "origin");
}

TEST(Note, CheckpointsAreStrict) {
    const std::string root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    EXPECT_TRUE(Checkpoint::parse("a\n0\n" + root).ok());
    EXPECT_TRUE(Checkpoint::parse("a\n18446744073709551615\n" + root + "an extension\n").ok());
    for (const std::string& text :
         std::vector<std::string>{"a\n00\n" + root, "a\n-1\n" + root, "a\n18446744073709551616\n" + root,
                                  "\n0\n" + root, "a\n0\nAAAA\n", "a\n0\n" + root + "\n", "a\n0\n"})
        EXPECT_FALSE(Checkpoint::parse(text).ok()) << text;
}

}  // namespace
}  // namespace jiaozi::proof
