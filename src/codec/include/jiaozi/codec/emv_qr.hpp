// Merchant-presented QR payloads: EMV QR Code Specification for Payment Systems, Merchant-Presented Mode (EMVCo, v1.1).
// Text of fields `id (2 digits) length (2 digits) value`; lengths count characters, not bytes, so that names may be
// Chinese; the CRC (63) runs over the UTF-8 bytes. At most 512 characters. Strict: format indicator first, CRC last and
// right, no field twice, required fields present, values in their field's grammar, no control characters.
//
// Errors: malformed (not this format, wrong CRC), invalid (a value to encode is outside its grammar; param names the
// field), too_large. Pure functions, thread-safe. The amount stays text here: the money library reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/result.hpp>

namespace jiaozi::codec {

inline constexpr std::size_t emv_max_characters = 512;

struct EmvField {
    std::uint8_t id = 0;  // 0..99
    std::string value;
    bool operator==(const EmvField&) const = default;
};

// Every field but the CRC, in the order of the payload: encode(parse(x)) gives x back.
struct EmvQr {
    std::vector<EmvField> fields;

    const std::string* find(std::uint8_t id) const noexcept;
    bool operator==(const EmvQr&) const = default;
};

Result<EmvQr> parse_emv_qr(std::string_view payload);
Result<std::string> encode_emv_qr(const EmvQr& qr);

// The fields inside a template's value (26..51, 62, 64, 80..99), and back.
Result<std::vector<EmvField>> parse_emv_template(std::string_view value);
Result<std::string> encode_emv_template(const std::vector<EmvField>& fields);

// The part of a payload that a payment is made from.
struct EmvPayment {
    bool one_time = false;                   // 01: "12" for this one payment, "11" for many
    std::string scheme;                      // globally unique identifier of the account's scheme (template 26, sub 00)
    std::vector<EmvField> account;           // the template's other fields, ids 1..99
    std::string category;                    // 52: ISO 18245 merchant category, 4 digits
    std::string currency;                    // 53: ISO 4217 number, 3 digits
    std::optional<std::string> amount;       // 54: "23.72", up to 13 characters, not zero
    std::string country;                     // 58: ISO 3166 alpha-2
    std::string merchant_name;               // 59: up to 25 characters
    std::string merchant_city;               // 60: up to 15 characters
    std::optional<std::string> bill_number;  // 62-01, up to 25 characters
    std::optional<std::string> reference_label;  // 62-05, up to 25 characters
    std::optional<std::string> terminal_label;   // 62-07, up to 25 characters
    bool operator==(const EmvPayment&) const = default;
};

Result<std::string> encode_emv_payment(const EmvPayment& payment);

// Reads the account of the wanted scheme from whichever of the templates 26..51 carries it (Error not_found when none
// does). Fields that EmvPayment does not have are ignored, tips excepted: 55 is refused as invalid, because the amount
// to be paid would not be the one that is shown.
Result<EmvPayment> read_emv_payment(const EmvQr& qr, std::string_view scheme);

// CRC-16/CCITT-FALSE: polynomial 0x1021, initial value 0xFFFF.
std::uint16_t crc16_ccitt_false(std::string_view bytes) noexcept;

}  // namespace jiaozi::codec
