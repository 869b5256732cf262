// Hello, welcome, sealing, hearing, and when to send again.
#include <algorithm>
#include <type_traits>
#include <utility>

#include <jiaozi/crypto/secret.hpp>

#include "impl.hpp"

namespace jiaozi::device {
namespace {

using protocol::MessageType;
using protocol::RefusalCode;

constexpr Duration hello_gap = seconds(1);     // never faster, whatever the reason
constexpr Duration stopped_for = seconds(60);  // what the server does not know or want asks again this seldom
constexpr std::uint32_t heartbeat_at_most_s = 86'400;

}  // namespace

// ---- time

std::int64_t DeviceClient::Impl::device_ms() const noexcept {
    return static_cast<std::int64_t>(now().ms()) + wire_.faults().clock_skew.ms();
}

std::uint64_t DeviceClient::Impl::wire_ms() const noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(device_ms(), 0));
}

// A clock set back makes everything measured with it wrong; a new hello measures again. (Set forward, it only makes
// commands look expired, which on_command() notices.)
void DeviceClient::Impl::watch_clock() {
    const std::int64_t current = device_ms();
    if (current < last_device_ms_) {
        server_time_.forget();
        if (session_) end_session();
    }
    last_device_ms_ = current;
}

// ---- hello

void DeviceClient::Impl::end_session() {
    session_.reset();
    hello_.reset();
    next_hello_ = Timer(last_hello_, hello_gap);
    say_hello_if_due();
}

void DeviceClient::Impl::stop_for_a_while() {
    session_.reset();
    hello_.reset();
    next_hello_ = Timer(now(), stopped_for);
}

void DeviceClient::Impl::say_hello_if_due() {
    if (!connected_ || !is_claimed() || session_ || !next_hello_.due(now())) return;
    // While a rotation is under way the server may know either key: the new one first, then by turns.
    send_hello(data().next_key.has_value() && hellos_unanswered_ % 2 == 0);
}

void DeviceClient::Impl::send_hello(bool under_next_key) {
    const std::uint64_t time_ms = std::max({wire_ms(), data().last_hello_ms + 1, hello_floor_ms_});
    ++hellos_unanswered_;
    last_hello_ = now();
    next_hello_ = Timer(now(), resend_delay(hellos_unanswered_));
    // Stored before it is sent: after a restart no hello may have an older time.
    const std::uint64_t previous = std::exchange(data().last_hello_ms, time_ms);
    if (!commit().ok()) {
        data().last_hello_ms = previous;
        return;
    }
    PendingHello hello{.ephemeral = crypto::generate_x25519(),
                       .nonce = {},
                       .seq = ++hello_seq_,
                       .time_ms = time_ms,
                       .device_ms = device_ms(),
                       .under_next_key = under_next_key};
    crypto::random_bytes(hello.nonce);
    const protocol::Message message{
        .device = data().device,
        .session = std::nullopt,
        .seq = hello.seq,
        .time_ms = time_ms,
        .body = protocol::Hello{hello.ephemeral.public_key, hello.nonce, options_.firmware}};
    hello_ = std::move(hello);
    const Identity& identity = under_next_key ? next_identity_ : identity_;
    auto sealed = protocol::seal(message, *identity.signer, identity.kid);
    if (!sealed.ok()) return effect(actions_.trouble, sealed.error());
    ++counters_.hellos;
    wire_.send(std::move(sealed).value());
}

void DeviceClient::Impl::on(const protocol::Message& message, const protocol::Welcome& welcome) {
    if (!hello_ || welcome.nonce != hello_->nonce || welcome.hello_seq != hello_->seq) {
        ++counters_.duplicates;  // of a hello before the last one, whose session the last one ends
        return;
    }
    const protocol::KeyId kid = hello_->under_next_key ? next_identity_.kid : identity_.kid;
    auto keys = protocol::derive_session_keys(hello_->ephemeral.private_key.view(), welcome.ephemeral, welcome.nonce,
                                              welcome.session, data().device, kid);
    if (!keys.ok()) {
        ++counters_.bad;
        return;
    }
    server_time_.measured(hello_->device_ms, message.time_ms);
    const Duration heartbeat = seconds(std::min(welcome.heartbeat_s, heartbeat_at_most_s));
    session_.emplace(Session{.id = welcome.session,
                             .keys = std::move(keys).value(),
                             .next_up = 1,
                             .window = {},
                             .began_ms = message.time_ms,
                             .expires_ms = signed_ms(welcome.expires_ms),
                             .heartbeat = heartbeat,
                             .next_heartbeat = Timer(now(), heartbeat),
                             .last_heard = now()});
    const bool under_next_key = hello_->under_next_key;
    hello_.reset();
    hellos_unanswered_ = 0;
    ++counters_.sessions;
    if (under_next_key) use_next_key();
    for (Outgoing& outgoing : outgoing_) {
        outgoing.sealed.clear();
        outgoing.times_sent = 0;
        outgoing.next = Timer();
    }
    effect(actions_.in_session);
    pump();
    next_turn();
}

