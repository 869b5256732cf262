// The only file that includes Beast: it costs about 20 seconds to compile.
#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <optional>
#include <unordered_set>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/http/server.hpp>

#include "text.hpp"

namespace jiaozi::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                         asio::io_context::executor_type>;
using Parser = beast::http::request_parser<beast::http::string_body>;

constexpr std::size_t read_chunk = std::size_t{16} * 1024;
constexpr auto sweep_every = std::chrono::milliseconds(500);

class Connection;

// Shared by the connections: what they need of the server, also after it has gone.
struct Shared {
    asio::io_context& io;
    ServerOptions options;
    Handler* handler;  // null once the server is destroyed
    std::unordered_set<Connection*> connections;
    std::int64_t now_ns = 0;  // coarse real time, kept by the sweep: reading a clock per request would cost more
    bool stopping = false;
};

Method method_of(beast::http::verb verb) {
    switch (verb) {
        case beast::http::verb::get:
            return Method::get;
        case beast::http::verb::head:
            return Method::head;
        case beast::http::verb::post:
            return Method::post;
        case beast::http::verb::put:
            return Method::put;
        case beast::http::verb::patch:
            return Method::patch;
        case beast::http::verb::delete_:
            return Method::del;
        case beast::http::verb::options:
            return Method::options;
        default:
            return Method::other;
    }
}

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
    out.append(name);
    out.append(": ");
    out.append(value);
    out.append("\r\n");
}

class Connection final : public std::enable_shared_from_this<Connection> {
  public:
    Connection(std::shared_ptr<Shared> shared, Socket socket) : shared_(std::move(shared)), socket_(std::move(socket)) {
        shared_->connections.insert(this);
    }
    ~Connection() { shared_->connections.erase(this); }

    void start() {
        error_code ignored;
        socket_.set_option(tcp::no_delay(true), ignored);
        next_request();
    }

