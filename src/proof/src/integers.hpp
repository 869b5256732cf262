// Integers in this library's texts and parts: decimal, ids in hexadecimal, and little-endian as in the journal; and the
// words that texts have them in.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/base/uint128.hpp>

namespace jiaozi::proof {

inline Result<std::uint64_t> parse_u64(std::string_view text) {
    JZ_TRY(const uint128 value, parse_decimal(text));
    if (high64(value) != 0) return Error(ErrorKind::malformed, "the number is over 2^64");
    return low64(value);
}

template <class Unsigned>
std::array<std::uint8_t, sizeof(Unsigned)> little(Unsigned value) noexcept {
    std::array<std::uint8_t, sizeof(Unsigned)> bytes;
    for (std::size_t i = 0; i < sizeof value; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
    return bytes;
}

template <class Unsigned>
void put_little(Bytes& out, Unsigned value) {
    append(out, little(value));
}

inline std::string hex_of(uint128 value) {
    auto bytes = little(value);
    std::ranges::reverse(bytes);
    return to_hex(bytes);
}

// `at` moves on; the caller has checked the size.
template <class Unsigned>
Unsigned take_little(ByteView bytes, std::size_t& at) {
    Unsigned value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
        value = static_cast<Unsigned>(value | static_cast<Unsigned>(static_cast<Unsigned>(bytes[at + i]) << (8 * i)));
    at += sizeof value;
    return value;
}

// A line's words, each behind one space. Error malformed: there are fewer.
template <std::size_t count>
Result<std::array<std::string_view, count>> words_of(std::string_view line) {
    std::array<std::string_view, count> words;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t end = i + 1 < count ? line.find(' ') : line.size();
        if (end == std::string_view::npos)
            return Error(ErrorKind::malformed, "a line has " + std::to_string(count) + " words");
        words[i] = line.substr(0, end);
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return words;
}

}  // namespace jiaozi::proof
