#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/api/json.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/payments/archive.hpp>
#include <jiaozi/payments/book.hpp>
#include <jiaozi/payments/projector.hpp>
#include <jiaozi/registry/events.hpp>
#include <jiaozi/registry/payments.hpp>

namespace jiaozi::payments {
namespace {

constexpr std::size_t keep_completed = 20'000;  // a payment is often refunded or reported late soon, or never
// One SQL transaction writes at most so many changes, so that others get their turn and a retry repeats little.
constexpr std::size_t changes_per_write = 5'000;

std::string_view event_type(ChangeKind kind) {
    switch (kind) {
        case ChangeKind::authorized:
            return "payment.authorized";
        case ChangeKind::captured:
            return "payment.captured";
        case ChangeKind::voided:
            return "payment.voided";
        case ChangeKind::declined:
            return "payment.declined";
        case ChangeKind::failed:
            return "payment.failed";
        case ChangeKind::refunded:
            return "payment.refunded";
        case ChangeKind::late_delivery:
            return "payment.late_delivery";
        case ChangeKind::deposited:
            return "wallet.deposited";
        case ChangeKind::recorded:
            break;
    }
    return {};
}

// Time, journal sequence and index within the command: the same command makes the same events whenever it is projected.
EventId event_id(const Change& change, std::uint32_t index) {
    const uint128 time = static_cast<uint128>(change.at.ms()) << 80;
    return EventId(time | (static_cast<uint128>(change.sequence) << 16) | index);
}

std::string deposit_json(const DepositFact& deposit, Timestamp created) {
    return api::JsonObject("deposit")
        .id("id", deposit.deposit)
        .id("wallet", deposit.wallet)
        .amount(deposit.amount)
        .time("created", created)
        .take();
}

Event event_of(const Change& change, std::uint32_t index) {
    Event event;
    event.id = event_id(change, index);
    event.type = event_type(change.kind);
    event.created = change.at;
    if (change.kind == ChangeKind::deposited) {
        event.object_id = change.deposit.wallet.to_string();
        event.data = deposit_json(change.deposit, change.at);
    } else {
        event.object_id = change.payment.id.to_string();
        event.data = api::json_of(change.payment);
    }
    return event;
}

// Rows and events of a run of changes, ready for SQL.
struct Rows {
    std::vector<Payment> payments;  // each once, as it is after the last of its changes
    std::vector<Refund> refunds;
    std::vector<Event> events;
};

Rows rows_of(std::span<const Change> changes) {
    Rows rows;
    boost::unordered_flat_map<PaymentId, std::size_t, std::hash<PaymentId>> at;
    std::uint64_t sequence = 0;
    std::uint32_t index = 0;
    for (const Change& change : changes) {
        index = change.sequence == sequence ? index + 1 : 0;
        sequence = change.sequence;
        if (change.kind != ChangeKind::recorded) rows.events.push_back(event_of(change, index));
        if (change.kind == ChangeKind::deposited) continue;
        const auto [found, fresh] = at.emplace(change.payment.id, rows.payments.size());
        if (fresh) {
            rows.payments.push_back(change.payment);
        } else {
            rows.payments[found->second] = change.payment;
        }
        if (change.kind == ChangeKind::refunded) rows.refunds.push_back(change.refund);
    }
    return rows;
}

std::chrono::nanoseconds real(Duration duration) {
    return std::chrono::nanoseconds(duration.ns);
}

}  // namespace

class Projector::Impl {
  public:
    Impl(engine::Engine& engine, api::EventSignal* signal, ProjectorOptions options)
        : engine_(engine),
          signal_(signal),
          options_(options),
          book_({.load = [this](PaymentId id) { return load(id); },
                 .payment_of_hold = [this](uint128 id) { return payment_of_hold(id); }}) {}
    ~Impl() {
        {
            const std::lock_guard guard(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        subscription_.reset();
        if (writer_.joinable()) writer_.join();
    }

    Result<> start(registry::Store& store) {
        JZ_TRY(reading_, store.session(registry::Durability::projection));
        JZ_TRY(writing_, store.session(registry::Durability::projection));
        JZ_TRY(const std::uint64_t from, registry::projection_sequence(*writing_, projection_name));
        if (from > engine_.last_sequence()) {
            return Error(ErrorKind::corrupt, "the registry is ahead of the journal (" + std::to_string(from) +
                                                 " over " + std::to_string(engine_.last_sequence()) +
                                                 "): they do not belong together; rebuild the projections")
                .with_code("projection_ahead");
        }
        folded_ = from;
        projected_.store(from, std::memory_order_release);
        writer_ = std::thread([this] { write_until_stopped(); });
        subscription_ = engine_.subscribe(from, [this](std::span<const engine::Committed> batch) { fold(batch); });
        return {};
    }

    std::uint64_t projected() const { return projected_.load(std::memory_order_acquire); }
    std::uint64_t lag() const {
        const std::uint64_t newest = engine_.last_sequence();
        const std::uint64_t done = projected();
        return newest > done ? newest - done : 0;
    }
    bool wait_for(std::uint64_t sequence, Duration patience) const {
        std::unique_lock lock(mutex_);
        return advanced_.wait_for(lock, real(patience), [&] { return projected() >= sequence; });
    }
    std::optional<Error> failure() const {
        {
            const std::lock_guard guard(mutex_);
            if (failure_) return failure_;
        }
        return subscription_ ? subscription_->failure() : std::nullopt;
    }

  private:
    // On the feed's thread: folds, and waits while too much is not written yet.
    void fold(std::span<const engine::Committed> batch) {
        yield_to_payments(folding_);
        std::vector<Change> changes;
        for (const engine::Committed& committed : batch) {
            if (broken_) return;
            auto applied = book_.apply(committed, &changes);
            if (!applied.ok()) {
                break_off(Error(ErrorKind::corrupt, applied.error().message())
                              .in("annotation of command " + std::to_string(committed.sequence)));
                return;
            }
        }
        book_.evict(keep_completed, projected(), [](PaymentId) {});
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopping_ || waiting_.size() < options_.max_waiting; });
        if (stopping_) return;
        waiting_.insert(waiting_.end(), std::move_iterator(changes.begin()), std::move_iterator(changes.end()));
        folded_ = batch.back().sequence;
        changed_.notify_all();
    }

