#include <jiaozi/api/json.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/registry/payments.hpp>

#include "access.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

std::string payment_json(const Payment& payment) {
    return api::json_of(payment);
}
std::string refund_json(const Refund& refund) {
    return api::json_of(refund);
}

std::string_view advice(Reason reason) {
    switch (reason) {
        case Reason::payer_not_member:
            return "the payer may not pay from this wallet";
        case Reason::payer_frozen:
            return "the wallet is frozen; unfreeze it or pay from another";
        case Reason::device_not_active:
            return "the device is not active: not enrolled, suspended, lost or retired";
        case Reason::product_unavailable:
            return "the machine does not sell this; read its slots again";
        case Reason::price_changed:
            return "the amount is not the price times the quantity; read the machine's slots again";
        case Reason::asset_mismatch:
            return "the wallet holds another asset than the price is in";
        case Reason::code_invalid:
            return "the payment code or QR is unknown, used or expired; ask for a new one";
        case Reason::self_payment:
            return "payer and payee are the same wallet";
        case Reason::limit_per_payment:
            return "the amount is above the member's limit for one payment";
        case Reason::limit_per_day:
            return "the member's allowance is used up; it renews with its window";
        case Reason::limit_per_category:
            return "the member's allowance for this category is used up; it renews with its window";
        case Reason::insufficient_funds:
            return "the wallet's available balance is too small";
        case Reason::device_offline:
            return "the machine did not answer; no money was held";
        case Reason::device_busy:
            return "the machine is delivering to somebody else; try again in a moment";
        default:
            return "the payment was refused";
    }
}

// The answer to a payment is a function of the payment alone, so that a replay says the same.
void answer_payment(Reply&& reply, const api::PaymentAnswer& answer) {
    const Payment& payment = answer.payment;
    Response response;
    if (payment.first_state == PaymentState::declined || payment.first_state == PaymentState::failed) {
        const int status = payment.first_state == PaymentState::declined ? 402 : 409;
        response = problem_response({status,
                                     std::string(name_of(payment.reason)),
                                     std::string(advice(payment.reason)),
                                     {},
                                     payment_json(payment)},
                                    reply.request_id());
    } else {
        response.status = 201;
        response.body = payment_json(payment);
    }
    if (answer.replayed) response.headers.emplace_back("Idempotent-Replayed", "true");
    reply.send(std::move(response));
}

// A person's key pays as that person, or has a device pay that belongs to a group the person manages.
Result<> may_pay(const Call& call, const NewPaymentBody& wanted) {
    if (call.is_operator()) return {};
    if (wanted.kind == PaymentKind::device) {
        JZ_CHECK(manageable_device(call, wanted.payer_device));
        return {};
    }
    return may_act_as(call, wanted.payer_member);
}

void create_payment(Call&& call) {
    JZ_ANSWER_TRY(NewPaymentBody wanted, call.reply, decode_new_payment(call.request.body));
    JZ_ANSWER_CHECK(call.reply, may_pay(call, wanted));
    api::NewPayment request;
    request.id = PaymentId(call.object_id);
    request.kind = wanted.kind;
    request.payer_wallet = wanted.payer_wallet;
    request.payer_member = wanted.payer_member;
    request.payee_wallet = wanted.payee_wallet;
    request.machine = wanted.device;
    request.payer_device = wanted.payer_device;
    request.slot = wanted.slot;
    request.quantity = wanted.quantity;
    request.amount = wanted.amount;
    request.code = std::move(wanted.qr);
    request.request_hash.assign(call.request_hash.begin(), call.request_hash.end());
    call.parts().payments.create(std::move(request),
                                 [reply = std::move(call.reply)](Result<api::PaymentAnswer> answer) mutable {
                                     if (answer.ok()) {
                                         answer_payment(std::move(reply), *answer);
                                     } else {
                                         reply.fail(answer.error());
                                     }
                                 });
}

// A person sees payments of their own groups, and so must say which.
Result<> may_list(const Call& call, const registry::PaymentFilter& filter) {
    if (call.is_operator()) return {};
    if (filter.group) return may_see_group(call, filter.group);
    for (const WalletId wallet : {filter.wallet, filter.payer_wallet, filter.payee_wallet}) {
        if (!wallet) continue;
        JZ_CHECK(visible_wallet(call, wallet));
        return {};
    }
    if (filter.payer_member) {
        JZ_CHECK(visible_member(call, filter.payer_member));
        return {};
    }
    return Error(ErrorKind::invalid, "a person's key lists the payments of a group, a wallet or a member: name one")
        .with_param("group");
}

void list_payments(Call&& call) {
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    registry::PaymentFilter filter;
    filter.device = query.id<DeviceId>("device");
    filter.payer_device = query.id<DeviceId>("payer_device");
    filter.payer_wallet = query.id<WalletId>("payer_wallet");
    filter.payee_wallet = query.id<WalletId>("payee_wallet");
    filter.wallet = query.id<WalletId>("wallet");
    filter.payer_member = query.id<MemberId>("payer_member");
    filter.group = query.id<GroupId>("group");
    filter.kind = query.token("kind", parse_payment_kind);
    filter.state = query.token("state", parse_payment_state);
    filter.created_from = query.time("created_from");
    filter.created_to = query.time("created_to");
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    JZ_ANSWER_CHECK(call.reply, may_list(call, filter));
    read_and_answer(std::move(call), [filter, page](registry::Session& session) -> Result<std::string> {
        JZ_TRY(const auto payments, registry::list_payments(session, filter, page));
        return list_json(payments.data, payments.has_more, payment_json);
    });
}

