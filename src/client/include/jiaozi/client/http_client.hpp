// The HTTP API from outside: what the command line, the load generator and the tests use. One client is one keep-alive
// connection; not thread-safe. Blocking.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::client {

struct Options {
    std::string base_url = "http://127.0.0.1:8080";
    std::string key;  // sk_…; empty: no Authorization header
    Duration timeout = seconds(60);
    std::size_t max_response_bytes = std::size_t{64} << 20;
    std::stop_token stop = {};  // ends a request under way within a second or so, as unavailable
};

struct Request {
    std::string method = "GET";
    std::string path;  // "/v1/payments?limit=5"
    std::string body;
    std::string content_type = "application/json";
    std::string idempotency_key;       // empty: no header
    std::vector<std::string> headers;  // further whole lines, "Name: value"
};

struct Response {
    long status = 0;
    std::string content_type;
    std::string body;
    bool replayed = false;  // Idempotent-Replayed: true
};

// One message of a server-sent event stream (WHATWG HTML, 9.2).
struct StreamEvent {
    std::string id;
    std::string type;
    std::string data;
};

// What an answer that is not 2xx means to a caller of ours. `code`: the problem's, where there is one.
ErrorKind kind_of_status(long status, std::string_view code = {});

class HttpClient {
  public:
    // Error invalid if the URL is not http:// or https://.
    static Result<HttpClient> create(Options options);
    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) noexcept;
    ~HttpClient();

    // Any status is a Response. Error unavailable when nothing answers (the message names the address), timeout,
    // too_large.
    Result<Response> send(const Request& request);

    // Follows a stream until `handler` returns false or the connection ends. last_id: where to go on, or empty.
    Result<> follow(const std::string& path, const std::string& last_id,
                    const std::function<bool(const StreamEvent&)>& handler);

  private:
    struct State;
    explicit HttpClient(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Splits a byte stream into events. Fed in pieces of any size; used by follow, and alone in tests.
class StreamParser {
  public:
    // False as soon as the handler returns false, or when one event is larger than 1 MiB.
    bool feed(std::string_view piece, const std::function<bool(const StreamEvent&)>& handler);

  private:
    bool end_of_line(const std::function<bool(const StreamEvent&)>& handler);

    std::string line_;
    bool skip_newline_ = false;
    StreamEvent event_;
    bool has_data_ = false;
};

}  // namespace jiaozi::client
