#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include <jiaozi/base/uint128.hpp>
#include <jiaozi/codec/cbor_value.hpp>
#include <jiaozi/codec/utf8.hpp>

#include "cbor_float.hpp"

namespace jiaozi::codec {
namespace {

constexpr std::uint8_t break_byte = 0xFF;

// Decodes by RFC 8949 appendix C, every width and indefinite lengths included. Recursion is bounded by max_depth.
class TolerantDecoder {
  public:
    TolerantDecoder(ByteView input, CborLimits limits) : input_(input), limits_(limits) {}

    Result<CborValue> whole() {
        if (input_.size() > limits_.max_bytes) return fail(ErrorKind::too_large, "too many bytes");
        JZ_TRY(CborValue value, item(0));
        if (position_ != input_.size()) return fail(ErrorKind::malformed, "bytes follow the item");
        return value;
    }

  private:
    struct Head {
        std::uint8_t major = 0;
        std::uint8_t info = 0;
        std::uint64_t argument = 0;
        bool indefinite() const noexcept { return info == 31; }
    };

    Error fail(ErrorKind kind, std::string_view what) const {
        return {kind, "CBOR at byte " + std::to_string(position_) + ": " + std::string(what)};
    }
    Error ends() const { return fail(ErrorKind::malformed, "the input ends too early"); }

    Result<Head> head() {
        if (position_ >= input_.size()) return ends();
        if (++items_ > limits_.max_items) return fail(ErrorKind::too_large, "too many items");
        const std::uint8_t lead = input_[position_];
        Head head{.major = static_cast<std::uint8_t>(lead >> 5), .info = static_cast<std::uint8_t>(lead & 31)};
        if (head.info > 27 && head.info < 31) return fail(ErrorKind::malformed, "a reserved length code");
        if (head.indefinite() && (head.major < 2 || head.major > 5)) {
            return fail(ErrorKind::malformed, "a break or an indefinite length where none may be");
        }
        ++position_;
        if (head.info < 24) head.argument = head.info;
        if (head.info < 24 || head.indefinite()) return head;
        const std::size_t width = std::size_t{1} << (head.info - 24);
        if (input_.size() - position_ < width) return ends();
        for (std::size_t i = 0; i < width; ++i) head.argument = (head.argument << 8) | input_[position_++];
        return head;
    }

    bool at_break() {
        if (position_ >= input_.size() || input_[position_] != break_byte) return false;
        ++position_;
        return true;
    }

    Result<ByteView> chunk(const Head& head) {
        if (head.argument > input_.size() - position_) return ends();
        const ByteView content = input_.subspan(position_, static_cast<std::size_t>(head.argument));
        if (head.major == 3 && !is_utf8(as_text(content))) return fail(ErrorKind::malformed, "text is not UTF-8");
        position_ += content.size();
        return content;
    }

    Result<Bytes> string(const Head& first) {
        if (!first.indefinite()) {
            JZ_TRY(const ByteView content, chunk(first));
            return to_bytes(content);
        }
        Bytes content;
        while (!at_break()) {
            JZ_TRY(const Head next, head());
            if (next.major != first.major || next.indefinite()) {
                return fail(ErrorKind::malformed, "a chunk of another type inside a string");
            }
            JZ_TRY(const ByteView part, chunk(next));
            append(content, part);
        }
        return content;
    }

    Result<void> children(const Head& head, std::size_t per_entry, std::size_t depth, CborValue& parent) {
        // No reserve(): the claimed count is not to be believed before the items are there.
        for (std::uint64_t done = 0; head.indefinite() ? !at_break() : done < head.argument; ++done) {
            for (std::size_t i = 0; i < per_entry; ++i) {
                JZ_TRY(CborValue child, item(depth));
                parent.items.push_back(std::move(child));
            }
        }
        return {};
    }

    Result<void> check_keys(const CborValue& map) const {
        std::vector<Bytes> keys;
        for (std::size_t i = 0; i < map.items.size(); i += 2) {
            JZ_TRY(Bytes key, encode_cbor(map.items[i]));
            keys.push_back(std::move(key));
        }
        std::ranges::sort(keys);
        if (std::ranges::adjacent_find(keys) == keys.end()) return {};
        return fail(ErrorKind::malformed, "a map key occurs twice");
    }

    Result<CborValue> simple_or_float(const Head& head) const {
        CborValue value;
        if (head.info <= 24) {
            if (head.info == 24 && head.argument < 32) return fail(ErrorKind::malformed, "a reserved simple value");
            value.number = head.argument;
            value.type = CborType::simple;
            if (head.argument == 20 || head.argument == 21) {
                value.type = CborType::boolean;
                value.number = head.argument - 20;
            } else if (head.argument == 22 || head.argument == 23) {
                value.type = head.argument == 22 ? CborType::null : CborType::undefined;
                value.number = 0;
            }
            return value;
        }
        if (!limits_.allow_floats) return fail(ErrorKind::malformed, "floating-point numbers are not accepted here");
        value.type = CborType::floating;
        value.real = head.info == 25 ? half_to_double(static_cast<std::uint16_t>(head.argument))
                     : head.info == 26
                         ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(head.argument)))
                         : std::bit_cast<double>(head.argument);
        return value;
    }

