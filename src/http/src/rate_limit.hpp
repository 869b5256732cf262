// A token bucket for each API key. Application thread only.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <unordered_map>

#include <jiaozi/model/ids.hpp>

namespace jiaozi::http {

class RateLimit {
  public:
    // 0 per second: no limit.
    RateLimit(std::uint32_t per_second, std::uint32_t burst)
        : per_second_(per_second), burst_(std::max<std::uint32_t>(burst, 1)) {}

    // `count` at once; more than a burst are never refused for being more.
    bool allow(ApiKeyId key, std::uint32_t count = 1) {
        if (per_second_ == 0) return true;
        const std::int64_t now_ns = std::chrono::steady_clock::now().time_since_epoch().count();
        // One token lasts `cost`; the bucket is kept as the time at which it was, or will be, full.
        const std::int64_t cost_ns = 1'000'000'000 / per_second_;
        std::int64_t& full_at = full_at_[key];
        full_at = std::max(full_at, now_ns);
        const std::uint32_t room = burst_ - std::min(burst_, count);
        if (full_at - now_ns > cost_ns * static_cast<std::int64_t>(room)) return false;
        full_at += cost_ns * static_cast<std::int64_t>(count);
        return true;
    }

  private:
    std::uint32_t per_second_;
    std::uint32_t burst_;
    std::unordered_map<ApiKeyId, std::int64_t> full_at_;  // at most one entry a key that exists
};

}  // namespace jiaozi::http
