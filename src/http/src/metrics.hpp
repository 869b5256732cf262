// Counts and latencies of requests, in the Prometheus text format. Application thread only.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <jiaozi/http/message.hpp>

namespace jiaozi::http {

class Metrics {
  public:
    static constexpr std::size_t no_route = static_cast<std::size_t>(-1);  // static files, unknown paths, bad requests

    // Names the routes, in the order in which count() numbers them.
    void set_routes(std::vector<std::string> names);
    void count(std::size_t route, int status, std::chrono::nanoseconds took);
    std::string text() const;
    // "GET /v1/people"; "other" where there is no route.
    std::string name(std::size_t route) const { return route < names_.size() ? names_[route] : "other"; }

  private:
    // Upper bounds in microseconds; the last bucket is open.
    static constexpr std::array<std::uint64_t, 12> bounds_us = {
        100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 100'000, 1'000'000, 5'000'000, 30'000'000};
    struct Row {
        std::array<std::uint64_t, 6> by_class{};  // index: status / 100
        std::array<std::uint64_t, bounds_us.size() + 1> buckets{};
        std::uint64_t sum_ns = 0;
    };
    std::vector<std::string> names_;
    std::vector<Row> rows_ = std::vector<Row>(1);  // the last row is no_route's
};

}  // namespace jiaozi::http
