#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/codec/utf8.hpp>

#include "cbor_float.hpp"

namespace jiaozi::codec {
namespace {

constexpr std::uint8_t major_simple = 7;

CborType type_of(std::uint8_t lead) noexcept {
    const unsigned major = lead >> 5;
    if (major < major_simple) return static_cast<CborType>(major);
    switch (lead & 31) {
        case 20:
        case 21:
            return CborType::boolean;
        case 22:
            return CborType::null;
        case 23:
            return CborType::undefined;
        case 25:
        case 26:
        case 27:
            return CborType::floating;
        default:
            return CborType::simple;
    }
}

double to_double(std::uint8_t info, std::uint64_t argument) noexcept {
    if (info == 25) return half_to_double(static_cast<std::uint16_t>(argument));
    if (info == 26) return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(argument)));
    return std::bit_cast<double>(argument);
}

}  // namespace

std::string_view name_of(CborType type) noexcept {
    switch (type) {
        case CborType::uint:
            return "unsigned integer";
        case CborType::negint:
            return "negative integer";
        case CborType::bytes:
            return "byte string";
        case CborType::text:
            return "text string";
        case CborType::array:
            return "array";
        case CborType::map:
            return "map";
        case CborType::tag:
            return "tag";
        case CborType::boolean:
            return "boolean";
        case CborType::null:
            return "null";
        case CborType::undefined:
            return "undefined";
        case CborType::simple:
            return "simple value";
        case CborType::floating:
            return "floating-point number";
    }
    return "unknown";
}

CborReader::CborReader(ByteView input, CborLimits limits) noexcept : input_(input), limits_(limits) {
    JZ_ASSERT(limits_.max_depth <= cbor_max_depth);
}

Error CborReader::error(ErrorKind kind, std::string_view what) const {
    return {kind, "CBOR at byte " + std::to_string(position_) + ": " + std::string(what)};
}

Result<CborType> CborReader::peek() const {
    if (position_ >= input_.size()) return malformed("the input ends where an item is expected");
    return type_of(input_[position_]);
}

Result<void> CborReader::check_width(const Head& head, unsigned width) const {
    if (head.major == major_simple) return check_simple_or_float(head);
    const std::uint64_t smallest = width == 1 ? 24 : 1ULL << (width * 4);
    if (head.argument < smallest) return malformed("a number is not in its shortest form");
    return {};
}

Result<void> CborReader::check_simple_or_float(const Head& head) const {
    if (head.info == 24) {
        if (head.argument < 32) return malformed("a simple value below 32 in two bytes is reserved");
        return {};
    }
    if (!limits_.allow_floats) return malformed("floating-point numbers are not accepted here");
    const double value = to_double(head.info, head.argument);
    if (std::isnan(value)) {
        if (head.info != 25 || head.argument != 0x7E00) return malformed("NaN is written f97e00");
        return {};
    }
    const bool shorter = (head.info == 26 && exact_half(value)) || (head.info == 27 && exact_single(value));
    if (shorter) return malformed("a floating-point number is not in its shortest form");
    return {};
}

// Reads the head of the next item, with every check that concerns the head alone.
Result<CborReader::Head> CborReader::begin_item() {
    if (input_.size() > limits_.max_bytes) {
        return error(ErrorKind::too_large, "more than " + std::to_string(limits_.max_bytes) + " bytes");
    }
    if (complete_) return malformed("bytes follow the item");
    if (position_ >= input_.size()) return malformed("the input ends where an item is expected");
    if (++items_ > limits_.max_items) {
        return error(ErrorKind::too_large, "more than " + std::to_string(limits_.max_items) + " items");
    }
    if (depth_ > 0) {
        Frame& frame = frames_[depth_ - 1];
        if (frame.is_map && frame.remaining % 2 == 0) frame.key_start = position_;
    }
    const std::uint8_t lead = input_[position_];
    Head head{.major = static_cast<std::uint8_t>(lead >> 5), .info = static_cast<std::uint8_t>(lead & 31)};
    if (head.info < 24) {
        head.argument = head.info;
        ++position_;
        return head;
    }
    if (head.info == 31) return malformed("indefinite lengths are not accepted");
    if (head.info > 27) return malformed("a reserved length code");
    const unsigned width = 1U << (head.info - 24);
    if (input_.size() - position_ - 1 < width) return malformed("the input ends inside a number");
    for (unsigned i = 1; i <= width; ++i) head.argument = (head.argument << 8) | input_[position_ + i];
    JZ_CHECK(check_width(head, width));
    position_ += 1 + width;
    return head;
}

Result<CborReader::Head> CborReader::begin_item(CborType wanted) {
    JZ_TRY(const CborType found, peek());
    if (found != wanted) {
        return malformed("expected " + std::string(name_of(wanted)) + ", found " + std::string(name_of(found)));
    }
    return begin_item();
}

