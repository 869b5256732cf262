// The JSON form of an event, the same in lists, streams and webhooks. Thread-safe.
#pragma once

#include <string>

#include <jiaozi/api/json.hpp>

namespace jiaozi::api {

// `position` is text, because it outgrows what a JavaScript number holds exactly.
inline std::string event_json(const Event& event) {
    return JsonObject("event")
        .id("id", event.id)
        .text("position", std::to_string(event.position))
        .text("type", event.type)
        .text("object_id", event.object_id)
        .raw("data", event.data.empty() ? "{}" : event.data)
        .time("created", event.created)
        .take();
}

// Whether a subscription to `pattern` ("payment.captured", "payment.*", "*") covers events of this type.
constexpr bool event_type_matches(std::string_view pattern, std::string_view type) noexcept {
    if (pattern == "*") return true;
    if (pattern.ends_with(".*")) return type.starts_with(pattern.substr(0, pattern.size() - 1));
    return pattern == type;
}

}  // namespace jiaozi::api
