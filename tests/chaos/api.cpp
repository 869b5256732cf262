#include "api.hpp"

#include <chrono>
#include <thread>

#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(60);

bool is_decided(long status, const std::string& code) {
    return status != 429 && status < 500 && !(status == 409 && code == "request_in_flight");
}

std::string random_key() {
    Bytes bytes(12);
    crypto::random_bytes(bytes);
    return to_hex(bytes);
}

}  // namespace

Result<Api> Api::connect(const std::string& url, const std::string& key) {
    JZ_TRY(auto client, client::HttpClient::create({.base_url = url, .key = key, .timeout = seconds(10)}));
    return Api(std::move(client));
}

Answer Api::ask(const std::string& method, const std::string& path, const json::object& body, const std::string& key) {
    client::Request request;
    request.method = method;
    request.path = path;
    if (method != "GET") request.body = json::serialize(body);
    request.idempotency_key = key;
    Answer answer;
    const auto give_up = steady_clock::now() + patience;
    for (;;) {
        ++answer.tries;
        const auto response = client_.send(request);
        if (response.ok()) {
            boost::system::error_code failed;
            json::value value = json::parse(response->body, failed);
            answer.body = !failed && value.is_object() ? std::move(value.get_object()) : json::object();
            answer.text = response->body;
            if (is_decided(response->status, text(answer.body, "code"))) {
                answer.status = response->status;
                return answer;
            }
        }
        if (steady_clock::now() > give_up) {
            answer.last_words =
                response.ok() ? std::to_string(response->status) + " " + answer.text : response.error().to_string();
            return answer;
        }
        std::this_thread::sleep_for(milliseconds(50));
    }
}

Result<json::object> Api::make(const std::string& method, const std::string& path, const json::object& body) {
    Answer answer = ask(method, path, body, method == "POST" ? random_key() : std::string());
    if (answer.status == 200 || answer.status == 201) return std::move(answer.body);
    return Error(ErrorKind::internal,
                 method + " " + path + ": " + std::to_string(answer.status) + " " + answer.text + answer.last_words);
}

Result<std::vector<json::object>> Api::list(const std::string& path) {
    std::vector<json::object> all;
    std::string after;
    for (bool more = true; more;) {
        const char separator = path.find('?') == std::string::npos ? '?' : '&';
        JZ_TRY(json::object page,
               make("GET", path + separator + "limit=100" + (after.empty() ? "" : "&starting_after=" + after)));
        for (json::value& each : page.at("data").as_array()) all.push_back(std::move(each.as_object()));
        more = page.at("has_more").as_bool();
        if (more) after = text(all.back(), "id");
    }
    return all;
}

Result<Bytes> Api::post_envelope(ByteView envelope) {
    client::Request request;
    request.method = "POST";
    request.path = "/device/v1/messages";
    request.body = as_text(envelope);
    request.content_type = "application/cose";
    JZ_TRY(const auto response, client_.send(request));
    if (response.status != 200)
        return Error(ErrorKind::internal, "a claim: " + std::to_string(response.status) + " " + response.body);
    return to_bytes(as_bytes(response.body));
}

std::string text(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

uint128 minor(const json::object& object, std::string_view name) {
    const auto value = parse_decimal(text(object, name));
    return value.ok() ? *value : 0;
}

}  // namespace jiaozi::chaos