// Closes every container that the item just read has filled, and checks a key that it has completed.
Result<void> CborReader::end_item() {
    while (depth_ > 0) {
        Frame& frame = frames_[depth_ - 1];
        --frame.remaining;
        if (frame.is_map && frame.remaining % 2 == 1) {
            const ByteView key = input_.subspan(frame.key_start, position_ - frame.key_start);
            const ByteView previous = input_.subspan(frame.previous_start, frame.previous_size);
            if (!std::ranges::lexicographical_compare(previous, key)) {
                return malformed(equal(previous, key) ? "a map key occurs twice"
                                                      : "map keys are not in ascending order");
            }
            frame.previous_start = frame.key_start;
            frame.previous_size = key.size();
        }
        if (frame.remaining > 0) return {};
        --depth_;
    }
    complete_ = true;
    return {};
}

Result<void> CborReader::open(std::uint64_t items, bool is_map) {
    // An empty container is a level too: both decoders must draw the line at the same place.
    if (depth_ >= limits_.max_depth) {
        return error(ErrorKind::too_large, "nested deeper than " + std::to_string(limits_.max_depth));
    }
    if (items == 0) return end_item();
    // Every item takes a byte at least, so a count beyond the input is a lie and is not worth starting on.
    if (items > input_.size() - position_) return malformed("a container claims more items than there are bytes");
    frames_[depth_++] = Frame{.remaining = items, .is_map = is_map};
    return {};
}

Result<ByteView> CborReader::string(const Head& head) {
    if (head.argument > input_.size() - position_) return malformed("the input ends inside a string");
    const ByteView content = input_.subspan(position_, static_cast<std::size_t>(head.argument));
    if (head.major == 3 && !is_utf8(as_text(content))) return malformed("a text string is not UTF-8");
    position_ += content.size();
    JZ_CHECK(end_item());
    return content;
}

Result<std::uint64_t> CborReader::uint() {
    JZ_TRY(const Head head, begin_item(CborType::uint));
    JZ_CHECK(end_item());
    return head.argument;
}

Result<std::int64_t> CborReader::integer() {
    JZ_TRY(const CborType found, peek());
    if (found != CborType::uint && found != CborType::negint) {
        return malformed("expected integer, found " + std::string(name_of(found)));
    }
    JZ_TRY(const Head head, begin_item());
    if (head.argument > static_cast<std::uint64_t>(INT64_MAX)) {
        return error(ErrorKind::invalid, "an integer does not fit 64 bits with a sign");
    }
    JZ_CHECK(end_item());
    const auto magnitude = static_cast<std::int64_t>(head.argument);
    return found == CborType::uint ? magnitude : -1 - magnitude;
}

Result<ByteView> CborReader::bytes() {
    JZ_TRY(const Head head, begin_item(CborType::bytes));
    return string(head);
}

Result<std::string_view> CborReader::text() {
    JZ_TRY(const Head head, begin_item(CborType::text));
    JZ_TRY(const ByteView content, string(head));
    return as_text(content);
}

Result<bool> CborReader::boolean() {
    JZ_TRY(const Head head, begin_item(CborType::boolean));
    JZ_CHECK(end_item());
    return head.argument == 21;
}

Result<void> CborReader::null() {
    JZ_CHECK(begin_item(CborType::null));
    return end_item();
}

Result<double> CborReader::floating() {
    JZ_TRY(const Head head, begin_item(CborType::floating));
    JZ_CHECK(end_item());
    return to_double(head.info, head.argument);
}

Result<std::uint64_t> CborReader::array() {
    JZ_TRY(const Head head, begin_item(CborType::array));
    JZ_CHECK(open(head.argument, false));
    return head.argument;
}

Result<std::uint64_t> CborReader::map() {
    JZ_TRY(const Head head, begin_item(CborType::map));
    if (head.argument > UINT64_MAX / 2) return malformed("a container claims more items than there are bytes");
    JZ_CHECK(open(head.argument * 2, true));
    return head.argument;
}

Result<void> CborReader::array_of(std::uint64_t count) {
    JZ_TRY(const std::uint64_t found, array());
    if (found != count) {
        return malformed("expected an array of " + std::to_string(count) + ", found " + std::to_string(found));
    }
    return {};
}

Result<std::uint64_t> CborReader::tag() {
    JZ_TRY(const Head head, begin_item(CborType::tag));
    JZ_CHECK(open(1, false));
    return head.argument;
}

Result<void> CborReader::skip_one() {
    JZ_TRY(const Head head, begin_item());
    switch (head.major) {
        case 2:
        case 3:
            JZ_CHECK(string(head));
            return {};
        case 4:
            return open(head.argument, false);
        case 5:
            if (head.argument > UINT64_MAX / 2) return malformed("a container claims more items than there are bytes");
            return open(head.argument * 2, true);
        case 6:
            return open(1, false);
        default:
            return end_item();
    }
}

Result<void> CborReader::skip() {
    const std::size_t depth = depth_;
    do {
        JZ_CHECK(skip_one());
    } while (depth_ > depth);
    return {};
}

Result<ByteView> CborReader::raw() {
    const std::size_t start = position_;
    JZ_CHECK(skip());
    return input_.subspan(start, position_ - start);
}

Result<void> CborReader::finish() const {
    if (!complete_) return malformed("the item is not read to its end");
    if (position_ != input_.size()) return malformed("bytes follow the item");
    return {};
}

}  // namespace jiaozi::codec
