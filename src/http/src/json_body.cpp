#include <jiaozi/http/json_body.hpp>

namespace jiaozi::http {
namespace {

std::string_view type_name(JsonNode::Type type) {
    switch (type) {
        case JsonNode::Type::null:
            return "null";
        case JsonNode::Type::boolean:
            return "true or false";
        case JsonNode::Type::integer:
            return "a whole number";
        case JsonNode::Type::number:
            return "a number with a fraction or exponent";
        case JsonNode::Type::text:
            return "a string";
        case JsonNode::Type::array:
            return "an array";
        case JsonNode::Type::object:
            return "an object";
    }
    return "something else";
}

std::string expected(JsonNode::Type wanted, JsonNode::Type found) {
    std::string message = "expected ";
    message += type_name(wanted);
    message += ", found ";
    message += type_name(found);
    return message;
}

}  // namespace

Fields::Fields(const JsonNode& object, std::string path) : object_(object), path_(std::move(path)) {
    if (object_.type != JsonNode::Type::object) {
        error_ = Error(ErrorKind::invalid, expected(JsonNode::Type::object, object_.type)).with_param(path_);
    }
}

std::string Fields::path_of(std::string_view name) const {
    std::string path = path_;
    if (!path.empty()) path += '.';
    path += name;
    return path;
}

void Fields::fail(std::string_view name, std::string message) {
    if (!error_) error_ = Error(ErrorKind::invalid, std::move(message)).with_param(path_of(name));
}

void Fields::fail(Error error) {
    if (!error_) error_ = std::move(error);
}

bool Fields::has(std::string_view name) const {
    for (const JsonNode& item : object_.items) {
        if (item.key == name) return true;
    }
    return false;
}

// Marks the field as known. nullptr: absent or already failed.
const JsonNode* Fields::take(std::string_view name, Need need) {
    if (error_) return nullptr;
    for (std::size_t i = 0; i < object_.items.size(); ++i) {
        if (object_.items[i].key == name) {
            named_ |= std::uint64_t{1} << (i & 63);  // an object has at most 64 fields
            return &object_.items[i];
        }
    }
    if (need == required) fail(name, "this field is required");
    return nullptr;
}

const JsonNode* Fields::node(std::string_view name, JsonNode::Type type, Need need) {
    const JsonNode* found = take(name, need);
    if (found == nullptr) return nullptr;
    if (found->type != type) {
        fail(name, expected(type, found->type));
        return nullptr;
    }
    return found;
}

void Fields::text(std::string_view name, std::string& target, std::size_t min, std::size_t max, Need need) {
    const JsonNode* found = node(name, JsonNode::Type::text, need);
    if (found == nullptr) return;
    if (found->text.size() < min || found->text.size() > max) {
        fail(name, "expected " + std::to_string(min) + " to " + std::to_string(max) + " bytes of text, found " +
                       std::to_string(found->text.size()));
        return;
    }
    if (found->text.find('\0') != std::string::npos) {
        fail(name, "the character U+0000 is not allowed");
        return;
    }
    target = found->text;
}

void Fields::integer(std::string_view name, std::uint32_t& target, std::uint32_t min, std::uint32_t max, Need need) {
    const JsonNode* found = node(name, JsonNode::Type::integer, need);
    if (found == nullptr) return;
    if (found->negative || found->integer < min || found->integer > max) {
        fail(name, "expected a whole number from " + std::to_string(min) + " to " + std::to_string(max));
        return;
    }
    target = static_cast<std::uint32_t>(found->integer);
}

void Fields::boolean(std::string_view name, bool& target, Need need) {
    const JsonNode* found = node(name, JsonNode::Type::boolean, need);
    if (found != nullptr) target = found->boolean;
}

void Fields::texts(std::string_view name, std::vector<std::string>& target, std::size_t min, std::size_t max,
                   std::size_t text_max, Need need) {
    const JsonNode* found = node(name, JsonNode::Type::array, need);
    if (found == nullptr) return;
    if (found->items.size() < min || found->items.size() > max) {
        fail(name, "expected " + std::to_string(min) + " to " + std::to_string(max) + " entries");
        return;
    }
    std::vector<std::string> read;
    for (std::size_t i = 0; i < found->items.size(); ++i) {
        const JsonNode& item = found->items[i];
        const std::string item_name = std::string(name) + '[' + std::to_string(i) + ']';
        if (item.type != JsonNode::Type::text) {
            fail(item_name, expected(JsonNode::Type::text, item.type));
            return;
        }
        if (item.text.empty() || item.text.size() > text_max) {
            fail(item_name, "expected 1 to " + std::to_string(text_max) + " bytes of text");
            return;
        }
        read.push_back(item.text);
    }
    target = std::move(read);
}

void Fields::asset(std::string_view name, Asset& target, Need need) {
    std::string code;
    text(name, code, 1, 11, need);
    if (error_ || code.empty()) return;
    if (auto found = find_asset(code); found.ok()) {
        target = *found;
    } else {
        fail(name, found.error().message());
    }
}

void Fields::amount(std::string_view name, std::optional<Amount>& target, Need need) {
    const bool has_amount = has(name);
    const bool has_asset = has("asset");
    if (need == optional && !has_amount && !has_asset) return;
    std::string digits;
    Asset unit;
    text(name, digits, 1, 39, required);
    asset("asset", unit, required);
    if (error_) return;
    if (auto parsed = parse_minor(digits, unit); parsed.ok()) {
        target = *parsed;
    } else {
        fail(name, "expected a whole number of minor units as decimal digits, such as \"350\"");
    }
}

Result<> Fields::finish() {
    if (error_) return std::move(*error_);
    for (std::size_t i = 0; i < object_.items.size(); ++i) {
        if ((named_ >> (i & 63) & 1) == 0) {
            return Error(ErrorKind::invalid, "this field is not known here; see the endpoint in /v1/openapi.json")
                .with_code("unknown_field")
                .with_param(path_of(object_.items[i].key));
        }
    }
    return {};
}

}  // namespace jiaozi::http
