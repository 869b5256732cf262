// People, groups, and what a group holds: members, wallets, limits. Errors and threading: store.hpp.
#pragma once

#include <vector>

#include <jiaozi/model/records.hpp>
#include <jiaozi/registry/page.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::registry {

// Names are 1 to 200 bytes of UTF-8, locales at most 35.
Result<> insert(Session& session, const Person& person);
Result<> update(Session& session, const Person& person);
Result<Person> get_person(Session& session, PersonId id);
Result<Listing<Person>> list_people(Session& session, const Page& page);

Result<> insert(Session& session, const Group& group);
Result<> update(Session& session, const Group& group);
Result<Group> get_group(Session& session, GroupId id);
Result<Listing<Group>> list_groups(Session& session, const Page& page);

// Exactly one of person and device. A person is in a group once; a device is in one group at most (already_exists).
struct MemberFilter {
    GroupId group;  // zero: any, here and in all filters
    PersonId person;
    DeviceId device;
};
Result<> insert(Session& session, const Member& member);
Result<> update(Session& session, const Member& member);
Result<> erase(Session& session, MemberId id);  // and the member's limits
Result<Member> get_member(Session& session, MemberId id);
Result<Listing<Member>> list_members(Session& session, const MemberFilter& filter, const Page& page);
Result<std::vector<Member>> all_members(Session& session, const MemberFilter& filter);  // oldest first
// The member that this person or device is in this group; Error member_not_found. For a device the group may be zero.
Result<Member> get_member_of(Session& session, GroupId group, PersonId person);
Result<Member> get_member_of(Session& session, GroupId group, DeviceId device);

// Exactly one of group and merchant owns a wallet.
struct WalletFilter {
    GroupId group;
    MerchantId merchant;
};
Result<> insert(Session& session, const Wallet& wallet);
Result<> update(Session& session, const Wallet& wallet);
Result<Wallet> get_wallet(Session& session, WalletId id);
Result<Listing<Wallet>> list_wallets(Session& session, const WalletFilter& filter, const Page& page);
Result<std::vector<Wallet>> all_wallets(Session& session, const WalletFilter& filter);

// category is set if and only if the kind is per_category; window_days is 1 to 366.
Result<> insert(Session& session, const Limit& limit);
Result<> update(Session& session, const Limit& limit);
Result<> erase(Session& session, LimitId id);
Result<Limit> get_limit(Session& session, LimitId id);
Result<std::vector<Limit>> all_limits(Session& session, MemberId member);

}  // namespace jiaozi::registry
