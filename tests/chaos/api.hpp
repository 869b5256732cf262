// The HTTP interface as somebody uses it who does not give up: the same request with the same key until it is answered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/base/uint128.hpp>
#include <jiaozi/client/http_client.hpp>

namespace jiaozi::chaos {

namespace json = boost::json;

struct Answer {
    long status = 0;  // 0: nobody decided within the patience
    json::object body;
    std::string text;
    std::uint32_t tries = 0;
    std::string last_words;  // without an answer: what was said instead
};

// Blocking; one thread.
class Api {
  public:
    static Result<Api> connect(const std::string& url, const std::string& key);
    // Asks until the answer is a decision: anything but a broken connection, 409 request_in_flight, 429 and 5xx.
    Answer ask(const std::string& method, const std::string& path, const json::object& body = {},
               const std::string& key = {});
    // The same for what must succeed; error internal otherwise.
    Result<json::object> make(const std::string& method, const std::string& path, const json::object& body = {});
    // Every object of a list, all pages.
    Result<std::vector<json::object>> list(const std::string& path);
    Result<Bytes> post_envelope(ByteView envelope);

  private:
    explicit Api(client::HttpClient client) : client_(std::move(client)) {}
    client::HttpClient client_;
};

// A field's text; empty where it is missing or null. minor(): of an amount.
std::string text(const json::object& object, std::string_view name);
uint128 minor(const json::object& object, std::string_view name);

}  // namespace jiaozi::chaos
