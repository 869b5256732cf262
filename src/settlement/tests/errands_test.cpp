// A device's errand for its purse: what five calls of the HTTP interface would have done, for its own purse and no
// other.
#include <gtest/gtest.h>

#include <jiaozi/crypto/x25519.hpp>
#include <jiaozi/protocol/errand.hpp>
#include <jiaozi/settlement/errands.hpp>

#include "world.hpp"

namespace jiaozi::settlement::testing {
namespace {

using protocol::Errand;
using protocol::ErrandAnswer;

const DeviceId kiosk{make_uint128(5, 1)};
const DeviceId stranger{make_uint128(5, 2)};

Errand errand_for(std::uint32_t purse) {
    return {.purse = purse, .deposits = {}, .sync = {}, .list = {}, .carried = {}, .heads = {}};
}

struct Errander {
    explicit Errander(World& given, ErrandLimits limits = {})
        : world(given), errands(*given.settlement, given.clock, limits), till(given.enrol()) {
        // A second purse of that wallet, for a device.
        till.signer = purse_host::key_signer(crypto::make_signer(crypto::generate_key(crypto::Suite::ed25519)).value());
        std::optional<Result<std::uint32_t>> answer;
        world.settlement->enrol(
            {till.signer->public_key(), crypto::Suite::ed25519, 1, till.wallet, till.wallet.value, assets::CNY, kiosk},
            [&](Result<std::uint32_t> made) { answer = std::move(made); });
        till.ordinal = world.wait(answer).value();
        EXPECT_FALSE(world.load(till, 0).certificate.empty());
    }
    Result<ErrandAnswer> run(DeviceId device, const Errand& errand) {
        JZ_TRY(const Bytes answer, run_bytes(device, protocol::encode(errand)));
        return protocol::decode_errand_answer(answer);
    }
    Result<Bytes> run_bytes(DeviceId device, Bytes errand) {
        std::optional<Result<Bytes>> answer;
        errands.run(device, std::move(errand), [&](Result<Bytes> made) { answer = std::move(made); });
        return world.wait(answer);
    }

    World& world;
    Errands errands;
    Device till;
};

TEST(Errands, HandInSyncAndBringTheList) {
    World world;
    Errander errander(world);
    Device ann = world.enrol();
    const Lot lot = world.load(ann, 1'000);
    const Said note = world.pay(ann, errander.till, {{lot.id, 0, 300}});
    Errand errand = errand_for(errander.till.ordinal);
    errand.deposits = {note.bytes, Bytes{0}};
    errand.sync = Errand::Sync{};
    errand.list = 0;
    for (int again = 0; again < 2; ++again) {  // and once more: the answer was lost
        const auto answer = errander.run(kiosk, errand);
        ASSERT_TRUE(answer.ok()) << answer.error().to_string();
        EXPECT_EQ(answer->deposits, (std::vector<std::string>{"ok", "malformed"}));
        EXPECT_FALSE(answer->acknowledgement.empty());
        ASSERT_TRUE(answer->list);
        EXPECT_FALSE(answer->list->head.empty());
        EXPECT_TRUE(answer->put_off.empty());
    }
    world.advance();
    EXPECT_EQ(world.wallet(errander.till), World::start + 300);
    // With the newest list there, its head alone.
    errand = errand_for(errander.till.ordinal);
    errand.list = world.settlement->list(0)->version;
    const auto answer = errander.run(kiosk, errand);
    ASSERT_TRUE(answer.ok() && answer->list);
    EXPECT_FALSE(answer->list->head.empty());
    EXPECT_TRUE(answer->list->body.empty() && answer->list->update.empty());
    // A version behind: a delta, which is all that a machine with a SIM card has to fetch.
    world.lose(ann);
    world.advance();
    ASSERT_GT(world.settlement->list(0)->version, *errand.list);
    const auto newer = errander.run(kiosk, errand);
    ASSERT_TRUE(newer.ok() && newer->list);
    EXPECT_FALSE(newer->list->update.empty());
    EXPECT_TRUE(newer->list->head.empty() && newer->list->body.empty());
    world.check_money();
}

TEST(Errands, OnlyForThePursesOfThisDevice) {
    World world;
    Errander errander(world);
    const Device ann = world.enrol();
    struct Case {
        const char* what;
        DeviceId device;
        std::uint32_t purse;
    };
    for (const Case& one :
         {Case{"another device", stranger, errander.till.ordinal}, Case{"a purse of no device", kiosk, ann.ordinal},
          Case{"no such purse", kiosk, 999}, Case{"no device", DeviceId{}, ann.ordinal}}) {
        const auto refused = errander.run(one.device, errand_for(one.purse));
        ASSERT_FALSE(refused.ok()) << one.what;
        EXPECT_EQ(refused.error().code(), "purse_not_found") << one.what;
    }
    EXPECT_EQ(errander.run_bytes(kiosk, Bytes{0xA0}).error().kind(), ErrorKind::malformed);
}

TEST(Errands, WhatIsForOthersMayFailByItself) {
    World world;
    const auto opener = MuleOpener::make(crypto::generate_x25519().private_key.view()).value();
    Errander errander(world);
    Errand errand = errand_for(errander.till.ordinal);
    errand.carried = {Bytes(100, 8)};
    errand.heads = Bytes(10, 1);
    errand.sync = Errand::Sync{};
    const auto answer = errander.run(kiosk, errand);
    ASSERT_TRUE(answer.ok());
    EXPECT_FALSE(answer->acknowledgement.empty()) << "its own sync stands";
    ASSERT_EQ(answer->put_off.size(), 2U);
    EXPECT_EQ(answer->put_off[0].part, protocol::ErrandPart::carried);
    EXPECT_EQ(answer->put_off[1].part, protocol::ErrandPart::heads);
    EXPECT_TRUE(answer->carried.empty());
    EXPECT_FALSE(answer->two_lists);
}

TEST(Attack, A72_ADeviceThatBringsTooMuchWaits) {
    World world;
    Errander errander(world, {.items_per_s = 1, .items_burst = 3});
    Errand errand = errand_for(errander.till.ordinal);
    errand.deposits.assign(3, Bytes{0});
    EXPECT_TRUE(errander.run(kiosk, errand).ok());
    EXPECT_EQ(errander.run(kiosk, errand).error().kind(), ErrorKind::rate_limited);
    world.clock.advance(seconds(3));
    EXPECT_TRUE(errander.run(kiosk, errand).ok());
}

}  // namespace
}  // namespace jiaozi::settlement::testing
