// What devices ask for, and how the services' answers become messages.
#include <algorithm>
#include <type_traits>

#include <jiaozi/base/log.hpp>
#include <jiaozi/crypto/secret.hpp>

#include "state.hpp"

namespace jiaozi::devices {
namespace {

constexpr std::size_t catalogue_budget = protocol::max_envelope_down - 1024;  // bytes of items in one answer
constexpr std::size_t catalogue_item_overhead = 64;  // keys, ids, numbers and heads of one item
constexpr std::size_t hello_batch_max = 512;
constexpr std::size_t request_hash_size = 16;
constexpr uint128 reserved_ids = 0xFF;  // offline payments: docs/settlement.md, Payments

// The first answer will come, or the same request will succeed later: say nothing, the device sends it again.
bool is_passing(const Error& error) {
    switch (error.kind()) {
        case ErrorKind::unavailable:
        case ErrorKind::timeout:
        case ErrorKind::io:
        case ErrorKind::corrupt:
        case ErrorKind::internal:
        case ErrorKind::rate_limited:
            return true;
        default:
            return error.code() == "payment_in_flight";
    }
}

Bytes request_hash(DeviceId sender, const protocol::Body& body) {
    const std::string device = sender.to_string();
    const crypto::Digest digest =
        crypto::Sha256().update(as_bytes(device)).update(protocol::encode_body(body)).finish();
    return {digest.begin(), digest.begin() + request_hash_size};
}

}  // namespace

void Gateway::State::dispatch(const identity::Authenticated& opened) {
    const protocol::Message& message = opened.message;
    const Asker asker{message.device, message.seq, opened.is_signed};
    std::visit(
        [&]<class B>(const B& body) {
            if constexpr (std::is_same_v<B, protocol::Hello>) {
                handle(asker, body, message);
            } else if constexpr (std::is_same_v<B, protocol::Heartbeat>) {
                // A recorded heartbeat proves nothing about now.
                if (!opened.duplicate) links[asker.device].info.status = body.status;
                if (!opened.duplicate && body.probe) probe_answered(links[asker.device], *body.probe);
                handle(asker, body);
            } else if constexpr (requires { handle(asker, body); }) {
                handle(asker, body);
            } else {
                constexpr bool comes_here = false;  // claims are taken elsewhere, the server's own types refused before
                JZ_ASSERT(comes_here);
            }
        },
        message.body);
}

void Gateway::State::handle(const Asker& asker, const protocol::Hello& body, const protocol::Message&) {
    Link& link = links[asker.device];
    link.info.firmware = body.firmware;
    ++link.answers_underway;
    if (hellos.size() >= hello_batch_max) return answer_hellos();
    if (hellos.size() > 1) return;  // the first one's timer is running
    parts.app.call_after(options.hello_batch, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->answer_hellos();
    });
}

// One transaction for all: when a fleet comes back after a restart, a commit for each would take minutes.
void Gateway::State::answer_hellos() {
    const auto waiting = std::exchange(hellos, {});
    if (waiting.empty()) return;
    const auto stored = parts.devices.store_hellos();
    if (!stored.ok())
        log::error("hellos could not be stored; devices will say hello again", {{"error", stored.error().to_string()}});
    for (const WaitingHello& hello : waiting) {
        Link& link = links[hello.device];
        --link.answers_underway;
        if (!stored.ok()) {
            parts.sessions.end(hello.device);
            continue;
        }
        push(hello.device, hello.welcome);
        if (link.probe) push(hello.device, protocol::Probe{link.probe->nonce});
    }
}

void Gateway::State::handle(const Asker& asker, const protocol::Heartbeat&) {
    answer(asker, protocol::HeartbeatAck{});
}

void Gateway::State::handle(const Asker& asker, const protocol::CatalogueRequest& body) {
    std::vector<const Slot*> slots = parts.merchants.slots_of(asker.device);
    std::erase_if(slots, [&](const Slot* slot) { return slot->slot <= body.after; });
    std::ranges::sort(slots, {}, [](const Slot* slot) { return slot->slot; });
    protocol::Catalogue catalogue;
    std::size_t size = 0;
    for (const Slot* const slot : slots) {
        const Product* const product = parts.merchants.product(slot->product);
        if (product == nullptr) continue;
        size += catalogue_item_overhead + product->name.size() + product->name_zh.size();
        if (size > catalogue_budget) {
            catalogue.more = true;
            break;
        }
        catalogue.items.push_back({slot->slot, product->id, product->name, product->name_zh,
                                   wire_amount(slot->price.minor()), std::string(slot->price.asset().name())});
    }
    answer(asker, std::move(catalogue));
}

Result<api::NewPayment> Gateway::State::new_payment(DeviceId sender, const protocol::PayRequest& body) const {
    api::NewPayment payment;
    payment.id = body.payment;
    payment.kind = body.kind;
    payment.slot = body.slot;
    payment.quantity = body.quantity;
    payment.request_hash = request_hash(sender, body);
    // Who asks is who was authenticated, never what the body says.
    if (body.kind == PaymentKind::device) {
        payment.payer_device = sender;
        payment.machine = body.machine;
    } else {
        payment.machine = sender;
        payment.code = body.code;
    }
    if (body.amount) {
        const Slot* const slot = parts.merchants.slot(payment.machine, body.slot);
        if (slot != nullptr && slot->price.asset().name() == body.asset) {
            payment.amount =
                Amount(*body.amount, slot->price.asset());  // also assets that are not in the built-in table
        } else {
            JZ_TRY(const Asset asset, find_asset(body.asset));
            payment.amount = Amount(*body.amount, asset);
        }
    }
    return payment;
}

