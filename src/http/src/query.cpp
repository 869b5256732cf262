#include <charconv>

#include <jiaozi/http/query.hpp>

namespace jiaozi::http {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// `count` digits at `at`; -1 if they are not.
int fixed_number(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return -1;
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date
// algorithms").
std::int64_t days_from_civil(int year, int month, int day) {
    const int y = year - (month <= 2 ? 1 : 0);
    const int era = y / 400;
    const int year_of_era = y - era * 400;
    const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return static_cast<std::int64_t>(era) * 146'097 + day_of_era - 719'468;
}

int days_in(int year, int month) {
    constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return Error(ErrorKind::malformed, "a '%' must be followed by two hexadecimal digits");
            c = static_cast<char>(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return Error(ErrorKind::malformed, "control characters are not allowed");
        out.push_back(c);
    }
    return out;
}

Result<Query> Query::parse(std::string_view text) {
    Query query;
    while (!text.empty()) {
        const std::size_t end = text.find('&');
        const std::string_view pair = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        if (pair.empty()) continue;
        const std::size_t equals = pair.find('=');
        JZ_TRY(std::string name, percent_decode(pair.substr(0, equals), true));
        JZ_TRY(std::string value,
               percent_decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true));
        for (const Parameter& other : query.parameters_) {
            if (other.name == name) return Error(ErrorKind::invalid, "this parameter is given twice").with_param(name);
        }
        if (query.parameters_.size() == 32) return Error(ErrorKind::invalid, "too many query parameters");
        query.parameters_.push_back({std::move(name), std::move(value)});
    }
    return query;
}

std::optional<std::string_view> Query::get(std::string_view name) {
    for (Parameter& parameter : parameters_) {
        if (parameter.name == name) {
            parameter.known = true;
            return parameter.value;
        }
    }
    return std::nullopt;
}

std::uint32_t Query::integer(std::string_view name, std::uint32_t otherwise, std::uint32_t min, std::uint32_t max) {
    const auto text = get(name);
    if (!text) return otherwise;
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size() || value < min || value > max) {
        fail(name, "expected a whole number from " + std::to_string(min) + " to " + std::to_string(max));
        return otherwise;
    }
    return value;
}

std::optional<bool> Query::boolean(std::string_view name) {
    const auto text = get(name);
    if (!text) return std::nullopt;
    if (*text == "true") return true;
    if (*text == "false") return false;
    fail(name, "expected true or false");
    return std::nullopt;
}

Timestamp Query::time(std::string_view name) {
    const auto text = get(name);
    if (!text) return {};
    auto parsed = parse_rfc3339(*text);
    if (parsed.ok()) return *parsed;
    fail(name, parsed.error().message());
    return {};
}

registry::Page Query::page() {
    registry::Page page;
    page.limit = integer("limit", registry::page_limit_default, 1, registry::page_limit_max);
    page.starting_after = std::string(get("starting_after").value_or(""));
    page.ending_before = std::string(get("ending_before").value_or(""));
    if (!page.starting_after.empty() && !page.ending_before.empty()) {
        fail("ending_before", "give either starting_after or ending_before");
    }
    return page;
}

void Query::fail(std::string_view name, std::string message) {
    if (!error_) error_ = Error(ErrorKind::invalid, std::move(message)).with_param(name);
}

Result<> Query::finish() const {
    if (error_) return Error(*error_);
    for (const Parameter& parameter : parameters_) {
        if (!parameter.known) {
            return Error(ErrorKind::invalid,
                         "this query parameter is not known here; see the endpoint in /v1/openapi.json")
                .with_code("unknown_parameter")
                .with_param(parameter.name);
        }
    }
    return {};
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
    const auto wrong = [] { return Error(ErrorKind::malformed, "expected a time such as 2026-11-21T08:15:30Z"); };
    const int year = fixed_number(text, 0, 4), month = fixed_number(text, 5, 2), day = fixed_number(text, 8, 2);
    const int hour = fixed_number(text, 11, 2), minute = fixed_number(text, 14, 2), second = fixed_number(text, 17, 2);
    if (text.size() < 20 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') ||
        text[13] != ':' || text[16] != ':') {
        return wrong();
    }
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month)) return wrong();
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return wrong();
    std::size_t at = 19;
    std::int64_t fraction_ns = 0;
    if (text[at] == '.') {
        std::int64_t unit = 100'000'000;
        const std::size_t first = ++at;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
            fraction_ns += (text[at] - '0') * unit;
        if (at == first || at - first > 9) return wrong();
    }
    std::int64_t offset_s = 0;
    const std::string_view zone = text.substr(at);
    if (zone != "Z" && zone != "z") {
        const int hours = fixed_number(zone, 1, 2), minutes = fixed_number(zone, 4, 2);
        if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || hours < 0 || hours > 23 ||
            minutes < 0 || minutes > 59) {
            return wrong();
        }
        offset_s = (hours * 60 + minutes) * 60 * (zone[0] == '-' ? -1 : 1);
    }
    const std::int64_t total_s =
        days_from_civil(year, month, day) * 86'400 + hour * 3600 + minute * 60 + second - offset_s;
    // Nanoseconds since 1970 in 64 bits end in 2554.
    if (total_s < 0 || total_s > 18'000'000'000) return wrong();
    return Timestamp{static_cast<std::uint64_t>(total_s) * 1'000'000'000 + static_cast<std::uint64_t>(fraction_ns)};
}

}  // namespace jiaozi::http
