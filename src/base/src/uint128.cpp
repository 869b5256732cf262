#include <algorithm>

#include <jiaozi/base/uint128.hpp>

namespace jiaozi {

std::string to_decimal(uint128 value) {
    std::string text;
    do {
        text += static_cast<char>('0' + static_cast<int>(value % 10));
        value /= 10;
    } while (value != 0);
    std::ranges::reverse(text);
    return text;
}

Result<uint128> parse_decimal(std::string_view text) {
    if (text.empty()) return Error(ErrorKind::malformed, "expected a decimal integer, got nothing");
    if (text.size() > 1 && text.front() == '0') {
        return Error(ErrorKind::malformed, "a decimal integer has no leading zeros");
    }
    uint128 value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return Error(ErrorKind::malformed, "a decimal integer has only the digits 0 to 9");
        const auto digit = static_cast<unsigned>(c - '0');
        if (value > (uint128_max - digit) / 10) {
            return Error(ErrorKind::malformed, "a decimal integer here is at most 2^128 - 1");
        }
        value = value * 10 + digit;
    }
    return value;
}

}  // namespace jiaozi
