// What followers are told, and what the registry shows of it: the same live, after a restart, and when the projection
// is made again from the journal.
#include <algorithm>

#include <gtest/gtest.h>

#include <jiaozi/api/json.hpp>
#include <jiaozi/registry/events.hpp>
#include <jiaozi/registry/payments.hpp>
#include <jiaozi/settlement/projector.hpp>

#include "world.hpp"

namespace jiaozi::settlement::testing {
namespace {

struct Told {
    std::string type;
    std::uint32_t purse = 0;
    std::uint64_t amount = 0;
    bool operator==(const Told&) const = default;
    friend void PrintTo(const Told& told, std::ostream* out) {
        *out << told.type << " of " << told.purse << ' ' << told.amount;
    }
};

class Listener final : public Follower {
  public:
    void follow(std::vector<Change> changes, bool) override {
        for (const Change& change : changes) {
            heard.push_back({std::string(event_type(change.kind)), change.purse, change.amount});
            events.push_back(event_of(change, static_cast<std::uint32_t>(&change - changes.data())));
            if (change.kind >= ChangeKind::note_known) payments.push_back(payment_of(change));
        }
    }
    std::vector<Told> heard;
    std::vector<Event> events;
    std::vector<Payment> payments;
};

// A loads, pays; a note waits and lapses, one is voided; a purse forks; one is lost.
void live(World& world) {
    Device ana = world.enrol();
    Device shop = world.enrol();
    const Lot lot = world.load(ana, 10'000);
    world.settle_one(world.pay(ana, shop, {{lot.id, 0, 350}}).bytes, shop.ordinal);
    const Said voided = world.pay(ana, shop, {{lot.id, 350, 10}});
    world.settle({voided.bytes, world.pay(ana, shop, {{lot.id, 360, 20}}).bytes}, ana.ordinal);
    world.settle_one(world.void_request(shop, voided));
    world.settle_one(world.pay(ana, shop, {{lot.id, 0, 5}}).bytes, shop.ordinal);
    world.lose(shop);
    world.pass_days(28);
}

TEST(Changes, EveryChangeIsToldOnceInOrderLiveAndAgainAtRecovery) {
    Listener live_listener;
    World world({}, &live_listener);
    live(world);
    const std::vector<Told> expected{
        {"purse.enrolled", 1, 0},     {"purse.enrolled", 2, 0},    {"purse.loaded", 1, 10'000},
        {"payment.captured", 1, 350}, {"payment.pending", 1, 10},  {"payment.pending", 1, 20},
        {"payment.voided", 1, 10},    {"purse.frozen", 1, 0},      {"payment.captured", 1, 5},
        {"payment.recovered", 1, 5},                                // from the wallet of who spent it twice
        {"purse.lost", 2, 0},         {"payment.captured", 1, 20},  // lost, the shop can't answer any more
        {"purse.refunded", 1, 9'620}};
    EXPECT_EQ(live_listener.heard, expected);
    Listener later;
    world.follower = &later;
    world.restart();
    EXPECT_EQ(later.heard, expected);
    ASSERT_EQ(later.events.size(), live_listener.events.size());
    for (std::size_t i = 0; i < later.events.size(); ++i) {
        EXPECT_EQ(later.events[i].id, live_listener.events[i].id);
        EXPECT_EQ(later.events[i].data, live_listener.events[i].data);
    }
}

TEST(Changes, TheRegistryHasEachEventOnceWhateverIsReadAgain) {
    World world;
    auto store =
        registry::Store::open({.url = "sqlite:" + (world.directory / "registry.db").string(), .seal = {}, .open = {}});
    ASSERT_TRUE(store.ok()) << store.error().to_string();
    const auto count = [&] {
        auto session = (*store)->session();
        auto events = registry::events_after(**session, 0, 1'000);
        EXPECT_TRUE(events.ok());
        return events.ok() ? events->size() : 0;
    };
    const auto follow = [&](bool forget) {
        if (forget) {
            auto session = (*store)->session();
            ASSERT_TRUE(registry::clear_projection(**session).ok());
        }
        auto projector = Projector::start(**store, nullptr);
        ASSERT_TRUE(projector.ok()) << projector.error().to_string();
        world.follower = projector->get();
        world.restart();
        if (world.settlement->book().enrolled() == 0) live(world);
        ASSERT_TRUE((*projector)->wait_until_written(seconds(30)));
        world.settlement.reset();
        world.follower = nullptr;
        world.restart();
    };
    const auto payments = [&] {
        auto session = (*store)->session();
        registry::PaymentFilter offline;
        offline.kind = PaymentKind::offline;
        auto rows = registry::list_payments(**session, offline, {});
        EXPECT_TRUE(rows.ok());
        std::string text;
        for (const Payment& row : rows->data) text += api::json_of(row) + '\n';
        return text;
    };
    follow(false);
    EXPECT_EQ(count(), 13U);
    const std::string rows = payments();
    EXPECT_EQ(std::ranges::count(rows, '\n'), 4);
    follow(false);
    EXPECT_EQ(count(), 13U);
    follow(true);
    EXPECT_EQ(count(), 13U);
    EXPECT_EQ(payments(), rows);
}

// The last change of each note as a payment.
TEST(Changes, WhatBecameOfANoteIsWhatItsPaymentSays) {
    struct Row {
        const char* what;
        std::string_view note;
        PaymentState state;
        jiaozi::Reason reason;
        std::uint64_t amount, captured, hops;
    };
    Listener listener;
    World world({}, &listener);
    world.fund_reserve(100);
    Device ana = world.enrol(3);
    Device shop = world.enrol(3);
    Device cafe = world.enrol(3);
    const Lot lot = world.load(ana, 10'000);
    world.load(shop, 0);
    world.load(cafe, 0);
    std::vector<std::pair<Said, Row>> notes;
    const auto said = [&](const Said& note, Row row) { notes.emplace_back(note, row); };
    const Said passed_on = world.pay(ana, shop, {{lot.id, 0, 300}});
    const Said leaf = world.pay(shop, cafe, {{passed_on.id, 0, 200}}, 2);
    world.settle_one(World::deposit({leaf.bytes, passed_on.bytes}), cafe.ordinal);
    said(passed_on, {"spent on, the shop never came", "known", PaymentState::pending, jiaozi::Reason::none, 300, 0, 1});
    said(leaf, {"second hop", "settled", PaymentState::captured, jiaozi::Reason::none, 200, 200, 2});
    const Said waits = world.pay(ana, shop, {{lot.id, 300, 10}});
    world.settle_one(waits.bytes, ana.ordinal);
    said(waits, {"the payer's word", "pending", PaymentState::pending, jiaozi::Reason::none, 10, 0, 1});
    const Said voided = world.pay(ana, shop, {{lot.id, 310, 20}});
    world.settle_one(voided.bytes, ana.ordinal);
    world.settle_one(world.void_request(shop, voided));
    said(voided, {"never credited", "voided", PaymentState::voided, jiaozi::Reason::payee_voided, 20, 0, 1});
    const Said first = world.pay(ana, cafe, {{lot.id, 330, 40}});
    world.settle_one(first.bytes, cafe.ordinal);
    said(first, {"the first of two", "settled", PaymentState::captured, jiaozi::Reason::none, 40, 40, 1});
    world.spend(ana, world.wallet(ana));
    const Said twice = world.pay(ana, cafe, {{lot.id, 330, 120}});
    world.settle_one(twice.bytes, cafe.ordinal);
    said(twice, {"40 of it were spent before: the reserve gives them", "settled", PaymentState::captured,
                 jiaozi::Reason::none, 120, 120, 1});
    const Said denied = world.pay(cafe, shop, {{leaf.id, 0, 50}}, 3);
    world.settle_one(denied.bytes, shop.ordinal);
    world.settle_one(world.void_request(shop, denied));
    said(denied, {"taken and denied", "reversed", PaymentState::voided, jiaozi::Reason::payee_voided, 50, 0, 3});

    for (const auto& [note, row] : notes) {
        SCOPED_TRACE(row.what);
        const auto last =
            std::ranges::find(listener.payments.rbegin(), listener.payments.rend(), payment_of(note.id), &Payment::id);
        ASSERT_NE(last, listener.payments.rend());
        EXPECT_EQ(last->kind, PaymentKind::offline);
        EXPECT_EQ(last->state, row.state);
        EXPECT_EQ(last->reason, row.reason);
        EXPECT_EQ(last->amount, Amount(row.amount, assets::CNY));
        EXPECT_EQ(last->captured_minor, row.captured);
        const auto says = [&](const std::string& text) { return last->offline.find(text) != std::string::npos; };
        EXPECT_TRUE(says("\"note\":\"" + to_hex(note.id) + "\",\"state\":\"" + std::string(row.note) + '"'))
            << last->offline;
        EXPECT_TRUE(says("\"hops\":" + std::to_string(row.hops) + ','));
        EXPECT_EQ(says(R"("settled":null)"), row.note != "settled") << last->offline;
        EXPECT_NE(last->created.ns, 0U);
    }
}

TEST(Changes, ThePaymentsIdIsTheNotes) {
    purse::Id note{};
    for (std::size_t i = 0; i < note.size(); ++i) note[i] = static_cast<std::uint8_t>(i + 1);
    EXPECT_EQ(payment_of(note).value, make_uint128(0xFF01'0203'0405'0607, 0x0809'0A0B'0C0D'0E0F));
    EXPECT_TRUE(may_be_offline(payment_of(note)));
    EXPECT_FALSE(may_be_offline(PaymentId(make_uint128(0x018C'0000'0000'0000, 1))));
}

}  // namespace
}  // namespace jiaozi::settlement::testing
