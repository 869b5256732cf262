#include <utility>

#include <jiaozi/payments/book.hpp>

namespace jiaozi::payments {
namespace {

using ledger::CreateTransferResult;

// The money is the last transfer of a command, and its chain is all or nothing.
bool carried_out(const Stand& stand) {
    return !stand.results.empty() && stand.results.back() == CreateTransferResult::ok;
}
bool repeated(const Stand& stand) {
    return !stand.results.empty() && stand.results.back() == CreateTransferResult::exists;
}
bool met_expired_hold(const Stand& stand) {
    for (const CreateTransferResult result : stand.results) {
        if (result != CreateTransferResult::linked_event_failed) {
            return result == CreateTransferResult::pending_transfer_expired;
        }
    }
    return false;
}

void stamp(Payment& payment, std::uint64_t sequence, Timestamp at) {
    payment.sequence = sequence;
    payment.updated = at;
}

void tell(std::vector<Change>* changes, ChangeKind kind, const Payment& payment) {
    if (changes != nullptr) changes->push_back({kind, payment.sequence, payment.updated, payment, {}, {}});
}

ChangeKind kind_of(PaymentState state) {
    switch (state) {
        case PaymentState::authorized:
            return ChangeKind::authorized;
        case PaymentState::captured:
            return ChangeKind::captured;
        case PaymentState::voided:
            return ChangeKind::voided;
        case PaymentState::failed:
            return ChangeKind::failed;
        default:
            return ChangeKind::declined;
    }
}

bool is_open(const Payment& payment) {
    return payment.state == PaymentState::authorized;
}

}  // namespace

Reason reason_of(const ChainShape& shape, std::span<const CreateTransferResult> results) {
    const std::size_t checks_end = shape.adjustments + std::size_t{2} * shape.checks;
    const std::size_t daily_end = checks_end + shape.daily;
    const std::size_t category_end = daily_end + shape.category;
    for (std::size_t i = shape.adjustments; i < results.size(); ++i) {
        const CreateTransferResult result = results[i];
        if (result == CreateTransferResult::linked_event_failed || result == CreateTransferResult::ok) continue;
        if (result == CreateTransferResult::exceeds_credits) {
            if (i < checks_end) return Reason::limit_per_payment;
            if (i < daily_end) return Reason::limit_per_day;
            if (i < category_end) return Reason::limit_per_category;
            return Reason::insufficient_funds;
        }
        const bool money = i >= category_end;
        const bool barred = result == CreateTransferResult::debit_account_frozen ||
                            result == CreateTransferResult::debit_account_already_closed;
        return money && barred ? Reason::payer_frozen : Reason::ledger_refused;
    }
    return Reason::ledger_refused;
}

Payment first_answer(const Payment& payment) {
    Payment first = payment;
    first.state = payment.first_state;
    first.updated = payment.created;
    first.refunded_minor = 0;
    if (first.state == PaymentState::authorized) {
        first.reason = Reason::none;
        first.captured_minor = 0;
        first.delivered = 0;
        first.late_delivery = false;
    }
    return first;
}

Result<> PaymentBook::apply(const engine::Committed& committed, std::vector<Change>* changes) {
    JZ_TRY(const auto fact, decode_annotation(committed.command.annotation));
    for (const ledger::Expired& expired : committed.expired) {
        if (const PaymentId id = sources_.payment_of_hold(expired.pending_id)) {
            expire(id, committed.sequence, {expired.timestamp}, changes);
        }
    }
    if (!fact) return {};
    const Stand stand{committed.sequence, committed.timestamp, committed.outcome.transfers};
    std::visit(
        [&](const auto& known) {
            if constexpr (std::is_same_v<std::decay_t<decltype(known)>, DepositFact>) {
                if (changes != nullptr && carried_out(stand)) {
                    changes->push_back({ChangeKind::deposited, stand.sequence, stand.timestamp, {}, {}, known});
                }
            } else {
                apply(known, stand, changes);
            }
        },
        *fact);
    return {};
}

void PaymentBook::apply(const PaymentFact& fact, const Stand& stand, std::vector<Change>* changes) {
    if (find(fact.payment.id) != nullptr) return;  // the first counts
    Entry entry{.payment = fact.payment};
    Payment& p = entry.payment;
    stamp(p, stand.sequence, stand.timestamp);
    p.created = stand.timestamp;
    if (fact.attempt != Attempt::refuse) {
        if (!carried_out(stand)) {
            p.state = PaymentState::declined;
            p.reason = reason_of(fact.shape, stand.results);
        } else if (fact.attempt == Attempt::pay) {
            p.state = PaymentState::captured;
            p.captured_minor = p.amount.minor();
        } else {
            p.state = PaymentState::authorized;
            p.expires = stand.timestamp + seconds(fact.hold_s);
            entry.uses = fact.shape.uses();
        }
    }
    p.first_state = p.state;
    tell(changes, kind_of(p.state), p);
    add(std::move(entry));
}

void PaymentBook::apply(const ReportFact& fact, const Stand& stand, std::vector<Change>* changes) {
    Entry* found = entry(fact.payment, stand.sequence);
    if (found == nullptr || !is_open(found->payment) || repeated(stand)) {
        // The hold ended before this command, in the journal or in it: the report was late.
        if (found != nullptr) apply(LateReportFact{fact.payment, fact.delivered}, stand, changes);
        return;
    }
    Payment& p = found->payment;
    if (!carried_out(stand)) {
        if (met_expired_hold(stand)) {
            void_expired(*found, stand.sequence, stand.timestamp, changes);
            found->presumed_expired = true;
            apply(LateReportFact{fact.payment, fact.delivered}, stand, changes);
        } else {
            // A wallet was frozen meanwhile. What was delivered is kept; the hold stays until its deadline.
            p.delivered = fact.delivered;
            stamp(p, stand.sequence, stand.timestamp);
            tell(changes, ChangeKind::recorded, p);
        }
        return;
    }
    p.delivered = fact.delivered;
    if (fact.result == DeliveryResult::failed) {
        p.state = PaymentState::voided;
        p.reason = Reason::not_delivered;
    } else {
        p.state = PaymentState::captured;
        p.captured_minor = fact.captured;
    }
    stamp(p, stand.sequence, stand.timestamp);
    tell(changes, kind_of(p.state), p);
    completed(p);
}

void PaymentBook::apply(const ReleaseFact& fact, const Stand& stand, std::vector<Change>* changes) {
    Entry* found = entry(fact.payment, stand.sequence);
    if (found == nullptr || !is_open(found->payment)) return;
    Payment& p = found->payment;
    if (carried_out(stand)) {
        p.state = PaymentState::voided;
        p.reason = fact.reason;
        stamp(p, stand.sequence, stand.timestamp);
        tell(changes, ChangeKind::voided, p);
        completed(p);
    } else if (met_expired_hold(stand)) {
        void_expired(*found, stand.sequence, stand.timestamp, changes);
        found->presumed_expired = true;
    }
}

void PaymentBook::apply(const LateReportFact& fact, const Stand& stand, std::vector<Change>* changes) {
    Entry* found = entry(fact.payment, stand.sequence);
    if (found == nullptr || fact.delivered == 0) return;
    Payment& p = found->payment;
    if (p.state != PaymentState::voided || p.late_delivery) return;
    p.late_delivery = true;
    p.delivered = fact.delivered;
    stamp(p, stand.sequence, stand.timestamp);
    tell(changes, ChangeKind::late_delivery, p);
}

void PaymentBook::apply(const RefundFact& fact, const Stand& stand, std::vector<Change>* changes) {
    Entry* found = entry(fact.payment, stand.sequence);
    if (found == nullptr || !carried_out(stand)) return;
    Payment& p = found->payment;
    p.refunded_minor += fact.amount;
    stamp(p, stand.sequence, stand.timestamp);
    tell(changes, ChangeKind::refunded, p);
    if (changes != nullptr) {
        changes->back().refund = {fact.refund, fact.payment, Amount(fact.amount, p.amount.asset()), stand.timestamp};
    }
}

void PaymentBook::expire(PaymentId id, std::uint64_t sequence, Timestamp at, std::vector<Change>* changes) {
    Entry* found = entry(id, sequence);
    if (found == nullptr) return;
    Payment& p = found->payment;
    if (is_open(p)) {
        void_expired(*found, sequence, at, changes);
    } else if (found->presumed_expired && !p.late_delivery && p.sequence > sequence) {
        stamp(p, sequence, at);  // as a fold in the order of the journal has it
    }
}

void PaymentBook::void_expired(Entry& entry, std::uint64_t sequence, Timestamp at, std::vector<Change>* changes) {
    Payment& p = entry.payment;
    p.state = PaymentState::voided;
    p.reason = Reason::device_silent;
    stamp(p, sequence, at);
    tell(changes, ChangeKind::voided, p);
    if (p.delivered > 0) {
        p.late_delivery = true;
        tell(changes, ChangeKind::late_delivery, p);
    }
    completed(p);
}

const Payment* PaymentBook::find(PaymentId id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second->payment;
}

const Payment* PaymentBook::bring(PaymentId id) {
    if (const Payment* known = find(id)) return known;
    std::optional<Payment> loaded = sources_.load(id);
    if (!loaded) return nullptr;
    const std::uint64_t sequence = loaded->sequence;
    add({.payment = std::move(*loaded), .loaded = sequence});
    return find(id);
}

void PaymentBook::restore(Payment payment, std::uint32_t uses) {
    const std::uint64_t sequence = payment.sequence;
    add({.payment = std::move(payment), .loaded = sequence, .uses = uses});
}

// The entry to change, or null if there is none or it has the change already.
PaymentBook::Entry* PaymentBook::entry(PaymentId id, std::uint64_t sequence) {
    if (bring(id) == nullptr) return nullptr;
    Entry* found = entries_.find(id)->second.get();
    return sequence <= found->loaded ? nullptr : found;
}

std::uint32_t PaymentBook::uses(PaymentId id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() ? 0 : found->second->uses;
}

void PaymentBook::for_each(const std::function<void(const Payment&)>& visit) const {
    for (const auto& [id, entry] : entries_) visit(entry->payment);
}

void PaymentBook::add(Entry entry) {
    const PaymentId id = entry.payment.id;
    const bool open = is_open(entry.payment);
    entries_.emplace(id, std::make_unique<Entry>(std::move(entry)));
    if (!open) completed_.push_back(id);
}

void PaymentBook::completed(const Payment& payment) {
    completed_.push_back(payment.id);
}

void PaymentBook::evict(std::size_t keep, std::uint64_t up_to, const std::function<void(PaymentId)>& evicted) {
    while (completed_.size() > keep) {
        const PaymentId oldest = completed_.front();
        const auto found = entries_.find(oldest);
        if (found != entries_.end()) {
            if (found->second->payment.sequence > up_to) return;
            entries_.erase(found);
            evicted(oldest);
        }
        completed_.pop_front();
    }
}

}  // namespace jiaozi::payments