    // Something that no retry will mend. Nothing more is projected until a person has looked.
    void break_off(Error error) {
        log::error("projection stopped", {{"cause", error.to_string()}});
        broken_ = true;
        const std::lock_guard guard(mutex_);
        failure_ = std::move(error);
    }

    void write_until_stopped() {
        bool niced = false;
        yield_to_payments(niced);
        for (;;) {
            std::vector<Change> changes;
            std::uint64_t up_to = 0;
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] { return stopping_ || folded_ > projected(); });
                if (stopping_) return;
                changes.swap(waiting_);
                up_to = folded_;
                changed_.notify_all();
            }
            for (std::size_t at = 0;;) {
                const std::size_t end = end_of_piece(changes, at);
                // A piece ends where a command ends; the last one also takes the commands that changed nothing.
                const std::uint64_t sequence = end == changes.size() ? up_to : changes[end].sequence - 1;
                if (!write_with_retries(rows_of(std::span(changes).subspan(at, end - at)), sequence)) return;
                at = end;
                if (at == changes.size()) break;
            }
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, real(options_.gather), [&] { return stopping_; });
            if (stopping_) return;
        }
    }

    static std::size_t end_of_piece(const std::vector<Change>& changes, std::size_t at) {
        std::size_t end = std::min(changes.size(), at + changes_per_write);
        while (end > at && end < changes.size() && changes[end].sequence == changes[end - 1].sequence) ++end;
        return end;
    }

    // False: stopped before it succeeded.
    bool write_with_retries(const Rows& rows, std::uint64_t sequence) {
        for (;;) {
            auto written = write(rows, sequence);
            if (written.ok() && !rows.events.empty()) tell_followers();
            std::unique_lock lock(mutex_);
            if (written.ok()) {
                failure_.reset();
                projected_.store(sequence, std::memory_order_release);
                advanced_.notify_all();
                return true;
            }
            log::error("projection waits", {{"cause", written.error().to_string()}});
            failure_ = std::move(written).error();
            changed_.wait_for(lock, real(options_.retry_after), [&] { return stopping_; });
            if (stopping_) return false;
        }
    }

    Result<> write(const Rows& rows, std::uint64_t sequence) {
        return writing_->in_transaction([&]() -> Result<> {
            JZ_CHECK(registry::upsert_many(*writing_, rows.payments));
            JZ_CHECK(registry::insert_many(*writing_, rows.refunds));
            JZ_CHECK(registry::append_many(*writing_, rows.events));
            return registry::set_projection_sequence(*writing_, projection_name, sequence);
        });
    }

    void tell_followers() {
        if (signal_ == nullptr) return;
        const auto newest = registry::newest_event_position(*writing_);
        if (newest.ok()) signal_->stored_up_to(*newest);
    }

    // A payment that has left the book has been written. SQL may be away for a while: then the feed waits.
    std::optional<Payment> load(PaymentId id) {
        for (;;) {
            auto stored = registry::get_payment(*reading_, id);
            if (stored.ok()) return std::move(stored).value();
            if (stored.error().kind() == ErrorKind::not_found) return std::nullopt;
            if (!wait_to_retry(std::move(stored).error())) return std::nullopt;
        }
    }

    // False when it is to stop: what is folded from here on is not written.
    bool wait_to_retry(Error failure) {
        std::unique_lock lock(mutex_);
        failure_ = std::move(failure);
        changed_.wait_for(lock, real(options_.retry_after), [&] { return stopping_; });
        return !stopping_;
    }

    PaymentId payment_of_hold(uint128 pending_id) {
        auto found = engine_.transfer(pending_id);
        while (!found.ok() && wait_to_retry(Error(found.error()))) found = engine_.transfer(pending_id);
        if (!found.ok()) return {};
        const std::optional<ledger::Transfer>& transfer = *found;
        return transfer && transfer->code == api::transfer_payment ? PaymentId(transfer->user_data_128) : PaymentId();
    }

    // Linux counts niceness by thread.
    void yield_to_payments(bool& done) const {
        if (std::exchange(done, true) || options_.nice == 0) return;
        if (setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), options_.nice) != 0) {
            log::debug("projector runs at ordinary priority");
        }
    }

    engine::Engine& engine_;
    api::EventSignal* const signal_;
    const ProjectorOptions options_;

    // The feed thread's own.
    PaymentBook book_;
    std::unique_ptr<registry::Session> reading_;
    bool folding_ = false;
    bool broken_ = false;
    // The writer's own.
    std::unique_ptr<registry::Session> writing_;

    std::atomic<std::uint64_t> projected_{0};
    mutable std::mutex mutex_;
    std::condition_variable changed_;  // guards what follows
    mutable std::condition_variable advanced_;
    std::vector<Change> waiting_;
    std::uint64_t folded_ = 0;
    bool stopping_ = false;
    std::optional<Error> failure_;

    std::thread writer_;
    std::unique_ptr<engine::Subscription> subscription_;
};