    // Called by the sweep: enforces the deadline of whatever the connection waits for.
    void check_deadline() {
        if (deadline_ns_ != 0 && shared_->now_ns > deadline_ns_) abort();
    }
    void stop() {
        closing_ = true;
        if (phase_ == Phase::idle || phase_ == Phase::streaming) abort();
    }
    void abort() {
        error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_both, ignored);
        socket_.close(ignored);
        deadline_ns_ = 0;
        closed();
    }

  private:
    friend class Exchange;
    friend class ConnectionStream;
    enum class Phase : std::uint8_t { idle, reading, handling, writing, streaming };

    void set_deadline(Duration timeout) { deadline_ns_ = shared_->now_ns + timeout.ns; }

    void next_request() {
        parser_.emplace();
        parser_->eager(true);
        parser_->header_limit(static_cast<std::uint32_t>(shared_->options.max_header_bytes));
        parser_->body_limit(boost::none);  // ours is set when the path is known
        limit_set_ = continued_ = false;
        phase_ = buffer_.size() == 0 ? Phase::idle : Phase::reading;
        set_deadline(phase_ == Phase::idle ? shared_->options.idle_timeout : shared_->options.request_timeout);
        if (buffer_.size() != 0) {
            parse();
        } else if (closing_ || shared_->stopping) {
            abort();
        } else {
            read();
        }
    }

    void read() {
        socket_.async_read_some(buffer_.prepare(read_chunk),
                                [self = shared_from_this()](error_code error, std::size_t got) {
                                    if (error) {
                                        self->abort();
                                        return;
                                    }
                                    self->buffer_.commit(got);
                                    if (self->phase_ == Phase::idle) {
                                        self->phase_ = Phase::reading;
                                        self->set_deadline(self->shared_->options.request_timeout);
                                    }
                                    self->parse();
                                });
    }

    void parse() {
        while (true) {
            error_code error;
            const std::size_t used = parser_->put(buffer_.data(), error);
            buffer_.consume(used);
            if (error == beast::http::error::need_more) error = {};
            if (error) {
                refuse(error);
                return;
            }
            if (parser_->is_header_done() && !limit_set_ && !take_header()) return;
            if (limit_set_ && parser_->get().body().size() > body_limit_) {
                refuse(make_error_code(beast::http::error::body_limit));
                return;
            }
            if (parser_->is_done()) {
                dispatch();
                return;
            }
            if (used == 0 || buffer_.size() == 0) break;
        }
        if (shared_->handler == nullptr) {
            abort();
            return;
        }
        if (parser_->is_header_done() && !continued_) {
            continued_ = true;
            if (beast::iequals(parser_->get()[beast::http::field::expect], "100-continue")) {
                send_continue();
                return;
            }
        }
        read();
    }

    // The body's limit depends on the path. False: refused already.
    bool take_header() {
        limit_set_ = true;
        if (shared_->handler == nullptr) return true;
        const auto target = parser_->get().target();
        std::string_view path(target.data(), target.size());
        path = path.substr(0, path.find('?'));
        const std::size_t limit = shared_->handler->body_limit(path);
        const auto length = parser_->content_length();
        if (length && *length > limit) {
            refuse(make_error_code(beast::http::error::body_limit));
            return false;
        }
        body_limit_ = limit;
        return true;
    }

    void send_continue() {
        static constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
        asio::async_write(socket_, asio::buffer(line), [self = shared_from_this()](error_code error, std::size_t) {
            if (error) {
                self->abort();
            } else {
                self->read();
            }
        });
    }

    void refuse(error_code error) {
        if (shared_->handler == nullptr) {
            abort();
            return;
        }
        keep_alive_ = false;
        head_ = false;
        Response response;
        if (error == beast::http::error::header_limit) {
            response = shared_->handler->refusal(431, "headers_too_large",
                                                 "the request line and headers are larger than 8 KiB");
        } else if (error == beast::http::error::body_limit) {
            response = shared_->handler->refusal(413, "too_large", "the body is larger than this endpoint takes");
        } else if (error == beast::http::error::bad_version) {
            response = shared_->handler->refusal(505, "http_version", "this server speaks HTTP/1.1");
        } else {
            response = shared_->handler->refusal(400, "malformed", "this is not an HTTP request: " + error.message());
        }
        send(std::move(response));
    }

    void dispatch();
    void send(Response&& response);
    void append_head(std::string& out, const Response& response, std::optional<std::size_t> length);
    void written(error_code error);
    void start_streaming(Response&& head);
    void stream_write();
    void watch_for_close();
    void closed();

    std::shared_ptr<Shared> shared_;
    Socket socket_;
    beast::flat_buffer buffer_;
    std::optional<Parser> parser_;
    std::vector<Header> headers_;
    std::string out_;
    std::string body_;
    std::int64_t deadline_ns_ = 0;  // 0: none
    std::size_t body_limit_ = 0;
    Phase phase_ = Phase::idle;
    bool limit_set_ = false;
    bool continued_ = false;
    bool keep_alive_ = true;
    bool head_ = false;
    bool closing_ = false;

    // Streaming only.
    std::deque<std::shared_ptr<const std::string>> queue_;
    std::size_t queued_ = 0;
    bool stream_writing_ = false;
    std::function<void()> drained_;
    std::function<void()> on_closed_;
    std::array<char, 256> ignored_input_{};
};

