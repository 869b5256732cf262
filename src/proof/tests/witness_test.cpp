// What a witness cosigns, what it refuses, and what it still knows after a restart.
#include <utility>

#include <gtest/gtest.h>

#include <jiaozi/proof/witness.hpp>
#include <jiaozi/storage/faulty_disk.hpp>

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

// A log that asks by itself, as C2SP tlog-witness has it: what is answered, in its order.
class AddCheckpointTest : public WitnessTest {
  protected:
    AddCheckpoint ask(std::uint64_t old_size, const std::vector<crypto::Digest>& tree) {
        AddCheckpoint request{old_size, {}, signed_note(tree)};
        if (old_size > 0 && old_size < tree.size()) {
            crypto::merkle::LeafSource source(tree);
            request.proof = *crypto::merkle::consistency_proof(source, old_size, tree.size());
        }
        return request;
    }
    static Timestamp now() { return timestamp_s(1'700'000'000); }
};

TEST_F(AddCheckpointTest, CosignsWhatItsProofLeadsTo) {
    const NoteKey key = make();
    std::uint64_t before = 0;
    for (const std::uint64_t size : {5U, 5U, 6U, 300U, 301U}) {
        Witness witness = open();  // each time another process
        const AddCheckpoint request = ask(before, leaves(size));
        const auto parsed = AddCheckpoint::parse(request.to_string());
        ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
        EXPECT_EQ(*parsed, request);
        const auto ours = witness.add(*parsed, now());
        ASSERT_TRUE(ours.ok()) << ours.error().to_string();
        const Note note = *Note::parse(request.note);
        const auto cosigned = with_answer(note, key, signature_lines(std::span(&*ours, 1)));
        ASSERT_TRUE(cosigned.ok()) << cosigned.error().to_string();
        EXPECT_EQ(*verify_note(*cosigned, key), now());
        EXPECT_TRUE(verify_note(*cosigned, log_).ok());
        before = size;
    }
    EXPECT_EQ(open().seen()->size, 301U) << "it remembers";
}

TEST_F(AddCheckpointTest, RefusesInTheOrderOfTheProtocol) {
    make();
    Witness witness = open();
    ASSERT_TRUE(witness.add(ask(0, leaves(10)), now()).ok());
    const auto refusal = [&](const AddCheckpoint& request) {
        const auto answer = witness.add(request, now());
        return answer.ok() ? std::string("ok")
                           : std::string(name_of(answer.error().kind())) + "/" + answer.error().code();
    };
    AddCheckpoint other = ask(10, leaves(20));
    other.note.replace(0, log_.name.size(), "elsewhere/journal");
    EXPECT_EQ(refusal(other), "not_found/unknown_log");
    AddCheckpoint forged = ask(10, leaves(20));
    forged.note = Note{Note::parse(forged.note)->text, Note::parse(ask(10, leaves(21)).note)->signatures}.to_string();
    EXPECT_EQ(refusal(forged), "unauthenticated/unauthenticated");
    EXPECT_EQ(refusal({11, {}, signed_note(leaves(10))}), "invalid/invalid");
    EXPECT_EQ(refusal(ask(0, leaves(20))), "conflict/witness_elsewhere");
    EXPECT_EQ(refusal(ask(9, leaves(20))), "conflict/witness_elsewhere");
    EXPECT_EQ(refusal(ask(10, leaves(10, 3))), "conflict/witness_elsewhere") << "another root of the same size";
    EXPECT_TRUE(std::filesystem::exists(path() / "fork-10")) << "signed by the log: the evidence is kept";
    EXPECT_EQ(refusal(ask(10, leaves(20, 3))), "declined/log_forked");
    AddCheckpoint bare = ask(10, leaves(20));
    bare.proof.clear();
    EXPECT_EQ(refusal(bare), "declined/log_forked");
    EXPECT_EQ(refusal(ask(5, leaves(7))), "conflict/witness_elsewhere") << "a shrunk log";
    EXPECT_EQ(witness.seen()->size, 10U);
    EXPECT_EQ(refusal(ask(10, leaves(20))), "ok");
}

TEST_F(AddCheckpointTest, WhatCannotBeRememberedIsNotSigned) {
    make();
    storage::FaultyDisk disk(storage::system_disk());
    auto opened = Witness::open(path(), disk);
    ASSERT_TRUE(opened.ok());
    ASSERT_TRUE(opened->add(ask(0, leaves(3)), now()).ok());
    disk.fail_writes_from(disk.writes());
    EXPECT_EQ(opened->add(ask(3, leaves(4)), now()).error().kind(), ErrorKind::io);
    EXPECT_EQ(opened->seen()->size, 3U);
}

TEST(AddCheckpointBody, Grammar) {
    const std::string note =
        "a.example/log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u2014 a.example/log AAAAAAAA\n";
    const std::string hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    std::string many;
    for (int i = 0; i < 63; ++i) many += hash;
    struct Row {
        const char* what;
        std::string body;
        bool good;
    };
    const Row rows[] = {
        {"from nothing", "old 0\n\n" + note, true},
        {"with a proof", "old 1\n" + hash + hash + "\n" + note, true},
        {"63 hashes", "old 1\n" + many + "\n" + note, true},
        {"64 hashes", "old 1\n" + many + hash + "\n" + note, false},
        {"a proof from nothing", "old 0\n" + hash + "\n" + note, false},
        {"no size", "old \n\n" + note, false},
        {"a sign", "old +1\n\n" + note, false},
        {"a leading zero", "old 01\n\n" + note, false},
        {"over 64 bits", "old 18446744073709551616\n\n" + note, false},
        {"a short hash", "old 1\nAAAA\n\n" + note, false},
        {"not base64", "old 1\n!\n\n" + note, false},
        {"no empty line", "old 1\n" + hash + note, false},
        {"no note", "old 1\n\n", false},
        {"nothing", "", false},
    };
    for (const Row& row : rows) {
        const auto parsed = AddCheckpoint::parse(row.body);
        EXPECT_EQ(parsed.ok(), row.good) << row.what;
        if (!parsed.ok()) continue;
        EXPECT_EQ(parsed->to_string(), row.body) << row.what;
    }
    EXPECT_EQ(AddCheckpoint::parse(std::string(30'000, 'x')).error().kind(), ErrorKind::too_large);
}

}  // namespace
}  // namespace jiaozi::proof
