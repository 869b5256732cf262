// What a person's key may see and act for. An operator's key may do everything its scopes allow. What is not one's own
// is answered like what does not exist.
#pragma once

#include "context.hpp"

namespace jiaozi::http {

Result<> operator_only(const Call& call);
Result<> may_see_group(const Call& call, GroupId group);
// A merchant's wallet is the operator's business.
Result<const Wallet*> visible_wallet(const Call& call, WalletId id);
Result<const Member*> visible_member(const Call& call, MemberId id);
// Devices of one's groups.
Result<const Device*> visible_device(const Call& call, DeviceId id);
// Visible, and in a group that this person manages.
Result<const Device*> manageable_device(const Call& call, DeviceId id);
// The member is this person; an operator may name any member.
Result<> may_act_as(const Call& call, MemberId member);
// The payment is of a wallet that this caller sees.
bool sees_payment(const Parts& parts, PersonId person, const Payment& payment);
// Finds the payment in the path, offline ones included, and goes on with it if this caller may see it.
void with_payment(Call&& call, std::move_only_function<void(const Payment&, Reply&&)> next);

}  // namespace jiaozi::http
