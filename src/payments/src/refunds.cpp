// Refunds: from the payee back to the payer, with the allowances, in one chain.
#include "chains.hpp"
#include "impl.hpp"

namespace jiaozi::payments {
namespace {

using ledger::CreateTransferResult;

Error refused_refund(RefundId id, const engine::Outcome& outcome) {
    if (!outcome.transfers.empty() && outcome.transfers.back() == CreateTransferResult::exceeds_credits) {
        return Error(ErrorKind::declined, "the payee's wallet has not enough left for " + id.to_string() +
                                              "; put money in and refund under a new id")
            .with_code("insufficient_funds");
    }
    return Error(ErrorKind::declined, "the ledger refused " + id.to_string() + " (" + std::string(refusal_in(outcome)) +
                                          "); remove the cause and refund under a new id")
        .with_code("ledger_refused");
}

}  // namespace

void PaymentService::Impl::refund(RefundId id, PaymentId payment_id, std::optional<Amount> amount,
                                  api::Done<api::RefundAnswer> done) {
    if (!id) return done(Error(ErrorKind::invalid, "a refund needs an id").with_param("id"));
    if (refunding_.contains(id)) {
        return done(Error(ErrorKind::conflict, id.to_string() + " is not answered yet; ask again in a moment")
                        .with_code("refund_in_flight"));
    }
    auto stored = known(payment_id);
    if (!stored.ok()) return done(std::move(stored).error());
    if (*stored == nullptr) return done(payment_not_found(payment_id));
    const Payment& payment = **stored;
    if (refunded_before(id, payment, amount, done)) return;
    const auto refunded = refundable(payment, amount);
    if (!refunded.ok()) return done(Error(refunded.error()));

    const RefundFact fact{payment_id, id, *refunded};
    engine::Command command;
    if (auto added = add_give_backs(command, id, payment_id, fact.amount); !added.ok())
        return done(std::move(added).error());
    command.transfers.push_back(refund_transfer(id, payment, fact.amount));
    command.annotation = encode(fact);
    refunding_.insert(id);
    refunds_reserved_[payment_id] += fact.amount;
    submit(std::move(command), [this, fact, done = std::move(done)](Result<engine::Outcome> outcome) mutable {
        refund_answered(fact, std::move(outcome), std::move(done));
    });
}

// The ledger has the refund's transfer: whatever was answered then is answered again.
bool PaymentService::Impl::refunded_before(RefundId id, const Payment& payment, const std::optional<Amount>& amount,
                                           api::Done<api::RefundAnswer>& done) {
    const auto found = parts_.engine.transfer(refund_transfer_id(id));
    if (!found.ok()) return done(Error(found.error())), true;
    const std::optional<ledger::Transfer>& transfer = *found;
    if (!transfer) return false;
    const Amount refunded(transfer->amount, payment.amount.asset());
    if (transfer->user_data_128 != payment.id.value || (amount && !(*amount == refunded))) {
        done(idempotency_mismatch(id.to_string()));
    } else {
        done(api::RefundAnswer{{id, payment.id, refunded, {transfer->timestamp}}, payment, true});
    }
    return true;
}

// How much to refund, refunds under way counted as made.
Result<uint128> PaymentService::Impl::refundable(const Payment& payment, const std::optional<Amount>& amount) const {
    if (payment.state != PaymentState::captured) {
        return Error(ErrorKind::conflict, payment.id.to_string() + " was not captured: there is nothing to refund")
            .with_code("payment_not_captured");
    }
    const auto reserved = refunds_reserved_.find(payment.id);
    const uint128 under_way = reserved == refunds_reserved_.end() ? 0 : reserved->second;
    const uint128 left = payment.captured_minor - payment.refunded_minor - under_way;
    if (amount && amount->is_zero()) return Error(ErrorKind::invalid, "amount must be above zero").with_param("amount");
    if (amount && amount->asset() != payment.amount.asset()) {
        return Error(ErrorKind::invalid, "the payment was in " + std::string(payment.amount.asset().name()))
            .with_code("asset_mismatch")
            .with_param("asset");
    }
    const uint128 wanted = amount ? amount->minor() : left;
    if (wanted == 0 || wanted > left) {
        return Error(ErrorKind::declined,
                     "at most " + Amount(left, payment.amount.asset()).display() + " can be refunded")
            .with_code("refund_exceeds_captured");
    }
    return wanted;
}

// The uses that the payment made are found in the ledger by their ids.
Result<> PaymentService::Impl::add_give_backs(engine::Command& command, RefundId id, PaymentId payment,
                                              uint128 amount) const {
    for (std::uint32_t index = 0;; ++index) {
        JZ_TRY(const auto use, parts_.engine.transfer(use_id(payment, index)));
        if (!use) return {};
        command.transfers.push_back(give_back(id, index, *use, amount));
    }
}

void PaymentService::Impl::refund_answered(const RefundFact& fact, Result<engine::Outcome> outcome,
                                           api::Done<api::RefundAnswer> done) {
    refunding_.erase(fact.refund);
    const auto reserved = refunds_reserved_.find(fact.payment);
    reserved->second -= fact.amount;
    if (reserved->second == 0) refunds_reserved_.erase(reserved);
    if (!outcome.ok()) return done(std::move(outcome).error());
    book_.apply(fact, stand_of(*outcome));
    if (outcome->transfers.back() != CreateTransferResult::ok) return done(refused_refund(fact.refund, *outcome));
    ++counters_.refunded;
    const Payment payment = *book_.find(fact.payment);
    done(api::RefundAnswer{
        {fact.refund, fact.payment, Amount(fact.amount, payment.amount.asset()), outcome->timestamp}, payment, false});
}

}  // namespace jiaozi::payments
