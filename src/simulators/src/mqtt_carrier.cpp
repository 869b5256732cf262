#include <utility>

#include <jiaozi/mqtt/client.hpp>
#include <jiaozi/protocol/topics.hpp>

#include "carrier.hpp"

namespace jiaozi::simulators {
namespace {

class MqttCarrier final : public Carrier {
  public:
    MqttCarrier(boost::asio::io_context& io, mqtt::ClientOptions options, DeviceId device, CarrierEvents events)
        : up_(protocol::up_topic(device)),
          client_(io, std::move(options),
                  {.message = [received = std::move(events.received)](std::string_view,
                                                                      ByteView payload) { received(payload); },
                   .connected = std::move(events.connected),
                   .disconnected = std::move(events.disconnected),
                   .subscription_refused = {}}) {
        client_.subscribe(protocol::down_topic(device));
        client_.start();
    }

    void send(ByteView envelope) override { client_.publish(up_, envelope); }

  private:
    std::string up_;
    mqtt::Client client_;
};

}  // namespace

std::unique_ptr<Carrier> make_mqtt_carrier(boost::asio::io_context& io, const std::string& host, std::uint16_t port,
                                           DeviceId device, const std::string& password, CarrierEvents events) {
    mqtt::ClientOptions options;
    options.broker = {
        .host = host, .port = port, .user = device.to_string(), .password = password, .tls = false, .ca_file = {}};
    return std::make_unique<MqttCarrier>(io, std::move(options), device, std::move(events));
}

}  // namespace jiaozi::simulators
