// Whether a device is alive: a nonce that only a device that is there now can send back.
#include <algorithm>

#include <jiaozi/crypto/secret.hpp>

#include "state.hpp"

namespace jiaozi::devices {

void Gateway::State::probe(DeviceId device, Duration patience, std::move_only_function<void(bool)> done) {
    if (parts.devices.find(device) == nullptr) return done(false);
    Link& link = links[device];
    if (!link.probe) crypto::random_bytes(link.probe.emplace().nonce);
    const std::uint64_t number = next_number++;
    const auto timer = parts.app.call_after(patience, [weak = weak_from_this(), device, number] {
        if (const auto self = weak.lock()) self->probe_gave_up(device, number);
    });
    link.probe->waiters.emplace_back(number, timer, std::move(done));
    // Without a session the device may still say hello in time: answer_hellos() asks then.
    if (parts.sessions.has(device)) push(device, protocol::Probe{link.probe->nonce});
}

void Gateway::State::probe_answered(Link& link, const protocol::ProbeNonce& nonce) {
    if (!link.probe || link.probe->nonce != nonce) return;
    auto waiters = std::move(link.probe->waiters);
    link.probe.reset();
    for (ProbeWaiter& waiter : waiters) {
        parts.app.cancel(waiter.timer);
        waiter.done(true);
    }
}

void Gateway::State::probe_gave_up(DeviceId device, std::uint64_t number) {
    Link& link = links[device];
    if (!link.probe) return;
    auto& waiters = link.probe->waiters;
    const auto found = std::ranges::find(waiters, number, &ProbeWaiter::number);
    if (found == waiters.end()) return;
    auto done = std::move(found->done);
    waiters.erase(found);
    if (waiters.empty()) link.probe.reset();
    done(false);
}

}  // namespace jiaozi::devices
