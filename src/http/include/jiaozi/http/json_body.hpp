// Strict reading of JSON request bodies: UTF-8, one object, no duplicate keys, no fields but the documented ones, whole
// numbers only, bounded depth and size. Pure, thread-safe; views point into the Body.
//
//   JZ_TRY(const Body body, Body::parse(text));
//   Fields fields(body.root());
//   fields.text("name", person.name, 1, 200, required);
//   fields.text("locale", person.locale, 1, 35, optional);
//   JZ_CHECK(fields.finish());
//
// Errors carry the field's path as param ("slots[3].price"): malformed (not JSON), invalid (anything about a field).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/id.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/money/amount.hpp>

namespace jiaozi::http {

inline constexpr std::size_t json_depth_max = 8;
inline constexpr std::size_t json_values_max = 8192;

struct JsonNode {
    enum class Type : std::uint8_t { null, boolean, integer, number, text, array, object };
    Type type = Type::null;
    bool boolean = false;
    bool negative = false;  // integer: magnitude is in `integer`
    std::uint64_t integer = 0;
    std::string text;
    std::string key;              // within an object
    std::vector<JsonNode> items;  // of an array or object, in order
};

class Body {
  public:
    // An empty text stands for an empty object where `may_be_empty`.
    static Result<Body> parse(std::string_view text, bool may_be_empty = false);
    const JsonNode& root() const noexcept { return *root_; }

  private:
    std::unique_ptr<JsonNode> root_;
};

enum class Need : bool { optional, required };
inline constexpr Need required = Need::required;
inline constexpr Need optional = Need::optional;

// Reads one object. Every call names a field; after the first error the others do nothing. finish() gives that error,
// or complains of a field that nobody named. An optional field that is absent leaves its target as it was.
class Fields {
  public:
    // `object` may be of any type: finish() says that an object was expected. `path` is put before field names.
    explicit Fields(const JsonNode& object, std::string path = {});

    // Sizes are in bytes.
    void text(std::string_view name, std::string& target, std::size_t min, std::size_t max, Need need);
    void integer(std::string_view name, std::uint32_t& target, std::uint32_t min, std::uint32_t max, Need need);
    void boolean(std::string_view name, bool& target, Need need);
    void texts(std::string_view name, std::vector<std::string>& target, std::size_t min, std::size_t max,
               std::size_t text_max, Need need);
    void asset(std::string_view name, Asset& target, Need need);
    // `name` in minor units, with "asset" beside it; both or neither.
    void amount(std::string_view name, std::optional<Amount>& target, Need need);

    template <class SomeId>
    void id(std::string_view name, SomeId& target, Need need) {
        std::string text_form;
        text(name, text_form, 1, 64, need);
        if (error_ || text_form.empty()) return;
        if (auto parsed = SomeId::parse(text_form); parsed.ok()) {
            target = *parsed;
        } else {
            fail(name, parsed.error().message());
        }
    }
    // parse_token is one of the parse_… functions of model/enums.hpp.
    template <class Enum>
    void token(std::string_view name, Enum& target, Result<Enum> (*parse_token)(std::string_view), Need need) {
        std::string text_form;
        text(name, text_form, 1, 64, need);
        if (error_ || text_form.empty()) return;
        if (auto parsed = parse_token(text_form); parsed.ok()) {
            target = *parsed;
        } else {
            fail(name, parsed.error().message());
        }
    }

    // The raw node, for arrays and objects inside; nullptr if absent (or after an error).
    const JsonNode* node(std::string_view name, JsonNode::Type type, Need need);
    bool has(std::string_view name) const;
    std::string path_of(std::string_view name) const;
    void fail(std::string_view name, std::string message);
    void fail(Error error);
    Result<> finish();

  private:
    const JsonNode* take(std::string_view name, Need need);

    const JsonNode& object_;
    std::string path_;
    std::uint64_t named_ = 0;  // bit i: field i was named
    std::optional<Error> error_;
};

}  // namespace jiaozi::http
