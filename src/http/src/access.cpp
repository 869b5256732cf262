#include "access.hpp"

namespace jiaozi::http {

Result<> operator_only(const Call& call) {
    if (!call.is_operator()) return operators_only();
    return {};
}

Result<> may_see_group(const Call& call, GroupId group) {
    if (!call.is_operator() && !call.parts().groups.may_see(group, call.actor()))
        return no_such("group", group.to_string());
    return {};
}

Result<const Wallet*> visible_wallet(const Call& call, WalletId id) {
    const Wallet* wallet = call.parts().groups.wallet(id);
    const bool seen =
        wallet != nullptr &&
        (call.is_operator() || (wallet->group && call.parts().groups.may_see(wallet->group, call.actor())));
    if (!seen) return no_such("wallet", id.to_string());
    return wallet;
}

Result<const Member*> visible_member(const Call& call, MemberId id) {
    const Member* member = call.parts().groups.member(id);
    const bool seen =
        member != nullptr && (call.is_operator() || call.parts().groups.may_see(member->group, call.actor()));
    if (!seen) return no_such("member", id.to_string());
    return member;
}

Result<const Device*> visible_device(const Call& call, DeviceId id) {
    const Device* device = call.parts().devices.find(id);
    if (device == nullptr) return no_such("device", id.to_string());
    if (call.is_operator()) return device;
    const Member* member = call.parts().groups.member_of_device(id);
    if (member == nullptr || !call.parts().groups.may_see(member->group, call.actor()))
        return no_such("device", id.to_string());
    return device;
}

Result<const Device*> manageable_device(const Call& call, DeviceId id) {
    JZ_TRY(const Device* device, visible_device(call, id));
    if (call.is_operator()) return device;
    const Member* member = call.parts().groups.member_of_device(id);
    if (!call.parts().groups.may_manage(member->group, call.actor())) {
        return Error(ErrorKind::forbidden, "only the group's owners and admins manage its devices")
            .with_code("not_group_admin");
    }
    return device;
}

Result<> may_act_as(const Call& call, MemberId id) {
    JZ_TRY(const Member* member, visible_member(call, id));
    if (!call.is_operator() && member->person != call.person()) {
        return Error(ErrorKind::forbidden, "a person's key pays as that person's own member only")
            .with_code("not_own_member")
            .with_param("payer_member");
    }
    return {};
}

bool sees_payment(const Parts& parts, PersonId person, const Payment& payment) {
    if (!person) return true;
    for (const WalletId id : {payment.payer_wallet, payment.payee_wallet}) {
        const Wallet* wallet = id ? parts.groups.wallet(id) : nullptr;
        if (wallet != nullptr && wallet->group && parts.groups.may_see(wallet->group, groups::Actor{person}))
            return true;
    }
    return false;
}

}  // namespace jiaozi::http
