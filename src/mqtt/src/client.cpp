#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/mqtt/client.hpp>

namespace jiaozi::mqtt {
namespace {

namespace asio = boost::asio;

// Packets read before other work on the loop gets a turn.
constexpr int reads_a_turn = 512;
constexpr int inflight_max = 1000;  // QoS 1 messages awaiting their acknowledgement

void init_library_once() {
    static const int result = mosquitto_lib_init();
    JZ_ASSERT(result == MOSQ_ERR_SUCCESS);
}

std::string random_client_id() {
    Bytes bytes(8);
    crypto::random_bytes(bytes);
    return "jz-" + to_hex(bytes);
}

std::chrono::nanoseconds chrono_of(Duration duration) {
    return std::chrono::nanoseconds(duration.ns);
}

// Between cork and uncork the kernel gathers small packets into full segments.
void set_cork(int socket, int on) {
    // On a socket that is not TCP this fails, and then there is nothing to gather.
    static_cast<void>(setsockopt(socket, IPPROTO_TCP, TCP_CORK, &on, sizeof on));
}

struct Destroy {
    void operator()(mosquitto* handle) const noexcept { mosquitto_destroy(handle); }
};

}  // namespace

// libmosquitto owns the socket and the protocol; this class owns when its functions are called. The descriptor in the
// event loop is a duplicate of the socket's, so that the loop never holds a number that the library has closed.
class Client::Impl : public std::enable_shared_from_this<Impl> {
  public:
    Impl(asio::io_context& io, ClientOptions options, ClientHandlers handlers)
        : io_(io),
          options_(std::move(options)),
          handlers_(std::move(handlers)),
          descriptor_(io),
          reconnect_timer_(io),
          misc_timer_(io),
          deadline_(io),
          pause_(options_.reconnect_min) {
        init_library_once();
        if (options_.client_id.empty()) options_.client_id = random_client_id();
    }

    void start() {
        if (running_) return;
        running_ = true;
        make_handle();
        if (handle_) connect();
    }

    void stop() {
        if (!running_) return;
        running_ = false;               // no handler is called from here on
        if (depth_ == 0) close_down();  // else by whoever is in the library now
    }

    void subscribe(const std::string& filter, int qos) {
        filters_[filter] = qos;
        if (established_) request_subscription(filter, qos);
    }

    bool publish(std::string_view topic, ByteView payload, int qos) {
        if (!established_ || outbox_.size() >= options_.backlog_max) {
            ++counters_.refused;
            return false;
        }
        outbox_.push_back({std::string(topic), to_bytes(payload), qos});
        if (!flush_posted_ && !blocked_) {
            flush_posted_ = true;
            asio::post(io_, [self = shared_from_this()] {
                self->flush_posted_ = false;
                self->guarded([&] { self->flush(); });
            });
        }
        return true;
    }

    bool connected() const noexcept { return established_ && unanswered_.empty(); }
    const ClientCounters& counters() const noexcept { return counters_; }

  private:
    struct Outgoing {
        std::string topic;
        Bytes payload;
        int qos = 0;
    };

    void make_handle() {
        handle_.reset(mosquitto_new(options_.client_id.c_str(), true, this));
        JZ_ASSERT(handle_ != nullptr);  // out of memory
        mosquitto* m = handle_.get();
        mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION,
                             options_.version == Version::v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
        mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
        mosquitto_max_inflight_messages_set(m, inflight_max);
        const BrokerAddress& broker = options_.broker;
        if (!broker.user.empty()) mosquitto_username_pw_set(m, broker.user.c_str(), broker.password.c_str());
        if (broker.tls) set_up_tls();
        mosquitto_connect_callback_set(
            m, [](mosquitto*, void* self, int code) { static_cast<Impl*>(self)->on_connect(code); });
        mosquitto_subscribe_callback_set(m, [](mosquitto*, void* self, int id, int count, const int* granted) {
            static_cast<Impl*>(self)->on_subscribed(id, count > 0 ? granted[0] : 128);
        });
        mosquitto_message_callback_set(m, [](mosquitto*, void* self, const mosquitto_message* message) {
            static_cast<Impl*>(self)->on_message(*message);
        });
    }

