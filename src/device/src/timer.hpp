// Waiting that survives a clock set back: a timer is also due when the clock stands before the moment it was set.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include <jiaozi/base/clock.hpp>

namespace jiaozi::device {

class Timer {
  public:
    Timer() = default;  // due at once
    Timer(Timestamp set, Duration after) noexcept : set_(set), after_(after) {}

    bool due(Timestamp now) const noexcept { return now < set_ || now - set_ >= after_; }
    Timestamp when() const noexcept { return set_ + after_; }

  private:
    Timestamp set_{};
    Duration after_{};
};

// docs/protocol/device.md, section 4.
inline constexpr std::array resend_after{seconds(1), seconds(2), seconds(4), seconds(8), seconds(15)};

constexpr Duration resend_delay(std::size_t times_sent) noexcept {
    return resend_after[std::min(times_sent, resend_after.size()) - (times_sent == 0 ? 0 : 1)];
}

}  // namespace jiaozi::device
