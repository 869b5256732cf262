#include <array>
#include <cstdint>

#include <jiaozi/base/id.hpp>

namespace jiaozi {
namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t text_length = 26;

constexpr std::array<int, 256> reverse_alphabet() {
    std::array<int, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        const auto upper = static_cast<unsigned char>(alphabet[i]);
        table[upper] = static_cast<int>(i);
        if (upper >= 'A') table[upper + ('a' - 'A')] = static_cast<int>(i);
    }
    return table;
}
constexpr auto values = reverse_alphabet();

}  // namespace

std::string to_base32_id(uint128 value) {
    std::string text(text_length, '0');
    for (std::size_t i = text_length; i-- > 0; value >>= 5) text[i] = alphabet[static_cast<std::size_t>(value & 31)];
    return text;
}

Result<uint128> parse_base32_id(std::string_view text) {
    if (text.size() != text_length)
        return Error(ErrorKind::malformed, "an id has 26 letters and digits after its prefix");
    uint128 value = 0;
    for (const char c : text) {
        const int digit = values[static_cast<unsigned char>(c)];
        if (digit < 0) return Error(ErrorKind::malformed, "an id has only digits and letters, without I, L, O and U");
        if (value >> 123 != 0) return Error(ErrorKind::malformed, "the id is larger than 128 bits");
        value = (value << 5) | static_cast<unsigned>(digit);
    }
    return value;
}

}  // namespace jiaozi
