// The one file with Boost.JSON's parser. Its own document type keeps only the last of duplicate keys, so the tree is
// built here from its events.
#include <utility>

#include <boost/json/basic_parser_impl.hpp>

#include <jiaozi/http/json_body.hpp>

namespace jiaozi::http {
namespace {

namespace json = boost::json;

// basic_parser calls these; false with `error` set stops it.
struct Builder {
    static constexpr std::size_t max_object_size = 64;
    static constexpr std::size_t max_array_size = 1024;
    static constexpr std::size_t max_key_size = 64;
    static constexpr std::size_t max_string_size = std::size_t{64} * 1024;

    JsonNode root;
    std::vector<JsonNode*> open;  // the containers around the value to come
    std::string key;
    std::string part;
    std::size_t values = 0;
    bool duplicate = false;
    bool too_many = false;

    static bool stop(json::error_code& error) {
        error = json::error::syntax;
        return false;
    }

    JsonNode* add(JsonNode::Type type, json::error_code& error) {
        if (++values > json_values_max) {
            too_many = true;
            stop(error);
            return nullptr;
        }
        JsonNode* node = &root;
        if (!open.empty()) {
            std::vector<JsonNode>& items = open.back()->items;
            if (open.back()->type == JsonNode::Type::object) {
                for (const JsonNode& other : items) {
                    if (other.key == key) {
                        duplicate = true;
                        stop(error);
                        return nullptr;
                    }
                }
            }
            if (items.empty()) items.reserve(8);
            node = &items.emplace_back();
            if (open.back()->type == JsonNode::Type::object) node->key = std::exchange(key, {});
        }
        node->type = type;
        return node;
    }
    bool enter(JsonNode::Type type, json::error_code& error) {
        JsonNode* node = add(type, error);
        if (node == nullptr) return false;
        open.push_back(node);
        return true;
    }
    bool leave() {
        open.pop_back();
        return true;
    }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code& error) { return enter(JsonNode::Type::object, error); }
    bool on_object_end(std::size_t, json::error_code&) { return leave(); }
    bool on_array_begin(json::error_code& error) { return enter(JsonNode::Type::array, error); }
    bool on_array_end(std::size_t, json::error_code&) { return leave(); }
    bool on_key_part(json::string_view text, std::size_t, json::error_code&) {
        part.append(text.data(), text.size());
        return true;
    }
    bool on_key(json::string_view text, std::size_t, json::error_code&) {
        part.append(text.data(), text.size());
        key = std::exchange(part, {});
        return true;
    }
    bool on_string_part(json::string_view text, std::size_t, json::error_code&) {
        part.append(text.data(), text.size());
        return true;
    }
    bool on_string(json::string_view text, std::size_t, json::error_code& error) {
        part.append(text.data(), text.size());
        JsonNode* node = add(JsonNode::Type::text, error);
        if (node == nullptr) return false;
        node->text = std::exchange(part, {});
        return true;
    }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t value, json::string_view, json::error_code& error) {
        JsonNode* node = add(JsonNode::Type::integer, error);
        if (node == nullptr) return false;
        node->negative = value < 0;
        node->integer = value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value);
        return true;
    }
    bool on_uint64(std::uint64_t value, json::string_view, json::error_code& error) {
        JsonNode* node = add(JsonNode::Type::integer, error);
        if (node == nullptr) return false;
        node->integer = value;
        return true;
    }
    bool on_double(double, json::string_view, json::error_code& error) {
        return add(JsonNode::Type::number, error) != nullptr;  // the value is never used: no field takes one
    }
    bool on_bool(bool value, json::error_code& error) {
        JsonNode* node = add(JsonNode::Type::boolean, error);
        if (node == nullptr) return false;
        node->boolean = value;
        return true;
    }
    bool on_null(json::error_code& error) { return add(JsonNode::Type::null, error) != nullptr; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

Error describe(const Builder& builder, const json::error_code& error, std::size_t at) {
    if (builder.duplicate) {
        return Error(ErrorKind::malformed, "the field '" + builder.key + "' occurs twice in one object")
            .with_param(builder.key);
    }
    if (builder.too_many) return Error(ErrorKind::malformed, "the body has more values than any request needs");
    if (error == json::error::too_deep) return Error(ErrorKind::malformed, "the body is nested too deeply");
    return Error(ErrorKind::malformed,
                 "the body is not valid JSON: " + error.message() + " near byte " + std::to_string(at));
}

}  // namespace

Result<Body> Body::parse(std::string_view text, bool may_be_empty) {
    Body body;
    body.root_ = std::make_unique<JsonNode>();
    body.root_->type = JsonNode::Type::object;
    if (text.empty() && may_be_empty) return body;
    if (text.empty()) return Error(ErrorKind::malformed, "a JSON object is expected as body");

    json::parse_options options;
    options.max_depth = json_depth_max;
    json::basic_parser<Builder> parser(options);
    json::error_code error;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
    if (!error && used < text.size()) error = json::error::extra_data;
    if (error) return describe(parser.handler(), error, used);
    *body.root_ = std::move(parser.handler().root);
    return body;
}

}  // namespace jiaozi::http
