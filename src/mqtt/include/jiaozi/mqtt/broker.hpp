// A Mosquitto broker of our own: started on loopback with a generated configuration, watched, restarted when it dies
// and stopped with the program. Each device has its own password and reaches only its own two topics (docs/broker.md).
//
// Threading: everything on the thread that runs the io_context, which must also be the thread that calls start() and
// must live as long as the program: the broker dies with that thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include <sys/types.h>

#include <jiaozi/api/broker_credentials.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/mqtt/address.hpp>

namespace boost::asio {
class io_context;
}

namespace jiaozi::mqtt {

struct BrokerOptions {
    std::filesystem::path directory;   // the passwords' file lives here; created with mode 0700
    std::uint16_t port = 0;            // 0: a free one, kept until stop()
    std::filesystem::path executable;  // empty: `mosquitto` from PATH or /usr/sbin
};

class Broker final : public api::BrokerCredentials {
  public:
    // Returns when the broker accepts connections. unavailable: no mosquitto installed, the port is taken, or it does
    // not come up in ten seconds; the message quotes its log. io: files could not be written.
    static Result<std::unique_ptr<Broker>> start(boost::asio::io_context& io, BrokerOptions options);
    ~Broker() override;
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    // SIGTERM, and SIGKILL after five seconds. Blocks so long.
    void stop();

    // How the server itself connects: its password is made anew at each start().
    const BrokerAddress& address() const noexcept;
    pid_t pid() const noexcept;  // 0: not running
    std::uint64_t restarts() const noexcept;

    // The broker takes changes over within a fraction of a second; many together cost one reload.
    void reset(std::span<const api::BrokerAccount> accounts) override;
    void put(DeviceId device, std::string_view password) override;
    void remove(DeviceId device) override;

  private:
    class Impl;
    explicit Broker(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// For an external broker, whose accounts are its operator's business.
class ExternalCredentials final : public api::BrokerCredentials {
  public:
    void reset(std::span<const api::BrokerAccount>) override {}
    void put(DeviceId, std::string_view) override {}
    void remove(DeviceId) override {}
};

}  // namespace jiaozi::mqtt
