// How open_link makes each kind, and the deadline they share.
#pragma once

#include <chrono>

#include <jiaozi/carriers/link.hpp>

namespace jiaozi::carriers {

Result<std::unique_ptr<Link>> connect_stream(const Place& place, Duration patience);
Result<std::unique_ptr<Link>> open_serial(const std::string& path);
Result<std::unique_ptr<Link>> open_folder(const std::string& folder, Side side);
Result<std::unique_ptr<Link>> open_codes(const std::string& folder, const Terminal& terminal);

// Waiting for devices is not business time: the monotonic clock.
class Deadline {
  public:
    explicit Deadline(Duration patience)
        : end_(std::chrono::steady_clock::now() + std::chrono::nanoseconds(patience.ns)) {}
    // 0 when it has passed.
    int left_ms() const {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now()).count();
        constexpr std::int64_t longest = 24LL * 3600 * 1000;
        return static_cast<int>(left < 0 ? 0 : (left > longest ? longest : left));
    }
    bool passed() const { return left_ms() == 0; }

  private:
    std::chrono::steady_clock::time_point end_;
};

// True when the descriptor can be read; false when the deadline passed first.
Result<bool> wait_readable(int descriptor, int milliseconds);

inline Error nothing_came() {
    return {ErrorKind::timeout, "the other side said nothing in time"};
}

}  // namespace jiaozi::carriers