// ---- sending

protocol::DeviceStatus DeviceClient::Impl::status() const noexcept {
    if (out_of_service_) return protocol::DeviceStatus::out_of_service;
    return begun_ >= options_.deliveries_at_once ? protocol::DeviceStatus::busy : protocol::DeviceStatus::ready;
}

// Only in a session. `seq` is set to the number given.
Result<Bytes> DeviceClient::Impl::seal(const protocol::Body& body, std::uint64_t& seq) {
    seq = session_->next_up++;
    const protocol::Message message{
        .device = data().device, .session = session_->id, .seq = seq, .time_ms = wire_ms(), .body = body};
    if (options_.sign_everything || protocol::always_signed(protocol::type_of(body))) {
        return protocol::seal(message, *identity_.signer, identity_.kid);
    }
    return protocol::seal(message, session_->keys.up);
}

void DeviceClient::Impl::send_once(const protocol::Body& body) {
    if (!session_) return;
    std::uint64_t seq = 0;
    auto sealed = seal(body, seq);
    if (!sealed.ok()) return effect(actions_.trouble, sealed.error());
    wire_.send(std::move(sealed).value());
}

void DeviceClient::Impl::keep(protocol::Body body, PaymentId payment) {
    outgoing_.push_back(
        {.body = std::move(body), .payment = payment, .seq = 0, .sealed = {}, .times_sent = 0, .next = Timer()});
    pump();
}

bool DeviceClient::Impl::held_by_fault(const Outgoing& outgoing) const noexcept {
    return wire_.faults().silent_after_ack && outgoing.type() == MessageType::delivery_report;
}

void DeviceClient::Impl::pump() {
    if (!session_) return;
    for (Outgoing& outgoing : outgoing_) {
        if (outgoing.next.due(now()) && !held_by_fault(outgoing)) send_outgoing(outgoing);
    }
}

void DeviceClient::Impl::send_outgoing(Outgoing& outgoing) {
    if (outgoing.sealed.empty()) {
        auto sealed = seal(outgoing.body, outgoing.seq);
        if (!sealed.ok()) {
            effect(actions_.trouble, sealed.error());
        } else {
            outgoing.sealed = std::move(sealed).value();
        }
    } else {
        ++counters_.resent;
    }
    outgoing.next = Timer(now(), resend_delay(++outgoing.times_sent));
    if (!outgoing.sealed.empty()) wire_.send(outgoing.sealed);
}

Outgoing* DeviceClient::Impl::find_outgoing(MessageType type, PaymentId payment) {
    const auto found = std::ranges::find_if(
        outgoing_, [&](const Outgoing& each) { return each.type() == type && each.payment == payment; });
    return found == outgoing_.end() ? nullptr : &*found;
}

void DeviceClient::Impl::answered(MessageType type, PaymentId payment) {
    std::erase_if(outgoing_, [&](const Outgoing& each) { return each.type() == type && each.payment == payment; });
}

void DeviceClient::Impl::resend_now(MessageType type, PaymentId payment) {
    if (Outgoing* const outgoing = find_outgoing(type, payment)) outgoing->next = Timer();
    pump();
}

// ---- hearing

// Everything that can be checked before the body means anything. nullopt: counted as bad.
std::optional<protocol::Message> DeviceClient::Impl::authenticate(ByteView bytes) {
    const auto envelope = protocol::peek(bytes, protocol::Direction::down);
    if (!envelope.ok() || !server_) return std::nullopt;
    if (envelope->is_signed()) {
        if (!equal(envelope->kid(), server_kid_) || !protocol::verify(*envelope, *server_).ok()) return std::nullopt;
    } else {
        if (!session_ || !equal(envelope->kid(), session_->id)) return std::nullopt;
        if (!protocol::verify(*envelope, session_->keys.down).ok()) return std::nullopt;
    }
    auto message = protocol::open(*envelope);
    if (!message.ok() || message->device != data().device) return std::nullopt;
    if (message->session && (!session_ || *message->session != session_->id)) return std::nullopt;
    return std::move(message).value();
}

// A duplicate is answered again, as every handler is idempotent; what is too old to be told from one is dropped.
bool DeviceClient::Impl::is_fresh_enough(const protocol::Message& message) {
    if (!message.session) return true;
    const auto verdict = session_->window.look(message.seq);
    if (verdict != protocol::SeqWindow::Verdict::fresh) ++counters_.duplicates;
    if (verdict == protocol::SeqWindow::Verdict::too_old) return false;
    session_->window.mark(message.seq);
    session_->last_heard = now();
    server_time_.seen(device_ms(), message.time_ms);
    return true;
}

