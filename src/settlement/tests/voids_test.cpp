// What a payee that takes its word back changes: amounts go back to the payer, ranges stay spent
// (docs/adr/0013-a-voided-range-is-not-spent-again.md), and who did both, voiding and spending, owes.
#include <gtest/gtest.h>

#include "world.hpp"

namespace jiaozi::settlement::testing {
namespace {

NoteState state_of(const World& world, const Said& note) {
    const Book& book = world.settlement->book();
    return book.note(book.find_note(note.id)).state;
}
PurseState state_of(const World& world, const Device& device) {
    return world.settlement->book().purse(device.ordinal)->state;
}

class Voids : public ::testing::Test {
  protected:
    World world;
    Device ana = world.enrol();
    Device ben = world.enrol();
    Device shop = world.enrol();
    Device cafe = world.enrol();
    Lot lot = world.load(ana, 10'000);
    Lot name_of_ben = world.load(ben, 0);

    void TearDown() override {
        world.check_money();
        world.restart();  // the journal says the same
        world.check_money();
    }
};

TEST_F(Voids, TheAmountGoesBackToTheWalletInEitherOrder) {
    const Said first = world.pay(ana, shop, {{lot.id, 0, 350}});
    const Said second = world.pay(ana, shop, {{lot.id, 350, 50}});
    world.settle_one(first.bytes, ana.ordinal);
    world.settle_one(world.void_request(shop, first));
    EXPECT_EQ(world.wallet(ana), World::start - 10'000 + 350);
    world.settle_one(world.void_request(shop, second));
    world.settle_one(second.bytes, ana.ordinal);
    EXPECT_EQ(world.wallet(ana), World::start - 10'000 + 400);
    EXPECT_EQ(world.escrow(lot), 9'600U);
    EXPECT_EQ(world.wallet(shop), World::start);
    // Not a second time with the rest of the lot.
    world.pass_days(28);
    EXPECT_EQ(world.wallet(ana), World::start);
    EXPECT_EQ(state_of(world, ana), PurseState::active);
}

TEST_F(Voids, TheRangeStaysSpentAndToSpendItAgainIsADoubleSpend) {
    const Said first = world.pay(ana, shop, {{lot.id, 0, 350}});
    world.settle_one(first.bytes, ana.ordinal);
    world.settle_one(world.void_request(shop, first));
    const Said again = world.pay(ana, cafe, {{lot.id, 100, 350}});
    EXPECT_EQ(world.settle_one(again.bytes, cafe.ordinal).state, NoteState::settled);
    EXPECT_EQ(state_of(world, ana), PurseState::frozen);
    EXPECT_EQ(world.settlement->book().proofs().size(), 1U);
    // The hundred that nobody else had come from the lot, the rest from what went back to Ana.
    EXPECT_EQ(world.wallet(cafe), World::start + 350);
    EXPECT_EQ(world.wallet(ana), World::start - 10'000 + 350 - 250);
}

TEST_F(Voids, AHoldersVoidedPaymentComesBackToItAndNotToTheLoader) {
    const Said first = world.pay(ana, ben, {{lot.id, 0, 1'000}});
    const Said second = world.pay(ben, shop, {{first.id, 0, 400}}, 2);
    // Before what Ben holds is settled...
    world.settle_one(world.deposit({second.bytes, first.bytes}), ben.ordinal);
    world.settle_one(world.void_request(shop, second));
    EXPECT_EQ(world.wallet(ben), World::start);
    world.settle_one(first.bytes, ben.ordinal);
    EXPECT_EQ(world.wallet(ben), World::start + 1'000);
    // ... and after.
    const Said third = world.pay(ana, ben, {{lot.id, 1'000, 1'000}});
    const Said fourth = world.pay(ben, shop, {{third.id, 0, 400}}, 2);
    world.settle_one(world.deposit({fourth.bytes, third.bytes}), ben.ordinal);
    world.settle_one(third.bytes, ben.ordinal);
    EXPECT_EQ(world.wallet(ben), World::start + 1'600);
    world.settle_one(world.void_request(shop, fourth));
    ASSERT_TRUE(world.sync(ben).ok());
    EXPECT_EQ(world.wallet(ben), World::start + 2'000);
    EXPECT_EQ(world.wallet(ana), World::start - 10'000);
}

TEST_F(Voids, WhoVoidsWhatItHasPassedOnIsFrozenAndTheHolderIsPaid) {
    const Said first = world.pay(ana, ben, {{lot.id, 0, 1'000}});
    const Said second = world.pay(ben, shop, {{first.id, 0, 400}}, 2);
    const Said third = world.pay(ben, cafe, {{first.id, 400, 100}}, 2);
    world.settle_one(first.bytes, ana.ordinal);
    world.settle_one(world.deposit({second.bytes, first.bytes}), shop.ordinal);
    world.settle_one(world.void_request(ben, first));
    EXPECT_EQ(state_of(world, first), NoteState::voided);
    EXPECT_EQ(state_of(world, ben), PurseState::frozen);
    EXPECT_EQ(world.wallet(shop), World::start + 400);
    EXPECT_EQ(world.wallet(ana), World::start - 10'000 + 600);
    // A holder that comes after the VOID has its money from Ben.
    world.settle_one(world.deposit({third.bytes, first.bytes}), cafe.ordinal);
    EXPECT_EQ(world.wallet(cafe), World::start + 100);
    EXPECT_EQ(world.wallet(ben), World::start - 100);
    EXPECT_EQ(state_of(world, ana), PurseState::active);
}

TEST_F(Voids, WhatWasSettledAndThenVoidedIsNotPaidTwiceToALaterHolder) {
    const Said first = world.pay(ana, ben, {{lot.id, 0, 10'000}});
    const Said second = world.pay(ben, shop, {{first.id, 0, 4'000}}, 2);
    world.settle_one(first.bytes, ben.ordinal);
    world.settle_one(world.void_request(ben, first));
    EXPECT_EQ(state_of(world, first), NoteState::reversed);
    world.settle_one(world.deposit({second.bytes, first.bytes}), shop.ordinal);
    EXPECT_EQ(world.wallet(ana), World::start);
    EXPECT_EQ(world.wallet(shop), World::start + 4'000);
    EXPECT_EQ(world.wallet(ben), World::start - 4'000);
}

TEST_F(Voids, AVoidAfterTheDeadlineMovesNothing) {
    const Said first = world.pay(ana, ben, {{lot.id, 0, 1'000}});
    const Said second = world.pay(ben, shop, {{first.id, 0, 400}}, 2);
    world.settle_one(world.deposit({second.bytes, first.bytes}), shop.ordinal);
    world.pass_days(28);
    EXPECT_EQ(world.wallet(ana), World::start - 400);
    world.settle_one(world.void_request(ben, first));
    world.settle_one(world.void_request(shop, second));
    // The lot is closed. The shop, which was paid, owes Ben, who is frozen for voiding what he had passed on.
    EXPECT_EQ(world.wallet(ana), World::start - 400);
    EXPECT_EQ(world.wallet(shop), World::start);
    EXPECT_EQ(world.received(ben), 400U);
}

TEST_F(Voids, EveryNoteOfTheRequestIsVoidedAndNobodyElses) {
    const Said first = world.pay(ana, shop, {{lot.id, 0, 350}});
    // Cafe answers the shop's request, in Ben's favour.
    const Lot cafes = world.load(cafe, 1'000);
    const Said stray = world.pay(cafe, ben, {{cafes.id, 0, 10}}, 1, 0, &first.request);
    const Said twice = world.pay(ana, shop, {{lot.id, 350, 350}}, 1, 0, &first.request);
    world.settle({stray.bytes, first.bytes, twice.bytes});
    world.settle_one(world.void_request(shop, first));
    EXPECT_EQ(state_of(world, first), NoteState::voided);
    EXPECT_EQ(state_of(world, twice), NoteState::voided);
    EXPECT_EQ(state_of(world, stray), NoteState::pending);
    EXPECT_EQ(world.wallet(ana), World::start - 10'000 + 700);
}

TEST_F(Voids, ANoteInAThousandPiecesIsOnePayout) {
    Device rich = world.enrol(3);
    const Lot large = world.load(rich, 2'000);
    const Said first = world.pay(rich, ben, {{large.id, 0, 2'000}});
    std::vector<Bytes> items;
    for (std::uint64_t i = 0; i < 300; ++i) {
        const Said piece = world.pay(ben, shop, {{first.id, 2 * i, 1}}, 2);
        items.push_back(world.deposit({piece.bytes, first.bytes}));
    }
    world.settle(items, shop.ordinal);
    const std::uint64_t before = world.engine->last_sequence();
    world.settle_one(first.bytes, ben.ordinal);
    EXPECT_EQ(world.settlement->book().note(world.settlement->book().find_note(first.id)).payouts, 1U);
    EXPECT_LE(world.engine->last_sequence(), before + 2);
    EXPECT_EQ(world.wallet(ben), World::start + 1'700);
}

TEST(Payouts, OneThatTheLedgerRefusesStopsSettlementAndTheJournalIsNotBelieved) {
    World world;
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    engine::Command freeze;
    freeze.flag_changes.push_back({.account_id = world.settlement->book().lot(0).escrow_account,
                                   .set = ledger::account_flags::frozen,
                                   .clear = 0});
    ASSERT_TRUE(world.engine->execute(std::move(freeze)).ok());
    std::optional<Result<std::vector<ItemAnswer>>> answer;
    world.settlement->settle({world.pay(ana, shop, {{lot.id, 0, 350}}).bytes}, shop.ordinal,
                             [&](Result<std::vector<ItemAnswer>> given) { answer = std::move(given); });
    const auto refused = world.wait(answer);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::corrupt);
    EXPECT_EQ(world.sync(shop).error().code(), "settlement_stopped");
    EXPECT_EQ(world.wallet(shop), World::start);
    world.settlement.reset();
    const auto again = Settlement::recover({*world.engine, world.app, world.clock, {world.issuers[0].get()}});
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().kind(), ErrorKind::corrupt);
}

}  // namespace
}  // namespace jiaozi::settlement::testing
