// From a request to its first answer: idempotency, terms, alive check, the chain.
#include <algorithm>

#include <jiaozi/base/log.hpp>

#include "chains.hpp"
#include "impl.hpp"

namespace jiaozi::payments {

Error payment_not_found(PaymentId id) {
    return Error(ErrorKind::not_found, "there is no payment " + id.to_string()).with_code("payment_not_found");
}
Error payment_in_flight(PaymentId id) {
    return Error(ErrorKind::conflict, id.to_string() + " is not answered yet; ask again in a moment")
        .with_code("payment_in_flight");
}
Error idempotency_mismatch(std::string_view id) {
    return Error(ErrorKind::conflict, std::string(id) + " was used for another request; use a new id")
        .with_code("idempotency_mismatch");
}

void PaymentService::Impl::create(api::NewPayment request, api::Done<api::PaymentAnswer> done) {
    if (answered_before(request.id, request, done)) return;
    // A payment by QR has the id that the QR gives it, if it is the one who may use it.
    if (const auto offered = offered_payment(request)) {
        const auto under_way = creating_.find(*offered);
        const bool same_request =
            under_way != creating_.end() && under_way->second->request.request_hash == request.request_hash;
        if (same_request) return done(payment_in_flight(*offered));
        auto stored = known(*offered);
        if (!stored.ok()) return done(std::move(stored).error());
        if (*stored != nullptr && (*stored)->request_hash == request.request_hash) {
            return done(api::PaymentAnswer{first_answer(**stored), true});
        }
    }
    begin(std::move(request), std::move(done));
}

// Answers if the id is known. False: it is new, and `done` is untouched.
bool PaymentService::Impl::answered_before(PaymentId id, const api::NewPayment& request,
                                           api::Done<api::PaymentAnswer>& done) {
    if (const auto under_way = creating_.find(id); under_way != creating_.end()) {
        const bool same = under_way->second->request.request_hash == request.request_hash;
        done(same ? payment_in_flight(id) : idempotency_mismatch(id.to_string()));
        return true;
    }
    auto stored = known(id);
    if (!stored.ok()) {
        done(std::move(stored).error());
        return true;
    }
    if (*stored == nullptr) return false;
    if ((*stored)->request_hash != request.request_hash) {
        done(idempotency_mismatch(id.to_string()));
    } else {
        done(api::PaymentAnswer{first_answer(**stored), true});
    }
    return true;
}

// The payment that the QR in the request is for.
std::optional<PaymentId> PaymentService::Impl::offered_payment(const api::NewPayment& request) const {
    if (request.kind != PaymentKind::qr) return std::nullopt;
    if (request.code.empty()) return request.id;
    return payment_of_qr(request.code);
}

// A request that is not known: judges it, and refuses it, or asks the machine, or authorizes it.
void PaymentService::Impl::begin(api::NewPayment request, api::Done<api::PaymentAnswer> done) {
    const Timestamp now = parts_.clock.now();
    const auto code = request.kind == PaymentKind::payment_code ? codes_.look(request.code, now) : std::nullopt;
    const auto offered = offered_payment(request);
    const QrOffer* offer = offered ? qrs_.look(*offered, now) : nullptr;
    auto terms = terms_of(request, {parts_.groups, parts_.merchants, parts_.devices, code ? &*code : nullptr, offer});
    if (!terms.ok()) return done(std::move(terms).error());

    const bool takes_offer = offer != nullptr && terms->reason == Reason::none;
    const PaymentId id = takes_offer ? *offered : request.id;
    auto creating = std::make_unique<Creating>();
    creating->request = std::move(request);
    creating->done = std::move(done);
    creating->offered = takes_offer;
    creating->describe(id, std::move(terms->payment), now);
    const Payment& p = creating->fact.payment;
    const bool busy = is_busy(p.device);
    const bool ask = must_be_probed(p);
    if (p.device) ++serving_[p.device];
    creating_.emplace(id, std::move(creating));
    if (takes_offer) qrs_.set_used(id, true);

    if (terms->reason != Reason::none) return refuse(id, PaymentState::declined, terms->reason);
    if (busy) return refuse(id, PaymentState::failed, Reason::device_busy);
    if (ask) return probe(id);
    authorize(id, *terms);
}

bool PaymentService::Impl::must_be_probed(const Payment& payment) const {
    if (!payment.device || payment.kind == PaymentKind::payment_code || payment.payer_device == payment.device)
        return false;
    return !link_->heard_within(payment.device, options_.alive_fresh);
}

// The machine serves one delivery at a time and has one.
bool PaymentService::Impl::is_busy(DeviceId machine) const {
    const auto found = serving_.find(machine);
    if (found == serving_.end() || found->second == 0) return false;
    const Device* device = parts_.devices.find(machine);
    return device != nullptr && std::ranges::find(options_.serial_kinds, device->kind) != options_.serial_kinds.end();
}

void PaymentService::Impl::probe(PaymentId id) {
    Creating& creating = *creating_.find(id)->second;
    creating.probing = true;
    link_->probe(creating.fact.payment.device, options_.alive_patience,
                 [alive = std::weak_ptr(alive_), id](bool heard) {
                     if (const auto self = alive.lock()) (*self)->probed(id, heard);
                 });
}

void PaymentService::Impl::probed(PaymentId id, bool alive) {
    const auto found = creating_.find(id);
    if (found == creating_.end() || !found->second->probing) return;  // cancelled meanwhile
    Creating& creating = *found->second;
    creating.probing = false;
    if (!alive) return refuse(id, PaymentState::failed, Reason::device_offline);
    // Seconds have passed: wallets freeze, prices change, limits come. The ticket has been taken, and counts as good.
    const Payment& p = creating.fact.payment;
    const QrOffer offer{
        .payment = id, .machine = p.device, .slot = p.slot, .quantity = p.quantity, .amount = p.amount, .expires = {}};
    auto terms = terms_of(creating.request, {parts_.groups, parts_.merchants, parts_.devices, nullptr, &offer});
    if (!terms.ok()) return fail_attempt(id, std::move(terms).error());
    creating.describe(id, std::move(terms->payment), creating.fact.payment.created);
    if (terms->reason != Reason::none) return refuse(id, PaymentState::declined, terms->reason);
    authorize(id, *terms);
}

void PaymentService::Impl::refuse(PaymentId id, PaymentState state, Reason reason) {
    PaymentFact& fact = creating_.find(id)->second->fact;
    fact.attempt = Attempt::refuse;
    fact.payment.state = state;
    fact.payment.reason = reason;
    submit_attempt(id, {});
}

// Everything that the payment moves, as one chain: checks, uses of allowances, the money.
void PaymentService::Impl::authorize(PaymentId id, const Terms& terms) {
    Creating& creating = *creating_.find(id)->second;
    PaymentFact& fact = creating.fact;
    const bool at_once = fact.payment.kind == PaymentKind::person;
    fact.attempt = at_once ? Attempt::pay : Attempt::hold;
    fact.hold_s = at_once ? 0 : options_.hold_s;
    if (fact.payment.kind == PaymentKind::payment_code) codes_.use_up(creating.request.code);
    engine::Command command;
    auto added = allowances_.add(command, fact.payment, terms.limits, parts_.clock.now(), fact.hold_s);
    if (!added.ok()) return fail_attempt(id, std::move(added).error());
    creating.added = std::move(added).value();
    fact.shape = creating.added.shape;
    command.transfers.push_back(money_transfer(fact.payment, fact.hold_s));
    submit_attempt(id, std::move(command));
}

void PaymentService::Impl::submit_attempt(PaymentId id, engine::Command command) {
    command.annotation = encode(creating_.find(id)->second->fact);
    submit(std::move(command), [this, id](Result<engine::Outcome> outcome) { attempted(id, std::move(outcome)); });
}

void PaymentService::Impl::attempted(PaymentId id, Result<engine::Outcome> outcome) {
    const auto found = creating_.find(id);
    Creating& creating = *found->second;
    allowances_.settle(creating.added, outcome.ok());
    if (!outcome.ok()) return fail_attempt(id, std::move(outcome).error());
    book_.apply(creating.fact, stand_of(*outcome));
    const std::unique_ptr<Creating> answered = std::move(found->second);
    creating_.erase(found);

    const Payment payment = *book_.find(id);
    ++counters_.created;
    if (payment.state == PaymentState::authorized) {
        ++counters_.authorized;
        open_saga(payment, false);
    } else {
        if (payment.device) --serving_[payment.device];
        tally(payment);
        evict();
    }
    if (payment.reason == Reason::ledger_refused) {
        log::warn("the ledger refused a payment",
                  {{"payment", id.to_string()}, {"result", std::string(refusal_in(*outcome))}});
    }
    answered->done(api::PaymentAnswer{payment, false});
    for (Task& task : answered->waiting) task();
}

// Nothing is journaled: asking again starts afresh.
void PaymentService::Impl::fail_attempt(PaymentId id, Error error) {
    const auto found = creating_.find(id);
    const std::unique_ptr<Creating> answered = std::move(found->second);
    creating_.erase(found);
    if (const DeviceId device = answered->fact.payment.device) --serving_[device];
    if (answered->offered) qrs_.set_used(id, false);
    answered->done(std::move(error));
    for (Task& task : answered->waiting) task();
}

}  // namespace jiaozi::payments
