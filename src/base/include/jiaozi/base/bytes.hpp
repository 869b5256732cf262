// Byte strings: the owning Bytes and the borrowed ByteView, with text and hexadecimal conversions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/result.hpp>

namespace jiaozi {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using ByteSpan = std::span<std::uint8_t>;

// Text and bytes share storage; nothing is copied, lifetimes are the argument's.
ByteView as_bytes(std::string_view text) noexcept;
std::string_view as_text(ByteView bytes) noexcept;

Bytes to_bytes(ByteView view);
void append(Bytes& target, ByteView more);
bool equal(ByteView left, ByteView right) noexcept;  // not constant time: for public bytes only

// Lower-case hexadecimal. from_hex takes either case, an even count of digits, nothing else (Error malformed).
std::string to_hex(ByteView bytes);
Result<Bytes> from_hex(std::string_view text);

}  // namespace jiaozi
