// More of the attacks on the ledger side, by the numbers of the list (attacks_test.cpp has the others).
#include <gtest/gtest.h>

#include <jiaozi/purse_host/issuer.hpp>

#include "world.hpp"

namespace jiaozi::settlement::testing {
namespace {

std::string reason_of(const ItemAnswer& answer) {
    return std::string(name_of(answer.reason));
}

TEST(Attack, A21_TwoClonesAreFoundAtTheSecondDeposit) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    Device cafe = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    // Two copies of one purse file: each goes on from the same number and the same range, far from the other.
    const std::uint32_t seq = ana.seq + 1;
    const Said here = world.pay(ana, shop, {{lot.id, 0, 400}}, 1, seq);
    const Said there = world.pay(ana, cafe, {{lot.id, 0, 300}}, 1, seq);
    EXPECT_EQ(world.settle_one(here.bytes, shop.ordinal).state, NoteState::settled);
    EXPECT_EQ(world.settlement->book().purse(ana.ordinal)->state, PurseState::active);
    EXPECT_EQ(world.settle_one(there.bytes, cafe.ordinal).state, NoteState::settled);
    const Book& book = world.settlement->book();
    EXPECT_EQ(book.purse(ana.ordinal)->state, PurseState::frozen);
    EXPECT_NE(book.proof_against(ana.ordinal), nullptr);
    EXPECT_EQ(world.wallet(shop), World::start + 400);
    EXPECT_EQ(world.wallet(cafe), World::start + 300);
    EXPECT_EQ(world.wallet(ana), World::start - 10'000 - 300);
    world.check_money();
}

TEST(Attack, A53_TwoListsWithOneVersionAreAnAlarm) {
    World world;
    const Device ana = world.enrol();
    world.advance();
    ASSERT_EQ(world.settlement->book().lists().size(), 1U);
    // Whoever has the issuing key signs another list of the same version, and has it journaled.
    const std::vector<std::uint32_t> revoked{ana.ordinal};
    const purse_host::Issuer thief(purse_host::real_cryptography(), *world.issuers.front());
    const auto list = thief.blacklist(1, static_cast<std::uint32_t>(world.clock.now().s()), 1, revoked);
    engine::Command command;
    command.annotation = encode(Fact(ListFact{list.head, list.body}));
    ASSERT_TRUE(world.engine->execute(std::move(command)).ok());
    world.settlement.reset();
    const auto again = Settlement::recover({*world.engine, world.app, world.clock, {world.issuers[0].get()}});
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().kind(), ErrorKind::corrupt);
    EXPECT_NE(again.error().to_string().find("two lists of one version"), std::string::npos);
}

TEST(Attack, A53_AHeadThatADeviceHandsInAndThisLedgerHasNotPublishedIsAnAlarm) {
    World world;
    const Device ana = world.enrol();
    world.advance();
    const Bytes own = world.settlement->book().lists().back().head;
    const auto now = static_cast<std::uint32_t>(world.clock.now().s());
    const std::vector<std::uint32_t> revoked{ana.ordinal};
    const purse_host::Issuer thief(purse_host::real_cryptography(), *world.issuers.front());
    const Bytes second = thief.blacklist(1, now, 1, revoked).head;
    const Bytes from_the_future = thief.blacklist(9, now, 1, revoked).head;
    const auto stranger_key =
        purse_host::key_signer(crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519)).value());
    const purse_host::Issuer stranger(purse_host::real_cryptography(), *stranger_key);
    const auto both = [](Bytes one, const Bytes& other) {
        append(one, other);
        return one;
    };
    const auto alarms = [&] { return world.settlement->book().alarms().size(); };

    EXPECT_EQ(*world.report(own), HeadIs::published);
    EXPECT_EQ(alarms(), 0U);
    EXPECT_EQ(*world.report(both(own, second)), HeadIs::contradiction) << "as a purse's alarm has them";
    EXPECT_EQ(alarms(), 1U);
    EXPECT_EQ(*world.report(second), HeadIs::contradiction) << "the same again";
    EXPECT_EQ(alarms(), 1U);
    EXPECT_EQ(*world.report(from_the_future), HeadIs::contradiction) << "a version that nobody has published";
    EXPECT_EQ(alarms(), 2U);
    const Bytes foreign = stranger.blacklist(1, now, 1, revoked).head;
    EXPECT_EQ(world.report(foreign).error().kind(), ErrorKind::unauthenticated) << "no word about us";
    for (std::size_t i = 0; i < second.size(); ++i) {
        Bytes bent = second;
        bent[i] ^= 1;
        EXPECT_FALSE(world.report(bent).ok()) << i;
    }
    EXPECT_FALSE(world.report(both(both(own, second), own)).ok()) << "three";
    EXPECT_FALSE(world.report({}).ok());
    EXPECT_EQ(alarms(), 2U);
    world.restart();
    EXPECT_EQ(alarms(), 2U) << "for ever";
    EXPECT_EQ(*world.report(own), HeadIs::published);
    // Whoever has the key can sign any number of them, and fills no disk with it.
    const std::uint64_t before = world.engine->last_sequence();
    for (std::uint32_t version = 10; version < 150; ++version) {
        EXPECT_EQ(*world.report(thief.blacklist(version, now, 1, revoked).head), HeadIs::contradiction);
    }
    EXPECT_EQ(world.engine->last_sequence() - before, 62U);
}