class ConnectionStream final : public Stream {
  public:
    explicit ConnectionStream(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
    ~ConnectionStream() override { close(); }
    void write(std::shared_ptr<const std::string> bytes) override {
        if (!open()) return;
        connection_->queued_ += bytes->size();
        connection_->queue_.push_back(std::move(bytes));
        connection_->stream_write();
    }
    std::size_t queued_bytes() const override { return connection_->queued_; }
    bool open() const override { return connection_->socket_.is_open(); }
    void close() override {
        connection_->drained_ = nullptr;
        connection_->on_closed_ = nullptr;
        if (open()) connection_->abort();
    }
    void on_drained(std::function<void()> drained) override { connection_->drained_ = std::move(drained); }
    void on_closed(std::function<void()> closed) override { connection_->on_closed_ = std::move(closed); }

  private:
    std::shared_ptr<Connection> connection_;
};

// One request's claim on the connection. Dropping it unanswered closes the connection: better than a client that waits.
class Exchange final : public Channel {
  public:
    explicit Exchange(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
    ~Exchange() override {
        if (connection_) connection_->abort();
    }
    void respond(Response&& response) override {
        JZ_ASSERT(connection_ != nullptr);
        const auto connection = std::move(connection_);
        connection->send(std::move(response));
    }
    std::shared_ptr<Stream> start_stream(Response&& head) override {
        JZ_ASSERT(connection_ != nullptr);
        const auto connection = std::move(connection_);
        connection->start_streaming(std::move(head));
        return std::make_shared<ConnectionStream>(connection);
    }

  private:
    std::shared_ptr<Connection> connection_;
};

void Connection::dispatch() {
    if (shared_->handler == nullptr) {
        abort();
        return;
    }
    auto& message = parser_->get();
    phase_ = Phase::handling;
    deadline_ns_ = 0;
    keep_alive_ = message.keep_alive() && !closing_;
    Request request;
    request.method = method_of(message.method());
    head_ = request.method == Method::head;
    const std::string_view target(message.target().data(), message.target().size());
    const std::size_t question = target.find('?');
    request.path = target.substr(0, question);
    request.query = question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
    headers_.clear();
    for (const auto& field : message) {
        headers_.push_back(
            {{field.name_string().data(), field.name_string().size()}, {field.value().data(), field.value().size()}});
    }
    request.headers = headers_;
    request.body = message.body();
    shared_->handler->handle(request, std::make_shared<Exchange>(shared_from_this()));
}

void Connection::append_head(std::string& out, const Response& response, std::optional<std::size_t> length) {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(response.status));
    out.push_back(' ');
    const auto reason = beast::http::obsolete_reason(static_cast<beast::http::status>(response.status));
    out.append(reason.data(), reason.size());
    out.append("\r\n");
    if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
    out.append(response.header_block);
    for (const auto& [name, value] : response.headers) append_header(out, name, value);
    if (length) {
        out.append("Content-Length: ");
        append_number(out, *length);
        out.append("\r\n");
    }
    if (!keep_alive_) out.append("Connection: close\r\n");
    out.append("\r\n");
}

void Connection::send(Response&& response) {
    if (!socket_.is_open()) return;
    if (response.close || closing_ || shared_->stopping) keep_alive_ = false;
    out_.clear();
    body_ = std::move(response.body);
    const std::string_view body = response.static_body.empty() ? std::string_view(body_) : response.static_body;
    const bool has_length = response.status != 204 && response.status != 304;
    append_head(out_, response, has_length ? std::optional(body.size()) : std::nullopt);
    phase_ = Phase::writing;
    set_deadline(shared_->options.write_timeout);
    const bool send_body = !head_ && has_length && !body.empty();
    const std::array<asio::const_buffer, 2> buffers = {asio::buffer(out_),
                                                       asio::buffer(body.data(), send_body ? body.size() : 0)};
    asio::async_write(socket_, buffers,
                      [self = shared_from_this()](error_code error, std::size_t) { self->written(error); });
}

void Connection::written(error_code error) {
    if (error) {
        abort();
    } else if (!keep_alive_) {
        // Half-close and give the client a moment to read the answer before the socket goes.
        error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
        set_deadline(seconds(2));
        watch_for_close();
    } else {
        next_request();
    }
}

void Connection::start_streaming(Response&& head) {
    if (!socket_.is_open()) return;
    keep_alive_ = false;
    phase_ = Phase::streaming;
    auto bytes = std::make_shared<std::string>();
    append_head(*bytes, head, std::nullopt);
    queued_ += bytes->size();
    queue_.push_back(std::move(bytes));
    stream_write();
    watch_for_close();
}

void Connection::stream_write() {
    if (stream_writing_ || queue_.empty() || !socket_.is_open()) return;
    stream_writing_ = true;
    set_deadline(shared_->options.write_timeout);
    asio::async_write(socket_, asio::buffer(*queue_.front()),
                      [self = shared_from_this()](error_code error, std::size_t) {
                          self->stream_writing_ = false;
                          if (error || self->queue_.empty()) {
                              self->abort();
                              return;
                          }
                          self->deadline_ns_ = 0;
                          self->queued_ -= self->queue_.front()->size();
                          self->queue_.pop_front();
                          if (!self->queue_.empty()) {
                              self->stream_write();
                          } else if (self->drained_) {
                              self->drained_();
                          }
                      });
}

// Reads and drops what comes, to learn when the client goes away.
void Connection::watch_for_close() {
    socket_.async_read_some(asio::buffer(ignored_input_), [self = shared_from_this()](error_code error, std::size_t) {
        if (error) {
            self->abort();
        } else {
            self->watch_for_close();
        }
    });
}

void Connection::closed() {
    drained_ = nullptr;
    if (const auto callback = std::exchange(on_closed_, nullptr)) callback();
}

class ServerImpl final : public Server {
  public:
    ServerImpl(asio::io_context& io, ServerOptions options, Handler& handler)
        : shared_(std::make_shared<Shared>(io, std::move(options), &handler)), acceptor_(io), sweep_(io) {}
    ~ServerImpl() override {
        stop();
        shared_->handler = nullptr;
        sweep_.cancel();
        for (const auto& connection : alive()) connection->abort();
    }

