// Attacks 27 to 44 of the design: notes, requests and receipts used for something else; limits and time.
#include "forge.hpp"

namespace jiaozi::purse_host {
namespace {

TEST(Attack, A27_NoteToAnotherPayeeIsRejected) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    Device& carol = world.device();
    const Bytes request = bob.ask(100);
    purse::Note note = honest_note(ann, request);
    note.payee = carol.ordinal;
    EXPECT_EQ(offer(ann, bob, request, note), JZ_WRONG_PAYEE);
    // Sealed to Bob, Carol can't even open it.
    const Bytes to_bob =
        sealed_to(purse::Verb::pay, ann, request, joined({signed_note(ann, note), ann.last_certificate}));
    EXPECT_EQ(carol.purse.receive(to_bob).status, JZ_UNKNOWN_REQUEST);
}

TEST(Attack, A28_OldNonceIsRejected) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const Bytes old_request = bob.ask(100);
    const auto pay = ann.purse.pay(old_request, false);
    ASSERT_EQ(bob.purse.receive(pay.bytes).status, JZ_OK);
    // Another note for the request that was paid, and that note in answer to a new request.
    purse::Note second = honest_note(ann, old_request);
    second.source[0].offset = 5'000;
    EXPECT_EQ(offer(ann, bob, old_request, second), JZ_ALREADY_CREDITED);
    const Bytes fresh = bob.ask(100);
    EXPECT_EQ(offer(ann, bob, fresh, read_note(evidence(ann, kind_note))), JZ_WRONG_REQUEST);
    EXPECT_EQ(bob.purse.info().notes_held, 1U);
}

TEST(Attack, A29_AlteredAmountOrAssetIsRejected) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const Bytes request = bob.ask(100);
    purse::Note note = honest_note(ann, request);
    note.source[0].amount = 99;
    EXPECT_EQ(offer(ann, bob, request, note), JZ_WRONG_AMOUNT);
    Terms yen;
    yen.asset = "JPY";
    Device& kei = world.device(0, yen);
    EXPECT_EQ(offer(kei, bob, request, honest_note(kei, request)), JZ_WRONG_ASSET);
    EXPECT_EQ(kei.purse.pay(request, false).status, JZ_WRONG_ASSET);
}

TEST(Attack, A32_ReceiptReplayedForAnotherNoteIsIgnored) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const Payment paid = transfer(ann, bob, 100);
    ASSERT_TRUE(paid.ok());
    ASSERT_EQ(ann.purse.pay(bob.ask(100), false).status, JZ_OK);
    ann.purse.receive(paid.receipt);
    EXPECT_EQ(ann.purse.info().payments_unknown, 1U);
    ASSERT_EQ(ann.restart(), JZ_OK);
    EXPECT_EQ(ann.purse.receive(paid.receipt).status, JZ_UNKNOWN_NOTE);
    EXPECT_EQ(ann.purse.info().payments_unknown, 1U);
}

TEST(Attack, A33_RelayedRequestNamesTheTruePayee) {
    World world;
    Device& ann = world.device();
    Device& shop = world.device();
    Device& relay = world.device();
    const Bytes request = shop.ask(700);
    jz_offer offer{};
    ASSERT_EQ(jz_purse_look(ann.purse.get(), c_view(request), &offer), JZ_OK);
    EXPECT_EQ(offer.payee, shop.ordinal);
    EXPECT_EQ(offer.amount, 700U);
    EXPECT_STREQ(offer.asset, "CNY");
    // With its own certificate behind the shop's request the relay is not believed.
    Bytes mixed{0x01};
    append(mixed, request_object(request));
    append(mixed, relay.last_certificate);
    EXPECT_EQ(jz_purse_look(ann.purse.get(), c_view(mixed), &offer), JZ_WRONG_PAYEE);
}

TEST(Attack, A34_SwappedEphemeralKeyBreaksTheRequest) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    Bytes request = bob.ask(700);
    const Bytes object = request_object(request);
    purse::Object view;
    purse::Request parsed;
    ASSERT_EQ(purse::read_whole(object, purse::Type::request, view), JZ_OK);
    ASSERT_EQ(purse::parse(view, parsed), JZ_OK);
    const auto at = std::ranges::search(request, parsed.ephemeral).begin();
    *at ^= 1;
    EXPECT_EQ(ann.purse.pay(request, false).status, JZ_BAD_SIGNATURE);
    EXPECT_EQ(ann.purse.info().seq, 0U);
}

