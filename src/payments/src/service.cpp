#include <algorithm>
#include <condition_variable>
#include <mutex>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/base/log.hpp>

#include "chains.hpp"
#include "impl.hpp"

namespace jiaozi::payments {

std::string_view refusal_in(const engine::Outcome& outcome) {
    using ledger::CreateTransferResult;
    for (const CreateTransferResult result : outcome.transfers) {
        if (result != CreateTransferResult::ok && result != CreateTransferResult::exists &&
            result != CreateTransferResult::linked_event_failed) {
            return name_of(result);
        }
    }
    return "none";
}

PaymentService::Impl::Impl(const Parts& parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      completions_(std::make_shared<Completions>(parts.app)),
      book_({.load = [this](PaymentId id) { return load(id); },
             .payment_of_hold = [this](uint128 pending_id) { return payment_of_hold(pending_id); }}),
      allowances_(parts.engine) {}

PaymentService::Impl::~Impl() {
    subscription_.reset();
    completions_->close();
    if (resend_timer_ != 0) parts_.app.cancel(resend_timer_);
}

// What the archive has needs no journal: of it the book wants only what is in delivery. Returns the command up to which
// that is.
Result<std::uint64_t> PaymentService::Impl::begin_behind_archive() {
    const std::uint64_t projected = parts_.archive.projected_sequence();  // first: what follows may be newer
    if (projected == 0) return projected;
    JZ_TRY(archived_, parts_.archive.known_ids());
    JZ_TRY(const std::vector<Payment> open, parts_.archive.open_payments());
    for (const Payment& payment : open) {
        std::uint32_t uses = 0;
        for (;; ++uses) {
            JZ_TRY(const auto use, parts_.engine.transfer(use_id(payment.id, uses)));
            if (!use) break;
        }
        book_.restore(payment, uses);
    }
    return projected;
}

// Reads what the journal has behind the archive, up to now, on the feed's thread, while this one waits; from there on
// the feed only tells which holds ran out, because the service knows its own commands' outcomes.
Result<> PaymentService::Impl::recover() {
    struct Progress {
        std::mutex mutex;
        std::condition_variable moved;
        bool finished = false;
        std::optional<Error> failure;
    };
    const auto progress = std::make_shared<Progress>();
    const std::uint64_t target = parts_.engine.last_sequence();
    JZ_TRY(const std::uint64_t from, begin_behind_archive());
    log::info("payments begin", {{"archive", std::to_string(from)},
                                 {"read", std::to_string(target - std::min(from, target))},
                                 {"open", std::to_string(book_.size())},
                                 {"ids", std::to_string(archived_.size())}});
    progress->finished = from >= target;
    subscription_ = parts_.engine.subscribe(from, [this, progress, target](std::span<const engine::Committed> batch) {
        if (batch.front().sequence <= target) {
            auto folded = fold(batch, target);
            const std::lock_guard guard(progress->mutex);
            if (!folded.ok() && !progress->failure) progress->failure = std::move(folded).error();
            if (progress->failure || batch.back().sequence >= target) progress->finished = true;
            progress->moved.notify_all();
        }
        if (batch.back().sequence > target) tell_expired(batch, target);
    });
    std::unique_lock lock(progress->mutex);
    while (!progress->finished) {
        progress->moved.wait_for(lock, std::chrono::milliseconds(100));
        if (auto failure = subscription_->failure()) return std::move(*failure).in("read the journal");
    }
    if (progress->failure) return std::move(*progress->failure).in("recover payments");
    return {};
}

Result<> PaymentService::Impl::fold(std::span<const engine::Committed> batch, std::uint64_t up_to) {
    for (const engine::Committed& committed : batch) {
        if (committed.sequence > up_to) break;
        auto applied = book_.apply(committed, nullptr);
        if (!applied.ok()) {
            return Error(ErrorKind::corrupt, applied.error().message())
                .in("annotation of command " + std::to_string(committed.sequence));
        }
        if (archive_failure_) return Error(*archive_failure_);
    }
    evict();
    return {};
}

// On the feed's thread.
void PaymentService::Impl::tell_expired(std::span<const engine::Committed> batch, std::uint64_t after) {
    std::vector<ExpiredHold> holds;
    for (const engine::Committed& committed : batch) {
        if (committed.sequence <= after) continue;
        for (const ledger::Expired& expired : committed.expired) {
            const PaymentId payment = payment_of_hold(expired.pending_id);
            if (payment) holds.push_back({payment, committed.sequence, {expired.timestamp}});
        }
    }
    if (holds.empty()) return;
    parts_.app.post([alive = std::weak_ptr(alive_), holds = std::move(holds)] {
        if (const auto self = alive.lock()) (*self)->expired(holds);
    });
}

// Any thread.
PaymentId PaymentService::Impl::payment_of_hold(uint128 pending_id) const {
    const auto found = parts_.engine.transfer(pending_id);
    if (!found.ok()) {
        log::error(
            "the payment of a hold that ran out cannot be looked up; it shows as authorized until the journal is "
            "whole again and the server restarted",
            {{"hold", to_decimal(pending_id)}, {"cause", found.error().to_string()}});
        return {};
    }
    const std::optional<ledger::Transfer>& transfer = *found;
    return transfer && transfer->code == api::transfer_payment ? PaymentId(transfer->user_data_128) : PaymentId();
}

void PaymentService::Impl::start(api::DeviceLink& link) {
    JZ_ASSERT(link_ == nullptr);
    link_ = &link;
    std::vector<Payment> open;
    book_.for_each([&](const Payment& payment) {
        if (payment.state == PaymentState::authorized) open.push_back(payment);
    });
    std::ranges::sort(open, {}, &Payment::sequence);
    for (const Payment& payment : open) {
        if (payment.device) ++serving_[payment.device];
        open_saga(payment, true);
    }
    if (!open.empty()) log::info("payments in delivery go on", {{"count", std::to_string(open.size())}});
}

// What the archive has of a payment that has left the book.
std::optional<Payment> PaymentService::Impl::load(PaymentId id) {
    archive_failure_.reset();
    if (!archived_.contains(low64(id.value))) return std::nullopt;
    auto stored = parts_.archive.payment(id);
    if (!stored.ok()) {
        archive_failure_ = std::move(stored).error();
        return std::nullopt;
    }
    // Those that purses made stand there too, and are settlement's.
    if (*stored && (*stored)->kind == PaymentKind::offline) return std::nullopt;
    return std::move(stored).value();
}

Result<const Payment*> PaymentService::Impl::known(PaymentId id) {
    archive_failure_.reset();
    const Payment* payment = book_.bring(id);
    if (payment == nullptr && archive_failure_) return Error(*archive_failure_).in("look for " + id.to_string());
    return payment;
}

void PaymentService::Impl::submit(engine::Command command, Completions::Done done) {
    completions_->submit(parts_.engine, std::move(command), std::move(done));
}

void PaymentService::Impl::tally(const Payment& payment) {
    switch (payment.state) {
        case PaymentState::captured:
            ++counters_.captured;
            break;
        case PaymentState::voided:
            ++counters_.voided;
            if (payment.late_delivery) ++counters_.late_deliveries;
            break;
        case PaymentState::declined:
            ++counters_.declined;
            break;
        case PaymentState::failed:
            ++counters_.failed;
            break;
        case PaymentState::pending:
        case PaymentState::authorized:
            break;
    }
}

void PaymentService::Impl::evict() {
    book_.evict(options_.keep_completed, parts_.archive.projected_sequence(),
                [this](PaymentId id) { archived_.insert(low64(id.value)); });
}

void PaymentService::Impl::find(PaymentId id, api::Done<Payment> done) {
    if (const auto found = creating_.find(id); found != creating_.end()) {
        Payment pending = found->second->fact.payment;  // a refusal that is not on disk yet is not told
        pending.state = PaymentState::pending;
        pending.reason = Reason::none;
        return done(std::move(pending));
    }
    auto stored = known(id);
    if (!stored.ok()) return done(std::move(stored).error());
    if (*stored == nullptr) return done(payment_not_found(id));
    done(**stored);
}

Result<api::PaymentCode> PaymentService::Impl::new_payment_code(WalletId wallet_id, MemberId member_id) {
    const Wallet* wallet = parts_.groups.wallet(wallet_id);
    if (wallet == nullptr) {
        return Error(ErrorKind::not_found, "there is no wallet " + wallet_id.to_string())
            .with_code("wallet_not_found")
            .with_param("wallet");
    }
    const Member* member = parts_.groups.member(member_id);
    if (member == nullptr || member->group != wallet->group) {
        return Error(ErrorKind::declined, member_id.to_string() + " is not a member of the wallet's group")
            .with_code(name_of(Reason::payer_not_member))
            .with_param("member");
    }
    return codes_.make(wallet_id, member_id, parts_.clock.now(), options_.code_lifetime);
}

Result<api::DynamicQr> PaymentService::Impl::new_qr(PaymentId id, DeviceId machine_id, std::uint32_t slot,
                                                    std::uint32_t quantity) {
    if (!id) return Error(ErrorKind::invalid, "a payment needs an id").with_param("id");
    if (quantity == 0) return Error(ErrorKind::invalid, "quantity must be at least 1").with_param("quantity");
    const Device* machine = parts_.devices.find(machine_id);
    if (machine == nullptr) {
        return Error(ErrorKind::not_found, "there is no device " + machine_id.to_string())
            .with_code("device_not_found")
            .with_param("device");
    }
    if (machine->state != DeviceState::active) {
        return Error(ErrorKind::conflict, machine_id.to_string() + " is " + std::string(name_of(machine->state)))
            .with_code(name_of(Reason::device_not_active));
    }
    JZ_TRY(const Amount amount, price_of(parts_.merchants, machine_id, slot, quantity));
    const Merchant* merchant = parts_.merchants.merchant(machine->merchant);
    if (merchant == nullptr || amount.is_zero()) {
        return Error(ErrorKind::not_found, machine_id.to_string() + " sells nothing in slot " + std::to_string(slot))
            .with_code("product_unavailable")
            .with_param("slot");
    }
    const Timestamp now = parts_.clock.now();
    QrOffer offer{id, machine_id, slot, quantity, amount, now + options_.qr_lifetime, false};
    if (const QrOffer* old = qrs_.look(id, now)) {
        const bool same =
            old->machine == machine_id && old->slot == slot && old->quantity == quantity && old->amount == amount;
        if (!same || old->used) return idempotency_mismatch(id.to_string());
        offer.expires = old->expires;
    } else {
        JZ_TRY(const Payment* payment, known(id));
        if (payment != nullptr || creating_.contains(id)) return idempotency_mismatch(id.to_string());
    }
    JZ_TRY(std::string payload, qr_payload(id, amount, *merchant));
    JZ_CHECK(qrs_.put(offer, now));
    return api::DynamicQr{id, std::move(payload), offer.expires};
}

PaymentService::PaymentService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PaymentService::~PaymentService() = default;

Result<std::unique_ptr<PaymentService>> PaymentService::recover(const Parts& parts, Options options) {
    if (options.hold_s == 0 || options.command_lifetime >= seconds(options.hold_s)) {
        return Error(ErrorKind::invalid, "command_lifetime must be shorter than the hold")
            .with_param("command_lifetime");
    }
    auto impl = std::make_unique<Impl>(parts, std::move(options));
    JZ_CHECK(impl->recover());
    return std::unique_ptr<PaymentService>(new PaymentService(std::move(impl)));
}

void PaymentService::start(api::DeviceLink& link) {
    impl_->start(link);
}
void PaymentService::create(api::NewPayment request, api::Done<api::PaymentAnswer> done) {
    impl_->create(std::move(request), std::move(done));
}
void PaymentService::find(PaymentId id, api::Done<Payment> done) {
    impl_->find(id, std::move(done));
}
void PaymentService::cancel(PaymentId id, api::Done<Payment> done) {
    impl_->cancel(id, std::move(done));
}
void PaymentService::refund(RefundId id, PaymentId payment, std::optional<Amount> amount,
                            api::Done<api::RefundAnswer> done) {
    impl_->refund(id, payment, amount, std::move(done));
}
Result<api::PaymentCode> PaymentService::new_payment_code(WalletId wallet, MemberId member) {
    return impl_->new_payment_code(wallet, member);
}
Result<api::DynamicQr> PaymentService::new_qr(PaymentId id, DeviceId machine, std::uint32_t slot,
                                              std::uint32_t quantity) {
    return impl_->new_qr(id, machine, slot, quantity);
}
void PaymentService::command_acknowledged(DeviceId machine, PaymentId payment, bool accepted) {
    impl_->acknowledged(machine, payment, accepted);
}
void PaymentService::delivery_reported(DeviceId machine, PaymentId payment, DeliveryResult result,
                                       std::uint32_t delivered, api::Done<api::ReportOutcome> done) {
    impl_->reported(machine, {payment, result, delivered, 0}, std::move(done));
}
Counters PaymentService::counters() const {
    return impl_->counters();
}

}  // namespace jiaozi::payments
