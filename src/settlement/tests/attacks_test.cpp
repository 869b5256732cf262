// The attacks on the ledger side, by the numbers of the list. Each says what the attacker does and what comes
// of it (docs/settlement.md).
#include <thread>

#include <gtest/gtest.h>

#include <jiaozi/purse/proof.hpp>

#include "world.hpp"

namespace jiaozi::settlement::testing {
namespace {

std::string reason_of(const ItemAnswer& answer) {
    return std::string(name_of(answer.reason));
}

// Verified by somebody who has nothing but the issuer's key.
std::uint32_t guilty_of(const World& world, const Bytes& proof) {
    jz_platform platform{};
    platform.hash = [](void*, int hash, const jz_view* parts, std::size_t count, std::uint8_t* out) {
        purse_host::real_cryptography().hash(hash, {parts, count}, out);
        return 0;
    };
    platform.verify = [](void*, int suite, jz_view key, jz_view message, const std::uint8_t* signature) {
        const bool good = purse_host::real_cryptography().verify(
            static_cast<crypto::Suite>(suite), {key.data, key.size}, {message.data, message.size}, {signature, 64});
        return good ? 0 : 1;
    };
    const jz_issuer_key key = purse_host::Issuer(purse_host::real_cryptography(), *world.issuers.front()).key();
    std::uint32_t guilty = 0;
    const jz_status status = jz_verify_proof(&platform, &key, 1, {proof.data(), proof.size()}, &guilty);
    EXPECT_EQ(status, JZ_OK) << jz_status_name(status);
    return guilty;
}

TEST(Settling, APaymentMovesEscrowToThePayeesWallet) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    EXPECT_EQ(world.wallet(ana), World::start - 10'000);
    const Said note = world.pay(ana, shop, {{lot.id, 0, 350}});
    const ItemAnswer answer = world.settle_one(world.deposit({note.bytes, lot.certificate}), shop.ordinal);
    EXPECT_EQ(reason_of(answer), "ok");
    EXPECT_EQ(answer.state, NoteState::settled);
    EXPECT_EQ(world.wallet(shop), World::start + 350);
    EXPECT_EQ(world.escrow(lot), 9'650U);
    world.check_money();
}

TEST(Settling, AllThreeSuites) {
    for (const auto suite : {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2}) {
        World world;
        Device ana = world.enrol(1, suite);
        Device shop = world.enrol(1, suite);
        const Lot lot = world.load(ana, 10'000);
        const Said note = world.pay(ana, shop, {{lot.id, 0, 350}});
        EXPECT_EQ(reason_of(world.settle_one(note.bytes, shop.ordinal)), "ok");
        EXPECT_EQ(world.wallet(shop), World::start + 350);
    }
}

TEST(Settling, ThePayersDepositWaitsForThePayeesWord) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said note = world.pay(ana, shop, {{lot.id, 0, 350}});
    EXPECT_EQ(world.settle_one(note.bytes, ana.ordinal).state, NoteState::pending);
    EXPECT_EQ(world.wallet(shop), World::start);
    EXPECT_EQ(world.settle_one(world.deposit({world.receipt(shop, note), note.bytes})).state, NoteState::settled);
    ASSERT_TRUE(world.sync(shop).ok());
    EXPECT_EQ(world.wallet(shop), World::start + 350);
    world.check_money();
}

TEST(Settling, WithoutAWordByTheDeadlineThePayerHasItsMoneyBack) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said note = world.pay(ana, shop, {{lot.id, 0, 350}});
    world.settle_one(note.bytes, ana.ordinal);
    world.pass_days(28);
    EXPECT_EQ(world.settlement->book().note(world.settlement->book().find_note(note.id)).state, NoteState::lapsed);
    EXPECT_EQ(world.wallet(ana), World::start);
    world.check_money();
}

TEST(Settling, TheLeafIsPaidAndWhoIsBetweenNeedNotBeOnline) {
    World world;
    Device ana = world.enrol();
    Device ben = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    world.load(ben, 0);
    const Said first = world.pay(ana, ben, {{lot.id, 0, 1'000}});
    const Said second = world.pay(ben, shop, {{first.id, 200, 300}}, 2);
    EXPECT_EQ(world.settle_one(world.deposit({second.bytes, first.bytes}), shop.ordinal).state, NoteState::settled);
    EXPECT_EQ(world.wallet(shop), World::start + 300);
    EXPECT_EQ(world.wallet(ben), World::start);
    // Ben comes home: what he has not passed on is his.
    EXPECT_EQ(world.settle_one(first.bytes, ben.ordinal).state, NoteState::settled);
    EXPECT_EQ(world.wallet(ben), World::start + 700);
    world.check_money();
}

TEST(Settling, MoneyPaidToAHolderBeforeItsReSpendWasKnownGoesOnToTheLaterHolder) {
    World world;
    Device ana = world.enrol();
    Device ben = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    world.load(ben, 0);
    const Said first = world.pay(ana, ben, {{lot.id, 0, 1'000}});
    const Bytes proof_of_ben = world.receipt(ben, first);
    const Said second = world.pay(ben, shop, {{first.id, 0, 400}}, 2);
    EXPECT_EQ(world.settle_one(world.deposit({proof_of_ben, first.bytes}), ana.ordinal).state, NoteState::settled);
    EXPECT_EQ(world.received(ben), 1'000U);
    EXPECT_EQ(world.settle_one(world.deposit({second.bytes, first.bytes}), shop.ordinal).state, NoteState::settled);
    EXPECT_EQ(world.wallet(shop), World::start + 400);
    EXPECT_EQ(world.received(ben), 600U);
    ASSERT_TRUE(world.sync(ben).ok());
    EXPECT_EQ(world.wallet(ben), World::start + 600);
    EXPECT_TRUE(world.settlement->book().conflicts().empty());
    world.check_money();
}

TEST(Sync, TheAcknowledgementSaysHowFarEverythingIsKnownAndWhatIsReleased) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said first = world.pay(ana, shop, {{lot.id, 0, 100}});
    const Said second = world.pay(ana, shop, {{lot.id, 100, 100}});
    const Bytes voided = world.void_request(shop, first);
    world.settle({first.bytes, voided}, ana.ordinal);
    auto ack = world.sync(ana);
    ASSERT_TRUE(ack.ok());
    purse::Object object;
    purse::SyncAck read;
    ASSERT_EQ(purse::read_whole(*ack, purse::Type::sync_ack, object), JZ_OK);
    ASSERT_EQ(purse::parse(object, read), JZ_OK);
    EXPECT_EQ(read.through, 1U);
    ASSERT_EQ(read.released, 1U);
    EXPECT_EQ(read.release[0], first.id);
    world.settle_one(second.bytes, ana.ordinal);
    ack = world.sync(ana, read.sync);
    ASSERT_EQ(purse::read_whole(*ack, purse::Type::sync_ack, object), JZ_OK);
    ASSERT_EQ(purse::parse(object, read), JZ_OK);
    EXPECT_EQ(read.through, 2U);
    EXPECT_EQ(read.released, 0U);
}

TEST(Attack, A14_PayeeVoidsThenDepositsRefused) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said note = world.pay(ana, shop, {{lot.id, 0, 350}});
    world.settle_one(world.void_request(shop, note));
    EXPECT_EQ(reason_of(world.settle_one(note.bytes, shop.ordinal)), "voided");
    EXPECT_EQ(world.wallet(shop), World::start);
    EXPECT_EQ(world.settle_one(note.bytes, ana.ordinal).state, NoteState::voided);
    world.check_money();
}

TEST(Attack, A14_PayeeDepositsAndHadVoidedReversedAndFrozen) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said note = world.pay(ana, shop, {{lot.id, 0, 350}});
    const Bytes voided = world.void_request(shop, note);
    world.settle_one(note.bytes, shop.ordinal);
    EXPECT_EQ(world.wallet(shop), World::start + 350);
    world.settle_one(voided, ana.ordinal);
    EXPECT_EQ(world.wallet(shop), World::start);
    EXPECT_EQ(world.wallet(ana), World::start - 10'000 + 350);
    EXPECT_EQ(world.settlement->book().purse(shop.ordinal)->state, PurseState::frozen);
    world.check_money();
}

struct TwoNotes {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    bool fraud = false;
};

TEST(Attack, A15_A16_A17_OverlapsToTwoPayees) {
    for (const TwoNotes& second : {TwoNotes{0, 1'000, true}, {999, 2'000, true}, {1'000, 2'000, false}}) {
        SCOPED_TRACE(second.from);
        World world;
        world.fund_reserve(100'000);
        Device ana = world.enrol();
        Device shop = world.enrol();
        Device cafe = world.enrol();
        const Lot lot = world.load(ana, 10'000);
        const Said one = world.pay(ana, shop, {{lot.id, 0, 1'000}});
        const Said two = world.pay(ana, cafe, {{lot.id, second.from, second.to - second.from}});
        world.settle_one(one.bytes, shop.ordinal);
        world.settle_one(two.bytes, cafe.ordinal);
        EXPECT_EQ(world.wallet(shop), World::start + 1'000);
        EXPECT_EQ(world.wallet(cafe), World::start + (second.to - second.from));
        const Book& book = world.settlement->book();
        ASSERT_EQ(book.proofs().size(), second.fraud ? 1U : 0U);
        EXPECT_EQ(book.purse(ana.ordinal)->state, second.fraud ? PurseState::frozen : PurseState::active);
        if (second.fraud) {
            EXPECT_EQ(guilty_of(world, book.proofs().front()), ana.ordinal);
            EXPECT_LE(book.proofs().front().size(), 650U);
            EXPECT_TRUE(book.lists().back().revoked == std::vector{ana.ordinal});
        }
        world.check_money();
    }
}

TEST(Attack, A18_OneNumberTwiceIsAForkAlsoWithDisjointRanges) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said one = world.pay(ana, shop, {{lot.id, 0, 100}}, 1, 5);
    const Said two = world.pay(ana, shop, {{lot.id, 100, 100}}, 1, 5);
    world.settle({one.bytes, two.bytes}, shop.ordinal);
    EXPECT_EQ(world.wallet(shop), World::start + 200);
    ASSERT_EQ(world.settlement->book().proofs().size(), 1U);
    EXPECT_EQ(guilty_of(world, world.settlement->book().proofs().front()), ana.ordinal);
    world.check_money();
}

TEST(Attack, A25_TheSecondHolderDoubleSpendsAndTheLoaderIsNotBlamed) {
    World world;
    Device ana = world.enrol();
    Device ben = world.enrol();
    Device shop = world.enrol();
    Device cafe = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    world.load(ben, 0);
    const Said first = world.pay(ana, ben, {{lot.id, 0, 1'000}});
    const Said one = world.pay(ben, shop, {{first.id, 0, 1'000}}, 2);
    const Said two = world.pay(ben, cafe, {{first.id, 0, 1'000}}, 2);
    world.settle_one(world.deposit({one.bytes, first.bytes}), shop.ordinal);
    world.settle_one(world.deposit({two.bytes, first.bytes}), cafe.ordinal);
    const Book& book = world.settlement->book();
    ASSERT_EQ(book.proofs().size(), 1U);
    EXPECT_EQ(guilty_of(world, book.proofs().front()), ben.ordinal);
    EXPECT_EQ(book.purse(ana.ordinal)->state, PurseState::active);
    EXPECT_EQ(world.wallet(cafe), World::start + 1'000);
    EXPECT_EQ(world.wallet(ben), World::start - 1'000);
    world.check_money();
}

TEST(Attack, A26_TheLoaderForksAfterAnHonestReSpendAndTheHolderKeepsItsClaim) {
    World world;
    Device ana = world.enrol();
    Device ben = world.enrol();
    Device shop = world.enrol();
    Device cafe = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    world.load(ben, 0);
    const Said first = world.pay(ana, ben, {{lot.id, 0, 1'000}});
    const Said honest = world.pay(ben, shop, {{first.id, 0, 1'000}}, 2);
    const Said fork = world.pay(ana, cafe, {{lot.id, 0, 1'000}});
    world.settle_one(fork.bytes, cafe.ordinal);
    world.settle_one(world.deposit({honest.bytes, first.bytes}), shop.ordinal);
    const Book& book = world.settlement->book();
    ASSERT_EQ(book.proofs().size(), 1U);
    EXPECT_EQ(guilty_of(world, book.proofs().front()), ana.ordinal);
    EXPECT_EQ(book.purse(ben.ordinal)->state, PurseState::active);
    EXPECT_EQ(world.wallet(shop), World::start + 1'000);
    EXPECT_EQ(world.wallet(ana), World::start - 10'000 - 1'000);
    world.check_money();
}

TEST(Attack, A30_ADepositFromAHundredThreadsAtOnceHasOneEffect) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said note = world.pay(ana, shop, {{lot.id, 0, 350}});
    std::size_t answered = 0;
    std::size_t fresh = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 100; ++i) {
        threads.emplace_back([&] {
            world.app.post([&] {
                world.settlement->settle({note.bytes}, shop.ordinal, [&](Result<std::vector<ItemAnswer>> answers) {
                    ++answered;
                    ASSERT_TRUE(answers.ok());
                    EXPECT_EQ(answers->front().state, NoteState::settled);
                    if (!answers->front().replayed) ++fresh;
                });
            });
        });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_TRUE(world.app.run_until([&] { return answered == 100; }));
    world.settle_down();
    EXPECT_EQ(fresh, 1U);
    EXPECT_EQ(world.wallet(shop), World::start + 350);
    world.check_money();
}

TEST(Attack, A31_ADepositUnderAnotherMerchantsLoginCreditsOnlyTheNamedPayee) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    Device thief = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said note = world.pay(ana, shop, {{lot.id, 0, 350}});
    world.settle_one(world.deposit({world.receipt(shop, note), note.bytes}), thief.ordinal);
    EXPECT_EQ(world.wallet(thief), World::start);
    EXPECT_EQ(world.received(thief), 0U);
    EXPECT_EQ(world.received(shop), 350U);
    world.check_money();
}

TEST(Attack, A32_AReceiptForAnotherNoteIsIgnored) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said one = world.pay(ana, shop, {{lot.id, 0, 350}});
    const Said two = world.pay(ana, shop, {{lot.id, 350, 350}});
    const Bytes receipt = world.receipt(shop, one);
    EXPECT_EQ(world.settle_one(world.deposit({receipt, two.bytes}), ana.ordinal).state, NoteState::pending);
    // Nor does one that somebody else signed count.
    EXPECT_EQ(world.settle_one(world.deposit({world.receipt(ana, two), two.bytes}), ana.ordinal).state,
              NoteState::pending);
    EXPECT_EQ(world.received(shop), 0U);
}

TEST(Attack, A43_TwentyPursesUnderOneHolderDoNotLoadOverTheCap) {
    World world;
    const uint128 holder = 77;
    std::uint64_t loaded = 0;
    for (int i = 0; i < 20; ++i) {
        const Device device = world.enrol(1, crypto::Suite::ed25519, holder);
        auto answer = world.try_load(device, 50'000, world.new_load());
        if (answer.ok()) {
            loaded += 50'000;
        } else {
            EXPECT_EQ(answer.error().code(), "holder_cap");
        }
    }
    EXPECT_EQ(loaded, default_policy.holder_cap);
    world.check_money();
}

TEST(Attack, A54_RevokedIssuingKeyLoadsNothingMoreAndOthersDo) {
    World world;
    Device ana = world.enrol();
    Device ben = world.enrol(1, crypto::Suite::p256);
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const auto key_of = [&](std::size_t issuer) {
        return RootKey{world.issuers[issuer]->suite(), world.issuers[issuer]->public_key()};
    };
    const crypto::KeyPair offline = crypto::generate_key(crypto::Suite::ed25519);
    const auto now = static_cast<std::uint32_t>(world.clock.now().s());
    Root root{
        .version = 1, .signers = {{offline.suite, offline.public_key}}, .threshold = 1, .issuing = {}, .revoked = {}};
    for (const std::size_t issuer : {0U, 1U}) root.issuing.push_back({key_of(issuer), now, now + 1'000, 12'000});
    root.revoked.push_back(kid_of(key_of(0)));
    const Bytes document = encode(root);
    const RootSignature signature{0, crypto::make_signer(offline).value()->sign(root_message(document)).value()};
    std::optional<Result<std::uint32_t>> answer;
    world.settlement->install_root(signed_root(document, {&signature, 1}, {}),
                                   [&](Result<std::uint32_t> given) { answer = std::move(given); });
    ASSERT_TRUE(world.wait(answer).ok());
    world.restart();
    EXPECT_EQ(world.try_load(ana, 1'000, world.new_load()).error().code(), "unknown_issuer");
    EXPECT_TRUE(world.try_load(ben, 12'000, world.new_load()).ok());
    EXPECT_EQ(world.try_load(ben, 1, world.new_load()).error().code(), "issuer_cap");
    // What the ledger did issue is worth what it says.
    EXPECT_EQ(reason_of(world.settle_one(world.pay(ana, shop, {{lot.id, 0, 10}}).bytes, shop.ordinal)), "ok");
}

TEST(Attack, A56_A60_A61_WhatIsNotTheProtocolIsQuarantined) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    Device sm2 = world.enrol(1, crypto::Suite::sm2);
    const Lot lot = world.load(ana, 10'000);
    const Said note = world.pay(ana, shop, {{lot.id, 0, 350}});
    // Ana's number over another suite's signature.
    Device forged{.ordinal = ana.ordinal, .wallet = {}, .signer = std::move(sm2.signer), .seq = 0, .previous = {}};
    EXPECT_EQ(reason_of(world.settle_one(world.pay(forged, shop, {{lot.id, 0, 350}}).bytes, shop.ordinal)),
              "wrong_suite");
    Bytes longer = note.bytes;
    longer.push_back(0);
    EXPECT_EQ(reason_of(world.settle_one(longer, shop.ordinal)), "malformed");
    const Said beyond = world.pay(ana, shop, {{lot.id, 9'999, 2}});
    EXPECT_EQ(reason_of(world.settle_one(beyond.bytes, shop.ordinal)), "bad_range");
    const Said wraps = world.pay(ana, shop, {{lot.id, purse::highest_amount, purse::highest_amount}});
    EXPECT_EQ(reason_of(world.settle_one(wraps.bytes, shop.ordinal)), "bad_range");
    Bytes altered = note.bytes;
    altered.back() ^= 1;
    EXPECT_EQ(reason_of(world.settle_one(altered, shop.ordinal)), "bad_signature");
    EXPECT_EQ(world.settlement->quarantine().size(), 5U);
    EXPECT_EQ(world.wallet(shop), World::start);
    EXPECT_EQ(world.settlement->book().notes(), 0U);
}

TEST(Attack, A63_LoadRetriedOneDebitSameCertificate) {
    World world;
    const Device ana = world.enrol();
    const LoadId id = world.new_load();
    auto first = world.try_load(ana, 10'000, id);
    auto again = world.try_load(ana, 10'000, id);
    ASSERT_TRUE(first.ok() && again.ok());
    EXPECT_FALSE(first->replayed);
    EXPECT_TRUE(again->replayed);
    EXPECT_EQ(first->certificate, again->certificate);
    EXPECT_EQ(world.wallet(ana), World::start - 10'000);
    auto other = world.try_load(ana, 9'999, id);
    ASSERT_FALSE(other.ok());
    EXPECT_EQ(other.error().code(), "idempotency_mismatch");
}

TEST(Attack, A64_CrashBetweenDebitAndCertificateRecovered) {
    for (const auto suite : {crypto::Suite::ed25519, crypto::Suite::p256, crypto::Suite::sm2}) {
        World world;
        const Device ana = world.enrol(1, suite);
        const LoadId id = world.new_load();
        bool answered = false;
        world.settlement->load({id, ana.ordinal, 10'000, 0}, [&](const Result<LoadAnswer>&) { answered = true; });
        world.restart();  // commits what is queued; the answer is lost
        EXPECT_FALSE(answered);
        EXPECT_EQ(world.wallet(ana), World::start - 10'000);
        auto again = world.try_load(ana, 10'000, id);
        ASSERT_TRUE(again.ok());
        EXPECT_TRUE(again->replayed);
        EXPECT_EQ(world.wallet(ana), World::start - 10'000);
        world.restart();
        EXPECT_EQ(world.try_load(ana, 10'000, id)->certificate, again->certificate);
        world.check_money();
    }
}

TEST(Attack, A65_OneBadOfAThousandQuarantined999Settle) {
    World world;
    Device ana = world.enrol(2);
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    std::vector<Bytes> items;
    for (std::uint64_t i = 0; i < 1'000; ++i) items.push_back(world.pay(ana, shop, {{lot.id, i * 10, 10}}).bytes);
    items[500].back() ^= 1;
    const auto answers = world.settle(items, shop.ordinal);
    ASSERT_EQ(answers.size(), 1'000U);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        EXPECT_EQ(reason_of(answers[i]), i == 500 ? "bad_signature" : "ok") << i;
    }
    EXPECT_EQ(world.wallet(shop), World::start + 9'990);
    EXPECT_EQ(world.settlement->quarantine().size(), 1U);
    world.check_money();
}

TEST(Attack, A66_LostWithUnspentMoneyRefundedAtTheDeadlineNotBefore) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said note = world.pay(ana, shop, {{lot.id, 0, 350}});
    world.lose(ana);
    world.pass_days(27);
    EXPECT_EQ(world.wallet(ana), World::start - 10'000);
    // A note that it had signed still counts.
    EXPECT_EQ(world.settle_one(note.bytes, shop.ordinal).state, NoteState::settled);
    world.pass_days(1);
    EXPECT_EQ(world.wallet(ana), World::start - 350);
    EXPECT_EQ(world.wallet(shop), World::start + 350);
    EXPECT_TRUE(world.settlement->book().lists().back().revoked == std::vector{ana.ordinal});
    world.check_money();
}

TEST(Attack, A67_LostPayeeIsCreditedFromThePayersReceipt) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said with_receipt = world.pay(ana, shop, {{lot.id, 0, 350}});
    const Said without = world.pay(ana, shop, {{lot.id, 350, 50}});
    const Bytes receipt = world.receipt(shop, with_receipt);
    world.lose(shop);
    world.settle({world.deposit({receipt, with_receipt.bytes}), without.bytes}, ana.ordinal);
    EXPECT_EQ(world.received(shop), 350U);
    world.pass_days(28);
    EXPECT_EQ(world.wallet(shop), World::start + 400);
    EXPECT_EQ(world.wallet(ana), World::start - 400);
    world.check_money();
}

TEST(Attack, A68_WhatAMuleDropsDoublesAndReordersIsDelayedOnly) {
    World world;
    Device ana = world.enrol();
    Device ben = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    world.load(ben, 0);
    const Said first = world.pay(ana, ben, {{lot.id, 0, 1'000}});
    const Bytes receipt_of_ben = world.receipt(ben, first);
    const Said second = world.pay(ben, shop, {{first.id, 0, 600}}, 2);
    const Bytes late = world.deposit({world.receipt(shop, second), second.bytes, first.bytes});
    const Bytes early = world.deposit({receipt_of_ben, first.bytes});
    world.settle({early, late, late, early, late});
    EXPECT_EQ(world.received(shop), 600U);
    EXPECT_EQ(world.received(ben), 400U);
    world.check_money();
}

TEST(Attack, A70_DepositAfterTheDeadlineRejectedAndRefundedOnce) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said note = world.pay(ana, shop, {{lot.id, 0, 350}});
    world.pass_days(28);
    EXPECT_EQ(world.wallet(ana), World::start);
    EXPECT_EQ(reason_of(world.settle_one(note.bytes, shop.ordinal)), "too_late");
    world.advance();
    world.restart();
    world.advance();
    EXPECT_EQ(world.wallet(ana), World::start);
    EXPECT_EQ(world.wallet(shop), World::start);
    world.check_money();
}

TEST(Attack, A71_ColludersForkFiftyTimesAndGetLotCollateralAndReserveCapAtMost) {
    World world;
    world.fund_reserve(1'000'000);
    Device ana = world.enrol(0);
    const Lot lot = world.load(ana, 5'000);
    EXPECT_EQ(world.settlement->book().purse(ana.ordinal)->collateral, 2'500U);
    world.spend(ana, world.wallet(ana));
    std::uint64_t paid_out = 0;
    for (int i = 0; i < 50; ++i) {
        Device friend_of_ana = world.enrol(0);
        const Said note = world.pay(ana, friend_of_ana, {{lot.id, 0, 5'000}});
        world.settle_one(note.bytes, friend_of_ana.ordinal);
        paid_out += world.wallet(friend_of_ana) - World::start;
    }
    EXPECT_EQ(paid_out, 5'000U + 2'500U + default_policy.of(0).reserve_cap);
    EXPECT_EQ(world.settlement->book().proofs().size(), 49U);
    world.pass_days(14);
    world.check_money();
    world.restart();
    world.check_money();
}

TEST(Attack, A72_ASenderOfJunkIsNotLookedAtAnyMoreAndOthersAre) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Device junk = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    Bytes bad = world.pay(ana, shop, {{lot.id, 0, 10}}).bytes;
    bad.back() ^= 1;
    const std::vector<Bytes> flood(500, bad);
    world.settle(flood, junk.ordinal);
    const std::uint64_t verified = world.settlement->counters().signatures;
    const auto refused = world.settle(flood, junk.ordinal);
    EXPECT_EQ(reason_of(refused.front()), "rate_limited");
    EXPECT_EQ(world.settlement->counters().signatures, verified);
    EXPECT_EQ(reason_of(world.settle_one(world.pay(ana, shop, {{lot.id, 0, 10}}).bytes, shop.ordinal)), "ok");
    EXPECT_LE(world.settlement->quarantine().size(), 1'024U);
}

}  // namespace
}  // namespace jiaozi::settlement::testing
