// Tells several followers at once. Thread-safe. Writers of events may outlive a follower's owner, so that a follower is
// either given with shared ownership, or must outlive the fan-out.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <jiaozi/api/events.hpp>

namespace jiaozi::api {

class EventFanout final : public EventSignal {
  public:
    void add(std::shared_ptr<EventSignal> follower) {
        const std::lock_guard lock(mutex_);
        followers_.push_back(std::move(follower));
    }
    void add(EventSignal& follower) { add(std::shared_ptr<EventSignal>(std::shared_ptr<void>(), &follower)); }
    void stored_up_to(std::uint64_t position) override {
        const std::lock_guard lock(mutex_);
        for (const auto& follower : followers_) follower->stored_up_to(position);
    }

  private:
    std::mutex mutex_;
    std::vector<std::shared_ptr<EventSignal>> followers_;  // guarded by mutex_
};

}  // namespace jiaozi::api
