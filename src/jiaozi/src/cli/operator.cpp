#include "operator.hpp"

#include <array>

#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::cli {
namespace {

namespace json = boost::json;

ErrorKind kind_of(long status) {
    switch (status) {
        case 400:
        case 413:
        case 415:
            return ErrorKind::invalid;
        case 401:
            return ErrorKind::unauthenticated;
        case 402:
            return ErrorKind::declined;
        case 403:
            return ErrorKind::forbidden;
        case 404:
            return ErrorKind::not_found;
        case 409:
        case 422:
            return ErrorKind::conflict;
        case 429:
            return ErrorKind::rate_limited;
        case 503:
            return ErrorKind::unavailable;
        default:
            return ErrorKind::internal;
    }
}

}  // namespace

Error error_of(const std::string& what, const client::Response& response) {
    boost::system::error_code failed;
    const json::value problem = json::parse(response.body, failed);
    if (failed || !problem.is_object() || text_of(problem.get_object(), "code").empty()) {
        return {kind_of(response.status), what + ": HTTP " + std::to_string(response.status) + ": " + response.body};
    }
    const json::object& object = problem.get_object();
    return Error(kind_of(response.status), what + ": " + text_of(object, "detail")).with_code(text_of(object, "code"));
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