void DeviceClient::Impl::receive(ByteView envelope) {
    ++counters_.received;
    if (wire_.lost()) return;
    watch_clock();
    const auto message = authenticate(envelope);
    if (!message) {
        ++counters_.bad;
        return;
    }
    if (!is_fresh_enough(*message)) return;
    std::visit(
        [&]<class B>(const B& body) {
            if constexpr (std::is_same_v<B, protocol::Welcome>) {
                on(*message, body);
            } else if constexpr (std::is_same_v<B, protocol::Command>) {
                on_command(*message, body);
            } else if constexpr (std::is_same_v<B, protocol::Probe>) {
                send_once(protocol::Heartbeat{status(), body.nonce});
            } else if constexpr (std::is_same_v<B, protocol::Cancel>) {
                on_cancel(body);
            } else if constexpr (std::is_same_v<B, protocol::ReportAck>) {
                on_report_ack(body);
            } else if constexpr (std::is_same_v<B, protocol::PayAnswer>) {
                on_pay_answer(body);
            } else if constexpr (std::is_same_v<B, protocol::Catalogue>) {
                on_catalogue(body);
            } else if constexpr (std::is_same_v<B, protocol::BalanceAnswer>) {
                on_balance(body);
            } else if constexpr (std::is_same_v<B, protocol::Qr>) {
                on_qr(body);
            } else if constexpr (std::is_same_v<B, protocol::Rotated>) {
                on_rotated(body);
            } else if constexpr (std::is_same_v<B, protocol::PurseTaken>) {
                on_purse_taken(body);
            } else if constexpr (std::is_same_v<B, protocol::PurseAnswer>) {
                on_purse_answer(body);
            } else if constexpr (std::is_same_v<B, protocol::ErrorAnswer>) {
                on_error(body, Trust::signature);
            }
            // A heartbeat_ack says only that the server is there, a claimed is taken by claimed(), and the others are
            // not in this direction.
        },
        message->body);
}

// ---- errors

void DeviceClient::Impl::on_error(const protocol::ErrorAnswer& error, Trust trust) {
    // Errors carry no session; one that was made before this session is an old one, or somebody plays it back.
    if (trust == Trust::signature && session_ && error.server_time_ms < session_->began_ms) {
        ++counters_.duplicates;
        return;
    }
    ++counters_.errors;
    switch (error.code) {
        case RefusalCode::session_unknown:
        case RefusalCode::bad_signature:
            if (session_) end_session();
            return;
        case RefusalCode::stale_hello:
            if (!hello_ || error.seq != hello_->seq) return;
            // Without progress the ordinary waiting goes on.
            if (error.server_time_ms > hello_->time_ms) next_hello_ = Timer();
            hello_floor_ms_ = std::max(hello_floor_ms_, static_cast<std::uint64_t>(signed_ms(error.server_time_ms)));
            return say_hello_if_due();
        case RefusalCode::unknown_device:
            // While a rotation is under way the other key may be the right one: asked in turn.
            if (data().next_key) return;
            [[fallthrough]];
        case RefusalCode::device_not_active:
            stop_for_a_while();
            return refused(error.code, error.message, std::nullopt);
        case RefusalCode::replayed:
        case RefusalCode::rate_limited:
        case RefusalCode::malformed:
        case RefusalCode::too_large:
        case RefusalCode::request_refused:
            return on_request_refused(error);
        case RefusalCode::claim_refused:
            return refused(error.code, error.message, std::nullopt);
    }
}

void DeviceClient::Impl::on_request_refused(const protocol::ErrorAnswer& error) {
    const auto found = std::ranges::find_if(
        outgoing_, [&](const Outgoing& each) { return session_ && !each.sealed.empty() && error.seq == each.seq; });
    if (found == outgoing_.end()) {
        if (error.code == RefusalCode::rate_limited || error.code == RefusalCode::replayed) return;
        return refused(error.code, error.message, std::nullopt);
    }
    if (error.code == RefusalCode::rate_limited) {
        found->next = Timer(now(), std::max(seconds(1), resend_delay(found->times_sent)));
        return;
    }
    if (error.code == RefusalCode::replayed) {  // it waited so long that its number is too old
        found->sealed.clear();
        found->next = Timer();
        return pump();
    }
    const MessageType type = found->type();
    const PaymentId payment = found->payment;
    outgoing_.erase(found);
    if (type == MessageType::purse_piece || type == MessageType::purse_more) {
        drop_errand();
        return effect(actions_.errand_refused, Error(ErrorKind::declined, error.message));
    }
    if (type == MessageType::pay_request) forget_unpaid(payment);
    if (type == MessageType::delivery_report) report_given_up(payment);
    if (type == MessageType::rotate) {
        data().next_key.reset();
        ignore_error(commit(), "told to the host; a key too many only costs a hello");
    }
    refused(error.code, error.message, payment ? std::optional(payment) : std::nullopt);
}

}  // namespace jiaozi::device
