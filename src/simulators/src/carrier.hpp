// What brings a simulator's envelopes to the server and back: MQTT, or HTTPS by asking.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/model/ids.hpp>
#include <jiaozi/protocol/refusal.hpp>

namespace jiaozi::simulators {

// All on the io_context's thread. None comes after the carrier's end.
struct CarrierEvents {
    std::function<void()> connected;
    std::function<void(const std::string& why)> disconnected;
    std::function<void(ByteView envelope)> received;
    std::function<void(protocol::RefusalCode)> refused;  // HTTPS: the answer was no envelope
};

class Carrier {
  public:
    virtual ~Carrier() = default;
    // Loses what cannot be sent: what matters is resent by the device.
    virtual void send(ByteView envelope) = 0;
};

std::unique_ptr<Carrier> make_mqtt_carrier(boost::asio::io_context& io, const std::string& host, std::uint16_t port,
                                           DeviceId device, const std::string& password, CarrierEvents events);
// Posts each envelope from a thread of its own, because the HTTP client blocks. Error invalid: not an HTTP URL.
Result<std::unique_ptr<Carrier>> make_https_carrier(boost::asio::io_context& io, const std::string& url,
                                                    CarrierEvents events);

}  // namespace jiaozi::simulators
