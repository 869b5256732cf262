// A token bucket in one word: the generic cell rate algorithm, which keeps the time at which the bucket will be full.
#pragma once

#include <algorithm>
#include <cstdint>

#include <jiaozi/base/clock.hpp>

namespace jiaozi::devices {

class TokenBucket {
  public:
    // False: no token left. per_s and burst are at least 1.
    bool take(Timestamp now, std::uint32_t per_s, std::uint32_t burst) noexcept {
        const std::uint64_t interval = 1'000'000'000 / per_s;
        const std::uint64_t capacity = interval * burst;
        if (full_at_.ns > now.ns + capacity)
            full_at_ = now;  // the clock was set back: forget, rather than block until then
        const std::uint64_t from = std::max(full_at_.ns, now.ns);
        if (from - now.ns + interval > capacity) return false;
        full_at_.ns = from + interval;
        return true;
    }

  private:
    Timestamp full_at_;
};

}  // namespace jiaozi::devices
