#include <cstdint>
#include <optional>
#include <string>

#include <jiaozi/api/text.hpp>

namespace jiaozi::api {
namespace {

// The next code point, taken off the front of `rest`; nullopt when it is not UTF-8 (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF).
std::optional<std::uint32_t> take_code_point(std::string_view& rest) {
    const auto byte_at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(rest[i])); };
    const std::uint32_t first = byte_at(0);
    const std::size_t size = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    if (size == 0 || rest.size() < size) return std::nullopt;
    std::uint32_t point = size == 1 ? first : first & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if (byte_at(i) >> 6 != 2) return std::nullopt;
        point = point << 6 | (byte_at(i) & 0x3F);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return std::nullopt;
    rest.remove_prefix(size);
    return point;
}

bool is_invisible_or_reordering(std::uint32_t point) {
    return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x2028 || point == 0x2029 ||
           (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

}  // namespace

Result<> check_name(std::string_view text, std::string_view param, std::size_t max_bytes) {
    const auto refuse = [&](std::string why) {
        return Error(ErrorKind::invalid, std::string(param) + " " + std::move(why)).with_param(param);
    };
    if (text.empty()) return refuse("must not be empty");
    if (text.size() > max_bytes) return refuse("must be at most " + std::to_string(max_bytes) + " bytes long");
    if (text.front() == ' ' || text.back() == ' ') return refuse("must not begin or end with a space");
    for (std::string_view rest = text; !rest.empty();) {
        const auto point = take_code_point(rest);
        if (!point) return refuse("must be UTF-8");
        if (is_invisible_or_reordering(*point)) return refuse("must not contain control characters");
    }
    return {};
}

}  // namespace jiaozi::api
