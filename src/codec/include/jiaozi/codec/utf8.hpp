// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jiaozi::codec {

bool is_utf8(std::string_view text) noexcept;

// The count of code points. The text must be UTF-8.
std::size_t utf8_length(std::string_view text) noexcept;

// Each byte that is not part of a valid sequence becomes U+FFFD; valid text comes back unchanged.
std::string replace_invalid_utf8(std::string_view text);

}  // namespace jiaozi::codec
