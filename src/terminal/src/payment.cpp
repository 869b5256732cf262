#include <algorithm>

#include <jiaozi/carriers/deadline.hpp>
#include <jiaozi/terminal/payment.hpp>
#include <jiaozi/terminal/purse_folder.hpp>

namespace jiaozi::terminal {
namespace {

using Written = purse_host::HostPurse::Written;

enum Verb : std::uint8_t {
    request_verb = 0x01,
    receipt_verb = 0x03,
    voided_verb = 0x04,
    gossip_verb = 0x07,
    mule_verb = 0x08,
    status_verb = 0x0F
};
constexpr int first_private_status = 60;
constexpr Duration after_the_receipt = milliseconds(300);  // for a payer that did not hear it and asks again

std::uint8_t verb_of(ByteView message) {
    return message.empty() ? std::uint8_t{0} : message.front();
}

Bytes status_message(jz_status status) {
    if (status == JZ_OK || status >= first_private_status) return {};
    return Bytes{status_verb, static_cast<std::uint8_t>(status)};
}

}  // namespace

std::string_view name_of(Outcome outcome) noexcept {
    constexpr std::array<std::string_view, 5> names = {"nothing", "credited", "paid", "unknown", "voided"};
    return names[static_cast<std::size_t>(outcome)];
}

Bytes Payer::answer(ByteView message) {
    return verb_of(message) == request_verb ? on_request(message) : on_answer(message);
}

Bytes Payer::on_request(ByteView message) {
    jz_offer offer{};
    status_ = jz_purse_look(purse_.get(), purse_host::c_view(message), &offer);
    if (status_ != JZ_OK) return status_message(status_);
    offer_ = offer;
    const Decision decision = approve_(offer);
    if (!decision.pay) return {};
    Written pay = purse_.pay(message, decision.cvm);
    status_ = pay.status;
    if (status_ != JZ_OK) return pay.bytes.empty() ? status_message(status_) : pay.bytes;
    outcome_ = Outcome::unknown;
    return std::move(pay.bytes);
}

Bytes Payer::on_answer(ByteView message) {
    const jz_info before = purse_.info();
    Written answer = purse_.receive(message);
    const jz_info after = purse_.info();
    if (after.void_held > before.void_held) {
        outcome_ = Outcome::voided;
    } else if (after.payments_unknown < before.payments_unknown ||
               (answer.status == JZ_OK && verb_of(message) == receipt_verb)) {
        outcome_ = Outcome::paid;
    }
    if (answer.status != JZ_OK) status_ = answer.status;
    return std::move(answer.bytes);
}

// Until the outcome is known or the time is up; asks again after each silence.
Result<void> Payer::converse(carriers::Link& link, const Patience& patience) {
    const carriers::Deadline deadline(patience.total);
    unsigned resumes = 0;
    while (outcome_ == Outcome::unknown && !deadline.passed()) {
        auto message = link.receive(deadline.left(patience.answer));
        if (message.ok()) {
            if (verb_of(*message) == request_verb) continue;  // the same again, from a payee that repeats itself
            const Bytes answer = on_answer(*message);
            if (!answer.empty()) JZ_CHECK(link.send(answer));
            // Advice alone changes nothing; it says that waiting is of no use.
            if (answer.empty() && verb_of(*message) == status_verb) return {};
            continue;
        }
        if (message.error().kind() != ErrorKind::timeout) return std::move(message).error();
        if (resumes++ == patience.resumes) return {};
        const Written again = purse_.resume(0);
        if (again.status == JZ_OK) JZ_CHECK(link.send(again.bytes));
    }
    return {};
}

Result<Outcome> Payer::pay(carriers::Link& link, const Patience& patience) {
    const carriers::Deadline deadline(patience.total);
    while (outcome_ == Outcome::nothing) {
        JZ_TRY(const Bytes message, link.receive(deadline.left()));
        if (verb_of(message) != request_verb) continue;  // meant for an earlier payment of this place
        const Bytes answer = on_request(message);
        if (!answer.empty()) {
            const auto sent = link.send(answer);
            if (!sent.ok() && outcome_ == Outcome::nothing) return sent.error();
            if (!sent.ok()) return outcome_;
        }
        if (status_ != JZ_OK && status_ != JZ_NEED_CERTIFICATE) return error_of(status_, "pay");
        if (outcome_ == Outcome::nothing && status_ == JZ_OK) {
            return Error(ErrorKind::declined, "the holder did not agree").with_code("not_agreed");
        }
    }
    ignore_error(converse(link, patience), "the link is gone; the outcome says what that means");
    if (outcome_ == Outcome::paid && favours_ != nullptr) favours_->keep_company(link);
    return outcome_;
}

Result<Outcome> Payer::resume(carriers::Link& link, const Patience& patience, bool cancel) {
    const unsigned open = purse_.info().payments_unknown;
    Outcome all = Outcome::nothing;
    for (unsigned round = 0, index = 0; round < open; ++round) {
        const Written message = cancel ? purse_.cancel(index) : purse_.resume(index);
        if (message.status != JZ_OK) return error_of(message.status, "resume");
        outcome_ = Outcome::unknown;
        JZ_CHECK(link.send(message.bytes));
        JZ_CHECK(converse(link, patience));
        if (outcome_ == Outcome::unknown) ++index;  // another payee's, perhaps
        all = std::max(all, outcome_);
    }
    outcome_ = all;
    return all;
}

Result<Payee> Payee::ask(purse_host::HostPurse& purse, std::uint64_t amount, ByteView invoice) {
    Payee payee(purse);
    Written asked = purse.request(amount, true, payee.nonce_.data(), invoice);
    if (asked.status != JZ_OK) return error_of(asked.status, "ask for money");
    payee.request_ = std::move(asked.bytes);
    return payee;
}

Bytes Payee::answer(ByteView message) {
    if (verb_of(message) == request_verb) return {};  // two payees
    Written answer = purse_->receive(message);
    const bool of_payment = verb_of(message) != gossip_verb && verb_of(message) != mule_verb;
    if (of_payment && answer.status != JZ_OK && answer.status != JZ_ALREADY_VOIDED) status_ = answer.status;
    const bool receipt = answer.status == JZ_OK && verb_of(answer.bytes) == receipt_verb;
    const bool ours = message.size() > nonce_.size() && equal(message.subspan(1, nonce_.size()), nonce_);
    if (receipt && (ours || request_.empty())) outcome_ = Outcome::credited;
    if (verb_of(answer.bytes) == voided_verb && ours) outcome_ = Outcome::voided;
    return std::move(answer.bytes);
}

Result<void> Payee::send_answer(carriers::Link& link, ByteView message) {
    const Bytes answer = this->answer(message);
    if (!answer.empty()) JZ_CHECK(link.send(answer));
    if (verb_of(answer) != gossip_verb || favours_ == nullptr) return {};
    const auto messages = favours_->give();
    if (!messages.ok()) return {};  // a favour that can't be done
    for (const Bytes& one : *messages) JZ_CHECK(link.send(one));
    return {};
}

Result<Outcome> Payee::serve(carriers::Link& link, const Patience& patience, bool repeat_request) {
    const carriers::Deadline deadline(patience.total);
    if (!request_.empty() && outcome_ == Outcome::nothing) JZ_CHECK(link.send(request_));
    while (true) {
        const bool done = outcome_ != Outcome::nothing && !request_.empty();
        const Duration wait =
            done ? after_the_receipt : deadline.left(repeat_request ? patience.answer : patience.total);
        auto message = link.receive(wait);
        if (message.ok()) {
            const auto sent = send_answer(link, *message);
            if (!sent.ok() && !done) return sent.error();
            if (!sent.ok()) return outcome_;
            continue;
        }
        if (done) return outcome_;
        if (message.error().kind() != ErrorKind::timeout) return std::move(message).error();
        if (deadline.passed())
            return outcome_ == Outcome::nothing ? Result<Outcome>(std::move(message).error()) : outcome_;
        if (repeat_request && !request_.empty()) JZ_CHECK(link.send(request_));
    }
}

Result<Bytes> Payee::give_up() {
    Written voided = purse_->void_request(nonce_.data());
    if (voided.status != JZ_OK) return error_of(voided.status, "give the request up");
    outcome_ = Outcome::voided;
    return std::move(voided.bytes);
}

}  // namespace jiaozi::terminal
