// The one seam through which every component learns the time, so that a test clock moves holds, limits and windows
// together. Nothing else in the program may call clock_gettime or std::chrono::*_clock::now for business time.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>

namespace jiaozi {

// A span of time in nanoseconds. Plain integer inside; never floating point.
struct Duration {
    std::int64_t ns = 0;
    auto operator<=>(const Duration&) const = default;
    constexpr std::int64_t ms() const noexcept { return ns / 1'000'000; }
    constexpr std::int64_t s() const noexcept { return ns / 1'000'000'000; }
};
constexpr Duration nanoseconds(std::int64_t n) noexcept {
    return {n};
}
constexpr Duration microseconds(std::int64_t n) noexcept {
    return {n * 1'000};
}
constexpr Duration milliseconds(std::int64_t n) noexcept {
    return {n * 1'000'000};
}
constexpr Duration seconds(std::int64_t n) noexcept {
    return {n * 1'000'000'000};
}
constexpr Duration operator+(Duration a, Duration b) noexcept {
    return {a.ns + b.ns};
}
constexpr Duration operator-(Duration a, Duration b) noexcept {
    return {a.ns - b.ns};
}

// A point in time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds ignored (POSIX time).
struct Timestamp {
    std::uint64_t ns = 0;
    auto operator<=>(const Timestamp&) const = default;
    constexpr std::uint64_t ms() const noexcept { return ns / 1'000'000; }
    constexpr std::uint64_t s() const noexcept { return ns / 1'000'000'000; }
};
constexpr Timestamp operator+(Timestamp t, Duration d) noexcept {
    return {t.ns + static_cast<std::uint64_t>(d.ns)};
}
constexpr Duration operator-(Timestamp a, Timestamp b) noexcept {
    return {static_cast<std::int64_t>(a.ns - b.ns)};
}
constexpr Timestamp timestamp_s(std::uint64_t s) noexcept {
    return {s * 1'000'000'000};
}

// Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Timestamp now() const noexcept = 0;
};

class SystemClock final : public Clock {
  public:
    Timestamp now() const noexcept override;
};

// Stands still until told otherwise. Thread-safe. Moving backwards is allowed: clocks do that.
class TestClock final : public Clock {
  public:
    explicit TestClock(Timestamp start = timestamp_s(1'700'000'000)) : ns_(start.ns) {}
    Timestamp now() const noexcept override { return {ns_.load(std::memory_order_relaxed)}; }
    void set(Timestamp now) noexcept { ns_.store(now.ns, std::memory_order_relaxed); }
    void advance(Duration by) noexcept { ns_.fetch_add(static_cast<std::uint64_t>(by.ns), std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> ns_;
};

// The system clock plus an offset that can be moved forwards, behind `POST /v1/test_clock/advance` in sandbox mode.
// Thread-safe.
class ShiftedClock final : public Clock {
  public:
    Timestamp now() const noexcept override {
        return system_.now() + Duration{offset_ns_.load(std::memory_order_relaxed)};
    }
    void advance(Duration by) noexcept { offset_ns_.fetch_add(by.ns, std::memory_order_relaxed); }

  private:
    SystemClock system_;
    std::atomic<std::int64_t> offset_ns_{0};
};

}  // namespace jiaozi
