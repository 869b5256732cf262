// The counter of an A2 purse against an owner who keeps every journal that ever was, puts back whichever is best, and
// lets steps of the counter fail (docs/protocol/offline.md, 10.3; docs/adr/0016-the-counter-moves-at-opening.md).
#include <map>
#include <random>

#include "forge.hpp"

namespace jiaozi::purse_host {
namespace {

// Hardware that only counts upwards, one step at a time, on a wire that the owner can cut.
class Hardware final : public PurseAnchor {
  public:
    bool read(std::uint8_t* id, std::uint32_t& value) override {
        std::fill_n(id, 16, std::uint8_t{0x42});
        value = counter;
        return true;
    }
    bool advance(std::uint32_t target) override {
        if (target < counter) return false;
        for (; counter < target; ++counter) {
            if (steps_left == 0) return false;
            if (steps_left > 0) --steps_left;
        }
        return true;
    }
    std::uint32_t counter = 7;  // it counted for somebody else before
    int steps_left = -1;        // -1: any number
};

struct Owner {
    explicit Owner(int assurance) : purse(world.cryptography, *signer, storage, hardware, clock) {
        EXPECT_EQ(purse.create(42, assurance), JZ_OK);
        trust();
        Terms terms;
        terms.amount = 1'000'000;
        terms.without_cvm = 1'000'000;
        purse::Certificate lot = payee.certificate(terms);
        lot.purse = 42;
        lot.key = public_key_of(signer->public_key());
        lot.assurance = static_cast<std::uint8_t>(assurance);
        EXPECT_EQ(jz_purse_load(purse.get(), c_view(world.issuer.certificate(lot))), JZ_OK);
    }
    void trust() {
        const jz_issuer_key key = world.issuer.key();
        EXPECT_EQ(jz_purse_trust(purse.get(), &key, 1), JZ_OK);
    }
    // True when the purse can spend.
    bool open(const MemoryStorage::Content& journal, int steps) {
        storage.content() = journal;
        hardware.steps_left = steps;
        const bool opened = purse.open() == JZ_OK;
        hardware.steps_left = -1;
        if (!opened) return false;
        trust();
        return purse.info().state == JZ_ACTIVE;
    }
    jz_status pay(int steps) {
        const Bytes request = payee.ask(10);
        hardware.steps_left = steps;
        const jz_status status = purse.pay(request, false).status;
        hardware.steps_left = -1;
        payee.purse.void_request(payee.nonce);  // it has room for 24
        return status;
    }
    // Every note in the journal of a purse that can spend can be sent. False: it contradicts one that was sent before.
    bool send_all() {
        Bytes room(JZ_MESSAGE_BYTES);
        for (std::uint64_t i = 0;; ++i) {
            unsigned kind = 0;
            std::size_t size = 0;
            if (jz_purse_evidence(purse.get(), i, &kind, room.data(), room.size(), &size) != JZ_OK) return true;
            if (kind != kind_note) continue;
            const ByteView note = ByteView(room).first(size);
            const auto [said, first] = sent.emplace(read_note(note).seq, to_bytes(note));
            if (!first && !equal(said->second, note)) return false;
        }
    }

