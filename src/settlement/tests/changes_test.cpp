// What followers are told, and what the registry shows of it: the same live, after a restart, and when the projection
// is made again from the journal.
#include <gtest/gtest.h>

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
        }
    }
    std::vector<Told> heard;
    std::vector<Event> events;
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
        {"purse.enrolled", 1, 0},       {"purse.enrolled", 2, 0},      {"purse.loaded", 1, 10'000},
        {"purse.note_settled", 1, 350}, {"purse.note_pending", 1, 10}, {"purse.note_pending", 1, 20},
        {"purse.note_voided", 1, 10},   {"purse.frozen", 1, 0},        {"purse.note_settled", 1, 5},
        {"purse.lost", 2, 0},           {"purse.note_settled", 1, 20},  // lost, the shop can't answer any more
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
    follow(false);
    EXPECT_EQ(count(), 12U);
    follow(false);
    EXPECT_EQ(count(), 12U);
    follow(true);
    EXPECT_EQ(count(), 12U);
}

}  // namespace
}  // namespace jiaozi::settlement::testing
