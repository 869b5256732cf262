// A request, a response, and the way an answer finds its connection. Free of the HTTP parser's types, so that handlers
// compile quickly and can be called by tests and fuzzers. Application thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jiaozi::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };
std::string_view name_of(Method method) noexcept;  // "GET"

struct Header {
    std::string_view name;
    std::string_view value;
};

// Views into the connection's buffer: good until the request is answered.
struct Request {
    Method method = Method::get;
    std::string_view path;   // as sent, without the query
    std::string_view query;  // as sent, without the '?'
    std::span<const Header> headers;
    std::string_view body;

    // Names are compared without regard to case; empty if there is none. The first of several.
    std::string_view header(std::string_view name) const noexcept;
};

struct Response {
    int status = 200;
    std::string_view content_type = "application/json";  // static storage; empty: no such header
    std::string body;
    std::string_view static_body;   // sent instead of body if not empty; static storage
    std::string_view header_block;  // whole header lines with their CRLFs; static storage
    std::vector<std::pair<std::string_view, std::string>> headers;  // names in static storage
    bool close = false;                                             // close the connection afterwards
};

// A response that goes on: server-sent events. Destroyed or closed by the server at its end.
class Stream {
  public:
    virtual ~Stream() = default;
    // Queues bytes. No effect on a closed stream.
    virtual void write(std::shared_ptr<const std::string> bytes) = 0;
    virtual std::size_t queued_bytes() const = 0;
    virtual bool open() const = 0;
    virtual void close() = 0;
    // Called when the queue has run empty, and once when the client is gone.
    virtual void on_drained(std::function<void()> drained) = 0;
    virtual void on_closed(std::function<void()> closed) = 0;
};

// The connection's side of one request.
class Channel {
  public:
    virtual ~Channel() = default;
    virtual void respond(Response&& response) = 0;
    // Sends the head of `response` and keeps the connection open for more.
    virtual std::shared_ptr<Stream> start_stream(Response&& head) = 0;
};

// What the server hands its requests to. `channel` is answered exactly once, now or later. If it is dropped unanswered,
// the connection closes.
class Handler {
  public:
    virtual ~Handler() = default;
    virtual void handle(const Request& request, std::shared_ptr<Channel> channel) = 0;
    // The bytes could not be read as a request: the whole answer to that.
    virtual Response refusal(int status, std::string_view code, std::string_view detail) = 0;
    // The largest body this request may have, asked when its headers are read.
    virtual std::size_t body_limit(std::string_view path) const = 0;
};

}  // namespace jiaozi::http
