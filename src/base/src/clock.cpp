#include <ctime>

#include <jiaozi/base/clock.hpp>

namespace jiaozi {

Timestamp SystemClock::now() const noexcept {
    timespec ts{};
    static_cast<void>(clock_gettime(CLOCK_REALTIME, &ts));  // cannot fail for this clock id and a valid pointer
    return {static_cast<std::uint64_t>(ts.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(ts.tv_nsec)};
}

}  // namespace jiaozi
