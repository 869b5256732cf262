#include <algorithm>
#include <array>
#include <bitset>

#include <jiaozi/codec/emv_qr.hpp>
#include <jiaozi/codec/utf8.hpp>

namespace jiaozi::codec {
namespace {

enum class Grammar : std::uint8_t { any, digits, letters, amount, initiation, format, tip };

// What the specification says of each primitive field: table 3-1 and section 4.
struct Rule {
    std::uint8_t id;
    std::uint8_t min_characters;
    std::uint8_t max_characters;
    bool required;
    Grammar grammar;
    std::string_view name;
};
constexpr std::array rules = {
    Rule{0, 2, 2, true, Grammar::format, "payload format indicator"},
    Rule{1, 2, 2, false, Grammar::initiation, "point of initiation"},
    Rule{52, 4, 4, true, Grammar::digits, "merchant category"},
    Rule{53, 3, 3, true, Grammar::digits, "currency"},
    Rule{54, 1, 13, false, Grammar::amount, "amount"},
    Rule{55, 2, 2, false, Grammar::tip, "tip indicator"},
    Rule{56, 1, 13, false, Grammar::amount, "fixed fee"},
    Rule{57, 1, 5, false, Grammar::amount, "percentage fee"},
    Rule{58, 2, 2, true, Grammar::letters, "country"},
    Rule{59, 1, 25, true, Grammar::any, "merchant name"},
    Rule{60, 1, 15, true, Grammar::any, "merchant city"},
    Rule{61, 1, 10, false, Grammar::any, "postal code"},
};

constexpr std::uint8_t id_crc = 63;
constexpr std::string_view crc_head = "6304";
constexpr std::size_t crc_digits = 4;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_account_template(std::uint8_t id) noexcept {
    return id >= 26 && id <= 51;
}
bool has_scheme(std::uint8_t id) noexcept {
    return is_account_template(id) || id >= 80;
}
bool is_template(std::uint8_t id) noexcept {
    return has_scheme(id) || id == 62 || id == 64;
}

// Digits with at most one point, something before it, and not zero ("98." is allowed by the specification).
bool is_amount(std::string_view text) noexcept {
    const auto point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const std::string_view decimals = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
    const auto nonzero = [](char c) { return c != '0'; };
    return !whole.empty() && std::ranges::all_of(whole, is_digit) && std::ranges::all_of(decimals, is_digit) &&
           (std::ranges::any_of(whole, nonzero) || std::ranges::any_of(decimals, nonzero));
}

bool fits(Grammar grammar, std::string_view value) noexcept {
    switch (grammar) {
        case Grammar::any:
            return true;
        case Grammar::digits:
            return std::ranges::all_of(value, is_digit);
        case Grammar::letters:
            return std::ranges::all_of(value, [](char c) { return c >= 'A' && c <= 'Z'; });
        case Grammar::amount:
            return is_amount(value);
        case Grammar::initiation:
            return value == "11" || value == "12";
        case Grammar::format:
            return value == "01";
        case Grammar::tip:
            return value == "01" || value == "02" || value == "03";
    }
    return false;
}

std::string two_digits(std::size_t number) {
    return {static_cast<char>('0' + number / 10 % 10), static_cast<char>('0' + number % 10)};
}

Error field_error(ErrorKind kind, std::uint8_t id, std::string_view what) {
    return Error(kind, "EMV QR field " + two_digits(id) + ": " + std::string(what)).with_param(two_digits(id));
}

Result<std::uint8_t> take_number(std::string_view& text) {
    if (text.size() < 2 || !is_digit(text[0]) || !is_digit(text[1])) {
        return Error(ErrorKind::malformed,
                     "EMV QR: two digits expected before \"" + std::string(text.substr(0, 8)) + "\"");
    }
    const auto number = static_cast<std::uint8_t>((text[0] - '0') * 10 + (text[1] - '0'));
    text.remove_prefix(2);
    return number;
}

// The bytes of the first `characters` code points; fewer characters give npos.
std::size_t bytes_of(std::string_view text, std::size_t characters) noexcept {
    std::size_t at = 0;
    for (; characters > 0; --characters) {
        if (at >= text.size()) return std::string_view::npos;
        for (++at; at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;) ++at;
    }
    return at;
}

Result<std::vector<EmvField>> parse_fields(std::string_view text) {
    std::vector<EmvField> fields;
    std::bitset<100> seen;
    while (!text.empty()) {
        JZ_TRY(const std::uint8_t id, take_number(text));
        JZ_TRY(const std::uint8_t characters, take_number(text));
        const std::size_t size = bytes_of(text, characters);
        if (characters == 0) return field_error(ErrorKind::malformed, id, "is empty");
        if (size == std::string_view::npos)
            return field_error(ErrorKind::malformed, id, "is longer than the rest of the text");
        if (seen[id]) return field_error(ErrorKind::malformed, id, "occurs twice");
        seen[id] = true;
        fields.push_back({id, std::string(text.substr(0, size))});
        text.remove_prefix(size);
    }
    return fields;
}

Result<void> check_text(std::string_view text, ErrorKind kind) {
    if (!is_utf8(text)) return Error(kind, "EMV QR: not UTF-8");
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (std::ranges::any_of(text, control)) return Error(kind, "EMV QR: control characters are not allowed");
    return {};
}

Result<void> check_template(const EmvField& field, ErrorKind kind) {
    auto inside = parse_fields(field.value);
    if (!inside.ok()) return field_error(kind, field.id, inside.error().message());
    const bool scheme =
        std::ranges::any_of(*inside, [](const EmvField& f) { return f.id == 0 && f.value.size() <= 32; });
    if (has_scheme(field.id) && !scheme) {
        return field_error(kind, field.id, "needs sub-field 00, the identifier of its scheme, of up to 32 characters");
    }
    return {};
}

Result<void> check_tip(const EmvQr& qr, ErrorKind kind) {
    const std::string* const tip = qr.find(55);
    const bool fixed = tip != nullptr && *tip == "02";
    const bool percentage = tip != nullptr && *tip == "03";
    if (fixed != (qr.find(56) != nullptr)) return field_error(kind, 56, "is there exactly when 55 is 02");
    if (percentage != (qr.find(57) != nullptr)) return field_error(kind, 57, "is there exactly when 55 is 03");
    return {};
}

// Everything but the CRC, for both directions; `kind` says whose fault a breach is.
Result<void> check(const EmvQr& qr, ErrorKind kind) {
    if (qr.fields.empty() || qr.fields.front().id != 0) return field_error(kind, 0, "must come first");
    for (const EmvField& field : qr.fields) {
        if (field.id >= 65 && field.id <= 79) return field_error(kind, field.id, "is reserved by EMVCo");
        if (is_template(field.id)) JZ_CHECK(check_template(field, kind));
        const auto rule = std::ranges::find(rules, field.id, &Rule::id);
        if (rule == rules.end()) continue;
        const std::size_t characters = utf8_length(field.value);
        if (characters < rule->min_characters || characters > rule->max_characters ||
            !fits(rule->grammar, field.value)) {
            return field_error(kind, field.id, "is not a " + std::string(rule->name));
        }
    }
    for (const Rule& rule : rules) {
        if (rule.required && qr.find(rule.id) == nullptr) {
            return field_error(kind, rule.id, std::string(rule.name) + " is missing");
        }
    }
    const auto is_account = [](const EmvField& field) { return field.id >= 2 && field.id <= 51; };
    if (std::ranges::none_of(qr.fields, is_account)) return field_error(kind, 26, "no merchant account (02 to 51)");
    return check_tip(qr, kind);
}

std::string crc_text(std::string_view covered) {
    static constexpr char digits[] = "0123456789ABCDEF";
    const unsigned crc = crc16_ccitt_false(covered);
    return {digits[crc >> 12], digits[(crc >> 8) & 15], digits[(crc >> 4) & 15], digits[crc & 15]};
}

void add_optional(std::vector<EmvField>& fields, std::uint8_t id, const std::optional<std::string>& value) {
    if (value) fields.push_back({id, *value});
}

std::optional<std::string> find_in(const std::vector<EmvField>& fields, std::uint8_t id) {
    const auto found = std::ranges::find(fields, id, &EmvField::id);
    if (found == fields.end()) return std::nullopt;
    return found->value;
}

}  // namespace

std::uint16_t crc16_ccitt_false(std::string_view bytes) noexcept {
    unsigned crc = 0xFFFF;
    for (const char byte : bytes) {
        crc ^= static_cast<unsigned>(static_cast<unsigned char>(byte)) << 8;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
        crc &= 0xFFFF;
    }
    return static_cast<std::uint16_t>(crc);
}

const std::string* EmvQr::find(std::uint8_t id) const noexcept {
    const auto found = std::ranges::find(fields, id, &EmvField::id);
    return found == fields.end() ? nullptr : &found->value;
}

Result<std::vector<EmvField>> parse_emv_template(std::string_view value) {
    if (value.size() > emv_max_characters * 4)
        return Error(ErrorKind::too_large, "EMV QR: a template has up to 99 characters");
    JZ_CHECK(check_text(value, ErrorKind::malformed));
    return parse_fields(value);
}

Result<std::string> encode_emv_template(const std::vector<EmvField>& fields) {
    std::string text;
    std::bitset<100> seen;
    for (const EmvField& field : fields) {
        if (field.id > 99 || seen[field.id]) {
            return Error(ErrorKind::invalid, "EMV QR: field ids run from 0 to 99, each once");
        }
        seen[field.id] = true;
        JZ_CHECK(check_text(field.value, ErrorKind::invalid));
        const std::size_t characters = utf8_length(field.value);
        if (characters < 1 || characters > 99)
            return field_error(ErrorKind::invalid, field.id, "must have 1 to 99 characters");
        text += two_digits(field.id) + two_digits(characters) + field.value;
    }
    return text;
}

Result<EmvQr> parse_emv_qr(std::string_view payload) {
    // A character takes up to four bytes, so this bounds the work before the characters are counted.
    if (payload.size() > emv_max_characters * 4) return Error(ErrorKind::too_large, "EMV QR: more than 512 characters");
    JZ_CHECK(check_text(payload, ErrorKind::malformed));
    if (utf8_length(payload) > emv_max_characters)
        return Error(ErrorKind::too_large, "EMV QR: more than 512 characters");
    const std::size_t tail = crc_head.size() + crc_digits;
    if (payload.size() < tail || payload.substr(payload.size() - tail, crc_head.size()) != crc_head) {
        return field_error(ErrorKind::malformed, id_crc, "must come last");
    }
    if (crc_text(payload.substr(0, payload.size() - crc_digits)) != payload.substr(payload.size() - crc_digits)) {
        return field_error(ErrorKind::malformed, id_crc, "the checksum is wrong: read the code again");
    }
    EmvQr qr;
    JZ_TRY(qr.fields, parse_fields(payload.substr(0, payload.size() - tail)));
    if (qr.find(id_crc) != nullptr) return field_error(ErrorKind::malformed, id_crc, "occurs twice");
    JZ_CHECK(check(qr, ErrorKind::malformed));
    return qr;
}

Result<std::string> encode_emv_qr(const EmvQr& qr) {
    if (qr.find(id_crc) != nullptr) return field_error(ErrorKind::invalid, id_crc, "is added by the encoder");
    JZ_TRY(std::string text, encode_emv_template(qr.fields));
    JZ_CHECK(check(qr, ErrorKind::invalid));
    text += crc_head;
    text += crc_text(text);
    if (utf8_length(text) > emv_max_characters) return Error(ErrorKind::too_large, "EMV QR: more than 512 characters");
    return text;
}

Result<std::string> encode_emv_payment(const EmvPayment& payment) {
    std::vector<EmvField> account{{0, payment.scheme}};
    account.insert(account.end(), payment.account.begin(), payment.account.end());
    JZ_TRY(std::string account_text, encode_emv_template(account));
    EmvQr qr{{{0, "01"}, {1, payment.one_time ? "12" : "11"}, {26, std::move(account_text)}}};
    qr.fields.push_back({52, payment.category});
    qr.fields.push_back({53, payment.currency});
    add_optional(qr.fields, 54, payment.amount);
    qr.fields.push_back({58, payment.country});
    qr.fields.push_back({59, payment.merchant_name});
    qr.fields.push_back({60, payment.merchant_city});
    std::vector<EmvField> additional;
    add_optional(additional, 1, payment.bill_number);
    add_optional(additional, 5, payment.reference_label);
    add_optional(additional, 7, payment.terminal_label);
    for (const EmvField& field : additional) {
        if (utf8_length(field.value) > 25)
            return field_error(ErrorKind::invalid, 62, "labels have up to 25 characters");
    }
    if (!additional.empty()) {
        JZ_TRY(std::string additional_text, encode_emv_template(additional));
        qr.fields.push_back({62, std::move(additional_text)});
    }
    return encode_emv_qr(qr);
}

Result<EmvPayment> read_emv_payment(const EmvQr& qr, std::string_view scheme) {
    JZ_CHECK(check(qr, ErrorKind::invalid));
    if (qr.find(55) != nullptr) return field_error(ErrorKind::invalid, 55, "codes that ask for a tip are not accepted");
    EmvPayment payment;
    for (const EmvField& field : qr.fields) {
        if (!is_account_template(field.id) || !payment.scheme.empty()) continue;
        JZ_TRY(payment.account, parse_emv_template(field.value));
        if (find_in(payment.account, 0) == scheme) payment.scheme = scheme;
    }
    if (payment.scheme.empty()) return Error(ErrorKind::not_found, "this code is not for " + std::string(scheme));
    std::erase_if(payment.account, [](const EmvField& field) { return field.id == 0; });
    const std::string* const initiation = qr.find(1);
    payment.one_time = initiation != nullptr && *initiation == "12";
    payment.category = *qr.find(52);
    payment.currency = *qr.find(53);
    payment.amount = find_in(qr.fields, 54);
    payment.country = *qr.find(58);
    payment.merchant_name = *qr.find(59);
    payment.merchant_city = *qr.find(60);
    if (const std::string* const additional = qr.find(62)) {
        JZ_TRY(const std::vector<EmvField> fields, parse_emv_template(*additional));
        payment.bill_number = find_in(fields, 1);
        payment.reference_label = find_in(fields, 5);
        payment.terminal_label = find_in(fields, 7);
    }
    return payment;
}

}  // namespace jiaozi::codec