// Everything here is signed by the payer's own key: only the form is wrong.
TEST(Attack, A60_WhatIsNotCanonicalIsRefusedThoughItsSignatureIsRight) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    const Said good = world.pay(ana, shop, {{lot.id, 0, 350}});
    purse::Object object;
    ASSERT_EQ(purse::read_whole(good.bytes, purse::Type::note, object), JZ_OK);
    const Bytes payload = to_bytes(object.payload);
    ASSERT_EQ(payload[0], 0x8b);  // an array of eleven, the first its type
    ASSERT_EQ(payload[1], 0x03);
    const auto replaced = [&](std::size_t at, std::size_t count, std::initializer_list<std::uint8_t> by) {
        Bytes out(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(at));
        out.insert(out.end(), by.begin(), by.end());
        out.insert(out.end(), payload.begin() + static_cast<std::ptrdiff_t>(at + count), payload.end());
        return out;
    };
    Bytes trailing = payload;
    trailing.push_back(0x00);
    const std::pair<const char*, Bytes> rows[] = {
        {"a number in two bytes that fits one", replaced(1, 1, {0x18, 0x03})},
        {"an array's length in two bytes", replaced(0, 1, {0x98, 0x0b})},
        {"an array of unknown length", replaced(0, 1, {0x9f})},
        {"an element too many", replaced(0, 1, {0x8c})},
        {"a tag around the type", replaced(1, 1, {0xc1, 0x03})},
        {"a float for the type", replaced(1, 1, {0xf9, 0x42, 0x00})},
        {"a byte after the payload's item", trailing},
        {"a map with one key twice", {0xa2, 0x01, 0x03, 0x01, 0x03}},
    };
    for (const auto& [what, bytes] : rows) {
        SCOPED_TRACE(what);
        EXPECT_EQ(reason_of(world.settle_one(purse_host::sign_object(*ana.signer, bytes), shop.ordinal)), "malformed");
    }
    EXPECT_EQ(world.settlement->book().notes(), 0U);
    EXPECT_EQ(reason_of(world.settle_one(good.bytes, shop.ordinal)), "ok");
}

TEST(Attack, A68_WhatOneMuleDropsAnotherBringsDaysLater) {
    World world;
    Device ana = world.enrol();
    Device ben = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    world.load(ben, 0);
    const Said first = world.pay(ana, ben, {{lot.id, 0, 1'000}});
    const Bytes early = world.deposit({world.receipt(ben, first), first.bytes});
    const Said second = world.pay(ben, shop, {{first.id, 0, 600}}, 2);
    const Bytes late = world.deposit({world.receipt(shop, second), second.bytes, first.bytes});
    world.settle({early});  // and drops the other
    EXPECT_EQ(world.received(ben), 1'000U);
    world.pass_days(20);
    world.settle({late, early, late});
    EXPECT_EQ(world.received(shop), 600U);
    EXPECT_EQ(world.received(ben), 400U);
    world.pass_days(8);
    EXPECT_EQ(world.wallet(shop), World::start + 600);
    EXPECT_EQ(world.wallet(ben), World::start + 400);
    EXPECT_EQ(world.wallet(ana), World::start - 1'000);
    world.check_money();
}

TEST(Attack, A72_JunkOfManyNamelessSendersFillsNothingAndTheHonestSettle) {
    World world;
    Device ana = world.enrol(3);
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    Bytes bad = world.pay(ana, shop, {{lot.id, 0, 10}}).bytes;
    bad.back() ^= 1;
    const std::uint64_t journal = world.engine->last_sequence();
    for (int i = 0; i < 10; ++i) world.settle(std::vector<Bytes>(1'000, bad));
    EXPECT_EQ(world.engine->last_sequence(), journal) << "junk is not journaled";
    EXPECT_EQ(world.settlement->quarantine().size(), 1'024U);
    EXPECT_EQ(world.settlement->book().notes(), 0U);
    EXPECT_EQ(reason_of(world.settle_one(world.pay(ana, shop, {{lot.id, 0, 10}}).bytes, shop.ordinal)), "ok");
    EXPECT_TRUE(world.sync(shop).ok());
    EXPECT_EQ(world.wallet(shop), World::start + 10);
}

}  // namespace
}  // namespace jiaozi::settlement::testing
