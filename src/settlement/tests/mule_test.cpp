// Real purses and the ledger: what mules carry, and clones that pay apart (attacks 21, 68, 69, 72).
#include <algorithm>
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include <jiaozi/crypto/x25519.hpp>
#include <jiaozi/purse_host/memory.hpp>
#include <jiaozi/settlement/mule.hpp>

#include "world.hpp"

namespace jiaozi::settlement::testing {
namespace {

// A device that the ledger knows, with a purse of the real code.
struct Handset {
    Handset(World& given, std::uint64_t amount) : world(given), device(given.enrol()), purse(make(given)) {
        anchor.id[0] = static_cast<std::uint8_t>(device.ordinal);
        EXPECT_EQ(purse->create(device.ordinal, 1), JZ_OK);
        trust();
        lot = given.load(device, amount);
        EXPECT_EQ(jz_purse_load(purse->get(), purse_host::c_view(lot.certificate)), JZ_OK);
    }
    std::unique_ptr<purse_host::HostPurse> make(World& given) {
        return std::make_unique<purse_host::HostPurse>(purse_host::real_cryptography(), *device.signer, storage, anchor,
                                                       given.clock);
    }
    void trust() {
        const jz_issuer_key key = purse_host::Issuer(purse_host::real_cryptography(), *world.issuers.front()).key();
        EXPECT_EQ(jz_purse_trust(purse->get(), &key, 1), JZ_OK);
    }
    bool pay(Handset& payee, std::uint64_t amount) {
        std::uint8_t nonce[16];
        const Bytes request = payee.purse->request(amount, true, nonce).bytes;
        const Bytes receipt = payee.purse->receive(purse->pay(request, false).bytes).bytes;
        return purse->receive(receipt).status == JZ_OK;
    }

