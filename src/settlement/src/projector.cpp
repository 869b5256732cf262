#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <jiaozi/api/json.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/registry/events.hpp>
#include <jiaozi/registry/payments.hpp>
#include <jiaozi/settlement/book.hpp>
#include <jiaozi/settlement/projector.hpp>

namespace jiaozi::settlement {
namespace {

constexpr std::size_t most_waiting = 50'000;  // changes
constexpr std::size_t changes_per_write = 2'000;
constexpr std::chrono::milliseconds retry_after(500);

bool is_note(ChangeKind kind) {
    return kind >= ChangeKind::note_known;
}

Timestamp at_second(std::uint32_t second) {
    return Timestamp{std::uint64_t{second} * 1'000'000'000};
}

// What a change of a note makes of its payment.
struct Made {
    NoteState note = NoteState::known;
    PaymentState payment = PaymentState::pending;
    jiaozi::Reason reason = jiaozi::Reason::none;
};
Made made_of(ChangeKind kind) {
    switch (kind) {
        case ChangeKind::note_pending:
            return {NoteState::pending, PaymentState::pending, jiaozi::Reason::none};
        case ChangeKind::note_settled:
        case ChangeKind::note_recovered:
            return {NoteState::settled, PaymentState::captured, jiaozi::Reason::none};
        case ChangeKind::note_voided:
            return {NoteState::voided, PaymentState::voided, jiaozi::Reason::payee_voided};
        case ChangeKind::note_lapsed:
            return {NoteState::lapsed, PaymentState::voided, jiaozi::Reason::not_claimed};
        case ChangeKind::note_reversed:
            return {NoteState::reversed, PaymentState::voided, jiaozi::Reason::payee_voided};
        default:
            return {};
    }
}

std::string offline_json(const Change& change, NoteState state) {
    return api::JsonObject()
        .text("note", to_hex(change.note))
        .text("state", name_of(state))
        .number("payer_purse", change.purse)
        .number("payee_purse", change.payee)
        .number("hops", change.hops)
        .time("made", at_second(change.made))
        .time("settled", change.settled)
        .minor("owed", change.owed)
        .take();
}

std::string alarm_json(const Change& change) {
    return api::JsonObject("purse_alarm")
        .number("version", change.serial)
        .text("head", to_hex(change.note))
        .time("updated", change.at)
        .take();
}

std::string purse_json(const Change& change) {
    if (change.kind == ChangeKind::two_lists) return alarm_json(change);
    api::JsonObject json("purse_change");
    json.number("purse", change.purse).id("wallet", change.wallet).text("asset", change.asset.name());
    if (change.kind == ChangeKind::loaded || change.kind == ChangeKind::refunded) {
        json.id("load", change.load)
            .number("serial", change.serial)
            .minor("amount", change.amount)
            .minor("collateral", change.collateral);
    }
    return json.time("updated", change.at).take();
}

}  // namespace

std::string_view event_type(ChangeKind kind) {
    switch (kind) {
        case ChangeKind::enrolled:
            return "purse.enrolled";
        case ChangeKind::loaded:
            return "purse.loaded";
        case ChangeKind::refunded:
            return "purse.refunded";
        case ChangeKind::frozen:
            return "purse.frozen";
        case ChangeKind::lost:
            return "purse.lost";
        case ChangeKind::two_lists:
            return "purse.two_lists";
        case ChangeKind::note_known:
        case ChangeKind::note_pending:
            return "payment.pending";
        case ChangeKind::note_settled:
            return "payment.captured";
        case ChangeKind::note_voided:
        case ChangeKind::note_lapsed:
        case ChangeKind::note_reversed:
            return "payment.voided";
        case ChangeKind::note_recovered:
            return "payment.recovered";
    }
    return {};
}

Payment payment_of(const Change& change) {
    const Made made = made_of(change.kind);
    Payment payment;
    payment.id = payment_of(change.note);
    payment.kind = PaymentKind::offline;
    payment.state = payment.first_state = made.payment;
    payment.reason = made.reason;
    payment.amount = Amount(change.amount, change.asset);
    if (made.payment == PaymentState::captured) payment.captured_minor = change.amount - change.owed;
    payment.payer_wallet = change.wallet;
    payment.payee_wallet = change.payee_wallet;
    payment.payer_device = change.device;
    payment.device = change.payee_device;
    payment.sequence = change.sequence;
    payment.created = change.heard;
    payment.updated = change.at;
    payment.expires = at_second(change.deadline);
    payment.offline = offline_json(change, made.note);
    return payment;
}

Event event_of(const Change& change, std::uint32_t index) {
    Event event;
    // Time, journal sequence and index within the command, as for payments: a command is one service's.
    event.id =
        EventId((static_cast<uint128>(change.at.ms()) << 80) | (static_cast<uint128>(change.sequence) << 16) | index);
    event.type = event_type(change.kind);
    event.created = change.at;
    if (is_note(change.kind)) {
        event.object_id = payment_of(change.note).to_string();
        event.data = api::json_of(payment_of(change));
    } else {
        const bool of_purse = change.kind != ChangeKind::two_lists;
        event.object_id = std::to_string(of_purse ? change.purse : change.serial);
        event.data = purse_json(change);
    }
    return event;
}

class Projector::Impl {
  public:
    explicit Impl(api::EventSignal* signal) : signal_(signal) {}
    ~Impl() {
        {
            const std::lock_guard guard(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        if (writer_.joinable()) writer_.join();
    }

    Result<> start(registry::Store& store) {
        JZ_TRY(session_, store.session(registry::Durability::projection));
        JZ_TRY(written_, registry::projection_sequence(*session_, projection_name));
        writer_ = std::thread([this] { write_until_stopped(); });
        return {};
    }

    void follow(std::vector<Change> changes, bool may_wait) {
        std::unique_lock lock(mutex_);
        if (changes.empty() || changes.front().sequence <= written_) return;
        if (may_wait) changed_.wait(lock, [&] { return stopping_ || waiting_.size() < most_waiting || failing_; });
        told_ = changes.back().sequence;
        waiting_.insert(waiting_.end(), std::move_iterator(changes.begin()), std::move_iterator(changes.end()));
        changed_.notify_all();
    }

    std::uint64_t followed() const {
        const std::lock_guard guard(mutex_);
        return written_;
    }

    std::uint64_t told() const {
        const std::lock_guard guard(mutex_);
        return told_;
    }
    bool wait_for(std::uint64_t sequence, Duration patience) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::nanoseconds(patience.ns), [&] { return written_ >= sequence; });
    }
    bool wait_until_written(Duration patience) const {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::nanoseconds(patience.ns),
                                 [&] { return waiting_.empty() && !writing_; });
    }

