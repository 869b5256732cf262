// Until when somebody waits for a device or a person: the monotonic clock, because that is no business time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <jiaozi/base/clock.hpp>

namespace jiaozi::carriers {

class Deadline {
  public:
    explicit Deadline(Duration patience)
        : end_(std::chrono::steady_clock::now() + std::chrono::nanoseconds(patience.ns)) {}
    // 0 when it has passed.
    Duration left() const {
        const auto left = end_ - std::chrono::steady_clock::now();
        return nanoseconds(std::max<std::int64_t>(0, std::chrono::nanoseconds(left).count()));
    }
    Duration left(Duration at_most) const { return std::min(left(), at_most); }
    // For poll(): rounded up, at most a day.
    int left_ms() const {
        constexpr std::int64_t ns_per_ms = 1'000'000;
        constexpr std::int64_t longest = 24LL * 3600 * 1000;
        return static_cast<int>(std::min(longest, (left().ns + ns_per_ms - 1) / ns_per_ms));
    }
    bool passed() const { return left().ns == 0; }

  private:
    std::chrono::steady_clock::time_point end_;
};

}  // namespace jiaozi::carriers
