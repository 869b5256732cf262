#include <gmock/gmock.h>

#include "groups_fixture.hpp"

namespace jiaozi::groups {
namespace {

using testing::ElementsAre;

TEST_F(GroupsTest, APersonWhoMakesAGroupOwnsItAndEverythingSurvivesARestart) {
    const Person wang = person(1, "王伟");
    const Group family = group(1, "Wang family", {wang.id});
    const Person li = person(2, "Li Na");
    const Member na = add_person(2, family.id, li.id, Role::member, {wang.id}).value();
    const DeviceId car = device(1);
    ASSERT_TRUE(add_device(3, family.id, car, {wang.id}).ok());
    const Wallet wallet = open_wallet(1, family.id, "Everyday").value();
    clock.advance(seconds(1));
    ASSERT_TRUE(open_wallet(2, family.id, "Savings").ok());
    ASSERT_TRUE(open_wallet(3, family.id, "Trips", assets::EUR).ok());
    ASSERT_TRUE(groups->create_limit(limit(1, na.id, LimitKind::per_category, 900, "drinks"), {}).ok());
    ASSERT_TRUE(groups->create_limit(limit(2, na.id, LimitKind::per_payment, 500), {}).ok());
    ASSERT_TRUE(groups->create_limit(limit(3, na.id, LimitKind::per_day, 2000), {}).ok());

    for (const bool again : {false, true}) {
        if (again) restart();
        SCOPED_TRACE(again ? "after a restart" : "before");
        const Member* owner = groups->member_of_person(wang.id, family.id);
        ASSERT_NE(owner, nullptr);
        EXPECT_EQ(owner->role, Role::owner);
        EXPECT_EQ(groups->member_of_device(car)->group, family.id);
        EXPECT_EQ(groups->members_of(family.id).size(), 3U);
        EXPECT_EQ(groups->memberships_of(li.id).size(), 1U);
        EXPECT_EQ(groups->wallet(wallet.id)->name, "Everyday");
        EXPECT_EQ(groups->wallet_of_group(family.id, assets::CNY)->id, wallet.id) << "the oldest in that asset";
        EXPECT_EQ(groups->wallet_of_group(family.id, assets::EUR)->name, "Trips");
        EXPECT_EQ(groups->wallet_of_group(family.id, assets::USD), nullptr);
        EXPECT_EQ(groups->wallets_of_group(family.id).size(), 3U);
        std::vector<LimitKind> kinds;
        for (const Limit* each : groups->limits_of(na.id)) kinds.push_back(each->kind);
        EXPECT_THAT(kinds, ElementsAre(LimitKind::per_payment, LimitKind::per_day, LimitKind::per_category));
    }
    EXPECT_THAT(event_types(), ElementsAre("person.created", "group.created", "member.added", "person.created",
                                           "member.added", "member.added", "wallet.created", "wallet.created",
                                           "wallet.created", "limit.created", "limit.created", "limit.created"));
    EXPECT_EQ(signal.newest, registry::newest_event_position(*session).value());
}

TEST_F(GroupsTest, TheSameIdAgainAnswersWhatIsStoredAndOtherContentIsAConflict) {
    const Person wang = person(1, "Wang");
    const Timestamp first = wang.created;
    clock.advance(seconds(5));
    EXPECT_EQ(person(1, "Wang").created, first);
    EXPECT_EQ(groups->create_person({.id = wang.id, .name = "Other", .locale = "zh-CN", .created = {}}).error().code(),
              "already_exists");

    const Group family = group(1, "Family", {wang.id});
    EXPECT_EQ(group(1, "Family", {wang.id}).created, family.created);
    EXPECT_EQ(groups->create_group({.id = family.id, .kind = GroupKind::car, .name = "Family", .created = {}}, {})
                  .error()
                  .code(),
              "already_exists");

    const Wallet wallet = open_wallet(1, family.id, "Pot").value();
    EXPECT_EQ(open_wallet(1, family.id, "Pot").value().created, wallet.created);
    EXPECT_EQ(open_wallet(1, family.id, "Jar").error().code(), "already_exists");
    EXPECT_EQ(open_wallet(1, family.id, "Pot", assets::EUR).error().code(), "already_exists")
        << "the account is in CNY";

    const MemberId owner(family.id.value);
    ASSERT_TRUE(groups->create_limit(limit(1, owner, LimitKind::per_day, 100), {}).ok());
    EXPECT_TRUE(groups->create_limit(limit(1, owner, LimitKind::per_day, 100), {}).ok());
    EXPECT_EQ(groups->create_limit(limit(1, owner, LimitKind::per_day, 101), {}).error().code(), "already_exists");
    EXPECT_EQ(event_types().size(), 5U) << "a replay is no event";
}

TEST_F(GroupsTest, ADeviceIsInOneGroupOnlyAndNeverMoreThanAPlainMember) {
    const Group one = group(1, "One");
    const Group two = group(2, "Two");
    const DeviceId car = device(1);
    const Member member = add_device(1, one.id, car).value();
    EXPECT_EQ(add_device(2, two.id, car).error().code(), "already_exists");
    EXPECT_EQ(groups
                  ->add_member({.id = MemberId(99),
                                .group = two.id,
                                .person = {},
                                .device = device(2),
                                .role = Role::admin,
                                .created = {}},
                               {})
                  .error()
                  .param(),
              "role");
    EXPECT_EQ(groups->set_role(member.id, Role::admin, {}).error().param(), "role");
    EXPECT_EQ(add_device(3, two.id, DeviceId(12345)).error().code(), "reference_not_found");
    ASSERT_TRUE(groups->remove_member(member.id, {}).ok());
    EXPECT_EQ(groups->member_of_device(car), nullptr);
    EXPECT_TRUE(add_device(2, two.id, car).ok()) << "free to join elsewhere now";
}

// Who may do what in a group. 0 stands for the operator.
TEST_F(GroupsTest, OnlyOwnersAndAdminsChangeSettings) {
    const Person owner = person(1, "owner"), admin = person(2, "admin"), plain = person(3, "member"),
                 stranger = person(4, "stranger");
    const Group family = group(1, "family", {owner.id});
    ASSERT_TRUE(add_person(2, family.id, admin.id, Role::admin, {owner.id}).ok());
    const MemberId plain_member = add_person(3, family.id, plain.id, Role::member, {owner.id}).value().id;
    const WalletId wallet = open_wallet(1, family.id, "pot").value().id;

    struct Row {
        const char* who;
        PersonId person;
        bool manages;
        bool makes_admins;
        bool sees;
    };
    std::uint64_t next = 100;
    for (const Row& row : {Row{"operator", {}, true, true, true},
                           {"owner", owner.id, true, true, true},
                           {"admin", admin.id, true, false, true},
                           {"member", plain.id, false, false, true},
                           {"stranger", stranger.id, false, false, false}}) {
        SCOPED_TRACE(row.who);
        const Actor actor{row.person};
        EXPECT_EQ(groups->may_see(family.id, actor), row.sees);
        EXPECT_EQ(groups->may_manage(family.id, actor), row.manages);
        const auto allowed = [](const auto& result) {
            EXPECT_TRUE(result.ok() || result.error().code() == "not_group_admin") << result.error().to_string();
            return result.ok();
        };
        ++next;
        EXPECT_EQ(allowed(add_person(next, family.id, person(next, "new").id, Role::member, actor)), row.manages);
        EXPECT_EQ(allowed(open_wallet(next, family.id, "more", assets::CNY, actor)), row.manages);
        EXPECT_EQ(allowed(groups->create_limit(limit(next, plain_member, LimitKind::per_day, next), actor)),
                  row.manages);
        EXPECT_EQ(allowed(deposit(next, wallet, 1, assets::CNY, actor)), row.manages);
        EXPECT_EQ(allowed(set_frozen(wallet, false, actor)), row.manages);
        EXPECT_EQ(allowed(groups->set_role(plain_member, Role::admin, actor)), row.makes_admins);
        ASSERT_TRUE(groups->set_role(plain_member, Role::member, {}).ok());
        ++next;
        EXPECT_EQ(allowed(add_person(next, family.id, person(next, "new owner").id, Role::owner, actor)),
                  row.makes_admins);
    }
    EXPECT_TRUE(groups->remove_member(plain_member, {plain.id}).ok()) << "anybody may leave";
}

TEST_F(GroupsTest, TheLastOwnerCannotLeaveOrStepDown) {
    const Person wang = person(1, "Wang"), li = person(2, "Li");
    const Group family = group(1, "family", {wang.id});
    const MemberId owner(family.id.value);
    EXPECT_EQ(groups->remove_member(owner, {wang.id}).error().code(), "last_owner");
    EXPECT_EQ(groups->set_role(owner, Role::member, {}).error().code(), "last_owner");
    ASSERT_TRUE(add_person(2, family.id, li.id, Role::owner, {wang.id}).ok());
    EXPECT_TRUE(groups->remove_member(owner, {wang.id}).ok());
    EXPECT_FALSE(groups->may_see(family.id, {wang.id}));
}

TEST_F(GroupsTest, LimitsGoWithTheirMember) {
    const Group family = group(1, "family");
    const MemberId member = add_device(1, family.id, device(1)).value().id;
    const LimitId id = groups->create_limit(limit(1, member, LimitKind::per_day, 10), {}).value().id;
    ASSERT_TRUE(groups->create_limit(limit(2, member, LimitKind::per_payment, 10), {}).ok());
    ASSERT_TRUE(groups->remove_limit(LimitId(make_uint128(5, 2)), {}).ok());
    EXPECT_EQ(groups->limits_of(member).size(), 1U);
    ASSERT_TRUE(groups->remove_member(member, {}).ok());
    EXPECT_EQ(groups->limit(id), nullptr);
    EXPECT_EQ(groups->remove_limit(id, {}).error().code(), "limit_not_found");
    restart();
    EXPECT_EQ(groups->limit(id), nullptr);
}

TEST_F(GroupsTest, BadValuesAreRefusedByName) {
    const Group family = group(1, "family");
    const MemberId member = add_device(1, family.id, device(1)).value().id;
    struct Row {
        Limit asked;
        const char* param;
    };
    std::vector<Row> rows;
    const auto add = [&](const char* param, auto change) {
        rows.push_back({limit(9, member, LimitKind::per_day, 10), param});
        change(rows.back().asked);
    };
    add("amount", [](Limit& l) { l.amount = Amount(0, assets::CNY); });
    add("window_days", [](Limit& l) { l.window_days = 0; });
    add("window_days", [](Limit& l) { l.window_days = 367; });
    add("category", [](Limit& l) { l.category = "drinks"; });
    add("category", [](Limit& l) { l.kind = LimitKind::per_category; });
    add("category", [](Limit& l) {
        l.kind = LimitKind::per_category;
        l.category = "Soft Drinks";
    });
    add("id", [](Limit& l) { l.id = {}; });
    for (const Row& row : rows) EXPECT_EQ(groups->create_limit(row.asked, {}).error().param(), row.param);

    EXPECT_EQ(groups->create_person({.id = PersonId(1), .name = "a\nb", .locale = "en", .created = {}}).error().param(),
              "name");
    EXPECT_EQ(groups->create_person({.id = PersonId(1), .name = "a", .locale = "zh CN", .created = {}}).error().param(),
              "locale");
    EXPECT_EQ(open_wallet(1, GroupId(77), "pot").error().code(), "group_not_found");
    EXPECT_FALSE(engine->account(make_uint128(7, 1)).has_value()) << "no account for a wallet that was refused";
}

}  // namespace
}  // namespace jiaozi::groups
