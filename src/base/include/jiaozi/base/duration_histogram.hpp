// How long something took, counted in buckets as Prometheus wants them. Plain data: who shares one guards it.
// Source: the Prometheus text exposition format, version 0.0.4.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <jiaozi/base/clock.hpp>

namespace jiaozi {

class DurationHistogram {
  public:
    // Upper bounds in microseconds; one more bucket is open.
    static constexpr std::array<std::uint64_t, 12> bounds_us = {
        100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 100'000, 1'000'000, 5'000'000, 30'000'000};

    void count(Duration took) noexcept {
        const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(took.ns, 0));
        const auto bucket = std::ranges::lower_bound(bounds_us, (ns + 999) / 1000);
        ++buckets_[static_cast<std::size_t>(bucket - bounds_us.begin())];
        sum_ns_ += ns;
    }
    std::uint64_t total() const noexcept;
    // How many took longer than `bounds_us[bound]`.
    std::uint64_t above(std::size_t bound) const noexcept;

    // Its samples: name_bucket, name_sum and name_count in seconds, each with `labels` (without braces; may be empty).
    std::string text(std::string_view name, std::string_view labels) const;

  private:
    std::array<std::uint64_t, bounds_us.size() + 1> buckets_{};
    std::uint64_t sum_ns_ = 0;
};

}  // namespace jiaozi
