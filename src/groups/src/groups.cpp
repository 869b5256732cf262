#include <algorithm>

#include <jiaozi/api/json.hpp>
#include <jiaozi/api/text.hpp>
#include <jiaozi/groups/groups.hpp>
#include <jiaozi/registry/events.hpp>
#include <jiaozi/registry/people.hpp>

#include "state.hpp"

namespace jiaozi::groups {
namespace {

bool is_category_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

Result<> check_locale(std::string_view locale) {
    const auto is_tag_char = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    };
    if (!locale.empty() && locale.size() <= 35 && std::ranges::all_of(locale, is_tag_char)) return {};
    return Error(ErrorKind::invalid, "locale must be a language tag such as en or zh-CN").with_param("locale");
}

Result<> check_limit(const Limit& limit) {
    JZ_CHECK(check_id(static_cast<bool>(limit.id)));
    JZ_CHECK(check_asset(limit.amount.asset()));
    if (limit.amount.is_zero()) return Error(ErrorKind::invalid, "amount must be above zero").with_param("amount");
    if (limit.window_days < 1 || limit.window_days > 366) {
        return Error(ErrorKind::invalid, "window_days must be 1 to 366").with_param("window_days");
    }
    if ((limit.kind == LimitKind::per_category) == limit.category.empty()) {
        return Error(ErrorKind::invalid, "category goes with the kind per_category, and with no other")
            .with_param("category");
    }
    if (limit.category.size() > 64 || !std::ranges::all_of(limit.category, is_category_char)) {
        return Error(ErrorKind::invalid, "category must be at most 64 of a-z 0-9 _ -").with_param("category");
    }
    return {};
}

bool same(const Person& a, const Person& b) {
    return a.name == b.name && a.locale == b.locale;
}
bool same(const Group& a, const Group& b) {
    return a.kind == b.kind && a.name == b.name;
}
bool same(const Limit& a, const Limit& b) {
    return a.member == b.member && a.kind == b.kind && a.category == b.category && a.amount == b.amount &&
           a.window_days == b.window_days;
}
// The role may have been changed since.
bool same(const Member& a, const Member& b) {
    return a.group == b.group && a.person == b.person && a.device == b.device;
}

Error last_owner(GroupId group) {
    return Error(ErrorKind::conflict,
                 "this is the only owner of " + group.to_string() + "; make somebody else owner first")
        .with_code("last_owner");
}

bool is_only_owner(const Cache& cache, const Member& member) {
    const auto is_owner = [](const Member* other) { return other->role == Role::owner; };
    return member.role == Role::owner && std::ranges::count_if(cache.members_of(member.group), is_owner) == 1;
}

}  // namespace

GroupService::GroupService(std::unique_ptr<State> state) : state_(std::move(state)) {}
GroupService::~GroupService() = default;

Result<std::unique_ptr<GroupService>> GroupService::load(Parts parts) {
    auto state = std::make_unique<State>(parts);
    JZ_TRY(const auto members, registry::all_members(parts.session, {}));
    for (const Member& member : members) {
        state->cache.put(member);
        JZ_TRY(const auto limits, registry::all_limits(parts.session, member.id));
        for (const Limit& limit : limits) state->cache.put(limit);
    }
    JZ_TRY(const auto wallets, registry::all_wallets(parts.session, {}));
    for (Wallet wallet : wallets) {
        const auto account = parts.engine.account(wallet.id.value);
        if (!account) {
            return Error(ErrorKind::corrupt,
                         "wallet " + wallet.id.to_string() +
                             " has no account in the ledger: this registry and this journal do not belong together");
        }
        // A stop between the two writes of set_frozen leaves them apart; the ledger is what binds.
        const bool frozen = (account->flags & ledger::account_flags::frozen) != 0;
        if (wallet.frozen != frozen) {
            wallet.frozen = frozen;
            JZ_CHECK(registry::update(parts.session, wallet));
        }
        state->cache.put(wallet);
    }
    return std::unique_ptr<GroupService>(new GroupService(std::move(state)));
}

