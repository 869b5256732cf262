// The messages between a device and the server, as plain values, and their bytes (docs/protocol/device.md, sections 1.3
// and 3). Struct and field names are the specification's; key numbers stand only in messages.cpp.
//
// decode() is strict: deterministic CBOR, exactly the keys of the type, lengths and ranges as specified, text in UTF-8.
// Its errors are malformed and too_large. Pure functions, thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/crypto/x25519.hpp>
#include <jiaozi/model/enums.hpp>
#include <jiaozi/model/ids.hpp>
#include <jiaozi/protocol/refusal.hpp>

namespace jiaozi::protocol {

using SessionId = std::array<std::uint8_t, 8>;
using KeyId = std::array<std::uint8_t, 8>;  // credential id, or the server's key id
using HelloNonce = std::array<std::uint8_t, 16>;
using ProbeNonce = std::array<std::uint8_t, 8>;
using TransferId = std::array<std::uint8_t, 32>;  // SHA-256 of what is transferred
using AnswerCheck = std::array<std::uint8_t, 8>;  // the first bytes of the SHA-256 of an answer

enum class Direction : std::uint8_t { up, down };  // device to server, server to device

enum class MessageType : std::uint8_t {
    claim = 1,
    hello,
    heartbeat,
    catalogue_request,
    pay_request,
    command_ack,
    delivery_report,
    balance_request,
    qr_request,
    rotate,
    purse_piece,
    purse_more,
    claimed = 101,
    welcome,
    heartbeat_ack,
    catalogue,
    pay_answer,
    report_ack = 107,
    balance,
    qr,
    rotated,
    purse_taken,
    purse_answer,
    command = 120,
    probe,
    cancel,
    error = 199,
};

enum class DeviceStatus : std::uint8_t { ready = 0, busy, out_of_service };

// ---- up
// -----------------------------------------------------------------------------------------------------------------

struct Claim {
    std::string code;  // the one-time code, as shown to the operator; dashes and case do not matter
    crypto::Suite suite = crypto::Suite::ed25519;
    Bytes public_key;   // canonical form
    std::string iccid;  // empty: not given; the same for imsi, imei
    std::string imsi;
    std::string imei;
    bool operator==(const Claim&) const = default;
};

struct Hello {
    crypto::X25519PublicKey ephemeral{};
    HelloNonce nonce{};
    std::string firmware;  // empty: not given
    bool operator==(const Hello&) const = default;
};

struct Heartbeat {
    DeviceStatus status = DeviceStatus::ready;
    std::optional<ProbeNonce> probe;  // the probe that this answers
    bool operator==(const Heartbeat&) const = default;
};

struct CatalogueRequest {
    std::uint32_t after = 0;  // slots above this one; 0 (not written): from the first
    bool operator==(const CatalogueRequest&) const = default;
};

struct PayRequest {
    PaymentId payment;
    PaymentKind kind = PaymentKind::device;  // device or payment_code
    std::uint32_t slot = 0;
    std::uint32_t quantity = 1;           // at least 1
    std::optional<std::uint64_t> amount;  // minor units; together with asset or not at all
    std::string asset;
    std::string code;  // payment_code: its digits; else empty
    DeviceId machine;  // device: who delivers; else none
    bool operator==(const PayRequest&) const = default;
};

struct CommandAck {
    PaymentId payment;
    std::uint32_t number = 1;  // of the command
    bool accepted = true;
    std::string detail;  // empty: none
    bool operator==(const CommandAck&) const = default;
};

struct DeliveryReport {
    PaymentId payment;
    DeliveryResult result = DeliveryResult::delivered;
    std::uint32_t delivered = 0;  // units; 0 exactly when the result is failed
    std::string detail;
    bool operator==(const DeliveryReport&) const = default;
};

struct BalanceRequest {
    bool operator==(const BalanceRequest&) const = default;
};

struct QrRequest {
    PaymentId payment;
    std::uint32_t slot = 0;
    std::uint32_t quantity = 1;
    bool operator==(const QrRequest&) const = default;
};

struct Rotate {
    crypto::Suite suite = crypto::Suite::ed25519;  // of the new key
    Bytes public_key;
    crypto::Signature proof{};  // by the new key: rotation_message() of credential.hpp
    bool operator==(const Rotate&) const = default;
};

// A piece of a purse's errand (errand.hpp).
struct PursePiece {
    TransferId transfer{};
    std::uint32_t size = 1;  // of the whole errand
    std::uint32_t offset = 0;
    Bytes data;
    bool operator==(const PursePiece&) const = default;
};

// Asks for the answer from `offset` on.
struct PurseMore {
    TransferId transfer{};
    std::uint32_t offset = 0;
    bool operator==(const PurseMore&) const = default;
};

// ---- down
// ---------------------------------------------------------------------------------------------------------------

struct Claimed {
    KeyId credential{};
    crypto::Suite server_suite = crypto::Suite::ed25519;
    Bytes server_key;
    std::string mqtt_password;
    Bytes certificate;
    bool operator==(const Claimed&) const = default;
};

struct Welcome {
    crypto::X25519PublicKey ephemeral{};
    HelloNonce nonce{};  // the hello's
    SessionId session{};
    std::uint64_t expires_ms = 0;
    std::uint32_t heartbeat_s = 0;
    std::uint64_t hello_seq = 0;
    bool operator==(const Welcome&) const = default;
};

struct HeartbeatAck {
    bool operator==(const HeartbeatAck&) const = default;
};

struct CatalogueItem {
    std::uint32_t slot = 0;
    ProductId product;
    std::string name;
    std::string name_zh;
    std::uint64_t price = 0;  // minor units of asset, per unit
    std::string asset;
    bool operator==(const CatalogueItem&) const = default;
};

struct Catalogue {
    std::vector<CatalogueItem> items;  // by slot
    bool more = false;                 // ask again with after = the last slot
    bool operator==(const Catalogue&) const = default;
};

struct PayAnswer {
    PaymentId payment;
    PaymentState state = PaymentState::pending;
    Reason reason = Reason::none;  // may be a number that this version has no name for
    std::uint64_t amount = 0;
    std::string asset;
    bool operator==(const PayAnswer&) const = default;
};

struct ReportAck {
    PaymentId payment;
    PaymentState state = PaymentState::pending;
    std::uint64_t captured = 0;
    bool late = false;
    bool operator==(const ReportAck&) const = default;
};

struct WalletBalance {
    WalletId wallet;
    std::uint64_t available = 0;
    std::string asset;
    bool operator==(const WalletBalance&) const = default;
};

struct BalanceAnswer {
    std::vector<WalletBalance> wallets;
    bool operator==(const BalanceAnswer&) const = default;
};

struct Qr {
    PaymentId payment;
    std::string payload;
    std::uint64_t expires_ms = 0;
    bool operator==(const Qr&) const = default;
};

struct Rotated {
    KeyId credential{};
    Bytes certificate;
    bool operator==(const Rotated&) const = default;
};

// The server has the errand up to here.
struct PurseTaken {
    TransferId transfer{};
    std::uint32_t offset = 0;
    bool operator==(const PurseTaken&) const = default;
};

struct PurseAnswer {
    TransferId transfer{};
    std::uint32_t size = 1;  // of the whole answer
    std::uint32_t offset = 0;
    Bytes data;
    AnswerCheck check{};
    bool operator==(const PurseAnswer&) const = default;
};

struct Command {
    PaymentId payment;
    std::uint32_t number = 1;
    std::uint32_t slot = 0;
    std::uint32_t quantity = 1;
    std::uint64_t amount = 0;
    std::string asset;
    std::uint64_t expires_ms = 0;
    ProductId product;
    bool operator==(const Command&) const = default;
};

struct Probe {
    ProbeNonce nonce{};
    bool operator==(const Probe&) const = default;
};

struct Cancel {
    PaymentId payment;
    bool operator==(const Cancel&) const = default;
};

struct ErrorAnswer {
    RefusalCode code = RefusalCode::malformed;
    std::string message;               // English, for a log
    std::optional<std::uint64_t> seq;  // of the message refused, where it could be read
    std::uint64_t server_time_ms = 0;
    bool operator==(const ErrorAnswer&) const = default;
};

// ---- message
// ------------------------------------------------------------------------------------------------------------

using Body =
    std::variant<Claim, Hello, Heartbeat, CatalogueRequest, PayRequest, CommandAck, DeliveryReport, BalanceRequest,
                 QrRequest, Rotate, PursePiece, PurseMore, Claimed, Welcome, HeartbeatAck, Catalogue, PayAnswer,
                 ReportAck, BalanceAnswer, Qr, Rotated, PurseTaken, PurseAnswer, Command, Probe, Cancel, ErrorAnswer>;

struct Message {
    DeviceId device;
    std::optional<SessionId> session;  // exactly when needs_session(type)
    std::uint64_t seq = 1;
    std::uint64_t time_ms = 0;
    Body body;
    bool operator==(const Message&) const = default;
};

MessageType type_of(const Body& body) noexcept;
// "pay_request"; static storage.
std::string_view name_of(MessageType type) noexcept;
Direction direction_of(MessageType type) noexcept;
// False for claim, hello, claimed, welcome and error.
bool needs_session(MessageType type) noexcept;
// claim, hello and rotate; claimed, welcome, rotated and error.
bool always_signed(MessageType type) noexcept;

// Limits, in bytes where nothing else is said. What exceeds them is refused when read and must not be written.
inline constexpr std::size_t max_short_text = 64;  // code, firmware, detail, mqtt_password
inline constexpr std::size_t max_name = 200;       // product names, an error's message
inline constexpr std::size_t max_asset = 11;
inline constexpr std::size_t max_qr_payload = 512;
inline constexpr std::size_t max_certificate = 512;
inline constexpr std::size_t max_catalogue_items = 1000;
inline constexpr std::size_t max_balances = 100;
inline constexpr std::size_t max_purse_piece = 2048;  // of either direction
inline constexpr std::uint32_t max_errand = 128 * 1024;
inline constexpr std::uint32_t max_errand_answer = 64 * 1024;
inline constexpr std::size_t max_payload = std::size_t{16} * 1024;

// The payload's bytes. A field over its limit is written as it is: seal() finds the ones that make the message too
// large, the receiver refuses the others.
Bytes encode(const Message& message);
// The body's bytes alone: what a request is hashed by.
Bytes encode_body(const Body& body);
Result<Message> decode(ByteView payload);

}  // namespace jiaozi::protocol
