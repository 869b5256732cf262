#include <jiaozi/base/log.hpp>
#include <jiaozi/mqtt/carrier.hpp>
#include <jiaozi/protocol/topics.hpp>

namespace jiaozi::mqtt {

Carrier::Carrier(boost::asio::io_context& io, const BrokerAddress& broker, Receive receive, Version version)
    : receive_(std::move(receive)),
      client_(io, {.broker = broker, .client_id = {}, .version = version, .reconnect_max = seconds(2)},
              {.message = [this](std::string_view topic, ByteView payload) { received(topic, payload); },
               .connected = [broker] { log::info("mqtt: connected", {{"broker", display(broker)}}); },
               .disconnected =
                   [broker](const std::string& why) {
                       log::warn("mqtt: connection lost; trying again", {{"broker", display(broker)}, {"why", why}});
                   },
               .subscription_refused =
                   [](const std::string& filter) {
                       log::error("mqtt: the broker refuses our subscription; give the server's user read access to it",
                                  {{"filter", filter}});
                   }}) {
    client_.subscribe(std::string(protocol::all_up_topics));
}

void Carrier::send(DeviceId device, ByteView envelope) {
    // Not connected: the sender resends what matters.
    static_cast<void>(client_.publish(protocol::down_topic(device), envelope));
}

void Carrier::received(std::string_view topic, ByteView payload) {
    if (const auto device = protocol::parse_up_topic(topic)) return receive_(*device, payload);
    ++foreign_topics_;
}

}  // namespace jiaozi::mqtt