Projector::Projector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Projector::~Projector() = default;

Result<std::unique_ptr<Projector>> Projector::start(engine::Engine& engine, registry::Store& store,
                                                    api::EventSignal* signal, ProjectorOptions options) {
    auto impl = std::make_unique<Impl>(engine, signal, options);
    JZ_CHECK(impl->start(store));
    return std::unique_ptr<Projector>(new Projector(std::move(impl)));
}

std::uint64_t Projector::projected_sequence() const {
    return impl_->projected();
}
std::uint64_t Projector::lag() const {
    return impl_->lag();
}
bool Projector::wait_for(std::uint64_t sequence, Duration patience) const {
    return impl_->wait_for(sequence, patience);
}
std::optional<Error> Projector::failure() const {
    return impl_->failure();
}

Result<std::uint64_t> rebuild_projections(engine::Engine& engine, registry::Store& store) {
    {
        JZ_TRY(const auto session, store.session());
        JZ_CHECK(registry::clear_projection(*session));
    }
    const std::uint64_t target = engine.last_sequence();
    JZ_TRY(const auto projector, Projector::start(engine, store, nullptr, {.gather = {}, .nice = 0}));
    while (!projector->wait_for(target, seconds(1))) {
        if (auto failure = projector->failure()) return std::move(*failure).in("rebuild the projections");
    }
    return projector->projected_sequence();
}

Result<std::optional<Payment>> RegistryArchive::payment(PaymentId id) {
    auto stored = registry::get_payment(*session_, id);
    if (stored.ok()) return std::optional(std::move(stored).value());
    if (stored.error().kind() == ErrorKind::not_found) return std::optional<Payment>();
    return std::move(stored).error();
}

std::uint64_t RegistryArchive::projected_sequence() const {
    return projector_.projected_sequence();
}

Result<std::vector<Payment>> RegistryArchive::open_payments() {
    return registry::open_payments(*session_);
}

Result<KnownIds> RegistryArchive::known_ids() {
    return payments::known_ids(*session_, directory_);
}

}  // namespace jiaozi::payments
