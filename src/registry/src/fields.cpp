#include "fields.hpp"

namespace jiaozi::registry {
namespace {

Error invalid(std::string_view kind, std::string_view field, std::string what) {
    return Error(ErrorKind::invalid, std::string(kind) + ": " + std::string(field) + " " + std::move(what))
        .with_param(field);
}

// The length of the well-formed UTF-8 character at the start of `text` (RFC 3629: shortest form, no surrogates, at
// most U+10FFFF), or 0. NUL counts as ill-formed: PostgreSQL cannot store it.
std::size_t character_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto follows = [&](std::size_t i, std::uint8_t low = 0x80, std::uint8_t high = 0xBF) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const std::uint8_t first = byte(0);
    if (first == 0) return 0;
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const std::uint8_t low = first == 0xE0 ? 0xA0 : 0x80;
        const std::uint8_t high = first == 0xED ? 0x9F : 0xBF;
        return follows(1, low, high) && follows(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const std::uint8_t low = first == 0xF0 ? 0x90 : 0x80;
        const std::uint8_t high = first == 0xF4 ? 0x8F : 0xBF;
        return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

Result<> check_text(std::string_view kind, std::string_view field, std::string_view text, Text bounds) {
    if (text.size() < bounds.min) return invalid(kind, field, bounds.min == 1 ? "must not be empty" : "is too short");
    if (text.size() > bounds.max) {
        return invalid(
            kind, field,
            "is " + std::to_string(text.size()) + " bytes long; at most " + std::to_string(bounds.max) + " fit");
    }
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        if (length == 0) return invalid(kind, field, "must be UTF-8 without NUL");
        text.remove_prefix(length);
    }
    return {};
}

std::string clean_text(std::string_view text, std::size_t max) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    std::string clean;
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        const std::string_view character = length == 0 ? replacement : text.substr(0, length);
        if (clean.size() + character.size() > max) break;
        clean += character;
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return clean;
}

Result<std::string> join_tokens(std::string_view kind, std::string_view field, const std::vector<std::string>& tokens) {
    std::string joined;
    for (const std::string& token : tokens) {
        if (token.empty()) return invalid(kind, field, "holds an empty entry");
        for (const char c : token) {
            if (is_space(c)) return invalid(kind, field, "holds an entry with white space");
        }
        if (!joined.empty()) joined += ' ';
        joined += token;
    }
    JZ_CHECK(check_text(kind, field, joined, token_list));
    return joined;
}

std::vector<std::string> split_tokens(std::string_view text) {
    std::vector<std::string> tokens;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        tokens.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return tokens;
}

Error BindVisitor::out_of_bounds(std::string_view name) const {
    return invalid(kind_, name, "is out of its range");
}

Error BindVisitor::unknown_asset(std::string_view name) const {
    return invalid(kind_, name, "is an asset this program does not know");
}

void ReadVisitor::corrupt(std::string_view name) {
    if (error_) return;
    error_ = Error(ErrorKind::corrupt,
                   "registry: the stored " + std::string(kind_) + "'s " + std::string(name) + " does not parse");
}

}  // namespace jiaozi::registry
