// Members, wallets and limits in memory, with the indexes that the payment flow asks through. No rules, no SQL.
#pragma once

#include <unordered_map>
#include <vector>

#include <jiaozi/model/records.hpp>

namespace jiaozi::groups {

class Cache {
  public:
    // Each put inserts or replaces.
    void put(const Member& member);
    void put(const Wallet& wallet);
    void put(const Limit& limit);
    void erase(MemberId id);  // and the member's limits
    void erase(LimitId id);

    const Member* member(MemberId id) const;
    const Wallet* wallet(WalletId id) const;
    const Limit* limit(LimitId id) const;
    const Member* member_of_device(DeviceId device) const;
    std::vector<const Member*> members_of(GroupId group) const;  // oldest first, as all of these
    std::vector<const Member*> memberships_of(PersonId person) const;
    std::vector<const Wallet*> wallets_of(GroupId group) const;
    const Wallet* oldest_wallet_of(GroupId group, const Asset& asset) const;
    std::vector<const Limit*> limits_of(MemberId member) const;  // by kind, then age
    const std::unordered_map<WalletId, Wallet>& wallets() const { return wallets_; }

  private:
    std::unordered_map<MemberId, Member> members_;
    std::unordered_map<WalletId, Wallet> wallets_;
    std::unordered_map<LimitId, Limit> limits_;
    // Pointers into the maps above, whose nodes do not move.
    std::unordered_map<DeviceId, const Member*> by_device_;
    std::unordered_map<GroupId, std::vector<const Member*>> by_group_;
    std::unordered_map<PersonId, std::vector<const Member*>> by_person_;
    std::unordered_map<GroupId, std::vector<const Wallet*>> wallets_by_group_;
    std::unordered_map<MemberId, std::vector<const Limit*>> limits_by_member_;
};

}  // namespace jiaozi::groups
