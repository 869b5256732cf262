// What goes out: sealed once, by the carrier that the device was last heard on.
#include <utility>

#include <jiaozi/base/log.hpp>

#include "state.hpp"

namespace jiaozi::devices {

void Gateway::State::answer(const Asker& asker, protocol::Body body) {
    push(asker.device, std::move(body), asker.is_signed);
}

void Gateway::State::push(DeviceId device, protocol::Body body, bool as_signed) {
    auto sealed = parts.sessions.seal(device, std::move(body), as_signed);
    if (!sealed.ok()) {
        ++counters.unsendable;
        log::debug("nothing sent to a device", {{"device", device.to_string()}, {"why", sealed.error().to_string()}});
        return;
    }
    deliver(device, std::move(sealed).value());
}

void Gateway::State::deliver(DeviceId device, Bytes envelope) {
    Link& link = links[device];
    if (link.way == Way::mqtt && mqtt != nullptr) {
        ++counters.sent;
        mqtt->send(device, envelope);
        return;
    }
    if (link.way != Way::https) {
        ++counters.unsendable;
        return;
    }
    if (link.mailbox.size() >= options.mailbox_messages) {
        link.mailbox.pop_front();  // what matters in it is sent again
        ++counters.unsendable;
    }
    link.mailbox.push_back(std::move(envelope));
    if (link.held) release(link);
}

void Gateway::State::hold(DeviceId device, Duration wait, std::move_only_function<void(HttpsAnswer)> done) {
    Link& link = links[device];
    if (link.way != Way::https) return done({});  // a duplicate of what came over MQTT: answered there
    if (link.held) release(link);
    wait = std::min(wait, options.max_wait);
    if (link.answers_underway > 0) wait = std::max(wait, options.answer_patience);
    const std::uint64_t number = next_number++;
    link.held.emplace(number, 0, std::move(done));
    if (!link.mailbox.empty() || wait <= Duration{}) return release(link);
    link.held->timer = parts.app.call_after(wait, [weak = weak_from_this(), device, number] {
        const auto self = weak.lock();
        if (!self) return;
        Link& late = self->links[device];
        if (late.held && late.held->number == number) self->release(late);
    });
}

void Gateway::State::release(Link& link) {
    HeldRequest held = std::move(*link.held);
    link.held.reset();
    if (held.timer != 0) parts.app.cancel(held.timer);
    HttpsAnswer answer;
    for (const Bytes& envelope : std::exchange(link.mailbox, {})) {
        ++counters.sent;
        append(answer.envelopes, envelope);
    }
    held.done(std::move(answer));
}

}  // namespace jiaozi::devices