    void set_up_tls() {
        const std::string& ca = options_.broker.ca_file;
        if (ca.empty()) {
            mosquitto_int_option(handle_.get(), MOSQ_OPT_TLS_USE_OS_CERTS, 1);
        } else if (mosquitto_tls_set(handle_.get(), ca.c_str(), nullptr, nullptr, nullptr, nullptr) !=
                   MOSQ_ERR_SUCCESS) {
            log::error("mqtt: the file of certificate authorities cannot be read; nothing will verify", {{"file", ca}});
        }
    }

    // Every entry into the library goes through here: afterwards a lost connection or a stop is dealt with, once, and
    // never from inside one of the library's callbacks.
    template <class Work>
    void guarded(Work work) {
        if (!handle_) return;
        ++depth_;
        work();
        --depth_;
        if (depth_ != 0) return;
        if (!running_) return close_down();
        if (lost_) after_loss();
    }

    void connect() {
        guarded([&] {
            lost_ = false;
            refusal_.clear();
            const BrokerAddress& broker = options_.broker;
            const int result =
                mosquitto_connect_async(handle_.get(), broker.host.c_str(), broker.port, options_.keepalive_s);
            if (result != MOSQ_ERR_SUCCESS) return lose(result);
            const int duplicate = ::dup(mosquitto_socket(handle_.get()));
            if (duplicate < 0) return lose(MOSQ_ERR_ERRNO);
            descriptor_.assign(duplicate);
            ++generation_;
            deadline_.expires_after(chrono_of(options_.connect_patience));
            deadline_.async_wait(
                [self = shared_from_this(), mine = generation_](const boost::system::error_code& failure) {
                    if (failure || mine != self->generation_) return;
                    self->refusal_ = "the broker did not answer in time";
                    self->guarded([&] { self->lose(MOSQ_ERR_CONN_LOST); });
                });
            wait_until_open();
            wait_misc();
        });
    }

    // The library would call a connection that was refused open, and try to write to it for ever.
    void wait_until_open() {
        descriptor_.async_wait(
            asio::posix::stream_descriptor::wait_write,
            [self = shared_from_this(), mine = generation_](const boost::system::error_code& failure) {
                if (failure || mine != self->generation_) return;
                self->guarded([&] {
                    if (self->has_failed()) return self->lose(MOSQ_ERR_CONN_LOST);
                    self->write();
                    self->wait_readable();
                });
            });
    }

    // While a TLS handshake is under way, the library does not notice that the other side is gone.
    bool has_failed() {
        const int socket = mosquitto_socket(handle_.get());
        pollfd state{.fd = socket, .events = POLLRDHUP, .revents = 0};
        if (::poll(&state, 1, 0) <= 0) return false;
        int unread = 0;
        const bool is_over =
            (state.revents & (POLLERR | POLLHUP)) != 0 || (::ioctl(socket, FIONREAD, &unread) == 0 && unread == 0);
        if (!is_over) return false;
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0)
            refusal_ = errno_error("connect", error).message();
        return true;
    }

    void wait_readable() {
        descriptor_.async_wait(
            asio::posix::stream_descriptor::wait_read,
            [self = shared_from_this(), mine = generation_](const boost::system::error_code& failure) {
                if (!failure && mine == self->generation_) self->read();
            });
    }

    void read() {
        guarded([&] {
            if (!established_ && has_failed()) return lose(MOSQ_ERR_CONN_LOST);
            bool drained = false;
            for (int i = 0; i < reads_a_turn && !drained && running_; ++i) {
                errno = 0;
                if (const int result = mosquitto_loop_read(handle_.get(), 1); result != MOSQ_ERR_SUCCESS)
                    return lose(result);
                if (mosquitto_socket(handle_.get()) < 0) return lose(MOSQ_ERR_CONN_LOST);
                drained = errno == EAGAIN;
            }
            if (!running_) return;
            wait_writable_if_needed();
            if (drained) return wait_readable();
            // More has arrived, or lies in the TLS layer where the kernel does not see it.
            asio::post(io_, [self = shared_from_this(), mine = generation_] {
                if (mine == self->generation_) self->read();
            });
        });
    }

