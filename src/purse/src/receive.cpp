// Which part of the purse a message is for, and the refusal that is sent when it is not taken.
#include "record.hpp"

namespace jiaozi::purse {
namespace {

constexpr int first_private_status = 60;  // from here on a status stays on the device

bool answered_already(std::size_t size) noexcept {
    return size != 0;
}

}  // namespace

jz_status Purse::receive(View message, Span out, std::size_t& size) noexcept {
    size = 0;
    if (out.size() < JZ_MESSAGE_BYTES) return JZ_BUFFER_TOO_SMALL;
    jz_status status = JZ_MALFORMED;
    bool refuse = true;
    if (message.size() > JZ_MESSAGE_BYTES) {
        status = JZ_TOO_LARGE;
    } else if (!message.empty()) {
        const View body = message.subspan(1);
        switch (static_cast<Verb>(message[0])) {
            case Verb::pay:
                status = on_pay(body, out, size);
                break;
            case Verb::resume:
                status = on_resume(body, out, size);
                break;
            case Verb::cancel:
                status = on_cancel(body, out, size);
                break;
            case Verb::receipt:
                status = on_receipt(body);
                refuse = false;
                break;
            case Verb::voided:
                status = on_voided(body);
                refuse = false;
                break;
            case Verb::status:
                return on_status(body, out, size);
            case Verb::gossip:
                status = on_gossip(body, out, size);
                break;
            case Verb::mule:
                status = on_mule(body);
                break;
            case Verb::request:
                break;  // a request is paid with pay, by decision of the holder
        }
    }
    if (status == JZ_OK || !refuse || status >= first_private_status || answered_already(size)) return status;
    out[0] = static_cast<std::uint8_t>(Verb::status);
    out[1] = static_cast<std::uint8_t>(status);
    size = 2;
    return status;
}

// Advice from somebody who proved nothing: at most the same thing is said again, with everything that goes with it.
jz_status Purse::on_status(View body, Span out, std::size_t& size) noexcept {
    if (body.size() != 1) return JZ_MALFORMED;
    const std::uint8_t advice = body[0];
    if (advice == JZ_NEED_CERTIFICATE && asked_last_) {
        const Incoming* request = find_request(last_request_);
        if (request == nullptr || request->state != RequestState::open) return JZ_UNKNOWN_REQUEST;
        return send_request(*request, true, out, size);
    }
    if ((advice == JZ_NEED_CERTIFICATE || advice == JZ_UNKNOWN_NOTE) && !asked_last_) {
        for (Payment& payment : payment_) {
            if (payment.state != PaymentState::sent || payment.note != last_note_) continue;
            for (Given& given : given_) {
                if (given.peer == payment.payee) given = {};
            }
            return send_note(payment, true, out, size);
        }
    }
    // The number is the peer's; only those that may travel are passed on.
    return advice != 0 && advice < first_private_status ? static_cast<jz_status>(advice) : JZ_MALFORMED;
}

}  // namespace jiaozi::purse
