// 128-bit numbers as 16 bytes, big-endian: the form in which ids are hashed and journaled.
#pragma once

#include <array>
#include <cstdint>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/uint128.hpp>

namespace jiaozi::settlement {

inline std::array<std::uint8_t, 16> big_endian(uint128 value) noexcept {
    std::array<std::uint8_t, 16> out{};
    for (std::size_t i = 0; i < 16; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * (15 - i)));
    return out;
}

inline std::array<std::uint8_t, 8> big_endian(std::uint64_t value) noexcept {
    std::array<std::uint8_t, 8> out{};
    for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * (7 - i)));
    return out;
}

inline uint128 from_big_endian(ByteView bytes) noexcept {
    JZ_ASSERT(bytes.size() >= 16);
    uint128 value = 0;
    for (std::size_t i = 0; i < 16; ++i) value = (value << 8) | bytes[i];
    return value;
}

}  // namespace jiaozi::settlement