    Result<CborValue> item(std::size_t depth) {
        JZ_TRY(const Head head, this->head());
        const bool container = head.major >= 4 && head.major <= 6;
        if (container && depth >= limits_.max_depth) return fail(ErrorKind::too_large, "nested too deeply");
        CborValue value;
        if (head.major == 7) return simple_or_float(head);
        value.type = static_cast<CborType>(head.major);
        switch (value.type) {
            case CborType::bytes: {
                JZ_TRY(value.bytes, string(head));
                break;
            }
            case CborType::text: {
                JZ_TRY(const Bytes content, string(head));
                value.text = as_text(content);
                break;
            }
            case CborType::array:
                JZ_CHECK(children(head, 1, depth + 1, value));
                break;
            case CborType::map:
                JZ_CHECK(children(head, 2, depth + 1, value));
                JZ_CHECK(check_keys(value));
                break;
            case CborType::tag: {
                value.number = head.argument;
                JZ_CHECK(children({.major = 6, .info = 1, .argument = 1}, 1, depth + 1, value));
                break;
            }
            default:
                value.number = head.argument;
        }
        return value;
    }

    ByteView input_;
    CborLimits limits_;
    std::size_t position_ = 0;
    std::size_t items_ = 0;
};

Result<void> write(const CborValue& value, CborWriter& out);

Result<void> write_map(const CborValue& map, CborWriter& out) {
    std::vector<std::pair<Bytes, Bytes>> fields;
    for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
        JZ_TRY(Bytes key, encode_cbor(map.items[i]));
        JZ_TRY(Bytes value, encode_cbor(map.items[i + 1]));
        fields.emplace_back(std::move(key), std::move(value));
    }
    std::ranges::sort(fields);
    const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
    if (std::ranges::adjacent_find(fields, same_key) != fields.end()) {
        return Error(ErrorKind::invalid, "a map key occurs twice");
    }
    out.map(fields.size());
    for (const auto& [key, item] : fields) out.encoded(key).encoded(item);
    return {};
}

Result<void> write(const CborValue& value, CborWriter& out) {
    switch (value.type) {
        case CborType::uint:
            out.uint(value.number);
            break;
        case CborType::negint: {
            // Down to -2^64, which int64 does not reach: the head is major type 1 with the same argument.
            CborWriter head;
            Bytes bytes = head.uint(value.number).take();
            bytes[0] = static_cast<std::uint8_t>(bytes[0] | 0x20);
            out.encoded(bytes);
            break;
        }
        case CborType::bytes:
            out.bytes(value.bytes);
            break;
        case CborType::text:
            out.text(value.text);
            break;
        case CborType::array:
            out.array(value.items.size());
            for (const CborValue& item : value.items) JZ_CHECK(write(item, out));
            break;
        case CborType::map:
            return write_map(value, out);
        case CborType::tag:
            out.tag(value.number);
            return write(value.items.at(0), out);
        case CborType::boolean:
            out.boolean(value.number != 0);
            break;
        case CborType::null:
            out.null();
            break;
        case CborType::undefined:
            out.simple(23);
            break;
        case CborType::simple:
            out.simple(static_cast<std::uint8_t>(value.number));
            break;
        case CborType::floating:
            out.floating(value.real);
            break;
    }
    return {};
}

std::string in_quotes(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            out += "\\u00";
            out += digits[static_cast<unsigned char>(c) >> 4];
            out += digits[static_cast<unsigned char>(c) & 15];
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string float_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    std::array<char, 40> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    std::string text(buffer.data(), end);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

std::string joined(const std::vector<CborValue>& items, bool is_map) {
    std::string out;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += is_map && i % 2 == 1 ? ": " : ", ";
        out += cbor_diagnostic(items[i]);
    }
    return out;
}

// Reads what the strict reader has already found right, so the tolerant decoder gives the same tree.
Result<CborValue> decode_deterministic(ByteView input, CborLimits limits) {
    CborReader reader(input, limits);
    JZ_CHECK(reader.skip());
    JZ_CHECK(reader.finish());
    return TolerantDecoder(input, limits).whole();
}

}  // namespace

bool CborValue::is_integer(std::int64_t value) const noexcept {
    if (value >= 0) return type == CborType::uint && number == static_cast<std::uint64_t>(value);
    return type == CborType::negint && number == static_cast<std::uint64_t>(-1 - value);
}

const CborValue* CborValue::find(std::int64_t key) const noexcept {
    if (type != CborType::map) return nullptr;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
        if (items[i].is_integer(key)) return &items[i + 1];
    }
    return nullptr;
}

Result<CborValue> decode_cbor(ByteView input, CborRules rules, CborLimits limits) {
    // The tolerant decoder calls itself once a level, so its depth has the same ceiling as the reader's.
    JZ_ASSERT(limits.max_depth <= cbor_max_depth);
    if (rules == CborRules::deterministic) return decode_deterministic(input, limits);
    return TolerantDecoder(input, limits).whole();
}

Result<Bytes> encode_cbor(const CborValue& value) {
    CborWriter out;
    JZ_CHECK(write(value, out));
    return out.take();
}

std::string cbor_diagnostic(const CborValue& value) {
    switch (value.type) {
        case CborType::uint:
            return std::to_string(value.number);
        case CborType::negint:
            return "-" + to_decimal(static_cast<uint128>(value.number) + 1);
        case CborType::bytes:
            return "h'" + to_hex(value.bytes) + "'";
        case CborType::text:
            return in_quotes(value.text);
        case CborType::array:
            return "[" + joined(value.items, false) + "]";
        case CborType::map:
            return "{" + joined(value.items, true) + "}";
        case CborType::tag:
            return std::to_string(value.number) + "(" + joined(value.items, false) + ")";
        case CborType::boolean:
            return value.number != 0 ? "true" : "false";
        case CborType::null:
            return "null";
        case CborType::undefined:
            return "undefined";
        case CborType::simple:
            return "simple(" + std::to_string(value.number) + ")";
        case CborType::floating:
            return float_text(value.real);
    }
    return {};
}

}  // namespace jiaozi::codec
