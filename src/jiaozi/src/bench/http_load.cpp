#include "http_load.hpp"

#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

namespace jiaozi::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// One connection's answers all come from our own server, so reading a head needs no more than its length.
std::optional<std::size_t> answer_length(std::string_view head) {
    constexpr std::string_view name = "\r\nContent-Length: ";
    const std::size_t at = head.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    std::size_t length = 0;
    const char* begin = head.data() + at + name.size();
    if (std::from_chars(begin, head.data() + head.size(), length).ec != std::errc()) return std::nullopt;
    return length;
}

struct Shared {
    const HttpLoad& load;
    Measured measured;
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    SteadyClock::time_point start;
    std::optional<Error> failure;
};

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(asio::io_context& io, Shared& shared) : socket_(io), shared_(shared) {}

    Result<> open(const tcp::endpoint& to) {
        boost::system::error_code failed;
        socket_.connect(to, failed);
        if (failed) return Error(ErrorKind::unavailable, failed.message()).in("connect to the server");
        socket_.set_option(tcp::no_delay(true), failed);
        return {};
    }

    void send_next() {
        const HttpLoad& load = shared_.load;
        if (shared_.sent == load.warm_up + load.payments) return;
        const std::uint64_t number = shared_.sent++;
        const std::string& body = load.bodies[number % load.bodies.size()];
        request_ = "POST /v1/payments HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ";
        request_ += load.key;
        request_ += "\r\nContent-Type: application/json\r\nIdempotency-Key: bench-";
        request_ += std::to_string(number);
        request_ += "\r\nContent-Length: ";
        request_ += std::to_string(body.size());
        request_ += "\r\n\r\n";
        request_ += body;
        sent_at_ = SteadyClock::now();
        asio::async_write(socket_, asio::buffer(request_),
                          [self = shared_from_this()](const boost::system::error_code& failed, std::size_t) {
                              if (failed) return self->fail(failed);
                              self->answer_.clear();
                              self->read();
                          });
    }

  private:
    void fail(const boost::system::error_code& why) {
        shared_.failure = Error(ErrorKind::unavailable, why.message()).in("the server's connection");
    }

    void read() {
        socket_.async_read_some(asio::buffer(buffer_),
                                [self = shared_from_this()](const boost::system::error_code& failed, std::size_t size) {
                                    if (failed) return self->fail(failed);
                                    self->answer_.append(self->buffer_.data(), size);
                                    self->look();
                                });
    }

    void look() {
        const std::size_t head_end = answer_.find("\r\n\r\n");
        if (head_end == std::string::npos) return read();
        const auto length = answer_length(std::string_view(answer_).substr(0, head_end + 2));
        if (!length || answer_.size() < head_end + 4 + *length) return read();
        const bool paid = answer_.starts_with("HTTP/1.1 201");
        const std::uint64_t number = ++shared_.answered;
        if (number == shared_.load.warm_up) shared_.start = SteadyClock::now();
        if (number > shared_.load.warm_up) {
            Measured& measured = shared_.measured;
            measured.latencies_ns.push_back(nanoseconds_since(sent_at_));
            if (paid)
                ++measured.completed;
            else
                ++measured.failed;
            measured.elapsed_ns = nanoseconds_since(shared_.start);
        }
        send_next();
    }

    tcp::socket socket_;
    Shared& shared_;
    std::string request_;
    std::string answer_;
    std::array<char, 8192> buffer_{};
    SteadyClock::time_point sent_at_;
};

}  // namespace

Result<Measured> run_http_load(const HttpLoad& load) {
    asio::io_context io(1);
    Shared shared{load, {}, 0, 0, SteadyClock::now(), std::nullopt};
    shared.measured.latencies_ns.reserve(load.payments);
    boost::system::error_code failed;
    const auto address = asio::ip::make_address(load.host, failed);
    if (failed) return Error(ErrorKind::invalid, failed.message()).with_param("host");
    std::vector<std::shared_ptr<Connection>> connections;
    for (std::uint32_t i = 0; i < load.connections; ++i) {
        connections.push_back(std::make_shared<Connection>(io, shared));
        JZ_CHECK(connections.back()->open({address, load.port}));
    }
    for (const auto& connection : connections) connection->send_next();
    io.run();
    if (shared.failure) return std::move(*shared.failure);
    return std::move(shared.measured);
}

}  // namespace jiaozi::bench
