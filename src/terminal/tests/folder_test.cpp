// Purses in folders, with their keys in encrypted files (A0), and fork proofs in files.
#include <filesystem>

#include <gtest/gtest.h>
#include <stdlib.h>

#include <jiaozi/codec/base_n.hpp>
#include <jiaozi/terminal/evidence.hpp>
#include <jiaozi/terminal/payment.hpp>
#include <jiaozi/terminal/proof_file.hpp>
#include <jiaozi/terminal/purse_folder.hpp>

#include "forge.hpp"

namespace jiaozi::terminal {
namespace {

namespace fs = std::filesystem;
using purse_host::Terms;
using purse_host::World;

crypto::SecretBytes secret(std::string_view text) {
    return crypto::SecretBytes(as_bytes(text));
}

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "jiaozi-folder-XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) path = name;
    }
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

IssuerKey key_of(const World& world) {
    const jz_issuer_key key = world.issuer.key();
    return {.suite = world.suite, .key = Bytes(key.public_key, key.public_key + key.size), .revoked = false};
}

Bytes certificate_for(World& world, PurseFolder& folder, std::uint64_t amount) {
    static World template_world;
    static purse_host::Device& sample = template_world.device();
    Terms terms;
    terms.amount = amount;
    purse::Certificate lot = sample.certificate(terms);
    lot.serial = world.next_serial++;
    lot.purse = folder.settings().purse;
    lot.key = purse_host::public_key_of(folder.key().public_key());
    lot.assurance = static_cast<std::uint8_t>(folder.key().assurance());
    return world.issuer.certificate(lot);
}

TEST(PurseFolder, MadeEnrolledLoadedPaidFromAndOpenedAgain) {
    World world;
    purse_host::Device& bob = world.device();
    const Folder folder;
    const TestClock clock(timestamp_s(purse_host::today_s));
    const fs::path place = folder.path / "purse";
    ASSERT_TRUE(PurseFolder::create(place, {}, {}, secret("correct horse")).ok());
    EXPECT_EQ(PurseFolder::create(place, {}, {}, secret("other")).error().kind(), ErrorKind::conflict);
    EXPECT_EQ(PurseFolder::open(place, secret("wrong"), clock).error().kind(), ErrorKind::unauthenticated);
    EXPECT_EQ(PurseFolder::open(folder.path / "none", secret("x"), clock).error().kind(), ErrorKind::not_found);
    {
        auto opened = PurseFolder::open(place, secret("correct horse"), clock).value();
        EXPECT_FALSE(opened->enrolled());
        const std::vector<IssuerKey> issuers = {key_of(world)};
        ASSERT_TRUE(opened->enrol(42, issuers, "wal_x").ok());
        EXPECT_EQ(opened->enrol(43, issuers, "").error().kind(), ErrorKind::conflict);
        ASSERT_TRUE(opened->load(certificate_for(world, *opened, 100'000)).ok());
        EXPECT_EQ(PurseFolder::open(place, secret("correct horse"), clock).error().kind(), ErrorKind::conflict)
            << "one process at a time";
    }
    fs::copy(place, folder.path / "backup", fs::copy_options::recursive);
    {
        auto opened = PurseFolder::open(place, secret("correct horse"), clock).value();
        EXPECT_EQ(opened->settings().wallet, "wal_x");
        Payer payer(opened->purse(), [](const jz_offer&) { return Decision{.pay = true, .cvm = false}; });
        EXPECT_TRUE(payer.answer(bob.purse.receive(payer.answer(bob.ask(500))).bytes).empty());
        EXPECT_EQ(payer.outcome(), Outcome::paid);
        EXPECT_EQ(opened->purse().info().spendable, 99'500U);
    }
    // Yesterday's copy: noticed by the anchor outside of it.
    fs::remove_all(place);
    fs::rename(folder.path / "backup", place);
    auto opened = PurseFolder::open(place, secret("correct horse"), clock).value();
    EXPECT_EQ(opened->purse().info().state, JZ_STATE_SUSPECT);
    EXPECT_EQ(opened->purse().pay(bob.ask(1), false).status, JZ_SUSPECT);
    EXPECT_EQ(opened->anchor_counter(), 1U);
}

TEST(PurseFolder, SettingsAreReadAsTheyWereWrittenAndNothingElse) {
    Settings settings;
    settings.key.place = KeyPlace::tpm;
    settings.key.suite = crypto::Suite::p256;
    settings.public_key = Bytes(33, 2);
    settings.purse = 7;
    settings.wallet = "wal_1";
    World world;
    settings.issuers = {key_of(world)};
    const std::string text = encode_settings(settings);
    const Settings read = decode_settings(text).value();
    EXPECT_EQ(encode_settings(read), text);
    EXPECT_EQ(read.issuers, settings.issuers);
    std::string longer = text;
    longer.insert(1, "\"extra\":1,");
    EXPECT_EQ(decode_settings(longer).error().param(), "extra");
    for (const char* broken : {"", "[]", "{}", "{\"format\":\"jiaozi-purse-2\"}"})
        EXPECT_FALSE(decode_settings(broken).ok());
    EXPECT_EQ(parse_issuer_key(to_text(settings.issuers[0])).value(), settings.issuers[0]);
    EXPECT_FALSE(parse_issuer_key("ed25519:00").ok());
}

// What is handed to the ledger: received notes with their receipts, own notes with theirs, VOIDs; above `through` only.
TEST(Evidence, ItemsToDeposit) {
    World world;
    purse_host::Device& ann = world.device();
    purse_host::Device& bob = world.device();
    purse_host::Device& eve = world.device();
    ASSERT_TRUE(purse_host::transfer(ann, bob, 500).ok());
    EXPECT_EQ(items_to_deposit(bob.purse).size(), 1U);
    ASSERT_EQ(items_to_deposit(ann.purse).size(), 1U);
    EXPECT_EQ(items_to_deposit(ann.purse)[0], items_to_deposit(bob.purse)[0]) << "receipt, note, certificate";
    Terms nothing;
    nothing.amount = 0;
    // Bob spends on what he received: his item holds Ann's note and certificate.
    ASSERT_EQ(jz_purse_load(eve.purse.get(), purse_host::c_view(world.issuer.certificate(eve.certificate(nothing)))),
              JZ_OK);
    ASSERT_TRUE(purse_host::transfer(bob, eve, 300).ok());
    const auto items = items_to_deposit(bob.purse);
    ASSERT_EQ(items.size(), 2U);
    EXPECT_EQ(items[1], eve.purse.deposit(0).bytes);
    bob.ask(200);
    const auto voided = bob.purse.void_request(bob.nonce);
    EXPECT_EQ(items_to_deposit(bob.purse).back(), to_bytes(ByteView(voided.bytes).subspan(1)));
    purse::SyncAck ack;
    ack.purse = bob.ordinal;
    ack.sync = 9;
    ack.time = purse_host::today_s;
    ack.through = bob.purse.info().seq;
    ASSERT_EQ(jz_purse_sync(bob.purse.get(), purse_host::c_view(world.issuer.sync_ack(ack))), JZ_OK);
    EXPECT_TRUE(items_to_deposit(bob.purse).empty());
    EXPECT_EQ(sync_state_of(bob.purse).last_sync, 9U);
    EXPECT_EQ(sync_state_of(bob.purse).through, 3U);
}

// A card signs, power goes before the journal has it, and the purse takes it over: the ledger must hear of its number,
// or it would never acknowledge what was said after it.
TEST(Evidence, WhatWasAdoptedFromACardIsHandedIn) {
    World world;
    purse_host::Device& ann = world.device(3);
    purse_host::Device& bob = world.device();
    const auto power_cut = [&ann](const auto& say) {
        const auto before = ann.storage.content();
        const auto counter = ann.anchor;
        const Bytes signed_only = say();
        ann.storage.content() = before;
        ann.anchor = counter;
        EXPECT_EQ(ann.restart(), JZ_OK);
        EXPECT_EQ(jz_purse_adopt(ann.purse.get(), purse_host::c_view(signed_only)), JZ_OK);
        return signed_only;
    };
    const Bytes note = power_cut([&] {
        EXPECT_EQ(ann.purse.pay(bob.ask(500), false).status, JZ_OK);
        return purse_host::evidence(ann, purse_host::kind_note);
    });
    ASSERT_EQ(items_to_deposit(ann.purse).size(), 1U);
    EXPECT_EQ(items_to_deposit(ann.purse)[0], purse_host::joined({note, ann.last_certificate}));
    EXPECT_EQ(outcome_of_note(ann.purse, 1, bob.ordinal, 500), Outcome::nothing) << "nobody has it";
    ann.ask(300);
    const Bytes voided =
        power_cut([&] { return to_bytes(ByteView(ann.purse.void_request(ann.nonce).bytes).subspan(1)); });
    EXPECT_EQ(items_to_deposit(ann.purse).back(), voided);
    ASSERT_TRUE(purse_host::transfer(ann, bob, 700).ok());
    EXPECT_EQ(items_to_deposit(ann.purse).size(), 3U);
    EXPECT_EQ(outcome_of_note(ann.purse, 3, bob.ordinal, 700), Outcome::paid);
    purse::SyncAck ack;
    ack.purse = ann.ordinal;
    ack.sync = 1;
    ack.time = purse_host::today_s;
    ack.through = 3;
    ASSERT_EQ(jz_purse_sync(ann.purse.get(), purse_host::c_view(world.issuer.sync_ack(ack))), JZ_OK);
    EXPECT_TRUE(items_to_deposit(ann.purse).empty());
}

TEST(ProofFile, AnybodyWithTheIssuersKeyCanCheckOne) {
    World world;
    purse_host::Device& ann = world.device();
    purse_host::Device& clone = world.clone(ann);
    purse_host::Device& bob = world.device();
    purse_host::Device& eve = world.device();
    ASSERT_TRUE(purse_host::transfer(ann, bob, 500).ok());
    ASSERT_TRUE(purse_host::transfer(clone, eve, 700).ok());
    const Bytes proof =
        purse_host::fork_proof(world, purse_host::evidence(ann, purse_host::kind_note),
                               purse_host::evidence(clone, purse_host::kind_note), ann.last_certificate);
    const std::vector<IssuerKey> issuers = {key_of(world)};
    const std::string base64 = codec::encode_base64(proof);
    for (const Bytes& file : {proof, to_bytes(as_bytes(to_hex(proof) + "\n")), to_bytes(as_bytes(base64)),
                              to_bytes(as_bytes("{\"object\":\"purse_proof\",\"proof\":\"" + base64 + "\"}"))}) {
        const auto fork = check_proof(read_proof(file).value(), issuers);
        ASSERT_TRUE(fork.ok()) << fork.error().to_string();
        EXPECT_EQ(fork->purse, ann.ordinal);
        EXPECT_TRUE(fork->same_number);
        EXPECT_EQ(fork->notes[0].amount + fork->notes[1].amount, 1'200U);
        EXPECT_EQ(fork->asset, "CNY");
    }
    const World other(crypto::Suite::p256);
    EXPECT_EQ(check_proof(proof, std::vector<IssuerKey>{key_of(other)}).error().code(), "unknown_issuer");
    Bytes bent = proof;
    bent.back() ^= 1;
    EXPECT_EQ(check_proof(bent, issuers).error().code(), "bad_signature");
    EXPECT_FALSE(check_proof(ByteView(proof).first(100), issuers).ok());
    EXPECT_FALSE(read_proof(as_bytes("{\"issuers\":[]}")).ok());
    EXPECT_FALSE(read_proof(as_bytes("!")).ok());
}

}  // namespace
}  // namespace jiaozi::terminal