  private:
    void write_until_stopped() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
            if (stopping_) return;
            const std::vector<Change> piece = take_piece();
            writing_ = true;
            changed_.notify_all();
            lock.unlock();
            auto done = write(piece);
            lock.lock();
            while (!done.ok() && !stopping_) {
                log::error("the projection of purses waits", {{"cause", done.error().to_string()}});
                failing_ = true;
                changed_.notify_all();
                changed_.wait_for(lock, retry_after, [&] { return stopping_; });
                lock.unlock();
                done = write(piece);
                lock.lock();
            }
            failing_ = false;
            writing_ = false;
            if (done.ok()) written_ = piece.back().sequence;
            changed_.notify_all();
        }
    }

    // Some thousand, and the rest of the last one's command.
    std::vector<Change> take_piece() {
        std::size_t end = std::min(waiting_.size(), changes_per_write);
        while (end < waiting_.size() && waiting_[end].sequence == waiting_[end - 1].sequence) ++end;
        const auto last = waiting_.begin() + static_cast<std::ptrdiff_t>(end);
        std::vector<Change> piece(std::move_iterator(waiting_.begin()), std::move_iterator(last));
        waiting_.erase(waiting_.begin(), last);
        return piece;
    }

    Result<> write(const std::vector<Change>& piece) {
        std::vector<Event> events;
        std::vector<Payment> payments;
        events.reserve(piece.size());
        std::uint64_t sequence = 0;
        std::uint32_t index = 0;
        for (const Change& change : piece) {
            index = change.sequence == sequence ? index + 1 : 0;
            sequence = change.sequence;
            events.push_back(event_of(change, index));
            if (is_note(change.kind)) payments.push_back(payment_of(change));
        }
        const auto write_all = [&]() -> Result<> {
            JZ_CHECK(registry::upsert_many(*session_, payments));
            JZ_CHECK(registry::append_many(*session_, events));
            return registry::set_projection_sequence(*session_, projection_name, sequence);
        };
        JZ_CHECK(session_->in_transaction(write_all));
        if (signal_ != nullptr) {
            const auto newest = registry::newest_event_position(*session_);
            if (newest.ok()) signal_->stored_up_to(*newest);
        }
        return {};
    }

    api::EventSignal* const signal_;
    std::unique_ptr<registry::Session> session_;  // the writer's own, once it runs

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;  // guards what follows
    std::vector<Change> waiting_;
    std::uint64_t written_ = 0;  // changes up to this sequence are in the registry
    std::uint64_t told_ = 0;     // of the newest change that was told and is not older than written_
    bool writing_ = false;
    bool failing_ = false;
    bool stopping_ = false;

    std::thread writer_;
};

Projector::Projector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Projector::~Projector() = default;

Result<std::unique_ptr<Projector>> Projector::start(registry::Store& store, api::EventSignal* signal) {
    auto impl = std::make_unique<Impl>(signal);
    JZ_CHECK(impl->start(store));
    return std::unique_ptr<Projector>(new Projector(std::move(impl)));
}

void Projector::follow(std::vector<Change> changes, bool may_wait) {
    impl_->follow(std::move(changes), may_wait);
}
std::uint64_t Projector::followed() const {
    return impl_->followed();
}
std::uint64_t Projector::told() const {
    return impl_->told();
}
bool Projector::wait_for(std::uint64_t sequence, Duration patience) const {
    return impl_->wait_for(sequence, patience);
}
bool Projector::wait_until_written(Duration patience) const {
    return impl_->wait_until_written(patience);
}

}  // namespace jiaozi::settlement
