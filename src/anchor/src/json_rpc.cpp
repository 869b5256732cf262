#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json.hpp>

#include <jiaozi/anchor/json_rpc.hpp>

namespace jiaozi::anchor {
namespace {

namespace json = boost::json;

constexpr std::size_t max_depth = 32;
constexpr std::size_t max_words = 300;

Error malformed(const std::string& what) {
    return Error(ErrorKind::malformed, "the node's answer: " + what);
}

// What a node says goes to terminals and logs: one line, no control characters, not endless.
std::string words_of(std::string_view text) {
    std::size_t end = std::min(text.size(), max_words);
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;  // whole characters
    std::string words(text.substr(0, end));
    for (char& c : words) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    return end < text.size() ? words + "…" : words;
}

Error refusal(const json::value& error) {
    const json::object* fields = error.if_object();
    const json::value* message = fields != nullptr ? fields->if_contains("message") : nullptr;
    const json::value* code = fields != nullptr ? fields->if_contains("code") : nullptr;
    if (message == nullptr || !message->is_string() || code == nullptr || !code->is_int64())
        return malformed("an error has a code and a message");
    return Error(ErrorKind::declined, "the node refused: " + words_of(message->get_string()) + " (" +
                                          std::to_string(code->get_int64()) + ")");
}

Result<std::string_view> hex_digits(const json::value& value) {
    if (!value.is_string()) return malformed("a text that begins with 0x is expected");
    const std::string_view text = value.get_string();
    if (!text.starts_with("0x")) return malformed("a text that begins with 0x is expected");
    return text.substr(2);
}

}  // namespace

std::string rpc_request(std::uint64_t id, std::string_view method, json::array parameters) {
    json::object request;
    request["jsonrpc"] = "2.0";
    request["id"] = id;
    request["method"] = method;
    request["params"] = std::move(parameters);
    return json::serialize(request);
}

Result<json::value> rpc_result(std::string_view answer, std::uint64_t id) {
    if (answer.size() > max_answer_bytes) return Error(ErrorKind::too_large, "the node's answer is over 1 MiB");
    json::parse_options options;
    options.max_depth = max_depth;
    json::error_code failed;
    json::value parsed = json::parse(answer, failed, {}, options);
    if (failed) return malformed("it is not JSON");
    json::object* fields = parsed.if_object();
    if (fields == nullptr) return malformed("an object is expected");
    const json::value* version = fields->if_contains("jsonrpc");
    if (version == nullptr || *version != "2.0") return malformed("it is not JSON-RPC 2.0");
    json::value* result = fields->if_contains("result");
    const json::value* error = fields->if_contains("error");
    // Some nodes send both, with a null beside what is meant.
    const bool refused = error != nullptr && !error->is_null();
    const json::value* echoed = fields->if_contains("id");
    const bool ours = echoed != nullptr && echoed->is_number() && *echoed == json::value(id);
    // A node that could not read the request answers without its id.
    if (!ours && !(refused && (echoed == nullptr || echoed->is_null()))) return malformed("it is to another request");
    if (refused) return refusal(*error);
    if (result == nullptr) return malformed("it has neither a result nor an error");
    return std::move(*result);
}

Result<std::uint64_t> rpc_quantity(const json::value& value) {
    JZ_TRY(const std::string_view digits, hex_digits(value));
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
    if (digits.empty() || failed != std::errc() || end != digits.data() + digits.size() ||
        (digits.size() > 1 && digits.front() == '0'))
        return malformed("a quantity is 0x and up to 16 hexadecimal digits without leading zeros");
    return number;
}

Result<Bytes> rpc_data(const json::value& value) {
    JZ_TRY(const std::string_view digits, hex_digits(value));
    auto bytes = from_hex(digits);
    if (!bytes.ok()) return malformed("data is 0x and an even count of hexadecimal digits");
    return bytes;
}

std::string hex_quantity(std::uint64_t value) {
    std::array<char, 16> digits{};
    const auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
    static_cast<void>(failed);  // 16 digits hold every value
    return "0x" + std::string(digits.data(), end);
}

}  // namespace jiaozi::anchor
