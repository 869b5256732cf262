#include "state.hpp"

#include <algorithm>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/registry/events.hpp>

namespace jiaozi::groups {

Result<> GroupService::State::record(std::vector<Event> events, const std::function<Result<>()>& work) {
    const auto work_and_tell = [&]() -> Result<> {
        JZ_CHECK(work());
        return registry::append_many(parts.session, events);
    };
    JZ_CHECK(parts.session.in_transaction(work_and_tell));
    const auto position = registry::newest_event_position(parts.session);
    if (position.ok()) {
        parts.events.stored_up_to(*position);
    } else {
        ignore_error(position, "the change is stored; followers see it with the next event");
    }
    return {};
}

Event GroupService::State::event(std::string_view type, std::string object_id, std::string data) const {
    return {.id = crypto::new_id<EventId>(parts.clock),
            .type = std::string(type),
            .object_id = std::move(object_id),
            .data = std::move(data),
            .created = parts.clock.now()};
}

const Member* GroupService::State::member_of_person(PersonId person, GroupId group) const {
    const auto memberships = cache.memberships_of(person);
    const auto found = std::ranges::find_if(memberships, [&](const Member* member) { return member->group == group; });
    return found == memberships.end() ? nullptr : *found;
}

Result<> GroupService::State::require_manager(GroupId group, Actor actor) const {
    if (!actor.person) return {};
    const Member* member = member_of_person(actor.person, group);
    if (member && member->role != Role::member) return {};
    return Error(ErrorKind::forbidden, "only an owner or admin of " + group.to_string() + " may do this")
        .with_code("not_group_admin");
}

Result<> GroupService::State::require_owner(GroupId group, Actor actor) const {
    if (!actor.person) return {};
    const Member* member = member_of_person(actor.person, group);
    if (member && member->role == Role::owner) return {};
    return Error(ErrorKind::forbidden,
                 "only an owner of " + group.to_string() + " may make or unmake owners and admins")
        .with_code("not_group_admin");
}

Result<const Wallet*> GroupService::State::managed_wallet(WalletId id, Actor actor) const {
    const Wallet* wallet = cache.wallet(id);
    if (!wallet)
        return Error(ErrorKind::not_found, "there is no wallet " + id.to_string()).with_code("wallet_not_found");
    // A merchant's wallet belongs to no group, and only the operator may change it.
    JZ_CHECK(require_manager(wallet->group, actor));
    return wallet;
}

Error already_exists(std::string_view kind, std::string_view id) {
    return Error(ErrorKind::conflict,
                 std::string(kind) + " " + std::string(id) + " exists with other content; use a new id")
        .with_code("already_exists");
}

Result<> check_id(bool present) {
    if (present) return {};
    return Error(ErrorKind::invalid, "id must not be zero; make one").with_param("id");
}

Result<> check_asset(const Asset& asset) {
    JZ_TRY(const Asset known, find_asset(asset.ledger));
    if (known.name() == asset.name()) return {};
    return Error(ErrorKind::invalid,
                 "asset " + std::string(asset.name()) + " is not ledger " + std::to_string(asset.ledger))
        .with_param("asset");
}

}  // namespace jiaozi::groups
