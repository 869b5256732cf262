// One change of the registry with the event that tells of it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <jiaozi/api/events.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::identity {

struct ChangeEvent {
    std::string_view type;  // "device.suspended"
    std::string object_id;
    std::string data;  // the object after the change, as JSON
};

// Runs `write` and appends the event in one transaction, then tells the followers.
Result<> record_change(registry::Session& session, const Clock& clock, api::EventSignal& events,
                       const std::function<Result<>()>& write, const ChangeEvent& event);

}  // namespace jiaozi::identity
