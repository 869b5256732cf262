// One suite, run over both databases: the same cases are linked once with sqlite_database.cpp and once with
// postgresql_database.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <jiaozi/registry/registry.hpp>

namespace jiaozi::registry {

// What each of the two files defines.
bool database_available();                                                  // says loudly why not
std::string new_database();                                                 // the url of an empty one of its own
void run_raw(const std::string& url, const std::vector<std::string>& sql);  // past the registry

#define ASSERT_OK(...)                                                \
    do {                                                              \
        const auto& ok_result = (__VA_ARGS__);                        \
        ASSERT_TRUE(ok_result.ok()) << ok_result.error().to_string(); \
    } while (false)

// The value of a result that must be one.
template <class T>
T must(Result<T> result) {
    if (!result.ok()) {
        ADD_FAILURE() << result.error().to_string();
        return T{};
    }
    return std::move(result).value();
}

// "conflict/already_exists/credential_id": kind, code and param of a refusal; "ok" when it was none.
template <class T>
std::string refusal(const Result<T>& result) {
    if (result.ok()) return "ok";
    return std::string(name_of(result.error().kind())) + "/" + result.error().code() + "/" + result.error().param();
}

class Registry : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!database_available()) GTEST_SKIP() << "SKIPPED: no database server on this machine";
        url = new_database();
        auto opened = Store::open({.url = url, .seal = {}, .open = {}});
        ASSERT_OK(opened);
        store = std::move(*opened);
        auto connected = store->session();
        ASSERT_OK(connected);
        session = std::move(*connected);
    }

    Session& db() { return *session; }

    std::string url;
    std::unique_ptr<Store> store;
    std::unique_ptr<Session> session;
};

// Records by number, every field set to something of its own.
inline Timestamp at(std::uint64_t second) {
    return timestamp_s(1'700'000'000 + second);
}

inline Person person(std::uint64_t n) {
    return {.id = PersonId(n), .name = "李雷 " + std::to_string(n), .locale = "zh-CN", .created = at(n)};
}
inline Group group(std::uint64_t n) {
    return {.id = GroupId(n), .kind = GroupKind::fleet, .name = "group " + std::to_string(n), .created = at(n)};
}
inline Merchant merchant(std::uint64_t n) {
    return {.id = MerchantId(n),
            .name = "Tea & Co",
            .city = "Hangzhou",
            .country = "CN",
            .mcc = "5499",
            .wallet = {},
            .created = at(n)};
}
inline Device device(std::uint64_t n) {
    Device made;
    made.id = DeviceId(n);
    made.kind = DeviceKind::gate;
    made.name = "gate " + std::to_string(n);
    made.state = DeviceState::active;
    made.sim = {.iccid = "8986011234567890123", .imsi = "460001234567890", .imei = "490154203237518"};
    made.suite = 3;
    made.public_key = Bytes(65, static_cast<std::uint8_t>(n));
    made.credential_id = {0, 1, 2, 3, 4, 5, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)};
    made.enrolment_code_hash = {};
    made.enrolment_expires = at(n + 3600);
    made.enrolled = at(n + 4);
    made.last_hello = at(n + 5);
    made.created = at(n);
    return made;
}
inline Wallet wallet_of(GroupId group_id, std::uint64_t n) {
    return {.id = WalletId(n),
            .group = group_id,
            .merchant = {},
            .name = "wallet",
            .asset = assets::CNY,
            .frozen = true,
            .created = at(n)};
}
inline Product product(MerchantId merchant_id, std::uint64_t n) {
    return {.id = ProductId(n),
            .merchant = merchant_id,
            .name = "Green tea",
            .name_zh = "绿茶",
            .category = "drinks",
            .created = at(n)};
}
inline Payment payment(std::uint64_t n, std::uint64_t sequence = 1) {
    Payment made;
    made.id = PaymentId(n);
    made.kind = PaymentKind::payment_code;
    made.state = PaymentState::captured;
    made.reason = Reason::cancelled;
    made.first_state = PaymentState::authorized;
    made.amount = Amount(uint128_max, assets::CNY);
    made.captured_minor = uint128_max - 1;
    made.refunded_minor = make_uint128(1, 0);
    made.payer_wallet = WalletId(n + 1);
    made.payer_member = MemberId(n + 2);
    made.payee_wallet = WalletId(n + 3);
    made.device = DeviceId(n + 4);
    made.payer_device = DeviceId(n + 5);
    made.product = ProductId(n + 6);
    made.slot = 7;
    made.quantity = 4'294'967'295U;
    made.delivered = 2;
    made.late_delivery = true;
    made.request_hash = Bytes(16, 0xFE);
    made.sequence = sequence;
    made.created = at(n);
    made.updated = at(n + 1);
    made.expires = at(n + 2);
    made.offline = R"({"note":"00"})";
    return made;
}
inline Event event(std::uint64_t n, std::string type = "payment.captured") {
    return {.position = 0,
            .id = EventId(n),
            .type = std::move(type),
            .object_id = PaymentId(n).to_string(),
            .data = R"({"n":")" + std::to_string(n) + "\"}",
            .created = at(n)};
}

