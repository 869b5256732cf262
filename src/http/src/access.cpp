#include "access.hpp"

#include <jiaozi/registry/payments.hpp>
#include <jiaozi/settlement/facts.hpp>
#include <jiaozi/settlement/projector.hpp>

namespace jiaozi::http {
namespace {

constexpr Duration look_again = milliseconds(5);
constexpr unsigned most_looks = 400;

using Next = std::move_only_function<void(const Payment&, Reply&&)>;

struct Wanted {
    PaymentId id;
    PersonId person;
    std::uint64_t told = 0;  // to be written first
    unsigned looks = 0;
};

// Offline payments are in the registry only: first it is brought up to what settlement had told by then.
void with_offline_payment(const Parts& parts, Wanted wanted, Reply&& reply, Next next) {
    if (parts.purse_payments != nullptr && !parts.purse_payments->wait_for(wanted.told, {})) {
        if (++wanted.looks == most_looks) {
            reply.fail(Error(ErrorKind::unavailable, "offline payments are being written; ask again in a moment"));
            return;
        }
        parts.app.call_after(look_again, [&parts, wanted, reply = std::move(reply), next = std::move(next)]() mutable {
            with_offline_payment(parts, wanted, std::move(reply), std::move(next));
        });
        return;
    }
    parts.reads.run<Payment>(
        [id = wanted.id](registry::Session& session) -> Result<Payment> {
            auto found = registry::get_payment(session, id);
            if (!found.ok() && found.error().kind() == ErrorKind::not_found) return no_such("payment", id.to_string());
            return found;
        },
        [&parts, wanted, next = std::move(next), reply = std::move(reply)](Result<Payment> found) mutable {
            const bool seen = !found.ok() || sees_payment(parts, wanted.person, *found);
            if (!seen) found = no_such("payment", wanted.id.to_string());
            JZ_ANSWER_TRY(const Payment payment, reply, std::move(found));
            next(payment, std::move(reply));
        });
}

}  // namespace

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

void with_payment(Call&& call, Next next) {
    JZ_ANSWER_TRY(const PaymentId id, call.reply, call.path_id<PaymentId>(0, "payment"));
    const Parts& parts = call.parts();
    const PersonId person = call.person();
    parts.payments.find(
        id, [&parts, person, id, next = std::move(next), reply = std::move(call.reply)](Result<Payment> found) mutable {
            const bool unknown = !found.ok() && found.error().kind() == ErrorKind::not_found;
            if (unknown && settlement::may_be_offline(id)) {
                const std::uint64_t told = parts.purse_payments == nullptr ? 0 : parts.purse_payments->told();
                return with_offline_payment(parts, {id, person, told}, std::move(reply), std::move(next));
            }
            if (found.ok() && !sees_payment(parts, person, *found)) found = no_such("payment", id.to_string());
            JZ_ANSWER_TRY(const Payment payment, reply, std::move(found));
            next(payment, std::move(reply));
        });
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
