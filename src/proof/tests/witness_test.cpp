// What a witness cosigns, what it refuses, and what it still knows after a restart.
#include <utility>

#include <gtest/gtest.h>

#include <jiaozi/proof/witness.hpp>

#include "folder.hpp"

namespace jiaozi::proof {
namespace {

class WitnessTest : public ::testing::Test {
  protected:
    // A log of `size` leaves; from leaf `fork` on they are another history's.
    std::vector<crypto::Digest> leaves(std::uint64_t size, std::uint64_t fork = UINT64_MAX) {
        std::vector<crypto::Digest> out;
        for (std::uint64_t i = 0; i < size; ++i)
            out.push_back(crypto::merkle::hash_leaf(as_bytes((i < fork ? "a" : "b") + std::to_string(i))));
        return out;
    }
    std::string signed_note(const std::vector<crypto::Digest>& tree) {
        const std::string text = Checkpoint{log_.name, tree.size(), crypto::merkle::root_of(tree)}.text();
        return Note{text, {*sign_note(text, log_, *signer_)}}.to_string();
    }
    Result<std::string> show(Witness& witness, const std::vector<crypto::Digest>& tree) {
        crypto::merkle::LeafSource source(tree);
        return witness.cosign(signed_note(tree), source, timestamp_s(1'700'000'000));
    }
    Witness open() {
        auto witness = Witness::open(path(), storage::system_disk());
        EXPECT_TRUE(witness.ok()) << witness.error().to_string();
        return std::move(*witness);
    }
    NoteKey make(const char* name = "witness.example/1", const char* folder = "witness") {
        auto key = Witness::make(folder_.path() / folder, name, log_, storage::system_disk());
        EXPECT_TRUE(key.ok()) << key.error().to_string();
        return *key;
    }
    std::filesystem::path path(const char* folder = "witness") const { return folder_.path() / folder; }

    Folder folder_;
    std::unique_ptr<crypto::Signer> signer_ = *crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519));
    NoteKey log_ = *note_key("shop.example/journal", NoteAlgorithm::ed25519, *signer_);
};

TEST_F(WitnessTest, CosignsWhatContinuesWhatItRemembers) {
    const NoteKey key = make();
    {
        Witness witness = open();
        EXPECT_FALSE(witness.seen().has_value());
        for (const std::uint64_t size : {5U, 5U, 6U, 300U}) {
            const auto cosigned = show(witness, leaves(size));
            ASSERT_TRUE(cosigned.ok()) << cosigned.error().to_string();
            const Note note = *Note::parse(*cosigned);
            EXPECT_EQ(note.signatures.size(), 2U);
            EXPECT_EQ(*verify_note(note, key), timestamp_s(1'700'000'000));
            EXPECT_TRUE(verify_note(note, log_).ok());
        }
        // Another process must wait.
        EXPECT_EQ(Witness::open(path(), storage::system_disk()).error().kind(), ErrorKind::conflict);
    }
    EXPECT_EQ(open().seen()->size, 300U);
    EXPECT_EQ(Witness::make(path(), "witness.example/1", log_, storage::system_disk()).error().kind(),
              ErrorKind::conflict);
}

TEST_F(WitnessTest, RefusesAForkAndAShrunkLogAndKeepsTheEvidence) {
    make();
    Witness witness = open();
    ASSERT_TRUE(show(witness, leaves(10)).ok());
    struct Row {
        std::uint64_t size, fork;
        const char* code;
    };
    const Row rows[] = {
        {9, UINT64_MAX, "log_shrunk"}, {10, 9, "log_forked"}, {20, 9, "log_forked"}, {20, 0, "log_forked"}};
    for (const Row& row : rows) {
        const auto shown = leaves(row.size, row.fork);
        const auto refused = show(witness, shown);
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().code(), row.code) << refused.error().to_string();
        EXPECT_TRUE(std::filesystem::exists(path() / ("fork-" + std::to_string(row.size))));
        EXPECT_EQ(witness.seen()->size, 10U);
    }
    EXPECT_TRUE(show(witness, leaves(20, 10)).ok())
        << "another continuation of what it remembers is none of its business";
}

TEST_F(WitnessTest, RefusesWhatTheLogDidNotSign) {
    make();
    Witness witness = open();
    const auto theirs = std::exchange(signer_, *crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519)));
    EXPECT_EQ(show(witness, leaves(5)).error().kind(), ErrorKind::unauthenticated);
    EXPECT_FALSE(witness.seen().has_value());
}

TEST_F(WitnessTest, AQuorumIsOfDifferentWitnesses) {
    const std::vector<NoteKey> keys = {make("one.example", "one"), make("two.example", "two"),
                                       make("three.example", "three")};
    Note note = *Note::parse(signed_note(leaves(5)));
    for (const char* folder : {"one", "two"}) {
        Witness witness = std::move(*Witness::open(path(folder), storage::system_disk()));
        note = *merge_signatures(note, *Note::parse(*show(witness, leaves(5))));
    }
    EXPECT_EQ(note.signatures.size(), 3U);
    EXPECT_EQ(count_cosignatures(note, keys), 2U);
    EXPECT_TRUE(require_quorum(note, keys, 2).ok());
    const auto short_of = require_quorum(note, keys, 3);
    EXPECT_EQ(short_of.error().kind(), ErrorKind::unauthenticated);
    EXPECT_NE(short_of.error().message().find("three.example"), std::string::npos);
    EXPECT_EQ(require_quorum(note, keys, 4).error().kind(), ErrorKind::invalid);
    EXPECT_EQ(require_quorum(note, std::vector{keys[0], keys[0]}, 2).error().kind(), ErrorKind::unauthenticated);
    EXPECT_EQ(require_quorum(note, std::vector{log_}, 1).error().kind(), ErrorKind::invalid);
    EXPECT_EQ(merge_signatures(note, *Note::parse(signed_note(leaves(6)))).error().kind(), ErrorKind::conflict);
}

}  // namespace
}  // namespace jiaozi::proof