TEST(Attack, A35_AboveTheLimitOfOnePayment) {
    World world;
    Terms terms;
    terms.per_payment = 1'000;
    Device& ann = world.device(0, terms);
    Device& bob = world.device();
    EXPECT_EQ(ann.purse.pay(bob.ask(1'001), true).status, JZ_OVER_LIMIT);
    const Bytes request = bob.ask(1'001);
    EXPECT_EQ(offer(ann, bob, request, honest_note(ann, request)), JZ_OVER_LIMIT);
    EXPECT_TRUE(transfer(ann, bob, 1'000).ok());
}

TEST(Attack, A36_OneNoteMoreThanTheCount) {
    World world;
    Terms terms;
    terms.count = 2;
    Device& ann = world.device(0, terms);
    Device& bob = world.device();
    EXPECT_TRUE(transfer(ann, bob, 1).ok());
    EXPECT_TRUE(transfer(ann, bob, 1).ok());
    EXPECT_EQ(ann.purse.pay(bob.ask(1), false).status, JZ_COUNT_LIMIT);
    ASSERT_EQ(ann.restart(), JZ_OK);
    EXPECT_EQ(ann.purse.pay(bob.ask(1), false).status, JZ_COUNT_LIMIT);
}

TEST(Attack, A37_SumWithoutCvmCrossedAsksForThePin) {
    World world;
    Terms terms;
    terms.without_cvm = 1'000;
    Device& ann = world.device(0, terms);
    Device& bob = world.device();
    EXPECT_TRUE(transfer(ann, bob, 600).ok());
    const Bytes request = bob.ask(401);
    EXPECT_EQ(ann.purse.pay(request, false).status, JZ_CVM_REQUIRED);
    EXPECT_EQ(ann.purse.info().seq, 1U) << "nothing was written";
    jz_offer offer{};
    ASSERT_EQ(jz_purse_look(ann.purse.get(), c_view(request), &offer), JZ_OK);
    EXPECT_EQ(offer.cvm_required, 1);
    const auto second_tap = ann.purse.pay(request, true);
    ASSERT_EQ(second_tap.status, JZ_OK);
    EXPECT_EQ(bob.purse.receive(second_tap.bytes).status, JZ_OK);
    EXPECT_TRUE(transfer(ann, bob, 1'000).ok()) << "the sum starts again";
    // Who skips the prompt is refused by the payee.
    const Bytes large = bob.ask(1'001);
    EXPECT_EQ(jiaozi::purse_host::offer(ann, bob, large, honest_note(ann, large)), JZ_CVM_REQUIRED);
}

TEST(Attack, A38_PinTriesUsedUpLockUntilSync) {
    World world;
    Terms terms;
    terms.without_cvm = 100;
    Device& ann = world.device(0, terms);
    Device& bob = world.device();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(jz_purse_wrong_pin(ann.purse.get()), JZ_OK);
    EXPECT_EQ(jz_purse_wrong_pin(ann.purse.get()), JZ_LOCKED);
    ASSERT_EQ(ann.restart(), JZ_OK);
    EXPECT_EQ(ann.purse.pay(bob.ask(500), true).status, JZ_LOCKED);
    EXPECT_TRUE(transfer(ann, bob, 50).ok());
    purse::SyncAck ack;
    ack.purse = ann.ordinal;
    ack.sync = 1;
    ack.flags = purse::sync_limits;
    ASSERT_EQ(jz_purse_sync(ann.purse.get(), c_view(world.issuer.sync_ack(ack))), JZ_OK);
    EXPECT_EQ(ann.purse.pay(bob.ask(500), true).status, JZ_OK);
}

TEST(Attack, A39_ClockSetBackAYearDoesNotReviveALot) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    // Ann meets a certificate that the issuer signed after her lot had expired.
    Terms later;
    later.not_before = today_s + 31 * day_s;
    later.expires = today_s + 90 * day_s;
    later.settle_by = today_s + 99 * day_s;
    Device& carol = world.empty_device();
    carol.clock.set(timestamp_s(later.not_before));
    ASSERT_EQ(carol.load(later), JZ_OK);
    ann.purse.pay(carol.ask(10), false);
    ann.clock.set(timestamp_s(today_s - 365 * day_s));
    EXPECT_EQ(ann.purse.info().t_low, later.not_before);
    EXPECT_EQ(ann.purse.pay(carol.ask(10), false).status, JZ_DRAINED);
    ASSERT_EQ(ann.restart(), JZ_OK);
    EXPECT_EQ(ann.purse.info().t_low, later.not_before);
    EXPECT_EQ(ann.spendable(), 0U);
    (void)bob;
}

TEST(Attack, A40_PeerThatClaims2099MovesNothing) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const std::uint32_t before = ann.purse.info().t_low;
    const Bytes honest = bob.ask(10);
    purse::Object view;
    purse::Request request;
    const Bytes object = request_object(honest);
    ASSERT_EQ(purse::read_whole(object, purse::Type::request, view), JZ_OK);
    ASSERT_EQ(purse::parse(view, request), JZ_OK);
    request.t_low = 4'070'908'800;
    std::array<std::uint8_t, purse::max_payload> payload{};
    Bytes message{0x01};
    append(message, sign_object(*bob.signer, purse::write_payload(request, payload)));
    append(message, bob.last_certificate);
    EXPECT_EQ(ann.purse.pay(message, false).status, JZ_OK);
    EXPECT_EQ(ann.purse.info().t_low, before);
    // Nor does a note's time.
    const Bytes next = bob.ask(10);
    purse::Note note = honest_note(ann, next);
    note.time = 4'070'908'800;
    note.source[0].offset = 500;
    const std::uint32_t low = bob.purse.info().t_low;
    EXPECT_EQ(offer(ann, bob, next, note), JZ_OK);
    EXPECT_EQ(bob.purse.info().t_low, low);
}

TEST(Attack, A41_NoteShortlyBeforeExpiryIsRefused) {
    World world;
    Terms terms;
    terms.expires = today_s + 10 * day_s;
    Device& ann = world.device(0, terms);
    Device& bob = world.device();
    Terms long_lived;
    Device& carol = world.device(0, long_lived);
    const std::uint32_t last = terms.expires - 3'600;
    bob.clock.set(timestamp_s(terms.expires - 1));
    const Bytes request = bob.ask(100);
    EXPECT_EQ(offer(ann, bob, request, honest_note(ann, request)), JZ_EXPIRED);
    bob.clock.set(timestamp_s(last));
    EXPECT_EQ(offer(ann, bob, request, honest_note(ann, request)), JZ_EXPIRED);
    ann.clock.set(timestamp_s(last));
    EXPECT_EQ(ann.purse.pay(carol.ask(100), false).status, JZ_DRAINED);
    carol.clock.set(timestamp_s(last - 1));
    ann.clock.set(timestamp_s(last - 1));
    EXPECT_EQ(ann.purse.pay(carol.ask(100), false).status, JZ_OK);
}

TEST(Attack, A42_OneHopOrOneNoteTooMany) {
    World world;
    Terms two_hops;
    two_hops.hops = 2;
    Device& ann = world.device(0, two_hops);
    Terms none;
    none.amount = 0;
    Device& bob = world.device(0, none);
    Device& carol = world.device(0, none);
    Device& dave = world.device(0, none);
    ASSERT_TRUE(transfer(ann, bob, 100).ok());
    ASSERT_TRUE(transfer(bob, carol, 100).ok());
    EXPECT_EQ(carol.purse.pay(dave.ask(100), false).status, JZ_INSUFFICIENT);
    const Bytes deposit = carol.purse.deposit(0).bytes;
    const Bytes parent = object_in(deposit, 1);
    const Bytes request = dave.ask(100);
    purse::Note third = honest_note(carol, request);
    third.source[0].id = object_id(world.cryptography, parent);
    third.hop = 3;
    const ByteView provenance = ByteView(deposit).subspan(object_in(deposit, 0).size());
    const auto say = [&](const purse::Note& note) {
        const Bytes bundle = joined({signed_note(carol, note), provenance, carol.last_certificate});
        return dave.purse.receive(sealed_to(purse::Verb::pay, carol, request, bundle)).status;
    };
    EXPECT_EQ(say(third), JZ_TOO_MANY_HOPS);
    third.hop = 2;  // a lie about it is seen as well
    EXPECT_EQ(say(third), JZ_TOO_MANY_HOPS);
}

TEST(Attack, A42_NineNotesAreTooMany) {
    World world;
    Device& ann = world.device();
    Device& bob = world.device();
    const Bytes request = bob.ask(100);
    Bytes bundle = signed_note(ann, honest_note(ann, request));
    for (std::uint32_t seq = 2; seq <= 9; ++seq) {
        purse::Note more = honest_note(ann, request);
        more.seq = seq;
        append(bundle, signed_note(ann, more));
    }
    append(bundle, ann.last_certificate);
    EXPECT_EQ(bob.purse.receive(sealed_to(purse::Verb::pay, ann, request, bundle)).status, JZ_PROVENANCE_LIMIT);
}

TEST(Attack, A44_ReceiveCapIsRefusedAtTheRequest) {
    World world;
    Terms terms;
    terms.receive_cap = 1'000;
    Device& bob = world.device(0, terms);
    Device& ann = world.device();
    ASSERT_TRUE(transfer(ann, bob, 600).ok());
    std::uint8_t nonce[16];
    EXPECT_EQ(bob.purse.request(401, true, nonce).status, JZ_RECEIVE_CAP);
    bob.ask(300);
    EXPECT_EQ(bob.purse.request(101, true, nonce).status, JZ_RECEIVE_CAP) << "open requests count";
    EXPECT_EQ(bob.purse.request(100, true, nonce).status, JZ_OK);
}

}  // namespace
}  // namespace jiaozi::purse_host
