// MQTT topic names: jz/1/d/<device>/up and jz/1/d/<device>/down, where <device> is the id's text form.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <jiaozi/model/ids.hpp>

namespace jiaozi::protocol {

inline constexpr std::string_view all_up_topics = "jz/1/d/+/up";  // the server's subscription

std::string up_topic(DeviceId device);
std::string down_topic(DeviceId device);
// nullopt for every other topic, and for an id in another spelling than its canonical one.
std::optional<DeviceId> parse_up_topic(std::string_view topic);
std::optional<DeviceId> parse_down_topic(std::string_view topic);

}  // namespace jiaozi::protocol
