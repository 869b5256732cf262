// Tells several followers at once. Followers are added while the program starts, before the first event; after that it
// is thread-safe.
#pragma once

#include <vector>

#include <jiaozi/api/events.hpp>

namespace jiaozi::api {

class EventFanout final : public EventSignal {
  public:
    void add(EventSignal& follower) { followers_.push_back(&follower); }
    void stored_up_to(std::uint64_t position) override {
        for (EventSignal* follower : followers_) follower->stored_up_to(position);
    }

  private:
    std::vector<EventSignal*> followers_;
};

}  // namespace jiaozi::api
