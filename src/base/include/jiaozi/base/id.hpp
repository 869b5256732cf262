// Strong ids. Id<Tag> is 128 bits wide, as in the ledger; its text form is the tag's prefix and 26 characters of
// Crockford base32, so that a person sees what an id names: pay_01HF7YAT31JZHK5T0N3R8Q9V2E.
// The high 48 bits of a generated id are milliseconds since 1970 (the ULID layout), so ids made later sort later.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <jiaozi/base/result.hpp>
#include <jiaozi/base/uint128.hpp>

namespace jiaozi {

// 26 characters, upper case, no I, L, O, U. parse takes either case and exactly 26 characters (Error malformed).
std::string to_base32_id(uint128 value);
Result<uint128> parse_base32_id(std::string_view text);

// Tag must have `static constexpr std::string_view prefix`, without the underscore.
template <class Tag>
struct Id {
    uint128 value = 0;

    constexpr Id() = default;
    constexpr explicit Id(uint128 v) : value(v) {}
    constexpr auto operator<=>(const Id&) const = default;
    // Zero is "none": no generated id is zero.
    constexpr explicit operator bool() const noexcept { return value != 0; }

    std::string to_string() const {
        std::string text(Tag::prefix);
        text += '_';
        text += to_base32_id(value);
        return text;
    }
    static Result<Id> parse(std::string_view text) {
        if (text.size() != Tag::prefix.size() + 27 || !text.starts_with(Tag::prefix) ||
            text[Tag::prefix.size()] != '_') {
            return Error(ErrorKind::malformed,
                         "expected an id that looks like " + std::string(Tag::prefix) + "_ and 26 letters and digits");
        }
        JZ_TRY(const uint128 value, parse_base32_id(text.substr(Tag::prefix.size() + 1)));
        return Id(value);
    }
};

}  // namespace jiaozi

template <class Tag>
struct std::hash<jiaozi::Id<Tag>> {
    std::size_t operator()(const jiaozi::Id<Tag>& id) const noexcept {
        // Ids are random in their low half, or hashes; folding is enough.
        return static_cast<std::size_t>(jiaozi::low64(id.value) ^ (jiaozi::high64(id.value) * 0x9E3779B97F4A7C15ULL));
    }
};