Result<Person> GroupService::create_person(Person person) {
    JZ_CHECK(check_id(static_cast<bool>(person.id)));
    JZ_CHECK(api::check_name(person.name, "name"));
    JZ_CHECK(check_locale(person.locale));
    if (auto stored = registry::get_person(state_->parts.session, person.id); stored.ok()) {
        if (same(*stored, person)) return stored;
        return already_exists("person", person.id.to_string());
    } else if (stored.error().kind() != ErrorKind::not_found) {
        return stored;
    }
    person.created = state_->parts.clock.now();
    JZ_CHECK(state_->record({state_->event("person.created", person.id.to_string(), api::json_of(person))},
                            [&] { return registry::insert(state_->parts.session, person); }));
    return person;
}

Result<Group> GroupService::create_group(Group group, Actor actor) {
    JZ_CHECK(check_id(static_cast<bool>(group.id)));
    JZ_CHECK(api::check_name(group.name, "name"));
    registry::Session& session = state_->parts.session;
    if (auto stored = registry::get_group(session, group.id); stored.ok()) {
        if (same(*stored, group) && may_see(group.id, actor)) return stored;
        return already_exists("group", group.id.to_string());
    } else if (stored.error().kind() != ErrorKind::not_found) {
        return stored;
    }
    group.created = state_->parts.clock.now();
    std::vector events{state_->event("group.created", group.id.to_string(), api::json_of(group))};
    const Member owner{.id = MemberId(group.id.value),
                       .group = group.id,
                       .person = actor.person,
                       .device = {},
                       .role = Role::owner,
                       .created = group.created};
    if (actor.person) events.push_back(state_->event("member.added", owner.id.to_string(), api::json_of(owner)));
    const auto insert_both = [&]() -> Result<> {
        JZ_CHECK(registry::insert(session, group));
        if (actor.person) JZ_CHECK(registry::insert(session, owner));
        return {};
    };
    JZ_CHECK(state_->record(std::move(events), insert_both));
    if (actor.person) state_->cache.put(owner);
    return group;
}

Result<Member> GroupService::add_member(Member member, Actor actor) {
    JZ_CHECK(check_id(static_cast<bool>(member.id)));
    if (static_cast<bool>(member.person) == static_cast<bool>(member.device)) {
        return Error(ErrorKind::invalid, "a member is a person or a device: give one of the two").with_param("person");
    }
    if (member.device && member.role != Role::member) {
        return Error(ErrorKind::invalid, "a device can only be a plain member").with_param("role");
    }
    JZ_CHECK(state_->require_manager(member.group, actor));
    if (member.role != Role::member) JZ_CHECK(state_->require_owner(member.group, actor));
    if (const Member* stored = state_->cache.member(member.id)) {
        if (same(*stored, member)) return *stored;
        return already_exists("member", member.id.to_string());
    }
    if (const Member* elsewhere = member.device ? member_of_device(member.device) : nullptr) {
        return Error(ErrorKind::conflict, member.device.to_string() + " is in " + elsewhere->group.to_string() +
                                              " already; take it out there first")
            .with_code("already_exists")
            .with_param("device");
    }
    member.created = state_->parts.clock.now();
    JZ_CHECK(state_->record({state_->event("member.added", member.id.to_string(), api::json_of(member))},
                            [&] { return registry::insert(state_->parts.session, member); }));
    state_->cache.put(member);
    return member;
}

Result<Member> GroupService::set_role(MemberId id, Role role, Actor actor) {
    const Member* stored = member(id);
    if (!stored)
        return Error(ErrorKind::not_found, "there is no member " + id.to_string()).with_code("member_not_found");
    if (stored->device) return Error(ErrorKind::invalid, "a device can only be a plain member").with_param("role");
    JZ_CHECK(state_->require_owner(stored->group, actor));
    if (stored->role == role) return *stored;
    if (is_only_owner(state_->cache, *stored)) return last_owner(stored->group);
    Member changed = *stored;
    changed.role = role;
    JZ_CHECK(state_->record({state_->event("member.updated", id.to_string(), api::json_of(changed))},
                            [&] { return registry::update(state_->parts.session, changed); }));
    state_->cache.put(changed);
    return changed;
}

