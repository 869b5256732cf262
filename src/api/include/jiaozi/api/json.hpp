// The JSON form of the records, as events carry it and the HTTP interface shows it. Field names are the records' own;
// ids are text; amounts are decimal strings of minor units beside their asset; times are RFC 3339 in UTC with
// milliseconds; a zero id or time is null. Secrets (hashes of keys and codes, webhook secrets) are never part of it.
// Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <jiaozi/model/records.hpp>

namespace jiaozi::api {

// "2026-11-21T20:19:22.123Z". A Timestamp ends in the year 2554.
std::string rfc3339(Timestamp time);

// The text between quotes: quotes, backslashes and control characters escaped; UTF-8 passes.
std::string json_escaped(std::string_view text);

// Writes one flat object, fields in the order of the calls.
class JsonObject {
  public:
    JsonObject() = default;
    // With "object": kind in front, as every object of the HTTP interface has it.
    explicit JsonObject(std::string_view kind) { text("object", kind); }

    JsonObject& text(std::string_view name, std::string_view value);
    JsonObject& number(std::string_view name, std::uint64_t value);
    JsonObject& minor(std::string_view name, uint128 value) { return text(name, to_decimal(value)); }
    JsonObject& boolean(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
    JsonObject& time(std::string_view name, Timestamp value);
    template <class Tag>
    JsonObject& id(std::string_view name, Id<Tag> value) {
        return value ? text(name, value.to_string()) : raw(name, "null");
    }
    // "amount" and "asset".
    JsonObject& amount(const Amount& value);
    // `json` is trusted to be one JSON value.
    JsonObject& raw(std::string_view name, std::string_view json);
    std::string take();

  private:
    std::string out_;
};

std::string json_of(const Person& person);
std::string json_of(const Group& group);
std::string json_of(const Member& member);
std::string json_of(const Wallet& wallet);
std::string json_of(const Limit& limit);
std::string json_of(const Merchant& merchant);
std::string json_of(const Product& product);
std::string json_of(const Slot& slot);
std::string json_of(const Device& device);
std::string json_of(const ApiKey& key);  // never its hash
std::string json_of(const Payment& payment);
std::string json_of(const Refund& refund);

}  // namespace jiaozi::api
