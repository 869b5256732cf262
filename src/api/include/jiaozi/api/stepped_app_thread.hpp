// An application thread that its owner steps: for tests and for tools without an event loop. Tasks may be posted from
// any thread; everything else happens on the thread that owns the object. Its timers run in a time of their own, which
// only advance() moves, so that a test of a deadline neither waits nor depends on how fast the machine is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include <jiaozi/api/app_thread.hpp>

namespace jiaozi::api {

class SteppedAppThread final : public AppThread {
  public:
    void post(Task task) override {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
        posted_.notify_one();
    }

    TimerId call_after(Duration delay, Task task) override {
        timers_.emplace(std::pair(now_ + delay, ++last_timer_), std::move(task));
        return last_timer_;
    }

    void cancel(TimerId timer) override {
        std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
    }

    // Runs what has been posted, and what that posts, until there is nothing left.
    void run_posted() {
        while (run_one(std::chrono::milliseconds(0))) {
        }
    }

    // Runs tasks, waiting for other threads to post them, until `reached`; false when `patience` of real time was not
    // enough.
    bool run_until(const std::function<bool()>& reached, Duration patience = seconds(30)) {
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::nanoseconds(patience.ns);
        while (!reached()) {
            if (std::chrono::steady_clock::now() >= give_up) return false;
            run_one(std::chrono::milliseconds(20));
        }
        return true;
    }

    // Moves the timers' time, running those that come due in order, and what they post.
    void advance(Duration by) {
        const Duration target = now_ + by;
        run_posted();
        while (!timers_.empty() && timers_.begin()->first.first <= target) {
            auto due = timers_.extract(timers_.begin());
            now_ = due.key().first;
            due.mapped()();
            run_posted();
        }
        now_ = target;
    }

  private:
    bool run_one(std::chrono::milliseconds wait) {
        Task task;
        {
            std::unique_lock lock(mutex_);
            if (!posted_.wait_for(lock, wait, [&] { return !tasks_.empty(); })) return false;
            task = std::move(tasks_.front());
            tasks_.pop_front();
        }
        task();
        return true;
    }

    std::mutex mutex_;
    std::condition_variable posted_;
    std::deque<Task> tasks_;  // guarded by mutex_
    // The rest belongs to the owning thread. Timers by due time, then by age.
    std::map<std::pair<Duration, TimerId>, Task> timers_;
    TimerId last_timer_ = 0;
    Duration now_;
};

}  // namespace jiaozi::api
