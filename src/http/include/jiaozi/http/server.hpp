// An HTTP/1.1 server on the application thread: connections, limits and timeouts. What a request means is the
// Handler's.
//
// Keep-alive and pipelining (answers in order, one request at a time). TLS is the business of a proxy in front.
// Threading: everything on the thread that runs the io_context. Lifetime: the io_context and the handler must outlive
// the server; the destructor closes every connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/http/message.hpp>

namespace boost::asio {
class io_context;
}

namespace jiaozi::http {

struct ServerOptions {
    std::string address = "127.0.0.1";                     // IPv4 or IPv6, no names
    std::uint16_t port = 8080;                             // 0: any free one
    std::size_t max_connections = 4096;                    // more are closed at once
    std::size_t max_header_bytes = std::size_t{8} * 1024;  // 431 above
    Duration idle_timeout = seconds(75);                   // between requests
    Duration request_timeout = seconds(15);  // from a request's first byte to its last: slow senders are cut off
    Duration write_timeout = seconds(30);    // a client that does not read
};

class Server {
  public:
    // Error io names the address, for example because the port is taken.
    static Result<std::unique_ptr<Server>> listen(boost::asio::io_context& io, ServerOptions options, Handler& handler);
    virtual ~Server() = default;
    virtual std::uint16_t port() const = 0;
    virtual std::size_t connections() const = 0;
    // Takes no more connections, closes idle ones, lets answers under way go out. Idempotent.
    virtual void stop() = 0;
};

}  // namespace jiaozi::http
