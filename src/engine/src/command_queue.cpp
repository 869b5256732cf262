#include "command_queue.hpp"

namespace jiaozi::engine {

Result<> CommandQueue::put(WaitingCommand& waiting) {
    const auto refuse = [](std::string why) { return Error(ErrorKind::unavailable, std::move(why)); };
    std::unique_lock lock(mutex_);
    if (health_.state == Health::State::stopped)
        return refuse("the engine stopped taking writes (" + health_.cause + "); restart it");
    if (closing_) return refuse("the engine is closing");
    if (waiting_ >= max_commands_ || waiting_bytes_ + waiting.bytes > max_bytes_)
        return refuse("too many commands are waiting; try again shortly");
    ++waiting_;
    waiting_bytes_ += waiting.bytes;
    queue_.push_back(std::move(waiting));
    const bool wake = std::exchange(writer_sleeps_, false);
    lock.unlock();
    if (wake) filled_.notify_one();
    return {};
}

void CommandQueue::left(std::size_t commands, std::size_t bytes) {
    const std::lock_guard guard(mutex_);
    waiting_ -= commands;
    waiting_bytes_ -= bytes;
}

void CommandQueue::close() {
    {
        const std::lock_guard guard(mutex_);
        closing_ = true;
    }
    filled_.notify_one();
}

bool CommandQueue::refuse_from_now(const std::string& cause) {
    const std::lock_guard guard(mutex_);
    if (health_.state != Health::State::running) return false;
    health_ = {Health::State::stopped, cause};
    return true;
}

Health CommandQueue::health() const {
    const std::lock_guard guard(mutex_);
    return health_;
}

}  // namespace jiaozi::engine
