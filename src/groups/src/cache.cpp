#include "cache.hpp"

#include <algorithm>
#include <tuple>

namespace jiaozi::groups {
namespace {

template <class Map, class Key>
auto find_in(const Map& map, Key key) -> const typename Map::mapped_type* {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

template <class T>
bool older(const T* a, const T* b) {
    return std::tie(a->created, a->id) < std::tie(b->created, b->id);
}

// In the order in which the payment flow checks them.
bool checked_before(const Limit* a, const Limit* b) {
    return std::tie(a->kind, a->created, a->id) < std::tie(b->kind, b->created, b->id);
}

template <class T, class Less>
void insert_sorted(std::vector<const T*>& list, const T* item, Less less) {
    list.insert(std::upper_bound(list.begin(), list.end(), item, less), item);
}

template <class Map, class Key>
auto list_in(const Map& map, Key key) -> typename Map::mapped_type {
    const auto* found = find_in(map, key);
    return found ? *found : typename Map::mapped_type{};
}

}  // namespace

void Cache::put(const Member& member) {
    const auto [place, is_new] = members_.insert_or_assign(member.id, member);
    if (!is_new) return;  // who and where never change, only the role
    const Member* stored = &place->second;
    insert_sorted(by_group_[member.group], stored, older<Member>);
    if (member.device) by_device_[member.device] = stored;
    if (member.person) insert_sorted(by_person_[member.person], stored, older<Member>);
}

void Cache::put(const Wallet& wallet) {
    const auto [place, is_new] = wallets_.insert_or_assign(wallet.id, wallet);
    if (is_new && wallet.group)
        insert_sorted(wallets_by_group_[wallet.group], &std::as_const(place->second), older<Wallet>);
}

void Cache::put(const Limit& limit) {
    const auto [place, is_new] = limits_.insert_or_assign(limit.id, limit);
    if (is_new) insert_sorted(limits_by_member_[limit.member], &std::as_const(place->second), checked_before);
}

void Cache::erase(MemberId id) {
    const auto found = members_.find(id);
    if (found == members_.end()) return;
    const Member& member = found->second;
    for (const Limit* limit : limits_of(id)) limits_.erase(limit->id);
    limits_by_member_.erase(id);
    std::erase(by_group_[member.group], &member);
    if (member.device) by_device_.erase(member.device);
    if (member.person) std::erase(by_person_[member.person], &member);
    members_.erase(found);
}

void Cache::erase(LimitId id) {
    const auto found = limits_.find(id);
    if (found == limits_.end()) return;
    std::erase(limits_by_member_[found->second.member], &found->second);
    limits_.erase(found);
}

const Member* Cache::member(MemberId id) const {
    return find_in(members_, id);
}
const Wallet* Cache::wallet(WalletId id) const {
    return find_in(wallets_, id);
}
const Limit* Cache::limit(LimitId id) const {
    return find_in(limits_, id);
}

const Member* Cache::member_of_device(DeviceId device) const {
    const auto* found = find_in(by_device_, device);
    return found ? *found : nullptr;
}

std::vector<const Member*> Cache::members_of(GroupId group) const {
    return list_in(by_group_, group);
}
std::vector<const Member*> Cache::memberships_of(PersonId person) const {
    return list_in(by_person_, person);
}
std::vector<const Wallet*> Cache::wallets_of(GroupId group) const {
    return list_in(wallets_by_group_, group);
}
std::vector<const Limit*> Cache::limits_of(MemberId member) const {
    return list_in(limits_by_member_, member);
}

const Wallet* Cache::oldest_wallet_of(GroupId group, const Asset& asset) const {
    const auto* wallets = find_in(wallets_by_group_, group);
    if (!wallets) return nullptr;
    const auto found = std::ranges::find_if(*wallets, [&](const Wallet* wallet) { return wallet->asset == asset; });
    return found == wallets->end() ? nullptr : *found;
}

}  // namespace jiaozi::groups