void get_payment(Call&& call) {
    with_payment(std::move(call),
                 [](const Payment& payment, Reply&& reply) { reply.json(200, payment_json(payment)); });
}

void cancel_payment(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, decode_nothing(call.request.body));
    const Parts& parts = call.parts();
    const PersonId person = call.person();
    with_payment(std::move(call), [&parts, person](const Payment& payment, Reply&& reply) {
        const Member* payer = payment.payer_member ? parts.groups.member(payment.payer_member) : nullptr;
        const Wallet* wallet = payment.payer_wallet ? parts.groups.wallet(payment.payer_wallet) : nullptr;
        const bool own = payer != nullptr && payer->person == person;
        const bool manages =
            wallet != nullptr && wallet->group && parts.groups.may_manage(wallet->group, groups::Actor{person});
        if (person && !own && !manages) {
            reply.fail(Error(ErrorKind::forbidden,
                             "only the payer, or an owner or admin of the payer's group, cancels a payment")
                           .with_code("not_payer"));
            return;
        }
        if (payment.kind == PaymentKind::offline) {
            reply.fail(Error(ErrorKind::conflict,
                             "what a purse has signed is paid; only the payee's purse can give it up, by a VOID")
                           .with_code("payment_not_cancellable"));
            return;
        }
        parts.payments.cancel(payment.id, [reply = std::move(reply)](Result<Payment> cancelled) mutable {
            JZ_ANSWER_TRY(const Payment after, reply, std::move(cancelled));
            reply.json(200, payment_json(after));
        });
    });
}

void create_refund(Call&& call) {
    JZ_ANSWER_TRY(const std::optional<Amount> amount, call.reply, decode_new_refund(call.request.body));
    const Parts& parts = call.parts();
    const PersonId person = call.person();
    const RefundId id(call.object_id);
    with_payment(std::move(call), [&parts, person, id, amount](const Payment& payment, Reply&& reply) {
        // The one who was paid gives back: the payee's group, or the operator for a merchant.
        const Wallet* payee = payment.payee_wallet ? parts.groups.wallet(payment.payee_wallet) : nullptr;
        const bool manages =
            payee != nullptr && payee->group && parts.groups.may_manage(payee->group, groups::Actor{person});
        if (person && !manages) {
            reply.fail(Error(ErrorKind::forbidden, "only who was paid gives back a payment").with_code("not_payee"));
            return;
        }
        if (payment.kind == PaymentKind::offline) {
            reply.fail(Error(ErrorKind::conflict, "an offline payment has no refund; pay the same amount back")
                           .with_code("payment_not_refundable"));
            return;
        }
        parts.payments.refund(id, payment.id, amount,
                              [reply = std::move(reply)](Result<api::RefundAnswer> result) mutable {
                                  JZ_ANSWER_TRY(const api::RefundAnswer answer, reply, std::move(result));
                                  if (answer.replayed) {
                                      reply.replay(201, refund_json(answer.refund));
                                  } else {
                                      reply.json(201, refund_json(answer.refund));
                                  }
                              });
    });
}

void list_refunds(Call&& call) {
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    const Parts& parts = call.parts();
    with_payment(std::move(call), [&parts, page](const Payment& payment, Reply&& reply) {
        parts.reads.run<std::string>(
            [page, id = payment.id](registry::Session& session) -> Result<std::string> {
                JZ_TRY(const auto refunds, registry::list_refunds(session, {.payment = id}, page));
                return list_json(refunds.data, refunds.has_more, refund_json);
            },
            [reply = std::move(reply)](Result<std::string> body) mutable { reply.finish(std::move(body)); });
    });
}

void create_payment_code(Call&& call) {
    JZ_ANSWER_TRY(const NewPaymentCode wanted, call.reply, decode_new_payment_code(call.request.body));
    JZ_ANSWER_CHECK(call.reply, visible_wallet(call, wanted.wallet));
    JZ_ANSWER_CHECK(call.reply, may_act_as(call, wanted.member));
    JZ_ANSWER_TRY(const api::PaymentCode code, call.reply,
                  call.parts().payments.new_payment_code(wanted.wallet, wanted.member));
    call.reply.json(201,
                    api::JsonObject("payment_code").text("digits", code.digits).time("expires", code.expires).take());
}

}  // namespace

void add_payment_routes(Router& router) {
    router.add({Method::post, "/v1/payments", "payments", "write", Repeat::service, create_payment});
    router.add({Method::get, "/v1/payments", "payments", "read", Repeat::none, list_payments});
    router.add({Method::get, "/v1/payments/{payment}", "payments", "read", Repeat::none, get_payment});
    router.add({Method::post, "/v1/payments/{payment}/cancel", "payments", "write", Repeat::stored, cancel_payment});
    router.add({Method::post, "/v1/payments/{payment}/refunds", "payments", "write", Repeat::service, create_refund});
    router.add({Method::get, "/v1/payments/{payment}/refunds", "payments", "read", Repeat::none, list_refunds});
    router.add({Method::post, "/v1/payment_codes", "payments", "write", Repeat::sealed, create_payment_code});
}

}  // namespace jiaozi::http
