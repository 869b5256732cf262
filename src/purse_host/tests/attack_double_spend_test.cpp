// Attacks 15 to 26 of the design: the same value twice.
#include "forge.hpp"

namespace jiaozi::purse_host {
namespace {

// Two notes by `payer` on its lot, with these ranges and numbers.
std::pair<Bytes, Bytes> two_notes(Device& payer, Device& payee, purse::Source first, purse::Source second,
                                  std::uint32_t second_seq) {
    purse::Note note = honest_note(payer, payee.ask(100));
    note.source[0].offset = first.offset;
    note.source[0].amount = first.amount;
    purse::Note other = honest_note(payer, payee.ask(100));
    other.source[0].offset = second.offset;
    other.source[0].amount = second.amount;
    other.seq = second_seq;
    return {signed_note(payer, note), signed_note(payer, other)};
}

TEST(Attack, A15_SameRangeToTwoPayeesIsProvenOnAThirdDevice) {
    World world;
    Device& mallory = world.device();
    Device& bob = world.device();
    Device& carol = world.device();
    Device& dave = world.device();
    Device& twin = world.clone(mallory);
    ASSERT_TRUE(transfer(mallory, bob, 10'000).ok());
    ASSERT_TRUE(transfer(twin, carol, 10'000).ok());
    // Bob hands what he got to Carol, who has the other half of the proof.
    Terms none;
    none.amount = 0;
    const Payment spent_on = transfer(bob, carol, 10'000);
    EXPECT_EQ(spent_on.credited, JZ_DOUBLE_SPEND);
    const auto proof = carol.purse.last_proof();
    ASSERT_EQ(proof.status, JZ_OK);
    EXPECT_LE(proof.bytes.size(), 650U);
    std::uint32_t guilty = 0;
    ASSERT_EQ(judge(world, proof.bytes, guilty), JZ_OK);
    EXPECT_EQ(guilty, mallory.ordinal);
    ASSERT_EQ(jz_purse_learn_proof(dave.purse.get(), c_view(proof.bytes)), JZ_OK);
    EXPECT_EQ(transfer(mallory, dave, 100).credited, JZ_FORK_PROVEN);
    ASSERT_EQ(jz_purse_learn_proof(mallory.purse.get(), c_view(proof.bytes)), JZ_OK);
    EXPECT_EQ(mallory.purse.info().state, JZ_STATE_FROZEN);
    EXPECT_EQ(mallory.purse.pay(dave.ask(100), false).status, JZ_FROZEN);
}

TEST(Attack, A16_OverlapByOneUnitIsDetected) {
    World world;
    Device& mallory = world.device();
    const auto [a, b] = two_notes(mallory, world.device(), {{}, 0, 100}, {{}, 99, 100}, 2);
    std::uint32_t guilty = 0;
    EXPECT_EQ(judge(world, fork_proof(world, a, b, mallory.last_certificate), guilty), JZ_OK);
    EXPECT_EQ(guilty, mallory.ordinal);
}

TEST(Attack, A17_AdjacentRangesAreAccepted) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const auto [a, b] = two_notes(ann, bob, {{}, 0, 100}, {{}, 100, 100}, 2);
    std::uint32_t guilty = 0;
    EXPECT_EQ(judge(world, fork_proof(world, a, b, ann.last_certificate), guilty), JZ_BAD_RANGE);
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    const auto notes = all_evidence(ann, kind_note);
    EXPECT_EQ(read_note(notes[1]).source[0].offset, read_note(notes[0]).source[0].end());
}

TEST(Attack, A18_SameNumberWithDisjointRangesIsAFork) {
    World world;
    Device& mallory = world.device();
    const auto [a, b] = two_notes(mallory, world.device(), {{}, 0, 100}, {{}, 5'000, 100}, 1);
    std::uint32_t guilty = 0;
    EXPECT_EQ(judge(world, fork_proof(world, a, b, mallory.last_certificate), guilty), JZ_OK);
    EXPECT_EQ(guilty, mallory.ordinal);
}

TEST(Attack, A19_SamePayloadWithAnotherSignatureIsNoProof) {
    // ECDSA signs differently each time.
    World world(crypto::Suite::p256);
    Device& ann = world.device();
    const purse::Note note = honest_note(ann, world.device().ask(100));
    const Bytes a = signed_note(ann, note);
    const Bytes b = signed_note(ann, note);
    ASSERT_NE(a, b);
    EXPECT_FALSE(purse::in_conflict(entry_of(world, a), entry_of(world, b)));
    std::uint32_t guilty = 0;
    EXPECT_NE(judge(world, fork_proof(world, a, b, ann.last_certificate), guilty), JZ_OK);
    EXPECT_EQ(guilty, 0U);
}

TEST(Attack, A20_RestoredSnapshotIsSuspect) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const auto backup = ann.storage.content();
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    ann.storage.content() = backup;
    ASSERT_EQ(ann.restart(), JZ_OK);
    EXPECT_EQ(ann.purse.info().state, JZ_STATE_SUSPECT);
    EXPECT_EQ(ann.spendable(), 0U);
    EXPECT_EQ(ann.purse.pay(bob.ask(100), false).status, JZ_SUSPECT);
    std::uint8_t nonce[16];
    EXPECT_EQ(ann.purse.request(100, true, nonce).status, JZ_SUSPECT);
    EXPECT_TRUE(all_evidence(ann, kind_note).empty()) << "nothing new was signed";
    // On another device the counter is not the one the journal knows.
    Device& moved = world.clone(bob);
    moved.anchor.id[0] ^= 1;
    ASSERT_EQ(moved.restart(), JZ_OK);
    EXPECT_EQ(moved.purse.info().state, JZ_STATE_SUSPECT);
}

TEST(Attack, A20_SuspectEndsBySyncWithItsLotsClosed) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const auto backup = ann.storage.content();
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    ann.storage.content() = backup;
    ASSERT_EQ(ann.restart(), JZ_OK);
    purse::SyncAck ack;
    ack.purse = ann.ordinal;
    ack.sync = 1;
    ack.time = today_s;
    ack.flags = purse::sync_restart | purse::sync_limits;
    ack.next = ann.anchor.counter + 1;
    const Bytes sack = world.issuer.sync_ack(ack);
    ASSERT_EQ(jz_purse_sync(ann.purse.get(), c_view(sack)), JZ_OK);
    EXPECT_EQ(ann.purse.info().state, JZ_ACTIVE);
    EXPECT_EQ(ann.spendable(), 0U) << "what the lost journal had spent is not known";
    EXPECT_EQ(jz_purse_load(ann.purse.get(), c_view(ann.last_certificate)), JZ_OK);
    EXPECT_EQ(ann.spendable(), 0U) << "the old lot does not come back";
    ASSERT_EQ(ann.load({}), JZ_OK);
    ASSERT_EQ(ann.restart(), JZ_OK);
    EXPECT_EQ(ann.purse.info().state, JZ_ACTIVE);
    EXPECT_TRUE(transfer(ann, bob, 100).ok());
}

// What it said before the restore is not known any more: a second receipt, or a VOID after one, would be its own fault.
TEST(Attack, A20_ARestoredPayeeAnswersNoOldRequestTwice) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const auto pay = ann.purse.pay(bob.ask(500), false);
    const auto backup = bob.storage.content();
    ASSERT_EQ(bob.purse.receive(pay.bytes).status, JZ_OK);
    bob.storage.content() = backup;
    ASSERT_EQ(bob.restart(), JZ_OK);
    ASSERT_EQ(bob.purse.info().state, JZ_STATE_SUSPECT);
    purse::SyncAck ack;
    ack.purse = bob.ordinal;
    ack.sync = 1;
    ack.time = today_s;
    ack.next = bob.anchor.counter + 1;
    ack.through = ack.next - 1;
    ack.flags = purse::sync_restart;
    ASSERT_EQ(jz_purse_sync(bob.purse.get(), c_view(world.issuer.sync_ack(ack))), JZ_OK);
    EXPECT_EQ(bob.purse.info().state, JZ_ACTIVE);
    EXPECT_EQ(bob.purse.receive(pay.bytes).status, JZ_UNKNOWN_REQUEST);
    EXPECT_EQ(bob.purse.void_request(bob.nonce).status, JZ_UNKNOWN_REQUEST);
    EXPECT_EQ(bob.purse.info().notes_held, 0U);
}

TEST(Attack, A21_TwoClonesAreFoundFromTheirDeposits) {
    World world;
    Device& mallory = world.device();
    Device& twin = world.clone(mallory);
    Device& bob = world.device();
    Device& carol = world.device();
    ASSERT_TRUE(transfer(mallory, bob, 100).ok());
    ASSERT_TRUE(transfer(twin, carol, 200).ok());
    const Bytes first = bob.purse.deposit(0).bytes;
    const Bytes second = carol.purse.deposit(0).bytes;
    const Bytes proof = fork_proof(world, object_in(first, 1), object_in(second, 1), object_in(first, 2));
    std::uint32_t guilty = 0;
    EXPECT_EQ(judge(world, proof, guilty), JZ_OK);
    EXPECT_EQ(guilty, mallory.ordinal);
}

TEST(Attack, A22_DrawBeyondTheLotIsRejectedOffline) {
    World world;
    Device& mallory = world.device();
    Device& bob = world.device();
    const Bytes request = bob.ask(100);
    purse::Note note = honest_note(mallory, request);
    note.source[0].offset = 99'901;
    EXPECT_EQ(offer(mallory, bob, request, note), JZ_BAD_RANGE);
    note.source[0].offset = 99'900;
    EXPECT_EQ(offer(mallory, bob, request, note), JZ_OK);
}

// A secure element's rule: a number is signed for once, a unit is spent once.
class SecureElement final : public PurseSigner {
  public:
    explicit SecureElement(std::unique_ptr<PurseSigner> key) : key_(std::move(key)) {}
    crypto::Suite suite() const override { return key_->suite(); }
    Bytes public_key() const override { return key_->public_key(); }
    bool sign(ByteView message, std::uint8_t* signature) override {
        // The payload is the last item of the Sig_structure: its type and seq are what the rule is about.
        const auto at = std::ranges::search(message, as_bytes("jiaozi/purse/1"));
        Bytes object = codec_object(ByteView(message).subspan(static_cast<std::size_t>(at.end() - message.begin())));
        purse::Object view;
        purse::Note note;
        if (purse::read_whole(object, purse::Type::note, view) == JZ_OK && purse::parse(view, note) == JZ_OK) {
            if (note.seq <= last_) return false;
            for (const purse::Source& source : note.all_sources()) {
                if (source.offset < spent_) return false;
                spent_ = source.end();
            }
            last_ = note.seq;
        }
        return key_->sign(message, signature);
    }

  private:
    // The payload's byte string made into an unsigned object that the reader takes.
    static Bytes codec_object(ByteView payload) {
        Bytes object{0x84, 0x43, 0xA1, 0x01, 0x27, 0xA0};
        append(object, payload);
        object.push_back(0x58);
        object.push_back(64);
        object.resize(object.size() + 64);
        return object;
    }
    std::unique_ptr<PurseSigner> key_;
    std::uint32_t last_ = 0;
    std::uint64_t spent_ = 0;
};

TEST(Attack, A23_SecureElementRefusesToSignAnOverlap) {
    World world;
    Device& bob = world.device();
    Device& card = world.empty_device(3);
    card.signer = std::make_unique<SecureElement>(std::move(card.signer));
    HostPurse purse(world.cryptography, *card.signer, card.storage, card.anchor, card.clock);
    ASSERT_EQ(purse.open(), JZ_OK);
    const jz_issuer_key key = world.issuer.key();
    ASSERT_EQ(jz_purse_trust(purse.get(), &key, 1), JZ_OK);
    const Bytes lot = world.issuer.certificate(card.certificate({}));
    ASSERT_EQ(jz_purse_load(purse.get(), c_view(lot)), JZ_OK);
    const auto backup = card.storage.content();
    ASSERT_EQ(purse.pay(bob.ask(100), false).status, JZ_OK);
    // The owner rolls back the storage and, had he found a way, the counter too.
    card.storage.content() = backup;
    card.anchor.counter = 0;
    ASSERT_EQ(purse.open(), JZ_OK);
    ASSERT_EQ(jz_purse_trust(purse.get(), &key, 1), JZ_OK);
    const auto refused = purse.pay(bob.ask(100), false);
    EXPECT_EQ(refused.status, JZ_SIGNER_REFUSED);
    EXPECT_TRUE(refused.bytes.empty());
}

TEST(Attack, A24_DirectedLotToAnotherPayeeIsRejectedOffline) {
    World world;
    Device& bob = world.device();
    Device& carol = world.device();
    Terms only_bob;
    only_bob.directed = bob.ordinal;
    Device& ann = world.device(0, only_bob);
    EXPECT_EQ(ann.purse.pay(carol.ask(100), false).status, JZ_INSUFFICIENT);
    const Bytes request = carol.ask(100);
    EXPECT_EQ(offer(ann, carol, request, honest_note(ann, request)), JZ_WRONG_DIRECTED);
    EXPECT_TRUE(transfer(ann, bob, 100).ok());
}

TEST(Attack, A25_SecondHopDoubleSpendBlamesTheSecondHop) {
    World world;
    Terms none;
    none.amount = 0;
    Device& ann = world.device();
    Device& mallory = world.device(0, none);
    Device& carol = world.device(0, none);
    Device& dave = world.device(0, none);
    ASSERT_TRUE(transfer(ann, mallory, 1'000).ok());
    Device& twin = world.clone(mallory);
    ASSERT_TRUE(transfer(mallory, carol, 1'000).ok());
    ASSERT_TRUE(transfer(twin, dave, 1'000).ok());
    EXPECT_EQ(transfer(carol, dave, 1'000).credited, JZ_DOUBLE_SPEND);
    std::uint32_t guilty = 0;
    ASSERT_EQ(judge(world, dave.purse.last_proof().bytes, guilty), JZ_OK);
    EXPECT_EQ(guilty, mallory.ordinal);
    EXPECT_NE(guilty, ann.ordinal);
}

TEST(Attack, A26_LoaderForksAfterAnHonestRespendTheHolderKeepsItsClaim) {
    World world;
    Terms none;
    none.amount = 0;
    Device& mallory = world.device();
    Device& twin = world.clone(mallory);
    Device& bob = world.device(0, none);
    Device& carol = world.device(0, none);
    ASSERT_TRUE(transfer(mallory, bob, 1'000).ok());
    ASSERT_TRUE(transfer(bob, carol, 1'000).ok());
    const Payment forked = transfer(twin, carol, 1'000);
    EXPECT_EQ(forked.credited, JZ_DOUBLE_SPEND);
    std::uint32_t guilty = 0;
    ASSERT_EQ(judge(world, carol.purse.last_proof().bytes, guilty), JZ_OK);
    EXPECT_EQ(guilty, mallory.ordinal);
    EXPECT_EQ(carol.purse.info().received, 1'000U);
    EXPECT_EQ(carol.purse.deposit(0).status, JZ_OK);
    EXPECT_EQ(carol.spendable(), 0U) << "it can be settled, not spent on";
}

}  // namespace
}  // namespace jiaozi::purse_host
