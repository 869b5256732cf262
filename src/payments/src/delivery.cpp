// From the command to the machine until the payment is closed: resending, acknowledgement, report, cancellation,
// expiry.
#include <jiaozi/base/log.hpp>

#include "chains.hpp"
#include "impl.hpp"

namespace jiaozi::payments {
namespace {

// What the amount is for so many of the units. The amount is price × quantity, so this is exact.
uint128 part_of(const Payment& payment, std::uint32_t units) {
    return payment.amount.minor() / payment.quantity * units;
}

bool count_fits(DeliveryResult result, std::uint32_t delivered, std::uint32_t quantity) {
    switch (result) {
        case DeliveryResult::delivered:
            return delivered == quantity;
        case DeliveryResult::partial:
            return delivered > 0 && delivered < quantity;
        case DeliveryResult::failed:
            return delivered == 0;
    }
    return false;
}

api::ReportOutcome outcome_of(const Payment& payment) {
    return {payment.state, payment.captured_minor, payment.late_delivery};
}

}  // namespace

void PaymentService::Impl::open_saga(const Payment& payment, bool recovered) {
    Saga& saga = sagas_[payment.id];
    saga.recovered = recovered;
    saga.reported = payment.delivered > 0;
    counters_.open = sagas_.size();
    if (!saga.reported) send_command(payment, saga);
}

// A payment that was authorized has reached its end. False if that was known: an expiry and a command's answer may both
// tell.
bool PaymentService::Impl::close_saga(const Payment& payment) {
    if (sagas_.erase(payment.id) == 0) return false;
    counters_.open = sagas_.size();
    if (payment.device) --serving_[payment.device];
    tally(payment);
    evict();
    return true;
}

Timestamp PaymentService::Impl::command_expires(const Payment& payment) const {
    return payment.created + options_.command_lifetime;
}

// False if the command has expired. The link may call back before it returns: nothing is touched after send.
bool PaymentService::Impl::send_command(const Payment& payment, Saga& saga) {
    const Timestamp expires = command_expires(payment);
    if (parts_.clock.now() >= expires) return false;
    ++saga.number;
    wheel_.add(payment.id);
    arm_resend_timer();
    link_->send(payment.device, {.payment = payment.id,
                                 .number = saga.number,
                                 .slot = payment.slot,
                                 .quantity = payment.quantity,
                                 .amount = payment.amount,
                                 .product = payment.product,
                                 .expires = expires});
    return true;
}

void PaymentService::Impl::arm_resend_timer() {
    if (resend_timer_ != 0 || wheel_.empty()) return;
    const Duration quarter{options_.resend_every.ns / static_cast<std::int64_t>(ResendWheel::quarters)};
    resend_timer_ = parts_.app.call_after(quarter, [alive = std::weak_ptr(alive_)] {
        if (const auto self = alive.lock()) (*self)->resend_due();
    });
}

void PaymentService::Impl::resend_due() {
    resend_timer_ = 0;
    const std::vector<PaymentId> due = wheel_.turn();
    for (const PaymentId id : due) {
        const auto saga = sagas_.find(id);
        if (saga == sagas_.end() || saga->second.acknowledged) continue;
        const Payment payment = *book_.find(id);
        if (send_command(payment, saga->second)) ++counters_.commands_resent;
    }
    arm_resend_timer();
}

void PaymentService::Impl::acknowledged(DeviceId machine, PaymentId id, bool accepted) {
    const Payment* payment = book_.find(id);
    if (payment == nullptr || payment->device != machine) return;
    const auto saga = sagas_.find(id);
    if (saga == sagas_.end()) {
        // The cancellation may have been lost.
        if (accepted && payment->state == PaymentState::voided) link_->send_cancel(machine, id);
        return;
    }
    if (accepted || saga->second.acknowledged) {
        saga->second.acknowledged = true;
    } else if (!in_line_.contains(id)) {
        saga->second.acknowledged = true;  // it has answered: no more resending
        release(id, Reason::device_nack);
    }
}

void PaymentService::Impl::cancel(PaymentId id, api::Done<Payment> done) {
    if (const auto found = creating_.find(id); found != creating_.end()) {
        Creating& creating = *found->second;
        creating.waiting.push_back([this, id, done = std::move(done)]() mutable { cancel(id, std::move(done)); });
        if (!creating.probing) return;
        creating.probing = false;
        return refuse(id, PaymentState::failed, Reason::cancelled);
    }
    if (const auto line = in_line_.find(id); line != in_line_.end()) {
        line->second.push_back([this, id, done = std::move(done)]() mutable { cancel(id, std::move(done)); });
        return;
    }
    auto stored = known(id);
    if (!stored.ok()) return done(std::move(stored).error());
    if (*stored == nullptr) return done(payment_not_found(id));
    if ((*stored)->reason == Reason::cancelled) return done(**stored);
    const auto saga = sagas_.find(id);
    if (saga == sagas_.end() || saga->second.acknowledged || saga->second.recovered || saga->second.reported) {
        return done(Error(ErrorKind::conflict,
                          id.to_string() + " cannot be cancelled any more; ask for a refund if it was captured")
                        .with_code("payment_not_cancellable"));
    }
    release(id, Reason::cancelled, [this, id, done = std::move(done)](std::optional<Error> error) mutable {
        if (error) return done(std::move(*error));
        cancel(id, std::move(done));
    });
}

// Voids the payment. A report that comes meanwhile waits in line and is judged by what has become of the payment.
void PaymentService::Impl::release(PaymentId id, Reason reason, Released done) {
    in_line_[id];
    const ReleaseFact fact{id, reason};
    engine::Command command;
    add_releases(command, id, book_.uses(id));
    command.annotation = encode(fact);
    submit(std::move(command), [this, fact, done = std::move(done)](Result<engine::Outcome> outcome) mutable {
        std::optional<Error> error;
        if (outcome.ok()) {
            book_.apply(fact, stand_of(*outcome));
            const Payment payment = *book_.find(fact.payment);
            if (payment.state != PaymentState::authorized) close_saga(payment);
            if (payment.reason == Reason::cancelled) link_->send_cancel(payment.device, payment.id);
        } else {
            // The hold ends at its deadline by itself.
            log::warn("a payment could not be voided",
                      {{"payment", fact.payment.to_string()}, {"cause", outcome.error().to_string()}});
            error = std::move(outcome).error();
        }
        serve_line(fact.payment);
        if (done) done(std::move(error));
    });
}

void PaymentService::Impl::reported(DeviceId machine, ReportFact report, api::Done<api::ReportOutcome> done) {
    auto stored = known(report.payment);
    if (!stored.ok()) return done(std::move(stored).error());
    const Payment* payment = *stored;
    const bool commanded = payment != nullptr && payment->first_state == PaymentState::authorized;
    if (!commanded || payment->device != machine) return done(payment_not_found(report.payment));
    if (!count_fits(report.result, report.delivered, payment->quantity)) {
        return done(
            Error(ErrorKind::invalid, "delivered must be " + std::to_string(payment->quantity) +
                                          " when all was delivered, 0 when nothing was, between when a part was")
                .with_param("delivered"));
    }
    if (const auto line = in_line_.find(report.payment); line != in_line_.end()) {
        line->second.push_back(
            [this, machine, report, done = std::move(done)]() mutable { reported(machine, report, std::move(done)); });
        return;
    }
    const auto saga = sagas_.find(report.payment);
    if (saga != sagas_.end() && !saga->second.reported) {
        saga->second.acknowledged = true;
        report.captured = part_of(*payment, report.delivered);
        return settle(report, std::move(done));
    }
    const bool is_late = payment->state == PaymentState::voided && report.delivered > 0 && !payment->late_delivery;
    if (is_late) return note_late({report.payment, report.delivered}, std::move(done));
    done(outcome_of(*payment));
}

// Captures what was delivered, or voids, as the machine says.
void PaymentService::Impl::settle(const ReportFact& report, api::Done<api::ReportOutcome> done) {
    in_line_[report.payment];
    engine::Command command;
    const std::uint32_t uses = book_.uses(report.payment);
    if (report.result == DeliveryResult::failed) {
        add_releases(command, report.payment, uses);
    } else {
        add_posts(command, report.payment, uses, report.captured);
    }
    command.annotation = encode(report);
    submit(std::move(command), [this, report, done = std::move(done)](Result<engine::Outcome> outcome) mutable {
        if (outcome.ok()) {
            book_.apply(report, stand_of(*outcome));
            const Payment payment = *book_.find(report.payment);
            if (payment.state == PaymentState::authorized) {
                note_refused_settlement(report.payment, *outcome);
            } else if (!close_saga(payment) && payment.late_delivery) {
                ++counters_.late_deliveries;  // the expiry came before the report's answer
            }
            done(outcome_of(payment));
        } else {
            done(std::move(outcome).error());  // the machine will report again
        }
        serve_line(report.payment);
    });
}

// A wallet was frozen between authorization and report: the book has kept what was delivered, and the hold runs out.
void PaymentService::Impl::note_refused_settlement(PaymentId id, const engine::Outcome& outcome) {
    if (const auto saga = sagas_.find(id); saga != sagas_.end()) saga->second.reported = true;
    log::warn("the ledger refused to settle a delivered payment",
              {{"payment", id.to_string()}, {"result", std::string(refusal_in(outcome))}});
}

void PaymentService::Impl::note_late(const LateReportFact& report, api::Done<api::ReportOutcome> done) {
    in_line_[report.payment];
    engine::Command command;
    command.annotation = encode(report);
    submit(std::move(command), [this, report, done = std::move(done)](Result<engine::Outcome> outcome) mutable {
        if (outcome.ok()) {
            book_.apply(report, stand_of(*outcome));
            ++counters_.late_deliveries;
            done(outcome_of(*book_.find(report.payment)));
        } else {
            done(std::move(outcome).error());
        }
        serve_line(report.payment);
    });
}

// What came for the payment while its command was on its way is looked at again, in the order in which it came.
void PaymentService::Impl::serve_line(PaymentId id) {
    const auto line = in_line_.find(id);
    std::vector<Task> waiting = std::move(line->second);
    in_line_.erase(line);
    for (Task& task : waiting) task();
}

// Holds that the ledger released because their time was over.
void PaymentService::Impl::expired(const std::vector<ExpiredHold>& holds) {
    for (const ExpiredHold& hold : holds) {
        book_.expire(hold.payment, hold.sequence, hold.at);
        const Payment* payment = book_.find(hold.payment);
        if (payment == nullptr || payment->reason != Reason::device_silent || !sagas_.contains(hold.payment)) continue;
        const Payment voided = *payment;
        close_saga(voided);
        link_->send_cancel(voided.device, voided.id);
    }
}

}  // namespace jiaozi::payments
