#include <jiaozi/registry/people.hpp>

#include "rows.hpp"

namespace jiaozi::registry {

template <>
struct Map<Person> {
    static constexpr std::string_view kind = "person", table = "people", order = "created";
    static void fields(auto& visit, auto& person) {
        visit("id", person.id);
        visit("name", person.name, Text{1, 200});
        visit("locale", person.locale, Text{2, 35});
        visit("created", person.created);
    }
};

template <>
struct Map<Group> {
    static constexpr std::string_view kind = "group", table = "groups", order = "created";
    static void fields(auto& visit, auto& group) {
        visit("id", group.id);
        visit("kind", group.kind);
        visit("name", group.name, Text{1, 200});
        visit("created", group.created);
    }
};

template <>
struct Map<Member> {
    static constexpr std::string_view kind = "member", table = "members", order = "created";
    static void fields(auto& visit, auto& member) {
        visit("id", member.id);
        visit("group_id", member.group);
        visit("person_id", member.person);
        visit("device_id", member.device);
        visit("role", member.role);
        visit("created", member.created);
    }
};

template <>
struct Map<Wallet> {
    static constexpr std::string_view kind = "wallet", table = "wallets", order = "created";
    static void fields(auto& visit, auto& wallet) {
        visit("id", wallet.id);
        visit("group_id", wallet.group);
        visit("merchant_id", wallet.merchant);
        visit("name", wallet.name, Text{1, 200});
        visit("asset", wallet.asset);
        visit("frozen", wallet.frozen);
        visit("created", wallet.created);
    }
};

template <>
struct Map<Limit> {
    static constexpr std::string_view kind = "limit", table = "limits", order = "created";
    static void fields(auto& visit, auto& limit) {
        visit("id", limit.id);
        visit("member_id", limit.member);
        visit("kind", limit.kind);
        visit("category", limit.category, Text{0, 64});
        visit.amount("amount", limit.amount);
        visit("window_days", limit.window_days);
        visit("created", limit.created);
    }
};

namespace {

// The database checks these rules too; here they get a message that helps.
Error broken(std::string_view message, std::string_view field) {
    return Error(ErrorKind::invalid, std::string(message)).with_param(field);
}

Result<> check(const Member& member) {
    if (!member.group) return broken("member: group is missing", "group");
    if (static_cast<bool>(member.person) == static_cast<bool>(member.device)) {
        return broken("member: give exactly one of person and device", "person");
    }
    return {};
}

Result<> check(const Wallet& wallet) {
    if (static_cast<bool>(wallet.group) == static_cast<bool>(wallet.merchant)) {
        return broken("wallet: give exactly one of group and merchant", "group");
    }
    if (wallet.asset.ledger == 0) return broken("wallet: asset is missing", "asset");
    return {};
}

Result<> check(const Limit& limit) {
    if (!limit.member) return broken("limit: member is missing", "member");
    if (limit.window_days < 1 || limit.window_days > 366)
        return broken("limit: window_days must be 1 to 366", "window_days");
    if (limit.amount.asset().ledger == 0) return broken("limit: asset is missing", "asset");
    if ((limit.kind == LimitKind::per_category) == limit.category.empty()) {
        return broken("limit: category belongs to a per_category limit, and to no other", "category");
    }
    return {};
}

Where filtered(const MemberFilter& filter) {
    Where where(select_from<Member>());
    where.equal("group_id", filter.group).equal("person_id", filter.person).equal("device_id", filter.device);
    return where;
}

Where filtered(const WalletFilter& filter) {
    Where where(select_from<Wallet>());
    where.equal("group_id", filter.group).equal("merchant_id", filter.merchant);
    return where;
}

template <class Record>
Result<std::vector<Record>> oldest_first(Session& session, Where where) {
    where.sql() << " ORDER BY created, id";
    return read_all<Record>(session, where.sql());
}

Result<Member> only_member(Session& session, const MemberFilter& filter, const std::string& who) {
    JZ_TRY(auto found, oldest_first<Member>(session, filtered(filter)));
    if (found.empty())
        return row_not_found("member", "for " + who + (filter.group ? " in " + filter.group.to_string() : ""));
    return found.front();
}

}  // namespace

Result<> insert(Session& session, const Person& person) {
    return insert_row(session, person);
}
Result<> update(Session& session, const Person& person) {
    return update_row(session, person);
}
Result<Person> get_person(Session& session, PersonId id) {
    return get_row<Person>(session, id);
}
Result<Listing<Person>> list_people(Session& session, const Page& page) {
    return list_rows<Person>(session, Where(select_from<Person>()), page);
}

Result<> insert(Session& session, const Group& group) {
    return insert_row(session, group);
}
Result<> update(Session& session, const Group& group) {
    return update_row(session, group);
}
Result<Group> get_group(Session& session, GroupId id) {
    return get_row<Group>(session, id);
}
Result<Listing<Group>> list_groups(Session& session, const Page& page) {
    return list_rows<Group>(session, Where(select_from<Group>()), page);
}

Result<> insert(Session& session, const Member& member) {
    JZ_CHECK(check(member));
    return insert_row(session, member);
}
Result<> update(Session& session, const Member& member) {
    JZ_CHECK(check(member));
    return update_row(session, member);
}
Result<> erase(Session& session, MemberId id) {
    return erase_row(session, "members", "member", id);
}
Result<Member> get_member(Session& session, MemberId id) {
    return get_row<Member>(session, id);
}
Result<Listing<Member>> list_members(Session& session, const MemberFilter& filter, const Page& page) {
    return list_rows<Member>(session, filtered(filter), page);
}
Result<std::vector<Member>> all_members(Session& session, const MemberFilter& filter) {
    return oldest_first<Member>(session, filtered(filter));
}
Result<Member> get_member_of(Session& session, GroupId group, PersonId person) {
    if (!group || !person) return row_not_found("member", "without a group or a person");
    return only_member(session, {.group = group, .person = person, .device = {}}, person.to_string());
}
Result<Member> get_member_of(Session& session, GroupId group, DeviceId device) {
    if (!device) return row_not_found("member", "without a device");
    return only_member(session, {.group = group, .person = {}, .device = device}, device.to_string());
}

Result<> insert(Session& session, const Wallet& wallet) {
    JZ_CHECK(check(wallet));
    return insert_row(session, wallet);
}
Result<> update(Session& session, const Wallet& wallet) {
    JZ_CHECK(check(wallet));
    return update_row(session, wallet);
}
Result<Wallet> get_wallet(Session& session, WalletId id) {
    return get_row<Wallet>(session, id);
}
Result<Listing<Wallet>> list_wallets(Session& session, const WalletFilter& filter, const Page& page) {
    return list_rows<Wallet>(session, filtered(filter), page);
}
Result<std::vector<Wallet>> all_wallets(Session& session, const WalletFilter& filter) {
    return oldest_first<Wallet>(session, filtered(filter));
}

Result<> insert(Session& session, const Limit& limit) {
    JZ_CHECK(check(limit));
    return insert_row(session, limit);
}
Result<> update(Session& session, const Limit& limit) {
    JZ_CHECK(check(limit));
    return update_row(session, limit);
}
Result<> erase(Session& session, LimitId id) {
    return erase_row(session, "limits", "limit", id);
}
Result<Limit> get_limit(Session& session, LimitId id) {
    return get_row<Limit>(session, id);
}
Result<std::vector<Limit>> all_limits(Session& session, MemberId member) {
    Where where(select_from<Limit>());
    // Not a filter: a zero member has no limits.
    where.next() << "member_id = " << param(member);
    return oldest_first<Limit>(session, std::move(where));
}

}  // namespace jiaozi::registry
