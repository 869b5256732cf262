// People, groups, members, wallets, limits; and what all kinds have in common: pages, conflicts, bounds.
#include "suite.hpp"

namespace jiaozi::registry {
namespace {

TEST_F(Registry, people_come_back_as_they_went_in) {
    ASSERT_OK(insert(db(), person(1)));
    EXPECT_EQ(show(must(get_person(db(), PersonId(1)))), show(person(1)));
    Person changed = person(1);
    changed.name = "韩梅梅 \"; DROP TABLE people; --";
    changed.locale = "en";
    ASSERT_OK(update(db(), changed));
    EXPECT_EQ(show(must(get_person(db(), PersonId(1)))), show(changed));
}

TEST_F(Registry, what_is_not_there_is_named) {
    const auto missing = get_person(db(), PersonId(42));
    EXPECT_EQ(refusal(missing), "not_found/person_not_found/");
    EXPECT_EQ(missing.error().message(), "person per_0000000000000000000000001A does not exist");
    EXPECT_EQ(refusal(update(db(), person(42))), "not_found/person_not_found/");
    EXPECT_EQ(refusal(get_group(db(), GroupId(1))), "not_found/group_not_found/");
    EXPECT_EQ(refusal(get_member(db(), MemberId(1))), "not_found/member_not_found/");
    EXPECT_EQ(refusal(get_wallet(db(), WalletId(1))), "not_found/wallet_not_found/");
    EXPECT_EQ(refusal(get_limit(db(), LimitId(1))), "not_found/limit_not_found/");
    EXPECT_EQ(refusal(erase(db(), MemberId(1))), "not_found/member_not_found/");
    EXPECT_EQ(refusal(erase(db(), LimitId(1))), "not_found/limit_not_found/");
    EXPECT_EQ(refusal(get_person(db(), PersonId())), "not_found/person_not_found/");
}

TEST_F(Registry, an_id_is_taken_once) {
    ASSERT_OK(insert(db(), person(1)));
    Person other = person(1);
    other.name = "somebody else";
    EXPECT_EQ(refusal(insert(db(), other)), "conflict/already_exists/id");
    EXPECT_EQ(show(must(get_person(db(), PersonId(1)))), show(person(1)));
    // The statement that failed serves again.
    ASSERT_OK(insert(db(), person(2)));
}

TEST_F(Registry, text_keeps_its_bounds) {
    struct Row {
        std::string what, name, locale, expected;
    };
    const Row rows[] = {
        {"empty name", "", "en", "invalid/invalid/name"},
        {"name of 200 bytes", std::string(200, 'x'), "en", "ok"},
        {"name of 201 bytes", std::string(201, 'x'), "en", "invalid/invalid/name"},
        {"NUL in the name", std::string("a\0b", 3), "en", "invalid/invalid/name"},
        {"not UTF-8", "caf\xE9", "en", "invalid/invalid/name"},
        {"a surrogate", "\xED\xA0\x80", "en", "invalid/invalid/name"},
        {"overlong slash", "\xC0\xAF", "en", "invalid/invalid/name"},
        {"cut character", "\xE7\xBB", "en", "invalid/invalid/name"},
        {"beyond Unicode", "\xF4\x90\x80\x80", "en", "invalid/invalid/name"},
        {"an emoji", "\xF0\x9F\x8D\xB5", "en", "ok"},
        {"quotes and backslashes", R"('"\%_)", "en", "ok"},
        {"long locale", "x", std::string(36, 'a'), "invalid/invalid/locale"},
    };
    std::uint64_t n = 0;
    for (const Row& row : rows) {
        const Person made{.id = PersonId(++n), .name = row.name, .locale = row.locale, .created = at(n)};
        EXPECT_EQ(refusal(insert(db(), made)), row.expected) << row.what;
        if (row.expected != "ok") continue;
        EXPECT_EQ(must(get_person(db(), made.id)).name, row.name) << row.what;
    }
    Person late = person(100);
    late.created = Timestamp{~0ULL};
    EXPECT_EQ(refusal(insert(db(), late)), "invalid/invalid/created");
}

TEST_F(Registry, pages_go_both_ways) {
    // 1 to 9 by age; 5 and 6 were made in the same nanosecond, so their ids decide.
    for (std::uint64_t n = 1; n <= 9; ++n) {
        Person made = person(n);
        if (n == 6) made.created = at(5);
        ASSERT_OK(insert(db(), made));
    }
    const auto id = [](std::uint64_t n) { return n == 0 ? std::string() : PersonId(n).to_string(); };
    struct Row {
        std::string what;
        std::uint32_t limit;
        std::uint64_t after, before;
        std::string expected;
    };
    const Row rows[] = {
        {"the newest", 4, 0, 0, "9 8 7 6 +"},
        {"what follows", 4, 6, 0, "5 4 3 2 +"},
        {"the end", 4, 2, 0, "1"},
        {"exactly the rest", 1, 2, 0, "1"},
        {"after the last", 4, 1, 0, ""},
        {"back from the end", 4, 0, 1, "5 4 3 2 +"},
        {"back to the start", 4, 0, 5, "9 8 7 6"},
        {"back, less than a page", 4, 0, 8, "9"},
        {"before the first", 4, 0, 9, ""},
        {"all", 100, 0, 0, "9 8 7 6 5 4 3 2 1"},
        {"limit 0", 0, 0, 0, "invalid/invalid/limit"},
        {"limit 101", 101, 0, 0, "invalid/invalid/limit"},
        {"both cursors", 4, 1, 2, "invalid/invalid/ending_before"},
        {"unknown cursor after", 4, 77, 0, "invalid/invalid/starting_after"},
        {"unknown cursor before", 4, 0, 77, "invalid/invalid/ending_before"},
    };
    for (const Row& row : rows) {
        const Page page{.limit = row.limit, .starting_after = id(row.after), .ending_before = id(row.before)};
        EXPECT_EQ(page_text(list_people(db(), page)), row.expected) << row.what;
    }
    for (const std::string& cursor :
         {std::string("per_x"), std::string("' OR 1=1"), std::string("a\0b", 3), std::string(100'000, 'x')}) {
        EXPECT_EQ(page_text(list_people(db(), {.starting_after = cursor, .ending_before = {}})),
                  "invalid/invalid/starting_after");
    }
    EXPECT_EQ(must(list_people(db(), {})).data.size(), 9U);
}

TEST_F(Registry, groups_come_back) {
    ASSERT_OK(insert(db(), group(1)));
    ASSERT_OK(insert(db(), group(2)));
    Group changed = group(2);
    changed.kind = GroupKind::home;
    ASSERT_OK(update(db(), changed));
    EXPECT_EQ(show(must(get_group(db(), GroupId(1)))), show(group(1)));
    EXPECT_EQ(show(must(get_group(db(), GroupId(2)))), show(changed));
    EXPECT_EQ(page_text(list_groups(db(), {.limit = 1, .starting_after = {}, .ending_before = {}})), "2 +");
}

class People : public Registry {
  protected:
    void SetUp() override {
        Registry::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        ASSERT_OK(insert(db(), person(1)));
        ASSERT_OK(insert(db(), person(2)));
        ASSERT_OK(insert(db(), group(1)));
        ASSERT_OK(insert(db(), group(2)));
        ASSERT_OK(insert(db(), device(1)));
        ASSERT_OK(insert(db(), merchant(1)));
    }
    static Member member(std::uint64_t n, std::uint64_t group_n, std::uint64_t person_n, std::uint64_t device_n) {
        return {.id = MemberId(n),
                .group = GroupId(group_n),
                .person = PersonId(person_n),
                .device = DeviceId(device_n),
                .role = Role::admin,
                .created = at(n)};
    }
};

TEST_F(People, who_may_be_a_member) {
    struct Row {
        std::string what;
        Member member;
        std::string expected;
    };
    const Row rows[] = {
        {"a person", member(1, 1, 1, 0), "ok"},
        {"a device", member(2, 1, 0, 1), "ok"},
        {"both at once", member(3, 1, 2, 1), "invalid/invalid/person"},
        {"nobody", member(4, 1, 0, 0), "invalid/invalid/person"},
        {"of no group", member(5, 0, 2, 0), "invalid/invalid/group"},
        {"the same person again", member(6, 1, 1, 0), "conflict/already_exists/group_id, person_id"},
        {"the same person in another group", member(7, 2, 1, 0), "ok"},
        {"the device in a second group", member(8, 2, 0, 1), "conflict/already_exists/device_id"},
        {"a person who does not exist", member(9, 1, 77, 0), "not_found/reference_not_found/"},
        {"of a group that does not exist", member(10, 77, 2, 0), "not_found/reference_not_found/"},
    };
    for (const Row& row : rows) EXPECT_EQ(refusal(insert(db(), row.member)), row.expected) << row.what;
    EXPECT_EQ(show(must(get_member(db(), MemberId(1)))), show(rows[0].member));
    EXPECT_EQ(show(must(get_member(db(), MemberId(2)))), show(rows[1].member));
    EXPECT_EQ(numbers(must(all_members(db(), {.group = GroupId(1), .person = {}, .device = {}}))),
              (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(page_text(list_members(db(), {.group = {}, .person = PersonId(1), .device = {}}, {})), "7 1");
    EXPECT_EQ(low64(must(get_member_of(db(), GroupId(2), PersonId(1))).id.value), 7U);
    EXPECT_EQ(low64(must(get_member_of(db(), GroupId(), DeviceId(1))).id.value), 2U);
    EXPECT_EQ(refusal(get_member_of(db(), GroupId(2), DeviceId(1))), "not_found/member_not_found/");
    EXPECT_EQ(refusal(get_member_of(db(), GroupId(2), PersonId(2))), "not_found/member_not_found/");
    EXPECT_EQ(refusal(get_member_of(db(), GroupId(2), PersonId())), "not_found/member_not_found/");
    Member changed = rows[0].member;
    changed.role = Role::owner;
    ASSERT_OK(update(db(), changed));
    EXPECT_EQ(must(get_member(db(), MemberId(1))).role, Role::owner);
}

TEST_F(People, wallets_have_one_owner) {
    Wallet shop{.id = WalletId(9),
                .group = {},
                .merchant = MerchantId(1),
                .name = "till",
                .asset = assets::EUR,
                .frozen = false,
                .created = at(9)};
    ASSERT_OK(insert(db(), wallet_of(GroupId(1), 1)));
    ASSERT_OK(insert(db(), wallet_of(GroupId(1), 2)));
    ASSERT_OK(insert(db(), shop));
    EXPECT_EQ(show(must(get_wallet(db(), WalletId(1)))), show(wallet_of(GroupId(1), 1)));
    EXPECT_EQ(show(must(get_wallet(db(), WalletId(9)))), show(shop));
    EXPECT_EQ(numbers(must(all_wallets(db(), {.group = GroupId(1), .merchant = {}}))),
              (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(page_text(list_wallets(db(), {.group = {}, .merchant = MerchantId(1)}, {})), "9");
    EXPECT_EQ(page_text(list_wallets(db(), {}, {})), "9 2 1");
    Wallet both = shop;
    both.id = WalletId(10);
    both.group = GroupId(1);
    EXPECT_EQ(refusal(insert(db(), both)), "invalid/invalid/group");
    Wallet bare = shop;
    bare.asset = {};
    EXPECT_EQ(refusal(update(db(), bare)), "invalid/invalid/asset");
    bare.asset = Asset{999'999, 2, "XXQ"};
    EXPECT_EQ(refusal(update(db(), bare)), "invalid/invalid/asset");
    shop.frozen = true;
    ASSERT_OK(update(db(), shop));
    EXPECT_TRUE(must(get_wallet(db(), WalletId(9))).frozen);
}

TEST_F(People, limits_follow_their_member) {
    ASSERT_OK(insert(db(), member(1, 1, 1, 0)));
    const Limit daily{.id = LimitId(1),
                      .member = MemberId(1),
                      .kind = LimitKind::per_day,
                      .category = {},
                      .amount = Amount(5'000, assets::CNY),
                      .window_days = 7,
                      .created = at(1)};
    Limit drinks = daily;
    drinks.id = LimitId(2);
    drinks.kind = LimitKind::per_category;
    drinks.category = "drinks";
    drinks.created = at(2);
    ASSERT_OK(insert(db(), daily));
    ASSERT_OK(insert(db(), drinks));
    EXPECT_EQ(show(must(get_limit(db(), LimitId(1)))), show(daily));
    EXPECT_EQ(show(must(get_limit(db(), LimitId(2)))), show(drinks));
    EXPECT_EQ(numbers(must(all_limits(db(), MemberId(1)))), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_TRUE(must(all_limits(db(), MemberId())).empty());
    Limit wrong = drinks;
    wrong.category = {};
    EXPECT_EQ(refusal(update(db(), wrong)), "invalid/invalid/category");
    wrong = daily;
    wrong.window_days = 0;
    EXPECT_EQ(refusal(update(db(), wrong)), "invalid/invalid/window_days");
    wrong.window_days = 367;
    EXPECT_EQ(refusal(update(db(), wrong)), "invalid/invalid/window_days");
    ASSERT_OK(erase(db(), LimitId(1)));
    EXPECT_EQ(numbers(must(all_limits(db(), MemberId(1)))), (std::vector<std::uint64_t>{2}));
    ASSERT_OK(erase(db(), MemberId(1)));
    EXPECT_EQ(refusal(get_limit(db(), LimitId(2))), "not_found/limit_not_found/");
}

}  // namespace
}  // namespace jiaozi::registry