Result<> GroupService::remove_member(MemberId id, Actor actor) {
    const Member* stored = member(id);
    if (!stored)
        return Error(ErrorKind::not_found, "there is no member " + id.to_string()).with_code("member_not_found");
    const bool leaves_by_itself = actor.person && actor.person == stored->person;
    if (!leaves_by_itself) {
        JZ_CHECK(state_->require_manager(stored->group, actor));
        if (stored->role != Role::member) JZ_CHECK(state_->require_owner(stored->group, actor));
    }
    if (is_only_owner(state_->cache, *stored)) return last_owner(stored->group);
    JZ_CHECK(state_->record({state_->event("member.removed", id.to_string(), api::json_of(*stored))},
                            [&] { return registry::erase(state_->parts.session, id); }));
    state_->cache.erase(id);
    return {};
}

Result<Limit> GroupService::create_limit(Limit limit, Actor actor) {
    JZ_CHECK(check_limit(limit));
    const Member* owner = member(limit.member);
    if (!owner)
        return Error(ErrorKind::not_found, "there is no member " + limit.member.to_string())
            .with_code("member_not_found");
    JZ_CHECK(state_->require_manager(owner->group, actor));
    if (const Limit* stored = state_->cache.limit(limit.id)) {
        if (same(*stored, limit)) return *stored;
        return already_exists("limit", limit.id.to_string());
    }
    limit.created = state_->parts.clock.now();
    JZ_CHECK(state_->record({state_->event("limit.created", limit.id.to_string(), api::json_of(limit))},
                            [&] { return registry::insert(state_->parts.session, limit); }));
    state_->cache.put(limit);
    return limit;
}

Result<> GroupService::remove_limit(LimitId id, Actor actor) {
    const Limit* stored = limit(id);
    if (!stored) return Error(ErrorKind::not_found, "there is no limit " + id.to_string()).with_code("limit_not_found");
    const Member* owner = member(stored->member);
    JZ_ASSERT(owner != nullptr);  // limits go with their member
    JZ_CHECK(state_->require_manager(owner->group, actor));
    JZ_CHECK(state_->record({state_->event("limit.deleted", id.to_string(), api::json_of(*stored))},
                            [&] { return registry::erase(state_->parts.session, id); }));
    state_->cache.erase(id);
    return {};
}

bool GroupService::may_see(GroupId group, Actor actor) const {
    return !actor.person || state_->member_of_person(actor.person, group) != nullptr;
}
bool GroupService::may_manage(GroupId group, Actor actor) const {
    return state_->require_manager(group, actor).ok();
}

const Limit* GroupService::limit(LimitId id) const {
    return state_->cache.limit(id);
}
const Member* GroupService::member(MemberId id) const {
    return state_->cache.member(id);
}
const Member* GroupService::member_of_device(DeviceId device) const {
    return state_->cache.member_of_device(device);
}
const Member* GroupService::member_of_person(PersonId person, GroupId group) const {
    return state_->member_of_person(person, group);
}
std::vector<const Member*> GroupService::members_of(GroupId group) const {
    return state_->cache.members_of(group);
}
std::vector<const Member*> GroupService::memberships_of(PersonId person) const {
    return state_->cache.memberships_of(person);
}
const Wallet* GroupService::wallet(WalletId id) const {
    return state_->cache.wallet(id);
}
const Wallet* GroupService::wallet_of_group(GroupId group, const Asset& asset) const {
    return state_->cache.oldest_wallet_of(group, asset);
}
std::vector<const Wallet*> GroupService::wallets_of_group(GroupId group) const {
    return state_->cache.wallets_of(group);
}
std::vector<const Limit*> GroupService::limits_of(MemberId member) const {
    return state_->cache.limits_of(member);
}

}  // namespace jiaozi::groups
