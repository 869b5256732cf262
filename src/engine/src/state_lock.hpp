// A shared lock under which a writer cannot be starved: readers pass a gate that the writer closes while it waits.
#pragma once

#include <mutex>
#include <shared_mutex>

namespace jiaozi::engine {

class StateLock {
  public:
    void lock() {
        const std::lock_guard guard(gate_);
        state_.lock();
    }
    void unlock() { state_.unlock(); }
    void lock_shared() {
        const std::lock_guard guard(gate_);
        state_.lock_shared();
    }
    void unlock_shared() { state_.unlock_shared(); }

  private:
    std::mutex gate_;
    std::shared_mutex state_;
};

}  // namespace jiaozi::engine
