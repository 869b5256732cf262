// Commands on their way from any thread to the one that writes, and whether any are still taken.
//
// Threading: put, refuse_from_now, close and health are for any thread; take and left are the writer's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include <jiaozi/engine/engine.hpp>

namespace jiaozi::engine {

struct WaitingCommand {
    Command command;
    Engine::Done done;
    std::size_t bytes = 0;  // an estimate of what it takes in the journal
};

class CommandQueue {
  public:
    CommandQueue(std::size_t max_commands, std::size_t max_bytes)
        : max_commands_(max_commands), max_bytes_(max_bytes) {}

    // Error unavailable: too many wait, or no more are taken; `waiting` is then as it was.
    Result<> put(WaitingCommand& waiting);

    // Waits until there are commands, and moves all of them into `commands`, which is empty; its memory is used for
    // those that come next. While `may_become_due()`, `is_due()` is asked every `tick`: the clock may be a test's or a
    // shifted one, so it is not slept on. Ends without commands when it says yes; false when the queue is closed and
    // nothing is left.
    template <class MayBecomeDue, class IsDue>
    bool take(std::vector<WaitingCommand>& commands, Duration tick, MayBecomeDue may_become_due, IsDue is_due);
    // So many of the commands that were taken are now being written, and no longer count as waiting.
    void left(std::size_t commands, std::size_t bytes);

    void close();
    // The first cause stands. False if there was one.
    bool refuse_from_now(const std::string& cause);
    Health health() const;

  private:
    const std::size_t max_commands_;
    const std::size_t max_bytes_;
    mutable std::mutex mutex_;  // guards all below
    std::condition_variable filled_;
    std::vector<WaitingCommand> queue_;
    std::size_t waiting_ = 0;  // put, and not yet left
    std::size_t waiting_bytes_ = 0;
    bool writer_sleeps_ = false;
    bool closing_ = false;
    Health health_;
};

template <class MayBecomeDue, class IsDue>
bool CommandQueue::take(std::vector<WaitingCommand>& commands, Duration tick, MayBecomeDue may_become_due,
                        IsDue is_due) {
    std::unique_lock lock(mutex_);
    while (queue_.empty()) {
        if (closing_) return false;
        writer_sleeps_ = true;
        if (may_become_due() && health_.state == Health::State::running) {
            filled_.wait_for(lock, std::chrono::nanoseconds(tick.ns));
            if (queue_.empty() && is_due()) break;
        } else {
            filled_.wait(lock);
        }
    }
    writer_sleeps_ = false;
    commands.swap(queue_);
    return true;
}

}  // namespace jiaozi::engine
