// Ids on the wire: 16 bytes, most significant first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/uint128.hpp>

namespace jiaozi::protocol {

inline constexpr std::size_t id_size = 16;

inline std::array<std::uint8_t, id_size> id_bytes(uint128 value) noexcept {
    std::array<std::uint8_t, id_size> bytes{};
    for (std::size_t i = id_size; i-- > 0; value >>= 8) bytes[i] = static_cast<std::uint8_t>(value & 0xFF);
    return bytes;
}

// `bytes` must have 16.
inline uint128 id_value(ByteView bytes) noexcept {
    uint128 value = 0;
    for (const std::uint8_t byte : bytes) value = (value << 8) | byte;
    return value;
}

}  // namespace jiaozi::protocol
