#include "operator.hpp"

#include <array>

#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::cli {

namespace json = boost::json;

Error error_of(const std::string& what, const client::Response& response) {
    boost::system::error_code failed;
    const json::value problem = json::parse(response.body, failed);
    if (failed || !problem.is_object() || text_of(problem.get_object(), "code").empty()) {
        return {client::kind_of_status(response.status),
                what + ": HTTP " + std::to_string(response.status) + ": " + response.body};
    }
    const json::object& object = problem.get_object();
    const std::string code = text_of(object, "code");
    return Error(client::kind_of_status(response.status, code), what + ": " + text_of(object, "detail"))
        .with_code(code);
}

Result<Operator> Operator::connect(const std::string& url, const std::string& key) {
    JZ_TRY(auto client, client::HttpClient::create({.base_url = url, .key = key, .timeout = seconds(60)}));
    return Operator(std::move(client));
}

Result<json::object> Operator::call(const std::string& method, const std::string& path, const json::object& body,
                                    const std::string& idempotency_key) {
    client::Request request;
    request.method = method;
    request.path = path;
    if (method != "GET") request.body = json::serialize(body);
    request.idempotency_key = idempotency_key;
    if (method == "POST" && idempotency_key.empty()) {
        std::array<std::uint8_t, 16> key{};
        crypto::random_bytes(key);
        request.idempotency_key = to_hex(key);
    }
    JZ_TRY(const auto response, client_.send(request));
    if (response.status >= 300) return error_of(method + " " + path, response);
    boost::system::error_code failed;
    json::value answer = json::parse(response.body, failed);
    if (failed || !answer.is_object())
        return Error(ErrorKind::internal, method + " " + path + " was not answered with a JSON object");
    return std::move(answer.get_object());
}

Result<Bytes> Operator::post_envelope(ByteView envelope) {
    client::Request request;
    request.method = "POST";
    request.path = "/device/v1/messages";
    request.body = as_text(envelope);
    request.content_type = "application/cose";
    JZ_TRY(const auto response, client_.send(request));
    if (response.status != 200) return error_of("a device's message", response);
    return to_bytes(as_bytes(response.body));
}

std::string text_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace jiaozi::cli