    void wait_writable_if_needed() {
        if (blocked_ || lost_ || !mosquitto_want_write(handle_.get())) return;
        blocked_ = true;
        descriptor_.async_wait(
            asio::posix::stream_descriptor::wait_write,
            [self = shared_from_this(), mine = generation_](const boost::system::error_code& failure) {
                if (failure || mine != self->generation_) return;
                self->blocked_ = false;
                self->guarded([&] { self->write(); });
            });
    }

    void write() {
        if (const int result = mosquitto_loop_write(handle_.get(), 1); result != MOSQ_ERR_SUCCESS) return lose(result);
        flush();
    }

    // Hands the outbox over while the socket takes it.
    void flush() {
        if (!established_ || blocked_ || lost_) return;
        const int socket = mosquitto_socket(handle_.get());
        set_cork(socket, 1);
        std::size_t sent = 0;
        int result = MOSQ_ERR_SUCCESS;
        while (sent < outbox_.size() && result == MOSQ_ERR_SUCCESS && !mosquitto_want_write(handle_.get())) {
            const Outgoing& next = outbox_[sent];
            result = mosquitto_publish(handle_.get(), nullptr, next.topic.c_str(),
                                       static_cast<int>(next.payload.size()), next.payload.data(), next.qos, false);
            ++sent;
        }
        counters_.published += sent;
        outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(sent));
        set_cork(socket, 0);
        if (result == MOSQ_ERR_NO_CONN || result == MOSQ_ERR_CONN_LOST || result == MOSQ_ERR_ERRNO) return lose(result);
        if (result != MOSQ_ERR_SUCCESS)
            log::warn("mqtt: a message was not sent", {{"why", mosquitto_strerror(result)}});
        wait_writable_if_needed();
    }

    // Keepalive.
    void wait_misc() {
        misc_timer_.expires_after(std::chrono::seconds(1));
        misc_timer_.async_wait(
            [self = shared_from_this(), mine = generation_](const boost::system::error_code& failure) {
                if (failure || mine != self->generation_) return;
                self->guarded([&] {
                    if (const int result = mosquitto_loop_misc(self->handle_.get()); result != MOSQ_ERR_SUCCESS)
                        return self->lose(result);
                    self->wait_writable_if_needed();
                    self->wait_misc();
                });
            });
    }

    void lose(int result) {
        if (lost_) return;
        lost_ = true;
        loss_ = !refusal_.empty()          ? refusal_
                : result == MOSQ_ERR_ERRNO ? errno_error("connection").message()
                                           : mosquitto_strerror(result);
    }

    void release_connection() {
        ++generation_;  // what is still queued for this connection finds that it is over
        boost::system::error_code ignored;
        descriptor_.close(ignored);
        deadline_.cancel();
        misc_timer_.cancel();
        blocked_ = false;
        established_ = false;
        unanswered_.clear();
        outbox_.clear();
    }

    void after_loss() {
        lost_ = false;  // dealt with here: what still comes through guarded() must not lose it again
        const bool was_established = std::exchange(established_, false);
        if (was_established) ++counters_.disconnects;
        if (const int socket = mosquitto_socket(handle_.get()); socket >= 0) {
            // The library closes its own end only when it meets an error itself.
            static_cast<void>(::shutdown(socket, SHUT_RDWR));
            static_cast<void>(mosquitto_loop_read(handle_.get(), 1));
        }
        release_connection();
        wait_to_reconnect();
        if (handlers_.disconnected) handlers_.disconnected(loss_);
    }

    void wait_to_reconnect() {
        std::uint32_t random = 0;
        crypto::random_bytes(ByteSpan(reinterpret_cast<std::uint8_t*>(&random), sizeof random));
        // Up to a quarter more, so that the clients of a broker that comes back do not all arrive together.
        const Duration pause{pause_.ns + pause_.ns / 1024 * static_cast<std::int64_t>(random % 256)};
        pause_.ns = std::min(pause_.ns * 2, options_.reconnect_max.ns);
        reconnect_timer_.expires_after(chrono_of(pause));
        reconnect_timer_.async_wait(
            [self = shared_from_this(), mine = generation_](const boost::system::error_code& failure) {
                if (!failure && self->running_ && mine == self->generation_) self->connect();
            });
    }

    void close_down() {
        if (!handle_) return;
        reconnect_timer_.cancel();
        if (established_) {
            flush();
            static_cast<void>(mosquitto_disconnect(handle_.get()));
        }
        release_connection();
        handle_.reset();
    }

    void on_connect(int code) {
        if (!running_) return;
        if (code != 0) {
            refusal_ = options_.version == Version::v5 ? mosquitto_reason_string(code) : mosquitto_connack_string(code);
            return;  // the broker closes the connection next
        }
        established_ = true;
        pause_ = options_.reconnect_min;
        ++counters_.connects;
        for (const auto& [filter, qos] : filters_) request_subscription(filter, qos);
        if (unanswered_.empty()) announce();
    }

    void request_subscription(const std::string& filter, int qos) {
        int id = 0;
        if (const int result = mosquitto_subscribe(handle_.get(), &id, filter.c_str(), qos);
            result != MOSQ_ERR_SUCCESS) {
            log::warn("mqtt: subscription not sent", {{"filter", filter}, {"why", mosquitto_strerror(result)}});
            return;
        }
        unanswered_[id] = filter;
    }

    void on_subscribed(int id, int granted) {
        const auto found = unanswered_.find(id);
        if (!running_ || found == unanswered_.end()) return;
        const std::string filter = std::move(found->second);
        unanswered_.erase(found);
        if (granted >= 128 && handlers_.subscription_refused) handlers_.subscription_refused(filter);
        if (unanswered_.empty()) announce();
    }

    void announce() {
        deadline_.cancel();
        if (running_ && handlers_.connected) handlers_.connected();
    }

    void on_message(const mosquitto_message& message) {
        ++counters_.received;
        if (!running_ || !handlers_.message || message.payloadlen < 0) return;
        handlers_.message(message.topic, ByteView(static_cast<const std::uint8_t*>(message.payload),
                                                  static_cast<std::size_t>(message.payloadlen)));
    }

    asio::io_context& io_;
    ClientOptions options_;
    ClientHandlers handlers_;
    asio::posix::stream_descriptor descriptor_;
    asio::steady_timer reconnect_timer_;
    asio::steady_timer misc_timer_;
    asio::steady_timer deadline_;
    Duration pause_;
    std::unique_ptr<mosquitto, Destroy> handle_;
    std::map<std::string, int> filters_;
    std::map<int, std::string> unanswered_;  // subscriptions, by the library's message id
    std::vector<Outgoing> outbox_;
    std::uint64_t generation_ = 0;  // of the connection; handlers of an older one do nothing
    int depth_ = 0;                 // of calls into the library
    bool running_ = false;
    bool established_ = false;
    bool lost_ = false;
    bool blocked_ = false;  // waiting for the socket to take more
    bool flush_posted_ = false;
    std::string refusal_;  // why the broker said no, if it did
    std::string loss_;
    ClientCounters counters_;
};

Client::Client(asio::io_context& io, ClientOptions options, ClientHandlers handlers)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(handlers))) {}
Client::~Client() {
    impl_->stop();
}
void Client::start() {
    impl_->start();
}
void Client::stop() {
    impl_->stop();
}
void Client::subscribe(const std::string& filter, int qos) {
    impl_->subscribe(filter, qos);
}
bool Client::publish(std::string_view topic, ByteView payload, int qos) {
    return impl_->publish(topic, payload, qos);
}
bool Client::connected() const noexcept {
    return impl_->connected();
}
ClientCounters Client::counters() const noexcept {
    return impl_->counters();
}

}  // namespace jiaozi::mqtt
