// Integers in this library's texts and parts: decimal, and little-endian as in the journal.
#pragma once

#include <cstdint>
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
void put_little(Bytes& out, Unsigned value) {
    for (std::size_t i = 0; i < sizeof value; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
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

}  // namespace jiaozi::proof
