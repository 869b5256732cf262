// The bodies of docs/protocol/device.md section 3, key by key. Read by Counter, Writer and Reader of fields.hpp.
#pragma once

#include <string_view>

#include <jiaozi/protocol/credential.hpp>
#include <jiaozi/protocol/messages.hpp>

#include "fields.hpp"

namespace jiaozi::protocol {

inline constexpr Size short_text{1, max_short_text};
inline constexpr Size public_key_size{32, 33};
inline constexpr Range<std::uint32_t> at_least_one{.min = 1};

// ---- up
// -----------------------------------------------------------------------------------------------------------------

template <class V>
void fields(V& v, like<Claim> auto& m) {
    v.text(1, "code", m.code, short_text);
    v.choice(2, "suite", m.suite, crypto::Suite::ed25519, crypto::Suite::sm2);
    v.blob(3, "public_key", m.public_key, public_key_size);
    v.text(4, "iccid", m.iccid, short_text, Presence::optional);
    v.text(5, "imsi", m.imsi, short_text, Presence::optional);
    v.text(6, "imei", m.imei, short_text, Presence::optional);
}

template <class V>
void fields(V& v, like<Hello> auto& m) {
    v.fixed(1, "ephemeral", m.ephemeral);
    v.fixed(2, "nonce", m.nonce);
    v.text(3, "firmware", m.firmware, short_text, Presence::optional);
}

template <class V>
void fields(V& v, like<Heartbeat> auto& m) {
    v.choice(1, "status", m.status, DeviceStatus::ready, DeviceStatus::out_of_service);
    v.optional_fixed(2, "probe", m.probe);
}

template <class V>
void fields(V& v, like<CatalogueRequest> auto& m) {
    v.number_unless_zero(1, "after", m.after);
}

template <class V>
void fields(V& v, like<PayRequest> auto& m) {
    v.id(1, "payment", m.payment);
    v.choice(2, "kind", m.kind, PaymentKind::machine, PaymentKind::qr);
    v.number(3, "slot", m.slot, at_least_one);
    v.number(4, "quantity", m.quantity, at_least_one);
    v.optional_number(5, "amount", m.amount);
    v.text(6, "asset", m.asset, {1, max_asset}, Presence::optional);
    v.text(7, "code", m.code, short_text, Presence::optional);
    v.id(8, "machine", m.machine, Presence::optional);
}

template <class V>
void fields(V& v, like<CommandAck> auto& m) {
    v.id(1, "payment", m.payment);
    v.number(2, "number", m.number);
    v.boolean(3, "accepted", m.accepted);
    v.text(4, "detail", m.detail, short_text, Presence::optional);
}

template <class V>
void fields(V& v, like<DeliveryReport> auto& m) {
    v.id(1, "payment", m.payment);
    v.choice(2, "result", m.result, DeliveryResult::delivered, DeliveryResult::failed);
    v.number(3, "delivered", m.delivered);
    v.text(4, "detail", m.detail, short_text, Presence::optional);
}

template <class V>
void fields(V&, like<BalanceRequest> auto&) {}

template <class V>
void fields(V& v, like<QrRequest> auto& m) {
    v.id(1, "payment", m.payment);
    v.number(2, "slot", m.slot, at_least_one);
    v.number(3, "quantity", m.quantity, at_least_one);
}

template <class V>
void fields(V& v, like<Rotate> auto& m) {
    v.choice(1, "suite", m.suite, crypto::Suite::ed25519, crypto::Suite::sm2);
    v.blob(2, "public_key", m.public_key, public_key_size);
    v.fixed(3, "proof", m.proof);
}

inline constexpr Size piece_size{0, max_purse_piece};

template <class V>
void fields(V& v, like<PursePiece> auto& m) {
    v.fixed(1, "transfer", m.transfer);
    v.number(2, "size", m.size, {.min = 1, .max = max_errand});
    v.number(3, "offset", m.offset);
    v.blob(4, "data", m.data, piece_size);
}

template <class V>
void fields(V& v, like<PurseMore> auto& m) {
    v.fixed(1, "transfer", m.transfer);
    v.number(2, "offset", m.offset);
}

// ---- down
// ---------------------------------------------------------------------------------------------------------------

template <class V>
void fields(V& v, like<Claimed> auto& m) {
    v.fixed(1, "credential", m.credential);
    v.choice(2, "server_suite", m.server_suite, crypto::Suite::ed25519, crypto::Suite::sm2);
    v.blob(3, "server_key", m.server_key, public_key_size);
    v.text(4, "mqtt_password", m.mqtt_password, short_text);
    v.blob(5, "certificate", m.certificate, {1, max_certificate});
}

template <class V>
void fields(V& v, like<Welcome> auto& m) {
    v.fixed(1, "ephemeral", m.ephemeral);
    v.fixed(2, "nonce", m.nonce);
    v.fixed(3, "session", m.session);
    v.number(4, "expires_ms", m.expires_ms);
    v.number(5, "heartbeat_s", m.heartbeat_s, at_least_one);
    v.number(6, "hello_seq", m.hello_seq);
}

template <class V>
void fields(V&, like<HeartbeatAck> auto&) {}

template <class V>
void fields(V& v, like<CatalogueItem> auto& m) {
    v.number(1, "slot", m.slot, at_least_one);
    v.id(2, "product", m.product);
    v.text(3, "name", m.name, {0, max_name});
    v.text(4, "name_zh", m.name_zh, {0, max_name});
    v.number(5, "price", m.price);
    v.text(6, "asset", m.asset, {1, max_asset});
}

template <class V>
void fields(V& v, like<Catalogue> auto& m) {
    v.list(1, "items", m.items, max_catalogue_items);
    v.boolean(2, "more", m.more);
}

template <class V>
void fields(V& v, like<PayAnswer> auto& m) {
    v.id(1, "payment", m.payment);
    v.choice(2, "state", m.state, PaymentState::pending, PaymentState::failed);
    v.choice(3, "reason", m.reason, Reason::none, static_cast<Reason>(255));
    v.number(4, "amount", m.amount);
    v.text(5, "asset", m.asset, {0, max_asset});
}

template <class V>
void fields(V& v, like<ReportAck> auto& m) {
    v.id(1, "payment", m.payment);
    v.choice(2, "state", m.state, PaymentState::pending, PaymentState::failed);
    v.number(3, "captured", m.captured);
    v.boolean(4, "late", m.late);
}

template <class V>
void fields(V& v, like<WalletBalance> auto& m) {
    v.id(1, "wallet", m.wallet);
    v.number(2, "available", m.available);
    v.text(3, "asset", m.asset, {1, max_asset});
}

template <class V>
void fields(V& v, like<BalanceAnswer> auto& m) {
    v.list(1, "wallets", m.wallets, max_balances);
}

template <class V>
void fields(V& v, like<Qr> auto& m) {
    v.id(1, "payment", m.payment);
    v.text(2, "payload", m.payload, {1, max_qr_payload});
    v.number(3, "expires_ms", m.expires_ms);
}

template <class V>
void fields(V& v, like<Rotated> auto& m) {
    v.fixed(1, "credential", m.credential);
    v.blob(2, "certificate", m.certificate, {1, max_certificate});
}

template <class V>
void fields(V& v, like<PurseTaken> auto& m) {
    v.fixed(1, "transfer", m.transfer);
    v.number(2, "offset", m.offset);
}

template <class V>
void fields(V& v, like<PurseAnswer> auto& m) {
    v.fixed(1, "transfer", m.transfer);
    v.number(2, "size", m.size, {.min = 1, .max = max_errand_answer});
    v.number(3, "offset", m.offset);
    v.blob(4, "data", m.data, piece_size);
    v.fixed(5, "check", m.check);
}

template <class V>
void fields(V& v, like<Command> auto& m) {
    v.id(1, "payment", m.payment);
    v.number(2, "number", m.number);
    v.number(3, "slot", m.slot);
    v.number(4, "quantity", m.quantity, at_least_one);
    v.number(5, "amount", m.amount);
    v.text(6, "asset", m.asset, {1, max_asset});
    v.number(7, "expires_ms", m.expires_ms);
    v.id(8, "product", m.product);
}

template <class V>
void fields(V& v, like<Probe> auto& m) {
    v.fixed(1, "nonce", m.nonce);
}

template <class V>
void fields(V& v, like<Cancel> auto& m) {
    v.id(1, "payment", m.payment);
}

// The error's code is text on the wire; messages.cpp turns it into the enumeration.
struct ErrorFields {
    std::string code;
    std::string message;
    std::optional<std::uint64_t> seq;
    std::uint64_t server_time_ms = 0;
};

template <class V>
void fields(V& v, like<ErrorFields> auto& m) {
    v.text(1, "code", m.code, short_text);
    v.text(2, "message", m.message, {0, max_name});
    v.optional_number(3, "seq", m.seq);
    v.number(4, "server_time_ms", m.server_time_ms);
}

template <class V>
void fields(V& v, like<Certificate> auto& m) {
    v.id(1, "device", m.device);
    v.choice(2, "suite", m.suite, crypto::Suite::ed25519, crypto::Suite::sm2);
    v.blob(3, "public_key", m.public_key, public_key_size);
    v.fixed(4, "credential", m.credential);
    v.number(5, "issued_ms", m.issued_ms);
}

// ---- what must hold between fields: empty, or what is wrong
// ----------------------------------------------------------------

inline bool fits(crypto::Suite suite, const Bytes& public_key) {
    return public_key.size() == (suite == crypto::Suite::ed25519 ? 32U : 33U);
}

template <class M>
std::string_view contradiction(const M&) {
    return {};
}
inline std::string_view contradiction(const Claim& m) {
    return fits(m.suite, m.public_key) ? "" : "public_key is not of the suite's length";
}
inline std::string_view contradiction(const Rotate& m) {
    return fits(m.suite, m.public_key) ? "" : "public_key is not of the suite's length";
}
inline std::string_view contradiction(const PayRequest& m) {
    if (m.amount.has_value() == m.asset.empty()) return "amount and asset go together";
    switch (m.kind) {
        case PaymentKind::device:
            return m.machine && m.code.empty() ? "" : "kind 2 has a machine and no code";
        case PaymentKind::payment_code:
            return !m.machine && !m.code.empty() ? "" : "kind 4 has a code and no machine";
        default:
            return "kind must be 2 or 4";
    }
}
inline std::string_view contradiction(const PursePiece& m) {
    return m.offset <= m.size && m.data.size() <= m.size - m.offset ? "" : "the piece goes beyond the size";
}
inline std::string_view contradiction(const PurseAnswer& m) {
    return m.offset <= m.size && m.data.size() <= m.size - m.offset ? "" : "the piece goes beyond the size";
}
inline std::string_view contradiction(const DeliveryReport& m) {
    const bool failed = m.result == DeliveryResult::failed;
    return failed == (m.delivered == 0) ? "" : "delivered is 0 exactly when the result is failed";
}

}  // namespace jiaozi::protocol
