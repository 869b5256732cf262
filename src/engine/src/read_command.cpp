#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <jiaozi/engine/engine.hpp>

namespace jiaozi::engine {

Result<Committed> read_command(Engine& engine, std::uint64_t sequence, Duration patience) {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<Committed> found;
    const auto subscription = engine.subscribe(sequence - 1, [&](std::span<const Committed> batch) {
        const std::lock_guard guard(mutex);
        if (found) return;
        found = batch.front();
        came.notify_all();
    });
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::nanoseconds(patience.ns);
    std::unique_lock lock(mutex);
    // A feed that stops by itself does not call the handler, so its state is looked at now and then.
    while (!came.wait_for(lock, std::chrono::milliseconds(50), [&] { return found.has_value(); })) {
        if (auto failure = subscription->failure()) return std::move(*failure);
        if (std::chrono::steady_clock::now() >= deadline)
            return Error(ErrorKind::timeout, "command " + std::to_string(sequence) + " could not be read in time");
    }
    lock.unlock();
    return std::move(*found);
}

}  // namespace jiaozi::engine
