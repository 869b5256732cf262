// Query strings and paths, read strictly: percent-encoding must be right, a parameter may occur once, and one that the
// endpoint does not know is refused, because a filter that is silently ignored shows too much. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/registry/page.hpp>

namespace jiaozi::http {

// %XX decoded ('+' too, in queries). Error malformed on a broken escape or a control character.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space);

class Query {
  public:
    // At most 32 parameters.
    static Result<Query> parse(std::string_view text);

    // As given; nullopt if it is absent. Marks the name as known.
    std::optional<std::string_view> get(std::string_view name);

    // The following remember the first error until finish().
    template <class SomeId>
    SomeId id(std::string_view name) {
        const auto value = get(name);
        if (!value) return {};
        auto parsed = SomeId::parse(*value);
        if (parsed.ok()) return *parsed;
        fail(name, parsed.error().message());
        return {};
    }
    template <class Enum>
    std::optional<Enum> token(std::string_view name, Result<Enum> (*parse_token)(std::string_view)) {
        const auto value = get(name);
        if (!value) return std::nullopt;
        auto parsed = parse_token(*value);
        if (parsed.ok()) return *parsed;
        fail(name, parsed.error().message());
        return std::nullopt;
    }
    std::uint32_t integer(std::string_view name, std::uint32_t otherwise, std::uint32_t min, std::uint32_t max);
    std::optional<bool> boolean(std::string_view name);
    Timestamp time(std::string_view name);
    registry::Page page();  // limit, starting_after, ending_before

    void fail(std::string_view name, std::string message);
    // The first error, or a complaint about a parameter that nobody asked for.
    Result<> finish() const;

  private:
    struct Parameter {
        std::string name;
        std::string value;
        bool known = false;
    };
    std::vector<Parameter> parameters_;
    std::optional<Error> error_;
};

// RFC 3339 with a zone: "2026-11-21T08:15:30Z", "…30.250+08:00". Years 1970 to 9999. Error malformed.
Result<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace jiaozi::http
