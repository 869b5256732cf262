// The server's end of the device topics: hands what devices publish to the gateway, and publishes to them.
// Threading: client.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/devices/gateway.hpp>
#include <jiaozi/model/ids.hpp>
#include <jiaozi/mqtt/client.hpp>

namespace jiaozi::mqtt {

class Carrier final : public devices::Carrier {
  public:
    // `receive` gets the device that the topic names, which proves nothing, and the bytes.
    using Receive = std::function<void(DeviceId topic, ByteView envelope)>;

    Carrier(boost::asio::io_context& io, const BrokerAddress& broker, Receive receive, Version version = Version::v311);

    void start() { client_.start(); }
    void stop() { client_.stop(); }
    bool connected() const noexcept { return client_.connected(); }
    // QoS 0: what is lost is resent by those who wait for an answer.
    void send(DeviceId device, ByteView envelope) override;

    const ClientCounters counters() const noexcept { return client_.counters(); }
    std::uint64_t foreign_topics() const noexcept { return foreign_topics_; }

  private:
    void received(std::string_view topic, ByteView payload);

    Receive receive_;
    std::uint64_t foreign_topics_ =
        0;  // messages whose topic names no device; only a misconfigured broker lets them by
    Client client_;
};

}  // namespace jiaozi::mqtt
