// An MQTT 3.1.1 or 5 client on a Boost.Asio event loop: libmosquitto without its thread. It connects, and connects
// again with growing pauses when the connection is lost, until stopped; subscriptions are made anew each time.
//
// Threading: construction, all calls and all callbacks on the thread that runs the io_context. Must be destroyed there,
// not from one of its own callbacks, and before the io_context. The host name is resolved by the system, which may
// block: give an address where that matters.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/mqtt/address.hpp>

namespace boost::asio {
class io_context;
}

namespace jiaozi::mqtt {

enum class Version : std::uint8_t { v311, v5 };

struct ClientOptions {
    BrokerAddress broker;
    std::string client_id;  // empty: random. A guessable one invites others to take the connection over
    Version version = Version::v311;
    int keepalive_s = 30;
    Duration reconnect_min = milliseconds(100);  // the pause doubles up to the max, and is varied by up to a quarter
    Duration reconnect_max = seconds(10);
    Duration connect_patience = seconds(10);  // from the first packet to the broker's last answer
    std::size_t backlog_max = 100'000;        // messages waiting for the socket; more are refused
};

struct ClientHandlers {
    std::function<void(std::string_view topic, ByteView payload)> message;
    std::function<void()> connected;  // and all subscriptions answered
    std::function<void(const std::string& why)> disconnected;
    std::function<void(const std::string& filter)> subscription_refused;
};

struct ClientCounters {
    std::uint64_t received = 0;
    std::uint64_t published = 0;
    std::uint64_t refused = 0;  // publish() said no
    std::uint64_t connects = 0;
    std::uint64_t disconnects = 0;
};

class Client {
  public:
    Client(boost::asio::io_context& io, ClientOptions options, ClientHandlers handlers);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void start();
    // Says goodbye to the broker. No callback comes afterwards. Harmless when not started.
    void stop();

    // Kept, and made again at each connection. Filters are MQTT's: jz/1/d/+/up.
    void subscribe(const std::string& filter, int qos = 0);

    // What is published within one turn of the event loop leaves in one go. false: not connected, or the backlog is
    // full; then nothing was sent and nothing will be. QoS 0 or 1.
    bool publish(std::string_view topic, ByteView payload, int qos = 0);

    bool connected() const noexcept;
    ClientCounters counters() const noexcept;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace jiaozi::mqtt