    World world;
    Device& payee = world.device();
    std::unique_ptr<PurseSigner> signer = fixed_signer(crypto::Suite::ed25519, 77);
    MemoryStorage storage;
    Hardware hardware;
    TestClock clock{timestamp_s(today_s)};
    HostPurse purse;
    std::map<std::uint32_t, Bytes> sent;
};

TEST(CountedJournal, AnOrdinaryLifeWithPowerCutsIsNeverSuspect) {
    Owner owner(2);
    for (int round = 0; round < 30; ++round) {
        const auto before = owner.storage.content();
        // Power goes before, between or after the two steps of an opening; or before a payment's step.
        if (round % 5 < 2) {
            EXPECT_FALSE(owner.open(before, round % 5)) << round;
        }
        ASSERT_TRUE(owner.open(owner.storage.content(), -1)) << round;
        ASSERT_TRUE(owner.send_all());
        const jz_status expected = round % 3 == 0 ? JZ_STORAGE_FAILED : JZ_OK;
        EXPECT_EQ(owner.pay(round % 3 == 0 ? 0 : -1), round < 8 ? expected : JZ_NO_ROOM) << round;
    }
    ASSERT_TRUE(owner.open(owner.storage.content(), -1));
    EXPECT_EQ(owner.purse.info().seq, 7U + 8U) << "eight payments are the most whose outcome may be unknown";
}

TEST(CountedJournal, YesterdaysJournalIsSuspectUntilASyncEndsIt) {
    Owner owner(2);
    const auto yesterday = owner.storage.content();
    ASSERT_EQ(owner.pay(-1), JZ_OK);
    EXPECT_FALSE(owner.open(yesterday, -1));
    EXPECT_EQ(owner.purse.info().state, JZ_STATE_SUSPECT);
    purse::SyncAck ack;
    ack.purse = 42;
    ack.sync = 1;
    ack.time = today_s;
    EXPECT_EQ(jz_purse_sync(owner.purse.get(), c_view(owner.world.issuer.sync_ack(ack))), JZ_OK);
    EXPECT_FALSE(owner.open(owner.storage.content(), -1)) << "an acknowledgement alone binds nothing anew";
    ack.sync = 2;
    ack.next = 100;
    ack.flags = 2;
    EXPECT_EQ(jz_purse_sync(owner.purse.get(), c_view(owner.world.issuer.sync_ack(ack))), JZ_OK);
    EXPECT_EQ(owner.purse.info().state, JZ_ACTIVE);
    EXPECT_TRUE(owner.open(owner.storage.content(), -1));
    EXPECT_EQ(owner.purse.info().seq, 99U);
}

// The pair that a counter can't tell apart, made on purpose.
TEST(CountedJournal, AJournalKeptFromAFailedStepCannotComeBack) {
    for (const int assurance : {0, 2}) {
        Owner owner(assurance);
        const auto before = owner.storage.content();
        ASSERT_EQ(owner.pay(0), JZ_STORAGE_FAILED);
        const auto kept = owner.storage.content();
        ASSERT_TRUE(owner.open(before, -1));
        ASSERT_EQ(owner.pay(-1), JZ_OK);
        ASSERT_TRUE(owner.send_all());
        const bool again = owner.open(kept, -1) && !owner.send_all();
        EXPECT_EQ(again, assurance == 0) << "class " << assurance << ": why an A2 purse moves its counter at opening";
    }
}

// Any journal of the past, any step failing, for as long as it takes.
TEST(CountedJournal, NoOrderOfFailuresAndRestoresSaysTwoThingsUnderOneNumber) {
    std::uint64_t opened = 0;
    for (std::uint32_t seed = 1; seed <= 150; ++seed) {
        std::mt19937 random(seed);
        Owner owner(2);
        std::vector<MemoryStorage::Content> kept{owner.storage.content()};
        for (int move = 0; move < 60; ++move) {
            // Recent ones are the interesting ones.
            const std::size_t back = std::min<std::size_t>(random() % 5, kept.size() - 1);
            const int steps = random() % 2 == 0 ? -1 : static_cast<int>(random() % 3);
            const auto chosen = kept[kept.size() - 1 - back];
            const bool active = owner.open(chosen, steps);
            if (owner.storage.content() != chosen) kept.push_back(owner.storage.content());
            if (!active) continue;
            ++opened;
            ASSERT_TRUE(owner.send_all()) << "seed " << seed << ", move " << move;
            if (random() % 3 == 0) continue;
            const jz_status paid = owner.pay(static_cast<int>(random() % 2) - 1);
            kept.push_back(owner.storage.content());
            if (paid == JZ_OK) {
                ASSERT_TRUE(owner.send_all()) << "seed " << seed << ", move " << move;
            }
        }
    }
    std::cout << "openings that were accepted: " << opened << "\n";
    EXPECT_GT(opened, 1'000U);
}

// A card signs, and power goes before the journal has it.
TEST(Adopted, WhatTheCardSaidIsTakenOverAndItsRangeIsUsedUp) {
    World world;
    Device& ann = world.device(3);
    Device& bob = world.device();
    const auto before = ann.storage.content();
    const auto counter = ann.anchor;
    ASSERT_EQ(ann.purse.pay(bob.ask(500), false).status, JZ_OK);
    const Bytes signed_only = evidence(ann, kind_note);
    ann.storage.content() = before;
    ann.anchor = counter;
    ASSERT_EQ(ann.restart(), JZ_OK);
    EXPECT_EQ(ann.spendable(), 100'000U);
    Bytes forged = signed_only;
    forged.back() ^= 1;
    EXPECT_EQ(jz_purse_adopt(ann.purse.get(), c_view(forged)), JZ_BAD_SIGNATURE);
    EXPECT_EQ(jz_purse_adopt(ann.purse.get(), c_view(signed_only)), JZ_OK);
    EXPECT_EQ(jz_purse_adopt(ann.purse.get(), c_view(signed_only)), JZ_OUTDATED);
    EXPECT_EQ(ann.spendable(), 99'500U);
    EXPECT_EQ(ann.purse.info().payments_unknown, 0U) << "it was never sent";
    ASSERT_EQ(ann.restart(), JZ_OK);
    EXPECT_EQ(ann.spendable(), 99'500U);
    const Payment next = transfer(ann, bob, 700);
    ASSERT_TRUE(next.ok()) << next;
    EXPECT_EQ(read_note(all_evidence(ann, kind_note).back()).seq, 2U);
    EXPECT_EQ(read_note(all_evidence(ann, kind_note).back()).source[0].offset, 500U);
}

TEST(Adopted, AVoidEndsItsRequestAndAReceiptIsGivenAnew) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device(3);
    const auto pay = ann.purse.pay(bob.ask(500), false);
    const auto before = bob.storage.content();
    const auto counter = bob.anchor;
    ASSERT_EQ(bob.purse.receive(pay.bytes).status, JZ_OK);
    const Bytes receipt = evidence(bob, kind_credit);
    bob.storage.content() = before;
    bob.anchor = counter;
    ASSERT_EQ(bob.restart(), JZ_OK);
    ASSERT_EQ(jz_purse_adopt(bob.purse.get(), c_view(receipt)), JZ_OK);
    EXPECT_EQ(bob.purse.info().notes_held, 0U);
    const auto again = bob.purse.receive(pay.bytes);
    ASSERT_EQ(again.status, JZ_OK);
    EXPECT_EQ(bob.purse.info().notes_held, 1U);
    EXPECT_EQ(ann.purse.receive(again.bytes).status, JZ_OK);

    bob.ask(300);
    const auto open_request = bob.storage.content();
    const auto at = bob.anchor;
    const auto voided = bob.purse.void_request(bob.nonce);
    ASSERT_EQ(voided.status, JZ_OK);
    bob.storage.content() = open_request;
    bob.anchor = at;
    ASSERT_EQ(bob.restart(), JZ_OK);
    EXPECT_EQ(bob.purse.info().requests_open, 1U);
    EXPECT_EQ(jz_purse_adopt(bob.purse.get(), c_view(ByteView(voided.bytes).subspan(1))), JZ_OK);
    EXPECT_EQ(bob.purse.info().requests_open, 0U);
    ASSERT_EQ(bob.restart(), JZ_OK);
    EXPECT_EQ(bob.purse.info().requests_open, 0U);
    ASSERT_EQ(ann.restart(), JZ_OK);  // bob has forgotten her certificate, she who has it
    const Payment next = transfer(ann, bob, 20);
    EXPECT_TRUE(next.ok()) << next;
}

TEST(Adopted, MoreThanOneAheadMeansAnOldJournal) {
    World world;
    Device& ann = world.device(3);
    Device& bob = world.device();
    const auto before = ann.storage.content();
    const auto counter = ann.anchor;
    ASSERT_TRUE(transfer(ann, bob, 500).ok());
    ASSERT_TRUE(transfer(ann, bob, 500).ok());
    const Bytes last = all_evidence(ann, kind_note).back();
    ann.storage.content() = before;
    ann.anchor = counter;
    ASSERT_EQ(ann.restart(), JZ_OK);
    EXPECT_EQ(jz_purse_adopt(ann.purse.get(), c_view(last)), JZ_SUSPECT);
    EXPECT_EQ(ann.purse.info().state, JZ_STATE_SUSPECT);
}

}  // namespace
}  // namespace jiaozi::purse_host
