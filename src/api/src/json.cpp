#include <fmt/format.h>

#include <jiaozi/api/json.hpp>

namespace jiaozi::api {
namespace {

struct Day {
    std::uint64_t year = 1970;
    unsigned month = 1;
    unsigned day = 1;
};

// Proleptic Gregorian date of a count of days since 1970 (the well-known era arithmetic: eras of 400 years begin in
// March).
Day civil_date(std::uint64_t days_since_1970) {
    const std::uint64_t shifted = days_since_1970 + 719468;
    const std::uint64_t era = shifted / 146097;
    const std::uint64_t day_of_era = shifted % 146097;
    const std::uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::uint64_t shifted_month = (5 * day_of_year + 2) / 153;
    const auto day = static_cast<unsigned>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    const auto month = static_cast<unsigned>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

}  // namespace

std::string rfc3339(Timestamp time) {
    const std::uint64_t seconds = time.s();
    const Day date = civil_date(seconds / 86400);
    const std::uint64_t second_of_day = seconds % 86400;
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", date.year, date.month, date.day,
                       second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60, time.ms() % 1000);
}

std::string json_escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\u{:04x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
    out_ += out_.empty() ? '{' : ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
    out_ += json;
    return *this;
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
    return raw(name, '"' + json_escaped(value) + '"');
}

JsonObject& JsonObject::number(std::string_view name, std::uint64_t value) {
    return raw(name, std::to_string(value));
}

JsonObject& JsonObject::time(std::string_view name, Timestamp value) {
    return value.ns == 0 ? raw(name, "null") : text(name, rfc3339(value));
}

JsonObject& JsonObject::amount(const Amount& value) {
    return text("amount", value.minor_text()).text("asset", value.asset().name());
}

std::string JsonObject::take() {
    if (out_.empty()) out_ = "{";
    out_ += '}';
    return std::move(out_);
}

std::string json_of(const Person& person) {
    return JsonObject("person")
        .id("id", person.id)
        .text("name", person.name)
        .text("locale", person.locale)
        .time("created", person.created)
        .take();
}

std::string json_of(const Group& group) {
    return JsonObject("group")
        .id("id", group.id)
        .text("kind", name_of(group.kind))
        .text("name", group.name)
        .time("created", group.created)
        .take();
}

std::string json_of(const Member& member) {
    return JsonObject("member")
        .id("id", member.id)
        .id("group", member.group)
        .id("person", member.person)
        .id("device", member.device)
        .text("role", name_of(member.role))
        .time("created", member.created)
        .take();
}

std::string json_of(const Wallet& wallet) {
    return JsonObject("wallet")
        .id("id", wallet.id)
        .id("group", wallet.group)
        .id("merchant", wallet.merchant)
        .text("name", wallet.name)
        .text("asset", wallet.asset.name())
        .boolean("frozen", wallet.frozen)
        .time("created", wallet.created)
        .take();
}

std::string json_of(const Limit& limit) {
    return JsonObject("limit")
        .id("id", limit.id)
        .id("member", limit.member)
        .text("kind", name_of(limit.kind))
        .text("category", limit.category)
        .amount(limit.amount)
        .number("window_days", limit.window_days)
        .time("created", limit.created)
        .take();
}

std::string json_of(const Merchant& merchant) {
    return JsonObject("merchant")
        .id("id", merchant.id)
        .text("name", merchant.name)
        .text("city", merchant.city)
        .text("country", merchant.country)
        .text("mcc", merchant.mcc)
        .id("wallet", merchant.wallet)
        .time("created", merchant.created)
        .take();
}

std::string json_of(const Product& product) {
    return JsonObject("product")
        .id("id", product.id)
        .id("merchant", product.merchant)
        .text("name", product.name)
        .text("name_zh", product.name_zh)
        .text("category", product.category)
        .time("created", product.created)
        .take();
}

std::string json_of(const Slot& slot) {
    return JsonObject("slot")
        .id("device", slot.device)
        .number("slot", slot.slot)
        .id("product", slot.product)
        .text("price", slot.price.minor_text())
        .text("asset", slot.price.asset().name())
        .take();
}

std::string json_of(const Device& device) {
    JsonObject sim;
    sim.text("iccid", device.sim.iccid).text("imsi", device.sim.imsi).text("imei", device.sim.imei);
    return JsonObject("device")
        .id("id", device.id)
        .text("kind", name_of(device.kind))
        .text("name", device.name)
        .id("merchant", device.merchant)
        .text("state", name_of(device.state))
        .raw("sim", sim.take())
        .number("suite", device.suite)
        .text("public_key", to_hex(device.public_key))
        .text("credential_id", to_hex(device.credential_id))
        .time("enrolment_expires", device.enrolment_expires)
        .time("enrolled", device.enrolled)
        .time("last_hello", device.last_hello)
        .time("created", device.created)
        .take();
}

std::string json_of(const ApiKey& key) {
    std::string scopes = "[";
    for (const std::string& scope : key.scopes) {
        if (scopes.size() > 1) scopes += ',';
        scopes += '"' + json_escaped(scope) + '"';
    }
    return JsonObject("api_key")
        .id("id", key.id)
        .text("name", key.name)
        .text("last4", key.last4)
        .raw("scopes", scopes + ']')
        .id("person", key.person)
        .boolean("revoked", key.revoked)
        .time("created", key.created)
        .take();
}

std::string json_of(const Payment& payment) {
    return JsonObject("payment")
        .id("id", payment.id)
        .text("kind", name_of(payment.kind))
        .text("state", name_of(payment.state))
        .text("reason", name_of(payment.reason))
        .amount(payment.amount)
        .minor("captured", payment.captured_minor)
        .minor("refunded", payment.refunded_minor)
        .id("payer_wallet", payment.payer_wallet)
        .id("payer_member", payment.payer_member)
        .id("payee_wallet", payment.payee_wallet)
        .id("device", payment.device)
        .id("payer_device", payment.payer_device)
        .id("product", payment.product)
        .number("slot", payment.slot)
        .number("quantity", payment.quantity)
        .number("delivered", payment.delivered)
        .boolean("late_delivery", payment.late_delivery)
        .time("created", payment.created)
        .time("updated", payment.updated)
        .time("expires", payment.expires)
        .raw("offline", payment.offline.empty() ? "null" : payment.offline)
        .take();
}

std::string json_of(const Refund& refund) {
    return JsonObject("refund")
        .id("id", refund.id)
        .id("payment", refund.payment)
        .amount(refund.amount)
        .time("created", refund.created)
        .take();
}

}  // namespace jiaozi::api