// Every field of a record as text, through structured bindings: a field added to a record stops this from compiling
// until it is compared too.
inline std::string show(const std::string& text) {
    return text;
}
inline std::string show(const Bytes& bytes) {
    return to_hex(bytes);
}
inline std::string show(Timestamp time) {
    return std::to_string(time.ns);
}
inline std::string show(uint128 number) {
    return to_decimal(number);
}
inline std::string show(const Asset& asset) {
    return std::string(asset.name());
}
inline std::string show(const Amount& amount) {
    return amount.minor_text() + " " + show(amount.asset());
}
inline std::string show(const std::vector<std::string>& tokens) {
    return ::testing::PrintToString(tokens);
}
template <class Tag>
std::string show(Id<Tag> id) {
    return id.to_string();
}
template <class T>
    requires std::is_enum_v<T>
std::string show(T value) {
    return std::string(name_of(value));
}
template <std::integral T>
    requires(!std::is_same_v<T, uint128>)
std::string show(T number) {
    return std::to_string(number);
}
std::string show(const SimIdentity& sim);
template <class... Fields>
std::string show_all(const Fields&... fields) {
    std::string all;
    ((all += show(fields) + "|"), ...);
    return all;
}
inline std::string show(const SimIdentity& sim) {
    const auto& [iccid, imsi, imei] = sim;
    return show_all(iccid, imsi, imei);
}
inline std::string show(const Person& r) {
    const auto& [id, name, locale, created] = r;
    return show_all(id, name, locale, created);
}
inline std::string show(const Group& r) {
    const auto& [id, kind, name, created] = r;
    return show_all(id, kind, name, created);
}
inline std::string show(const Member& r) {
    const auto& [id, group_id, person_id, device_id, role, created] = r;
    return show_all(id, group_id, person_id, device_id, role, created);
}
inline std::string show(const Wallet& r) {
    const auto& [id, group_id, merchant_id, name, asset, frozen, created] = r;
    return show_all(id, group_id, merchant_id, name, asset, frozen, created);
}
inline std::string show(const Limit& r) {
    const auto& [id, member, kind, category, amount, window_days, created] = r;
    return show_all(id, member, kind, category, amount, window_days, created);
}
inline std::string show(const Merchant& r) {
    const auto& [id, name, city, country, mcc, wallet, created] = r;
    return show_all(id, name, city, country, mcc, wallet, created);
}
inline std::string show(const Product& r) {
    const auto& [id, merchant_id, name, name_zh, category, created] = r;
    return show_all(id, merchant_id, name, name_zh, category, created);
}
inline std::string show(const Slot& r) {
    const auto& [device_id, slot, product_id, price] = r;
    return show_all(device_id, slot, product_id, price);
}
inline std::string show(const Device& r) {
    const auto& [id, kind, name, merchant_id, state, sim, suite, key, credential, code, expires, enrolled, hello,
                 created] = r;
    return show_all(id, kind, name, merchant_id, state, sim, suite, key, credential, code, expires, enrolled, hello,
                    created);
}
inline std::string show(const Payment& r) {
    const auto& [id, kind, state, reason, first, amount, captured, refunded, payer, member, payee, device_id,
                 payer_device, product_id, slot, quantity, delivered, late, hash, sequence, created, updated, expires,
                 offline] = r;
    return show_all(id, kind, state, reason, first, amount, captured, refunded, payer, member, payee, device_id,
                    payer_device, product_id, slot, quantity, delivered, late, hash, sequence, created, updated,
                    expires, offline);
}
inline std::string show(const Refund& r) {
    const auto& [id, payment_id, amount, created] = r;
    return show_all(id, payment_id, amount, created);
}
inline std::string show(const Event& r) {
    const auto& [position, id, type, object_id, data, created] = r;
    return show_all(position, id, type, object_id, data, created);
}
inline std::string show(const ApiKey& r) {
    const auto& [id, name, hash, last4, scopes, person_id, revoked, created] = r;
    return show_all(id, name, hash, last4, scopes, person_id, revoked, created);
}
inline std::string show(const WebhookEndpoint& r) {
    const auto& [id, endpoint_url, secret, events, enabled, created] = r;
    return show_all(id, endpoint_url, secret, events, enabled, created);
}
inline std::string show(const WebhookDelivery& r) {
    const auto& [id, endpoint, event_id, attempt, status, response, done, next, created, updated] = r;
    return show_all(id, endpoint, event_id, attempt, status, response, done, next, created, updated);
}
inline std::string show(const IdempotencyRecord& r) {
    const auto& [key, hash, status, body, created] = r;
    return show_all(key, hash, status, body, created);
}

template <class Record>
std::vector<std::uint64_t> numbers(const std::vector<Record>& records) {
    std::vector<std::uint64_t> list;
    for (const Record& record : records) list.push_back(low64(record.id.value));
    return list;
}

// "9 8 7 +" for a page of records 9, 8, 7 with more beyond; refusals as refusal() writes them.
template <class Record>
std::string page_text(const Result<Listing<Record>>& listing) {
    if (!listing.ok()) return refusal(listing);
    std::string text;
    for (const std::uint64_t n : numbers(listing->data)) text += (text.empty() ? "" : " ") + std::to_string(n);
    return text + (listing->has_more ? " +" : "");
}

}  // namespace jiaozi::registry