    Result<> open() {
        const ServerOptions& options = shared_->options;
        error_code error;
        const auto address = asio::ip::make_address(options.address, error);
        if (error) {
            return Error(ErrorKind::invalid,
                         "listen address '" + options.address + "': expected an IP address such as 127.0.0.1");
        }
        const tcp::endpoint endpoint(address, options.port);
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (!error) port_ = acceptor_.local_endpoint(error).port();
        if (error) {
            return Error(ErrorKind::io, "listen on " + options.address + " port " + std::to_string(options.port) +
                                            ": " + error.message());
        }
        sweep();
        accept();
        return {};
    }

    std::uint16_t port() const override { return port_; }
    std::size_t connections() const override { return shared_->connections.size(); }
    void stop() override {
        if (shared_->stopping) return;
        shared_->stopping = true;
        error_code ignored;
        acceptor_.close(ignored);
        for (const auto& connection : alive()) connection->stop();
    }

  private:
    std::vector<std::shared_ptr<Connection>> alive() {
        std::vector<std::shared_ptr<Connection>> list;
        list.reserve(shared_->connections.size());
        for (Connection* connection : shared_->connections) {
            if (auto strong = connection->weak_from_this().lock()) list.push_back(std::move(strong));
        }
        return list;
    }

    void accept() {
        acceptor_.async_accept(shared_->io.get_executor(), [this, shared = shared_](error_code error, Socket socket) {
            if (error == asio::error::operation_aborted || shared->stopping) return;
            if (error) {
                // Out of descriptors, for example. The sweep's pace keeps this from spinning.
                log::warn("cannot accept a connection", {{"error", error.message()}});
                accept_later_ = true;
                return;
            }
            if (shared->connections.size() < shared->options.max_connections) {
                std::make_shared<Connection>(shared, std::move(socket))->start();
            }
            accept();
        });
    }

    void sweep() {
        shared_->now_ns = std::chrono::steady_clock::now().time_since_epoch().count();
        for (const auto& connection : alive()) connection->check_deadline();
        if (std::exchange(accept_later_, false)) accept();
        sweep_.expires_after(sweep_every);
        sweep_.async_wait([this, shared = shared_](error_code error) {
            if (!error && shared->handler != nullptr) sweep();
        });
    }

    std::shared_ptr<Shared> shared_;
    Acceptor acceptor_;
    Timer sweep_;
    std::uint16_t port_ = 0;
    bool accept_later_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(boost::asio::io_context& io, ServerOptions options, Handler& handler) {
    auto server = std::make_unique<ServerImpl>(io, std::move(options), handler);
    JZ_CHECK(server->open());
    return Result<std::unique_ptr<Server>>(std::move(server));
}

}  // namespace jiaozi::http
