// GroupService over a real registry (SQLite) and a real engine, in a temporary folder.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <stdlib.h>

#include <jiaozi/api/stepped_app_thread.hpp>
#include <jiaozi/groups/groups.hpp>
#include <jiaozi/registry/registry.hpp>

namespace jiaozi::groups {

struct RecordedSignal final : api::EventSignal {
    void stored_up_to(std::uint64_t position) override { newest = position; }
    std::uint64_t newest = 0;
};

class GroupsTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "jiaozi-groups-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
        start();
    }
    void TearDown() override {
        stop();
        std::filesystem::remove_all(folder);
    }

    void start() {
        auto opened_store =
            registry::Store::open({.url = "sqlite:" + (folder / "registry.db").string(), .seal = {}, .open = {}});
        ASSERT_TRUE(opened_store.ok()) << opened_store.error().to_string();
        store = std::move(opened_store).value();
        session = store->session().value();
        auto opened_engine = engine::Engine::open({.directory = folder / "journal"}, clock);
        ASSERT_TRUE(opened_engine.ok()) << opened_engine.error().to_string();
        engine = std::move(opened_engine).value();
        auto loaded = GroupService::load({*session, *engine, clock, app, signal});
        ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
        groups = std::move(loaded).value();
    }
    void stop() {
        groups.reset();
        engine.reset();
        session.reset();
        store.reset();
    }
    void restart() {
        stop();
        start();
    }

    // Runs an asynchronous method to its answer.
    template <class T, class Start>
    Result<T> wait_for(Start begin) {
        std::optional<Result<T>> answer;
        begin([&](Result<T> result) { answer.emplace(std::move(result)); });
        EXPECT_TRUE(app.run_until([&] { return answer.has_value(); }));
        return std::move(*answer);
    }
    Result<Wallet> open_wallet(std::uint64_t id, GroupId group, const char* name, Asset asset = assets::CNY,
                               Actor actor = {}) {
        Wallet wallet;
        wallet.id = WalletId(make_uint128(7, id));
        wallet.group = group;
        wallet.name = name;
        wallet.asset = asset;
        return wait_for<Wallet>([&](auto done) { groups->open_wallet(wallet, actor, std::move(done)); });
    }
    Result<Wallet> set_frozen(WalletId wallet, bool frozen, Actor actor = {}) {
        return wait_for<Wallet>([&](auto done) { groups->set_frozen(wallet, frozen, actor, std::move(done)); });
    }
    Result<Deposit> deposit(std::uint64_t id, WalletId wallet, std::uint64_t minor, Asset asset = assets::CNY,
                            Actor actor = {}) {
        const Deposit asked{
            .id = DepositId(make_uint128(8, id)), .wallet = wallet, .amount = Amount(minor, asset), .created = {}};
        return wait_for<Deposit>([&](auto done) { groups->deposit(asked, actor, std::move(done)); });
    }

    Person person(std::uint64_t id, const char* name) {
        return groups
            ->create_person({.id = PersonId(make_uint128(1, id)), .name = name, .locale = "zh-CN", .created = {}})
            .value();
    }
    Group group(std::uint64_t id, const char* name, Actor actor = {}) {
        return groups
            ->create_group({.id = GroupId(make_uint128(2, id)), .kind = GroupKind::family, .name = name, .created = {}},
                           actor)
            .value();
    }
    Result<Member> add_person(std::uint64_t id, GroupId group, PersonId who, Role role, Actor actor = {}) {
        return groups->add_member({.id = MemberId(make_uint128(3, id)),
                                   .group = group,
                                   .person = who,
                                   .device = {},
                                   .role = role,
                                   .created = {}},
                                  actor);
    }
    Result<Member> add_device(std::uint64_t id, GroupId group, DeviceId which, Actor actor = {}) {
        return groups->add_member({.id = MemberId(make_uint128(3, id)),
                                   .group = group,
                                   .person = {},
                                   .device = which,
                                   .role = Role::member,
                                   .created = {}},
                                  actor);
    }
    DeviceId device(std::uint64_t id) {
        Device made;
        made.id = DeviceId(make_uint128(4, id));
        made.kind = DeviceKind::car;
        made.name = "car";
        made.created = clock.now();
        EXPECT_TRUE(registry::insert(*session, made).ok());
        return made.id;
    }
    Limit limit(std::uint64_t id, MemberId member, LimitKind kind, std::uint64_t minor, const char* category = "") {
        return {.id = LimitId(make_uint128(5, id)),
                .member = member,
                .kind = kind,
                .category = category,
                .amount = Amount(minor, assets::CNY),
                .window_days = 1,
                .created = {}};
    }
    std::vector<std::string> event_types() {
        std::vector<std::string> types;
        const std::vector<Event> events = registry::events_after(*session, 0, 1000).value();
        for (const Event& event : events) types.push_back(event.type);
        return types;
    }

    std::filesystem::path folder;
    TestClock clock;
    api::SteppedAppThread app;
    RecordedSignal signal;
    std::unique_ptr<registry::Store> store;
    std::unique_ptr<registry::Session> session;
    std::unique_ptr<engine::Engine> engine;
    std::unique_ptr<GroupService> groups;
};

}  // namespace jiaozi::groups
