// Tells several followers at once. Thread-safe. A follower that ends before the writers of events do must be removed
// first: when remove() returns it is not being told anything, and will not be.
#pragma once

#include <algorithm>
#include <mutex>
#include <vector>

#include <jiaozi/api/events.hpp>

namespace jiaozi::api {

class EventFanout final : public EventSignal {
  public:
    void add(EventSignal& follower) {
        const std::lock_guard lock(mutex_);
        followers_.push_back(&follower);
    }
    void remove(EventSignal& follower) {
        const std::lock_guard lock(mutex_);
        std::erase(followers_, &follower);
    }
    void stored_up_to(std::uint64_t position) override {
        const std::lock_guard lock(mutex_);
        for (EventSignal* follower : followers_) follower->stored_up_to(position);
    }

  private:
    std::mutex mutex_;
    std::vector<EventSignal*> followers_;  // guarded by mutex_
};

}  // namespace jiaozi::api
