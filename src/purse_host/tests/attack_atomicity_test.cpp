// Attacks 1 to 14 of the design: what is torn, lost, doubled or cancelled. The names are the numbers.
#include "forge.hpp"

namespace jiaozi::purse_host {
namespace {

Terms no_pin() {
    Terms terms;
    terms.without_cvm = 1'000'000;
    return terms;
}

struct Pair {
    World world;
    Device& ann = world.device(0, no_pin());
    Device& bob = world.device();

    // RESUME until nothing more is to be said; the last status on the payer's side.
    jz_status resume() {
        auto message = ann.purse.resume();
        if (message.status != JZ_OK) return message.status;
        for (int i = 0; i < 4; ++i) {
            const auto answer = bob.purse.receive(message.bytes);
            if (answer.bytes.empty()) return answer.status;
            const auto next = ann.purse.receive(answer.bytes);
            if (next.bytes.empty()) return next.status;
            message = next;
        }
        return JZ_NOTHING_HERE;
    }
    void paid_once(std::uint64_t amount) {
        EXPECT_EQ(ann.purse.info().payments_unknown, 0U);
        EXPECT_EQ(ann.spendable(), 100'000 - amount);
        EXPECT_EQ(bob.spendable(), 100'000 + amount);
        EXPECT_EQ(bob.purse.info().notes_held, 1U);
    }
};

TEST(Attack, A01_RequestLostChangesNothing) {
    Pair p;
    const jz_info before = p.ann.purse.info();
    p.bob.ask(500);
    EXPECT_EQ(p.ann.purse.info().seq, before.seq);
    EXPECT_EQ(p.ann.spendable(), 100'000U);
    EXPECT_EQ(p.bob.spendable(), 100'000U);
}

TEST(Attack, A02_PayLostThenResumeCompletesOnce) {
    Pair p;
    ASSERT_EQ(p.ann.purse.pay(p.bob.ask(500), false).status, JZ_OK);
    EXPECT_EQ(p.ann.purse.info().unknown, 500U) << "unknown, not failed";
    EXPECT_EQ(p.resume(), JZ_OK);
    p.paid_once(500);
    EXPECT_EQ(p.resume(), JZ_NOTHING_HERE);
}

TEST(Attack, A03_ReceiptLostThenResumeReturnsTheSameReceipt) {
    Pair p;
    const auto pay = p.ann.purse.pay(p.bob.ask(500), false);
    ASSERT_EQ(p.bob.purse.receive(pay.bytes).status, JZ_OK);
    EXPECT_EQ(p.ann.purse.info().payments_unknown, 1U);
    EXPECT_EQ(p.resume(), JZ_OK);
    p.paid_once(500);
    EXPECT_EQ(evidence(p.ann, kind_done), evidence(p.bob, kind_credit));
}

TEST(Attack, A04_PowerCutBeforeTheJournalLeavesNoNote) {
    Pair p;
    p.ann.storage.cut_power(PowerCut::before);
    const auto pay = p.ann.purse.pay(p.bob.ask(500), false);
    EXPECT_EQ(pay.status, JZ_STORAGE_FAILED);
    EXPECT_TRUE(pay.bytes.empty());
    EXPECT_EQ(p.ann.purse.pay(p.bob.ask(500), false).status, JZ_HALTED);
    ASSERT_EQ(p.ann.restart(), JZ_OK);
    EXPECT_EQ(p.ann.purse.info().state, JZ_ACTIVE);
    EXPECT_EQ(p.ann.spendable(), 100'000U);
}

TEST(Attack, A05_PowerCutBetweenJournalAndSendResendsTheIdenticalNote) {
    Pair p;
    p.ann.storage.cut_power(PowerCut::after);
    EXPECT_EQ(p.ann.purse.pay(p.bob.ask(500), false).status, JZ_STORAGE_FAILED);
    ASSERT_EQ(p.ann.restart(), JZ_OK);
    EXPECT_EQ(p.ann.purse.info().state, JZ_ACTIVE);
    EXPECT_EQ(p.ann.purse.info().unknown, 500U);
    const Bytes note = evidence(p.ann, kind_note);
    const auto again = p.ann.purse.pay_again();
    ASSERT_EQ(again.status, JZ_OK);
    const auto receipt = p.bob.purse.receive(again.bytes);
    ASSERT_EQ(receipt.status, JZ_OK);
    EXPECT_EQ(object_in(ByteView(p.bob.purse.deposit(0).bytes), 1), note);
    EXPECT_EQ(p.ann.purse.receive(receipt.bytes).status, JZ_OK);
    p.paid_once(500);
}

TEST(Attack, A06_PowerCutInThePayeeBeforeTheReceiptCreditsOnce) {
    // 0: the bundle is written, 1: the record; each before, during and after.
    for (const unsigned write : {0U, 1U}) {
        for (const PowerCut cut : {PowerCut::before, PowerCut::half, PowerCut::after}) {
            Pair p;
            const auto pay = p.ann.purse.pay(p.bob.ask(500), false);
            p.bob.storage.cut_power(cut, write);
            EXPECT_EQ(p.bob.purse.receive(pay.bytes).status, JZ_STORAGE_FAILED);
            ASSERT_EQ(p.bob.restart(), JZ_OK);
            EXPECT_EQ(p.bob.purse.info().state, JZ_ACTIVE) << write << " " << static_cast<int>(cut);
            EXPECT_EQ(p.resume(), JZ_OK) << write << " " << static_cast<int>(cut);
            p.paid_once(500);
        }
    }
}

TEST(Attack, A07_M2DuplicatedAThousandTimesCreditsOnce) {
    Pair p;
    const auto pay = p.ann.purse.pay(p.bob.ask(500), false);
    Bytes first;
    for (int i = 0; i < 1'000; ++i) {
        const auto receipt = p.bob.purse.receive(pay.bytes);
        ASSERT_EQ(receipt.status, JZ_OK);
        if (i == 0) first = receipt.bytes;
        ASSERT_EQ(receipt.bytes, first);
    }
    EXPECT_EQ(p.ann.purse.receive(first).status, JZ_OK);
    EXPECT_EQ(p.ann.purse.receive(first).status, JZ_OK);
    p.paid_once(500);
}

TEST(Attack, A08_TearAtEveryByteOfEveryFrame) {
    Pair p;
    const Bytes request = p.bob.ask(500);
    const std::size_t without_certificate = 1 + request_object(request).size();
    for (std::size_t size = 0; size < request.size(); ++size) {
        const auto refused = p.ann.purse.pay(ByteView(request).first(size), false);
        // Cut behind the REQ it is a whole message, from a payee that is not known.
        ASSERT_EQ(refused.status, size == without_certificate ? JZ_NEED_CERTIFICATE : JZ_MALFORMED) << size;
        ASSERT_EQ(p.ann.purse.info().seq, 0U);
    }
    const auto pay = p.ann.purse.pay(request, false);
    for (std::size_t size = 0; size < pay.bytes.size(); ++size) {
        ASSERT_NE(p.bob.purse.receive(ByteView(pay.bytes).first(size)).status, JZ_OK) << size;
    }
    EXPECT_EQ(p.bob.purse.info().notes_held, 0U);
    const auto receipt = p.bob.purse.receive(pay.bytes);
    for (std::size_t size = 0; size < receipt.bytes.size(); ++size) {
        ASSERT_NE(p.ann.purse.receive(ByteView(receipt.bytes).first(size)).status, JZ_OK) << size;
    }
    EXPECT_EQ(p.ann.purse.info().payments_unknown, 1U);
    EXPECT_EQ(p.resume(), JZ_OK);
    p.paid_once(500);
}

TEST(Attack, A09_HalfWrittenRecordIsDiscarded) {
    Pair p;
    p.ann.storage.cut_power(PowerCut::half);
    EXPECT_EQ(p.ann.purse.pay(p.bob.ask(500), false).status, JZ_STORAGE_FAILED);
    ASSERT_EQ(p.ann.restart(), JZ_OK);
    EXPECT_EQ(p.ann.purse.info().state, JZ_ACTIVE);
    EXPECT_EQ(p.ann.spendable(), 100'000U);
    // The next record takes its place, and the purse opens again.
    EXPECT_TRUE(transfer(p.ann, p.bob, 700).ok());
    ASSERT_EQ(p.ann.restart(), JZ_OK);
    EXPECT_EQ(p.ann.purse.info().state, JZ_ACTIVE);
    EXPECT_EQ(p.ann.spendable(), 99'300U);
}

TEST(Attack, A09_DamageInTheMiddleOfTheJournalIsSuspect) {
    Pair p;
    EXPECT_TRUE(transfer(p.ann, p.bob, 700).ok());
    p.ann.storage.content().journal[1][100] ^= 1;
    ASSERT_EQ(p.ann.restart(), JZ_OK);
    EXPECT_EQ(p.ann.purse.info().state, JZ_STATE_SUSPECT);
    EXPECT_EQ(p.ann.purse.pay(p.bob.ask(500), false).status, JZ_SUSPECT);
}

TEST(Attack, A10_PayAnotherWhileUnknownUsesFreeRangesOnly) {
    Pair p;
    Device& eve = p.world.device();
    ASSERT_EQ(p.ann.purse.pay(p.bob.ask(40'000), false).status, JZ_OK);
    ASSERT_TRUE(transfer(p.ann, eve, 40'000).ok());
    EXPECT_EQ(p.ann.purse.pay(eve.ask(40'000), false).status, JZ_INSUFFICIENT);
    const auto notes = all_evidence(p.ann, kind_note);
    ASSERT_EQ(notes.size(), 2U);
    EXPECT_FALSE(purse::in_conflict(entry_of(p.world, notes[0]), entry_of(p.world, notes[1])));
    EXPECT_EQ(p.resume(), JZ_OK);
}

TEST(Attack, A11_VoidAfterCreditedIsRefused) {
    Pair p;
    const auto pay = p.ann.purse.pay(p.bob.ask(500), false);
    ASSERT_EQ(p.bob.purse.receive(pay.bytes).status, JZ_OK);
    EXPECT_EQ(p.bob.purse.void_request(p.bob.nonce).status, JZ_ALREADY_CREDITED);
    EXPECT_EQ(p.bob.purse.receive(p.ann.purse.cancel().bytes).status, JZ_ALREADY_CREDITED);
}

TEST(Attack, A12_LateNoteAfterVoidIsRejectedAndTheVoidResent) {
    Pair p;
    const auto pay = p.ann.purse.pay(p.bob.ask(500), false);
    const auto voided = p.bob.purse.void_request(p.bob.nonce);
    ASSERT_EQ(voided.status, JZ_OK);
    const auto late = p.bob.purse.receive(pay.bytes);
    EXPECT_EQ(late.status, JZ_ALREADY_VOIDED);
    EXPECT_EQ(late.bytes, voided.bytes);
    EXPECT_EQ(p.bob.purse.info().notes_held, 0U);
    EXPECT_EQ(p.ann.purse.receive(late.bytes).status, JZ_OK);
    EXPECT_EQ(p.ann.purse.info().void_held, 500U);
}

TEST(Attack, A13_VoidedAmountStaysLockedAndComesBackFromTheLedger) {
    // A secure element's word is not taken either.
    for (const int payee_class : {0, 3}) {
        World world;
        Device& ann = world.device(0, no_pin());
        Device& bob = world.device(payee_class);
        ASSERT_EQ(ann.purse.pay(bob.ask(50'000), false).status, JZ_OK);
        ASSERT_EQ(ann.purse.receive(bob.purse.receive(ann.purse.cancel().bytes).bytes).status, JZ_OK);
        EXPECT_EQ(ann.spendable(), 50'000U);
        EXPECT_TRUE(transfer(ann, bob, 50'000).ok());
        EXPECT_EQ(ann.purse.pay(bob.ask(1), false).status, JZ_INSUFFICIENT);
        purse::SyncAck ack;
        ack.purse = ann.ordinal;
        ack.sync = 1;
        ack.time = today_s;
        ack.released = 1;
        ack.release[0] = object_id(world.cryptography, all_evidence(ann, kind_note)[0]);
        const Bytes sack = world.issuer.sync_ack(ack);
        ASSERT_EQ(jz_purse_sync(ann.purse.get(), c_view(sack)), JZ_OK);
        EXPECT_EQ(ann.purse.info().void_held, 0U);
        EXPECT_EQ(ann.spendable(), 0U) << "the range itself is never spent again";
        EXPECT_EQ(jz_purse_sync(ann.purse.get(), c_view(sack)), JZ_OUTDATED);
        Terms again = no_pin();
        again.amount = 50'000;
        ASSERT_EQ(ann.load(again), JZ_OK);
        ASSERT_EQ(ann.restart(), JZ_OK);
        EXPECT_EQ(ann.spendable(), 50'000U);
    }
}

// Why (docs/adr/0011): the voided note and a second one over its range accuse an honest payer.
TEST(Attack, A13_SpendingAVoidedRangeAgainWouldBeAForkProof) {
    Pair p;
    ASSERT_EQ(p.ann.purse.pay(p.bob.ask(100), false).status, JZ_OK);
    ASSERT_EQ(p.ann.purse.receive(p.bob.purse.void_request(p.bob.nonce).bytes).status, JZ_OK);
    const Bytes voided = evidence(p.ann, kind_note);
    purse::Note again = honest_note(p.ann, p.bob.ask(100));
    again.source[0] = read_note(voided).source[0];
    std::uint32_t guilty = 0;
    EXPECT_EQ(judge(p.world, fork_proof(p.world, voided, signed_note(p.ann, again), p.ann.last_certificate), guilty),
              JZ_OK);
    EXPECT_EQ(guilty, p.ann.ordinal);
    // The purse itself goes on behind it.
    ASSERT_TRUE(transfer(p.ann, p.bob, 100).ok());
    EXPECT_GE(read_note(all_evidence(p.ann, kind_note)[1]).source[0].offset, read_note(voided).source[0].end());
}

// The ledger reverses it; what the purses give it is the proof: VOID and receipt of one request by one payee.
TEST(Attack, A14_PayeeThatVoidsAndDepositsHasSignedBoth) {
    Pair p;
    const auto pay = p.ann.purse.pay(p.bob.ask(500), false);
    Device& twin = p.world.clone(p.bob);
    ASSERT_EQ(p.ann.purse.receive(p.bob.purse.void_request(p.bob.nonce).bytes).status, JZ_OK);
    ASSERT_EQ(twin.purse.receive(pay.bytes).status, JZ_OK);
    constexpr unsigned kind_void_held = 6;
    purse::Object object;
    purse::Void voided;
    const Bytes kept = evidence(p.ann, kind_void_held);
    ASSERT_EQ(purse::read_whole(kept, purse::Type::void_request, object), JZ_OK);
    ASSERT_EQ(purse::parse(object, voided), JZ_OK);
    const auto deposit = twin.purse.deposit(0);
    EXPECT_EQ(read_note(object_in(deposit.bytes, 1)).request, voided.request);
}

}  // namespace
}  // namespace jiaozi::purse_host
