#include "cbor_float.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace jiaozi::codec {

double half_to_double(std::uint16_t bits) noexcept {
    const int exponent = (bits >> 10) & 0x1F;
    const int mantissa = bits & 0x3FF;
    double value = 0;
    if (exponent == 0) {
        value = std::ldexp(mantissa, -24);
    } else if (exponent == 31) {
        value = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    } else {
        value = std::ldexp(mantissa + 1024, exponent - 25);
    }
    return (bits & 0x8000) != 0 ? -value : value;
}

std::optional<std::uint16_t> exact_half(double value) noexcept {
    if (std::isnan(value)) return std::nullopt;
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
    const double magnitude = std::fabs(value);
    if (std::isinf(magnitude)) return static_cast<std::uint16_t>(sign | 0x7C00);
    if (magnitude == 0) return sign;
    int exponent = 0;
    std::frexp(magnitude, &exponent);
    // magnitude = f × 2^exponent with f in [0.5, 1): normal halves have exponents -13..16, below that the step is
    // 2^-24.
    if (exponent > 16) return std::nullopt;
    const int scale = exponent < -13 ? 24 : 11 - exponent;
    const double scaled = std::ldexp(magnitude, scale);
    if (scaled != std::floor(scaled)) return std::nullopt;
    const auto mantissa = static_cast<std::uint16_t>(scaled);
    if (exponent < -13) return static_cast<std::uint16_t>(sign | mantissa);
    return static_cast<std::uint16_t>(sign | ((exponent + 14) << 10) | (mantissa & 0x3FF));
}

std::optional<float> exact_single(double value) noexcept {
    if (std::isnan(value)) return std::nullopt;
    if (std::isfinite(value) && std::fabs(value) > static_cast<double>(std::numeric_limits<float>::max()))
        return std::nullopt;
    const auto single = static_cast<float>(value);
    if (std::bit_cast<std::uint64_t>(static_cast<double>(single)) != std::bit_cast<std::uint64_t>(value))
        return std::nullopt;
    return single;
}

}  // namespace jiaozi::codec