    World& world;
    Device device;
    purse_host::MemoryStorage storage;
    purse_host::MemoryAnchor anchor;
    Lot lot;
    std::unique_ptr<purse_host::HostPurse> purse;
};

MuleOpener new_opener() {
    return MuleOpener::make(crypto::generate_x25519().private_key.view()).value();
}

TEST(Attack, A21_TwoClonesAreFoundAtTheSecondDeposit) {
    World world;
    world.fund_reserve(100'000);
    Handset mallory(world, 10'000);
    Handset shop(world, 0);
    Handset cafe(world, 0);
    const auto snapshot = mallory.storage.content();
    const auto counter = mallory.anchor;
    ASSERT_TRUE(mallory.pay(shop, 100));
    mallory.storage.content() = snapshot;  // the second device, with everything copied, the counter too
    mallory.anchor = counter;
    ASSERT_EQ(mallory.purse->open(), JZ_OK);
    mallory.trust();
    ASSERT_TRUE(mallory.pay(cafe, 200));
    EXPECT_EQ(world.settle_one(shop.purse->deposit(0).bytes, shop.device.ordinal).state, NoteState::settled);
    EXPECT_TRUE(world.settlement->book().proofs().empty());
    world.settle_one(cafe.purse->deposit(0).bytes, cafe.device.ordinal);
    ASSERT_EQ(world.settlement->book().proofs().size(), 1U);
    EXPECT_EQ(world.settlement->book().purse(mallory.device.ordinal)->state, PurseState::frozen);
    EXPECT_EQ(world.wallet(shop.device), World::start + 100) << "what is settled stands";
    world.check_money();
}

TEST(Attack, A68_AMuleThatDropsDoublesAndReordersDelaysOnly) {
    World world;
    Handset ana(world, 10'000);
    Handset shop(world, 0);
    Handset mule(world, 0);
    const MuleOpener opener = new_opener();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(ana.pay(shop, 100));
    for (unsigned i = 0; i < 5; ++i) {
        EXPECT_EQ(mule.purse->receive(shop.purse->mule(i, opener.deposit_key().data()).bytes).status, JZ_OK);
    }
    std::vector<Bytes> carried;
    for (unsigned i = 0; i < mule.purse->trust_info().carried; ++i) carried.push_back(mule.purse->carried(i).bytes);
    ASSERT_EQ(carried.size(), 5U);
    carried.erase(carried.begin() + 1);  // dropped
    carried.push_back(carried.front());  // doubled
    std::ranges::reverse(carried);
    for (const Bytes& message : carried) {
        auto deposit = opener.open(message);
        ASSERT_TRUE(deposit.ok()) << deposit.error().to_string();
        EXPECT_EQ(world.settle_one(*deposit).state, NoteState::settled) << "final: it is the payee's own deposit";
    }
    EXPECT_EQ(world.received(shop.device), 400U);
    // The shop meets the network at last: the dropped one is there, the others count once.
    for (unsigned i = 0; i < 5; ++i) world.settle_one(shop.purse->deposit(i).bytes, shop.device.ordinal);
    ASSERT_TRUE(world.sync(shop.device).ok());
    EXPECT_EQ(world.wallet(shop.device), World::start + 500);
    EXPECT_EQ(world.wallet(mule.device), World::start);
    world.check_money();
}

TEST(Attack, A69_TheLedgerAloneReadsWhatAMuleBrings) {
    World world;
    Handset ana(world, 10'000);
    Handset shop(world, 0);
    Handset mule(world, 0);
    const MuleOpener opener = new_opener();
    ASSERT_TRUE(ana.pay(shop, 350));
    const Bytes deposit = shop.purse->deposit(0).bytes;
    const Bytes message = shop.purse->mule(0, opener.deposit_key().data()).bytes;
    for (std::size_t i = 0; i + 8 <= deposit.size(); ++i) {
        EXPECT_EQ(std::ranges::search(message, ByteView(deposit).subspan(i, 8)).size(), 0U) << "readable at " << i;
    }
    EXPECT_EQ(new_opener().open(message).error().kind(), ErrorKind::unauthenticated);
    for (std::size_t i = 0; i < message.size(); ++i) {
        Bytes bent = message;
        bent[i] ^= 1;
        EXPECT_FALSE(opener.open(bent).ok()) << i;
    }
    for (std::size_t size = 0; size < message.size(); ++size) {
        EXPECT_FALSE(opener.open(ByteView(message).first(size)).ok()) << size;
    }
    // Under the mule's own login it is still the shop's.
    world.settle_one(*opener.open(message), mule.device.ordinal);
    EXPECT_EQ(world.received(mule.device), 0U);
    EXPECT_EQ(world.received(shop.device), 350U);
    world.check_money();
}

TEST(Attack, A69_AForgedReceiptInASealedDepositPaysNobody) {
    World world;
    Handset ana(world, 10'000);
    Handset shop(world, 0);
    const MuleOpener opener = new_opener();
    ASSERT_TRUE(ana.pay(shop, 350));
    // The key is public: anybody can seal. The payer bends the receipt and waits for its money.
    Bytes deposit = shop.purse->deposit(0).bytes;
    purse::View rest = deposit;
    purse::Object receipt;
    ASSERT_EQ(purse::read_object(rest, receipt), JZ_OK);
    deposit[receipt.bytes.size() - 1] ^= 1;  // the end of its signature
    EXPECT_EQ(world.settle_one(deposit).state, NoteState::pending) << "as if there were none";
    EXPECT_EQ(world.received(shop.device), 0U);
    EXPECT_EQ(world.settle_one(*opener.open(shop.purse->mule(0, opener.deposit_key().data()).bytes)).state,
              NoteState::settled);
    world.check_money();
}

// What a mule brings goes through the service, as over HTTP: Ana has paid the shop 350, and `good` is the shop's
// deposit.
struct Carrying {
    MuleOpener opener = new_opener();
    World world;
    std::optional<Handset> ana;
    std::optional<Handset> shop;
    Bytes good;

    Carrying() {
        world.mules = &opener;
        world.restart();
        ana.emplace(world, 10'000);
        shop.emplace(world, 0);
        EXPECT_TRUE(ana->pay(*shop, 350));
        good = shop->purse->mule(0, opener.deposit_key().data()).bytes;
    }
};

// Of each, whether the ledger read it.
TEST(Attack, A69_WhatAMuleIsToldSaysNothingOfThePayments) {
    Carrying carrying;
    World& world = carrying.world;
    const Bytes& good = carrying.good;
    ASSERT_TRUE(equal(world.settlement->deposit_key(), carrying.opener.deposit_key()));
    Bytes bent = good;
    bent.back() ^= 1;
    EXPECT_EQ(world.bring({good, bent, good, Bytes(200, 7)}, 1),
              (std::vector{Reason::ok, Reason::unreadable, Reason::ok, Reason::unreadable}));
    EXPECT_EQ(world.received(carrying.shop->device), 350U) << "once, and to the one it was sealed by";
    EXPECT_EQ(world.bring({good}, 2), std::vector{Reason::ok}) << "what was settled before is told the same";
    std::optional<Result<std::vector<Reason>>> answer;
    world.settlement->settle_carried(std::vector<Bytes>(max_carried + 1, good), 1,
                                     [&](Result<std::vector<Reason>> given) { answer = std::move(given); });
    EXPECT_EQ(world.wait(answer).error().code(), "batch_too_large");
    world.check_money();
}

TEST(Attack, A72_AMuleThatBringsJunkIsNotLookedAtAnyMoreAndOthersAre) {
    Carrying carrying;
    World& world = carrying.world;
    const Bytes& good = carrying.good;
    constexpr uint128 junk_sender = 1;
    constexpr uint128 honest = 2;
    const Bytes unreadable(300, 8);
    std::uint64_t brought = 0;
    while (world.bring({unreadable}, junk_sender).front() != Reason::rate_limited) {
        ASSERT_LE(++brought, world.options.strikes);
    }
    EXPECT_EQ(brought, world.options.strikes);
    const std::uint64_t opened = world.settlement->counters().unreadable;
    EXPECT_EQ(world.bring({good, unreadable}, junk_sender), (std::vector(2, Reason::rate_limited)));
    EXPECT_EQ(world.settlement->counters().unreadable, opened) << "not looked at";
    EXPECT_EQ(world.bring({good}, honest), std::vector{Reason::ok});
    EXPECT_EQ(world.received(carrying.shop->device), 350U);
    world.clock.advance(seconds(60));
    EXPECT_EQ(world.bring({good}, junk_sender), std::vector{Reason::ok}) << "a minute later";
    world.check_money();
}

TEST(Mules, ALedgerWithoutADepositKeyTakesNothingFromThem) {
    World world;
    EXPECT_TRUE(world.settlement->deposit_key().empty());
    std::optional<Result<std::vector<Reason>>> answer;
    world.settlement->settle_carried({Bytes(200, 8)}, 1,
                                     [&](Result<std::vector<Reason>> given) { answer = std::move(given); });
    EXPECT_EQ(world.wait(answer).error().kind(), ErrorKind::unavailable);
}

TEST(MuleOpener, RefusesWhatIsNotOne) {
    EXPECT_FALSE(MuleOpener::make(Bytes(31, 1)).ok());
    const MuleOpener opener = new_opener();
    EXPECT_EQ(opener.open({}).error().kind(), ErrorKind::malformed);
    EXPECT_EQ(opener.open(Bytes(48, 8)).error().kind(), ErrorKind::malformed);
    EXPECT_EQ(opener.open(Bytes(200, 7)).error().kind(), ErrorKind::malformed) << "another verb";
    EXPECT_EQ(opener.open(Bytes(200, 8)).error().kind(), ErrorKind::unauthenticated);
    EXPECT_EQ(opener.open(Bytes(5'000, 8)).error().kind(), ErrorKind::too_large);
}

}  // namespace
}  // namespace jiaozi::settlement::testing
