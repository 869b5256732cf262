// 128-bit unsigned integers: the width of ledger ids and balances. __int128 is an extension every compiler we build
// with has; the alias keeps -Wpedantic quiet in one place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <jiaozi/base/result.hpp>

namespace jiaozi {

__extension__ using uint128 = unsigned __int128;

constexpr uint128 make_uint128(std::uint64_t high, std::uint64_t low) noexcept {
    return (static_cast<uint128>(high) << 64) | low;
}
constexpr std::uint64_t high64(uint128 value) noexcept {
    return static_cast<std::uint64_t>(value >> 64);
}
constexpr std::uint64_t low64(uint128 value) noexcept {
    return static_cast<std::uint64_t>(value);
}
inline constexpr uint128 uint128_max = ~static_cast<uint128>(0);

// Decimal digits, no sign, no leading zeros ("0" alone is zero). parse refuses anything else and overflow (malformed).
std::string to_decimal(uint128 value);
Result<uint128> parse_decimal(std::string_view text);

}  // namespace jiaozi
