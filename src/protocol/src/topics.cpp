#include <jiaozi/protocol/topics.hpp>

namespace jiaozi::protocol {
namespace {

constexpr std::string_view prefix = "jz/1/d/";
constexpr std::string_view up = "/up";
constexpr std::string_view down = "/down";

std::string topic(DeviceId device, std::string_view suffix) {
    std::string text(prefix);
    text += device.to_string();
    text += suffix;
    return text;
}

std::optional<DeviceId> parse(std::string_view text, std::string_view suffix) {
    if (!text.starts_with(prefix) || !text.ends_with(suffix) || text.size() < prefix.size() + suffix.size())
        return std::nullopt;
    const std::string_view id = text.substr(prefix.size(), text.size() - prefix.size() - suffix.size());
    const auto device = DeviceId::parse(id);
    // Ids are read in either case; a topic is a name, and a broker's ACL knows it in one spelling only.
    if (!device.ok() || !*device || device->to_string() != id) return std::nullopt;
    return *device;
}

}  // namespace

std::string up_topic(DeviceId device) {
    return topic(device, up);
}
std::string down_topic(DeviceId device) {
    return topic(device, down);
}
std::optional<DeviceId> parse_up_topic(std::string_view text) {
    return parse(text, up);
}
std::optional<DeviceId> parse_down_topic(std::string_view text) {
    return parse(text, down);
}

}  // namespace jiaozi::protocol
