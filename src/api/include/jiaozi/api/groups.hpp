// Who may pay from what: people, groups, members, wallets and limits as the payment flow sees them.
// Implemented by the service `groups`. Application thread only; pointers are good until the next change.
#pragma once

#include <vector>

#include <jiaozi/model/records.hpp>

namespace jiaozi::api {

class Groups {
  public:
    virtual ~Groups() = default;
    virtual const Member* member(MemberId id) const = 0;
    virtual const Member* member_of_device(DeviceId device) const = 0;
    virtual const Member* member_of_person(PersonId person, GroupId group) const = 0;
    virtual const Wallet* wallet(WalletId id) const = 0;
    // The group's oldest wallet in that asset: what its devices pay from. nullptr if there is none.
    virtual const Wallet* wallet_of_group(GroupId group, const Asset& asset) const = 0;
    virtual std::vector<const Wallet*> wallets_of_group(GroupId group) const = 0;
    // In the order they are checked: per_payment, per_day, per_category, then by age.
    virtual std::vector<const Limit*> limits_of(MemberId member) const = 0;
};

}  // namespace jiaozi::api
