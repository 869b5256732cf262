// What the device asks for by itself.
#include <algorithm>
#include <utility>

#include <jiaozi/codec/utf8.hpp>
#include <jiaozi/crypto/secret.hpp>

#include "impl.hpp"

namespace jiaozi::device {
namespace {

using protocol::MessageType;

constexpr std::size_t max_catalogue = 10'000;  // items over all pages

Result<void> check_pay(const protocol::PayRequest& request) {
    const auto invalid = [](std::string_view param, std::string what) {
        return Error(ErrorKind::invalid, std::move(what)).with_param(param);
    };
    if (request.slot == 0) return invalid("slot", "slots are numbered from 1");
    if (request.quantity == 0) return invalid("quantity", "quantity must be at least 1");
    if (request.amount.has_value() == request.asset.empty()) {
        return invalid("amount", "amount and asset are given together or not at all");
    }
    if (request.asset.size() > protocol::max_asset || !codec::is_utf8(request.asset)) {
        return invalid("asset", "asset must be a code of at most 11 letters");
    }
    if (request.kind == PaymentKind::device) {
        if (!request.machine) return invalid("machine", "a device that pays names the machine that delivers");
        if (!request.code.empty()) return invalid("code", "a device that pays by itself has no payment code");
        return {};
    }
    if (request.kind != PaymentKind::payment_code) return invalid("kind", "a device asks for device or payment_code");
    if (request.machine) return invalid("machine", "with a payment code this machine delivers; leave machine out");
    if (request.code.empty() || request.code.size() > protocol::max_short_text || !codec::is_utf8(request.code)) {
        return invalid("code", "code must be the digits scanned, at most 64 bytes");
    }
    return {};
}

}  // namespace

void DeviceClient::Impl::recover_requests() {
    for (const auto& request : data().unpaid) keep(request, request.payment);
    if (data().next_key) {
        const auto proof = protocol::make_rotation_proof(*next_identity_.signer, data().device);
        if (!proof.ok()) return effect(actions_.trouble, proof.error());
        keep(protocol::Rotate{data().next_key->suite, data().next_key->public_key, proof.value()}, {});
    }
}

// ---- payments

Result<PaymentId> DeviceClient::Impl::pay(protocol::PayRequest request) {
    if (!is_claimed()) return Error(ErrorKind::unauthenticated, "claim the device first");
    if (!request.payment) request.payment = crypto::new_id<PaymentId>(*clock_);
    JZ_CHECK(check_pay(request));
    auto& unpaid = data().unpaid;
    const auto same = std::ranges::find(unpaid, request.payment, &protocol::PayRequest::payment);
    if (same != unpaid.end()) {
        if (*same == request) return request.payment;
        return Error(ErrorKind::conflict, request.payment.to_string() + " is another request's; take a new id");
    }
    if (unpaid.size() >= StoredState::max_unpaid) {
        return Error(ErrorKind::rate_limited, "too many pay requests wait for an answer; try later");
    }
    unpaid.push_back(request);
    if (auto stored = commit(); !stored.ok()) {
        unpaid.pop_back();
        return std::move(stored).error();
    }
    const PaymentId payment = request.payment;
    keep(std::move(request), payment);
    return payment;
}

void DeviceClient::Impl::forget_unpaid(PaymentId payment) {
    std::erase_if(data().unpaid, [&](const auto& each) { return each.payment == payment; });
    ignore_error(commit(), "told to the host; after a restart it is asked and answered once more");
}

void DeviceClient::Impl::on_pay_answer(const protocol::PayAnswer& answer) {
    if (find_outgoing(MessageType::pay_request, answer.payment) == nullptr) return;
    answered(MessageType::pay_request, answer.payment);
    forget_unpaid(answer.payment);
    effect(actions_.paid, answer);
}

Result<PaymentId> DeviceClient::Impl::request_qr(PaymentId payment, std::uint32_t slot, std::uint32_t quantity) {
    if (slot == 0 || quantity == 0) return Error(ErrorKind::invalid, "slot and quantity are at least 1");
    if (!payment) payment = crypto::new_id<PaymentId>(*clock_);
    const protocol::QrRequest request{payment, slot, quantity};
    if (const Outgoing* const same = find_outgoing(MessageType::qr_request, payment)) {
        if (std::get<protocol::QrRequest>(same->body) == request) return payment;
        return Error(ErrorKind::conflict, payment.to_string() + " is another request's; take a new id");
    }
    keep(request, payment);
    return payment;
}

void DeviceClient::Impl::on_qr(const protocol::Qr& qr) {
    if (find_outgoing(MessageType::qr_request, qr.payment) == nullptr) return;
    answered(MessageType::qr_request, qr.payment);
    effect(actions_.qr, qr);
}

// ---- catalogue and balance

void DeviceClient::Impl::request_catalogue() {
    if (find_outgoing(MessageType::catalogue_request) != nullptr) return;
    catalogue_.clear();
    keep(protocol::CatalogueRequest{0}, {});
}

void DeviceClient::Impl::on_catalogue(const protocol::Catalogue& catalogue) {
    const Outgoing* const outgoing = find_outgoing(MessageType::catalogue_request);
    if (outgoing == nullptr) return;
    std::uint32_t last = std::get<protocol::CatalogueRequest>(outgoing->body).after;
    for (const auto& item : catalogue.items) {
        if (item.slot <= last) return;  // a second answer to the page before, or not in order
        last = item.slot;
    }
    answered(MessageType::catalogue_request);
    catalogue_.insert(catalogue_.end(), catalogue.items.begin(), catalogue.items.end());
    if (catalogue.more && !catalogue.items.empty() && catalogue_.size() < max_catalogue) {
        return keep(protocol::CatalogueRequest{last}, {});
    }
    effect(actions_.catalogue, std::exchange(catalogue_, {}));
}

void DeviceClient::Impl::request_balance() {
    if (find_outgoing(MessageType::balance_request) == nullptr) keep(protocol::BalanceRequest{}, {});
}

void DeviceClient::Impl::on_balance(const protocol::BalanceAnswer& balance) {
    if (find_outgoing(MessageType::balance_request) == nullptr) return;
    answered(MessageType::balance_request);
    effect(actions_.balance, balance.wallets);
}

// ---- rotation

Result<void> DeviceClient::Impl::rotate(crypto::Suite suite) {
    if (!is_claimed()) return Error(ErrorKind::unauthenticated, "claim the device first");
    if (data().next_key) return Error(ErrorKind::conflict, "a rotation is under way");
    crypto::KeyPair key = crypto::generate_key(suite);
    JZ_TRY(Identity identity, make_identity(key));
    JZ_TRY(const auto proof, protocol::make_rotation_proof(*identity.signer, data().device));
    protocol::Rotate body{suite, key.public_key, proof};
    // On disk first: once the server has accepted it, only this key opens a session.
    data().next_key = std::move(key);
    if (auto stored = commit(); !stored.ok()) {
        data().next_key.reset();
        return stored;
    }
    next_identity_ = std::move(identity);
    keep(std::move(body), {});
    return {};
}

void DeviceClient::Impl::on_rotated(const protocol::Rotated& rotated) {
    if (!data().next_key || rotated.credential != next_identity_.kid) return;
    const auto certificate = protocol::verify_certificate(rotated.certificate, *server_);
    if (!certificate.ok() || certificate->credential != rotated.credential || certificate->device != data().device) {
        ++counters_.bad;
        return;
    }
    data().enrolment->certificate = rotated.certificate;
    use_next_key();
    end_session();  // it was the session's last message
}

void DeviceClient::Impl::use_next_key() {
    answered(MessageType::rotate);
    data().key = std::move(*data().next_key);
    data().next_key.reset();
    identity_ = std::move(next_identity_);
    ignore_error(commit(), "told to the host; the file holds both keys until it is stored");
    effect(actions_.rotated);
}

}  // namespace jiaozi::device
