// Rates and latencies of one load. Latencies are nanoseconds from the moment a request was sent.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace jiaozi::bench {

using SteadyClock = std::chrono::steady_clock;

inline std::uint64_t nanoseconds_since(SteadyClock::time_point start) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now() - start).count());
}

struct Measured {
    std::uint64_t completed = 0;
    std::uint64_t failed = 0;
    std::uint64_t elapsed_ns = 0;
    std::vector<std::uint64_t> latencies_ns;

    std::uint64_t per_second() const { return elapsed_ns == 0 ? 0 : completed * 1'000'000'000 / elapsed_ns; }

    // The smallest latency that `percent` of all do not exceed; in microseconds.
    std::uint64_t percentile_us(std::uint64_t percent) {
        if (latencies_ns.empty()) return 0;
        const std::size_t rank = std::min(latencies_ns.size() - 1, latencies_ns.size() * percent / 100);
        std::ranges::nth_element(latencies_ns, latencies_ns.begin() + static_cast<std::ptrdiff_t>(rank));
        return latencies_ns[rank] / 1000;
    }
};

}  // namespace jiaozi::bench
