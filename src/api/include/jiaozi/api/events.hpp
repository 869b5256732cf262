// The stream of state changes. The projector and the services append; SSE and webhooks follow.
#pragma once

#include <functional>
#include <string>

#include <jiaozi/model/records.hpp>

namespace jiaozi::api {

// Tells followers that events up to a position are stored. Thread-safe.
class EventSignal {
  public:
    virtual ~EventSignal() = default;
    virtual void stored_up_to(std::uint64_t position) = 0;
};

}  // namespace jiaozi::api
