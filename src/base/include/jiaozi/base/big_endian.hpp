// Whole numbers as bytes, highest first: the form in which ids are hashed and journaled. Pure, thread-safe.
#pragma once

#include <array>
#include <cstdint>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/uint128.hpp>

namespace jiaozi {

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

// The first 16 bytes; fewer are a bug of the caller.
inline uint128 from_big_endian(ByteView bytes) noexcept {
    JZ_ASSERT(bytes.size() >= 16);
    uint128 value = 0;
    for (std::size_t i = 0; i < 16; ++i) value = (value << 8) | bytes[i];
    return value;
}

}  // namespace jiaozi