void Gateway::State::handle(const Asker& asker, const protocol::PayRequest& body) {
    if (payments == nullptr) return;
    if (body.payment.value >> 120 == reserved_ids) {
        return refuse_request(asker, Error(ErrorKind::invalid, "payment ids that begin with FF are the ledger's own"));
    }
    auto payment = new_payment(asker.device, body);
    if (!payment.ok()) return refuse_request(asker, payment.error());
    ++links[asker.device].answers_underway;
    payments->create(std::move(payment).value(), [weak = weak_from_this(), asker](Result<api::PaymentAnswer> result) {
        const auto self = weak.lock();
        if (!self) return;
        --self->links[asker.device].answers_underway;
        if (!result.ok()) return self->refuse_request(asker, result.error());
        const Payment& made = result->payment;
        self->answer(asker, protocol::PayAnswer{made.id, made.state, made.reason, wire_amount(made.amount.minor()),
                                                std::string(made.amount.asset().name())});
    });
}

void Gateway::State::handle(const Asker& asker, const protocol::CommandAck& body) {
    if (payments != nullptr) payments->command_acknowledged(asker.device, body.payment, body.accepted);
}

void Gateway::State::handle(const Asker& asker, const protocol::DeliveryReport& body) {
    if (payments == nullptr) return;
    ++links[asker.device].answers_underway;
    payments->delivery_reported(
        asker.device, body.payment, body.result, body.delivered,
        [weak = weak_from_this(), asker, id = body.payment](Result<api::ReportOutcome> result) {
            const auto self = weak.lock();
            if (!self) return;
            --self->links[asker.device].answers_underway;
            if (!result.ok()) return self->refuse_request(asker, result.error());
            self->answer(asker,
                         protocol::ReportAck{id, result->state, wire_amount(result->captured_minor), result->late});
        });
}

void Gateway::State::handle(const Asker& asker, const protocol::BalanceRequest&) {
    // A group's own device sees the wallets that it may pay from. A merchant's machine stands in the open: none.
    protocol::BalanceAnswer balances;
    if (const Member* const member = parts.groups.member_of_device(asker.device)) {
        for (const Wallet* const wallet : parts.groups.wallets_of_group(member->group)) {
            if (balances.wallets.size() == protocol::max_balances) break;
            if (const auto balance = parts.balances.balance(wallet->id)) {
                balances.wallets.push_back(
                    {wallet->id, wire_amount(balance->available.minor()), std::string(wallet->asset.name())});
            }
        }
    }
    answer(asker, std::move(balances));
}

void Gateway::State::handle(const Asker& asker, const protocol::QrRequest& body) {
    if (payments == nullptr) return;
    const auto made = payments->new_qr(body.payment, asker.device, body.slot, body.quantity);
    if (!made.ok()) return refuse_request(asker, made.error());
    answer(asker, protocol::Qr{made->payment, made->payload, made->expires.ms()});
}

void Gateway::State::handle(const Asker& asker, const protocol::Rotate& body) {
    auto rotated = parts.devices.rotate(asker.device, body);
    if (!rotated.ok()) return refuse_request(asker, rotated.error());
    // Sealed in the session that ends with it: the next thing is a hello under the new credential.
    push(asker.device, std::move(rotated).value(), true);
    parts.sessions.end(asker.device);
}

// ---- errands of purses

void Gateway::State::handle(const Asker& asker, const protocol::PursePiece& body) {
    if (errands != nullptr) go_on(asker, body.transfer, transfers.take(asker.device, body, parts.clock.now()));
}

void Gateway::State::handle(const Asker& asker, const protocol::PurseMore& body) {
    if (errands != nullptr) go_on(asker, body.transfer, transfers.more(asker.device, body, parts.clock.now()));
}

void Gateway::State::go_on(const Asker& asker, const protocol::TransferId& transfer, Transfers::Step step) {
    if (const auto* const taken = std::get_if<protocol::PurseTaken>(&step)) return answer(asker, *taken);
    if (auto* const made = std::get_if<protocol::PurseAnswer>(&step)) return answer(asker, std::move(*made));
    if (const auto* const error = std::get_if<Error>(&step)) return refuse_request(asker, *error);
    auto* const whole = std::get_if<Transfers::Whole>(&step);
    if (whole == nullptr) return;
    ++links[asker.device].answers_underway;
    errands->run(asker.device, std::move(whole->errand),
                 [weak = weak_from_this(), asker, transfer](Result<Bytes> result) {
                     const auto self = weak.lock();
                     if (!self) return;
                     --self->links[asker.device].answers_underway;
                     if (result.ok()) {
                         const Timestamp now = self->parts.clock.now();
                         return self->go_on(asker, transfer,
                                            self->transfers.answered(asker.device, transfer, *std::move(result), now));
                     }
                     self->transfers.failed(asker.device, transfer, !is_passing(result.error()));
                     self->refuse_request(asker, result.error());
                 });
}

void Gateway::State::refuse_request(const Asker& asker, const Error& error) {
    if (is_passing(error)) {
        log::debug("a device's request has no answer yet",
                   {{"device", asker.device.to_string()}, {"error", error.to_string()}});
        return;
    }
    const identity::Refusal refusal{protocol::RefusalCode::request_refused, error.code() + ": " + error.message(),
                                    asker.device, asker.seq};
    count(refusal);
    if (auto sealed = sealed_error(asker.device, refusal)) deliver(asker.device, std::move(*sealed));
}

}  // namespace jiaozi::devices
