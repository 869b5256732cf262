#include <jiaozi/devices/gateway.hpp>

#include "state.hpp"

namespace jiaozi::devices {
namespace {

constexpr Duration sweep_every = seconds(60);

}  // namespace

int http_status(protocol::RefusalCode code) noexcept {
    using enum protocol::RefusalCode;
    switch (code) {
        case too_large:
            return 413;
        case malformed:
            return 400;
        case unknown_device:
        case session_unknown:
        case bad_signature:
            return 401;
        case device_not_active:
        case claim_refused:
            return 403;
        case rate_limited:
            return 429;
        case replayed:
        case stale_hello:
        case request_refused:
            return 400;
    }
    return 400;
}

void Gateway::State::sweep_now_and_then() {
    sweep_timer = parts.app.call_after(sweep_every, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->parts.sessions.sweep();
        self->sweep_now_and_then();
    });
}

Gateway::Gateway(Parts parts, GatewayOptions options) : state_(std::make_shared<State>(parts, options)) {
    state_->sweep_now_and_then();
}

Gateway::~Gateway() {
    state_->parts.app.cancel(state_->sweep_timer);
}

void Gateway::attach(api::Payments* payments) noexcept {
    state_->payments = payments;
}
void Gateway::attach(Carrier* mqtt) noexcept {
    state_->mqtt = mqtt;
}

void Gateway::attach(api::PurseErrands* errands) noexcept {
    state_->errands = errands;
}

void Gateway::receive_mqtt(DeviceId topic, ByteView envelope) {
    state_->receive_mqtt(topic, envelope);
}

void Gateway::receive_https(ByteView envelope, Duration wait, std::move_only_function<void(HttpsAnswer)> done) {
    state_->receive_https(envelope, wait, std::move(done));
}

LinkInfo Gateway::link(DeviceId device) const {
    const auto found = state_->links.find(device);
    return found == state_->links.end() ? LinkInfo{} : found->second.info;
}

const GatewayCounters& Gateway::counters() const noexcept {
    return state_->counters;
}

bool Gateway::heard_within(DeviceId device, Duration fresh) const {
    const auto found = state_->links.find(device);
    if (found == state_->links.end() || found->second.info.last_heard == Timestamp{}) return false;
    return state_->parts.clock.now() - found->second.info.last_heard <= fresh;
}

bool Gateway::online(DeviceId device) const {
    const Duration heartbeat = state_->parts.sessions.heartbeat();
    return heard_within(device, heartbeat + heartbeat + heartbeat);
}

void Gateway::probe(DeviceId device, Duration patience, std::move_only_function<void(bool)> done) {
    state_->probe(device, patience, std::move(done));
}

void Gateway::send(DeviceId device, const api::DeliveryCommand& command) {
    state_->push(device, protocol::Command{.payment = command.payment,
                                           .number = command.number,
                                           .slot = command.slot,
                                           .quantity = command.quantity,
                                           .amount = wire_amount(command.amount.minor()),
                                           .asset = std::string(command.amount.asset().name()),
                                           .expires_ms = command.expires.ms(),
                                           .product = command.product});
}

void Gateway::send_cancel(DeviceId device, PaymentId payment) {
    state_->push(device, protocol::Cancel{payment});
}

}  // namespace jiaozi::devices
