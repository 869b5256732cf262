// Big-endian numbers of stated size, for file heads, TPM structures and APDUs.
#pragma once

#include <cstddef>
#include <cstdint>

#include <jiaozi/base/bytes.hpp>

namespace jiaozi::keystores {

inline std::uint64_t big_endian(ByteView bytes) noexcept {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) value = (value << 8) | byte;
    return value;
}

inline void put_big_endian(Bytes& out, std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) out.push_back(static_cast<std::uint8_t>((value >> (8 * i)) & 0xFF));
}

}  // namespace jiaozi::keystores
