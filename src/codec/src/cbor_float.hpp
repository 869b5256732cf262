// Conversions between the three IEEE 754 widths of CBOR, exact or not at all.
#pragma once

#include <cstdint>
#include <optional>

namespace jiaozi::codec {

double half_to_double(std::uint16_t bits) noexcept;

// The binary16 bits of a value that fits them exactly; nothing for NaN.
std::optional<std::uint16_t> exact_half(double value) noexcept;

// The binary32 of a value that fits it exactly; nothing for NaN.
std::optional<float> exact_single(double value) noexcept;

}  // namespace jiaozi::codec
