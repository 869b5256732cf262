// The records of the domain: plain values that the registry stores, the services keep and the gateways show.
// Field names are the JSON names. A zero id means "none"; a zero Timestamp means "never".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/model/enums.hpp>
#include <jiaozi/model/ids.hpp>
#include <jiaozi/money/amount.hpp>

namespace jiaozi {

struct Person {
    PersonId id;
    std::string name;
    std::string locale = "en";  // BCP 47: en, zh-CN
    Timestamp created;
};

struct Group {
    GroupId id;
    GroupKind kind = GroupKind::family;
    std::string name;
    Timestamp created;
};

// A person or a device (exactly one of the two ids is set) in a group. A device belongs to at most one group.
struct Member {
    MemberId id;
    GroupId group;
    PersonId person;
    DeviceId device;
    Role role = Role::member;
    Timestamp created;
};

// Owned by a group or by a merchant (exactly one). The balance lives in the ledger under the same 128-bit id.
struct Wallet {
    WalletId id;
    GroupId group;
    MerchantId merchant;
    std::string name;
    Asset asset;
    bool frozen = false;
    Timestamp created;
};

struct Limit {
    LimitId id;
    MemberId member;
    LimitKind kind = LimitKind::per_payment;
    std::string category;  // product category; only for per_category
    Amount amount;
    std::uint32_t window_days = 1;  // the allowance renews every so many days (UTC); per_payment ignores it
    Timestamp created;
};

struct Merchant {
    MerchantId id;
    std::string name;
    std::string city = "Shanghai";
    std::string country = "CN";  // ISO 3166-1 alpha-2
    std::string mcc = "5814";    // merchant category code, ISO 18245
    WalletId wallet;
    Timestamp created;
};

struct Product {
    ProductId id;
    MerchantId merchant;
    std::string name;
    std::string name_zh;
    std::string category;  // drinks, parking, charging, …
    Timestamp created;
};

// What a machine sells: a product in a slot at a price. Slots are 1-based; price is per unit.
struct Slot {
    DeviceId device;
    std::uint32_t slot = 0;
    ProductId product;
    Amount price;
};

struct SimIdentity {
    std::string iccid;  // 19 or 20 digits, Luhn (ITU-T E.118)
    std::string imsi;   // 6 to 15 digits (ITU-T E.212)
    std::string imei;   // 15 digits, Luhn (3GPP TS 23.003)
    bool empty() const { return iccid.empty() && imsi.empty() && imei.empty(); }
};

struct Device {
    DeviceId id;
    DeviceKind kind = DeviceKind::vending;
    std::string name;
    MerchantId merchant;  // whose machine it is; none for a group's own device (a car)
    DeviceState state = DeviceState::pending;
    SimIdentity sim;            // bound at enrolment: a claim from another SIM is refused
    std::uint8_t suite = 0;     // crypto suite number (1 Ed25519, 2 P-256, 3 SM2); 0 until claimed
    Bytes public_key;           // raw public key; empty until claimed
    Bytes credential_id;        // kid, 8 bytes: changes at rotation; empty until claimed
    Bytes enrolment_code_hash;  // SHA-256 of the one-time code; empty once used
    Timestamp enrolment_expires;
    Timestamp enrolled;    // when it last claimed itself; none before
    Timestamp last_hello;  // device's own time in its newest hello: older ones are replays
    Timestamp created;
};

// A projection of the journal; dropped and rebuilt by `jiaozi projections rebuild`.
struct Payment {
    PaymentId id;
    PaymentKind kind = PaymentKind::machine;
    PaymentState state = PaymentState::pending;
    Reason reason = Reason::none;
    PaymentState first_state = PaymentState::pending;  // what the first answer said, for idempotent replay
    Amount amount;
    uint128 captured_minor = 0;
    uint128 refunded_minor = 0;
    WalletId payer_wallet;
    MemberId payer_member;
    WalletId payee_wallet;
    DeviceId device;        // the machine that delivers; none for person to person; offline: of the payee's purse
    DeviceId payer_device;  // the device that pays by itself; offline: of the payer's purse
    ProductId product;
    std::uint32_t slot = 0;
    std::uint32_t quantity = 1;
    std::uint32_t delivered = 0;  // units reported delivered
    bool late_delivery = false;   // a report of delivery came after the money had been released
    Bytes request_hash;           // 16 bytes: what the creator asked for; another body under the same id is refused
    std::uint64_t sequence = 0;   // journal sequence of the newest change
    Timestamp created;
    Timestamp updated;
    Timestamp expires;    // deadline of the hold; offline: of the settlement
    std::string offline;  // kind offline: what only purses have, as JSON text (docs/api.md); else empty
};

struct Refund {
    RefundId id;
    PaymentId payment;
    Amount amount;
    Timestamp created;
};

// One per state change. `data` is the object after the change, as JSON text.
struct Event {
    std::uint64_t position = 0;  // grows with time; what cursors and SSE's Last-Event-ID count
    EventId id;
    std::string type;  // payment.captured, device.suspended, …
    std::string object_id;
    std::string data;
    Timestamp created;
};

struct ApiKey {
    ApiKeyId id;
    std::string name;
    Bytes hash;  // SHA-256 of the whole key text; the key itself is shown once
    std::string last4;
    std::vector<std::string> scopes;  // "payments:write", "*": see docs/api.md
    PersonId person;                  // a key of a person can only act for that person; none: operator
    bool revoked = false;
    Timestamp created;
};

struct WebhookEndpoint {
    EndpointId id;
    std::string url;
    std::string secret;               // whsec_…; shown once
    std::vector<std::string> events;  // types, or "*"
    bool enabled = true;
    Timestamp created;
};

struct WebhookDelivery {
    DeliveryId id;
    EndpointId endpoint;
    EventId event;
    std::uint32_t attempt = 0;  // attempts made
    std::int32_t status = 0;    // HTTP status of the newest attempt; 0 none, -1 no connection
    std::string response;       // first 512 bytes of the newest answer, or the transport's error
    bool done = false;          // delivered, or given up after three days
    Timestamp next_attempt;
    Timestamp created;
    Timestamp updated;
};

}  // namespace jiaozi
