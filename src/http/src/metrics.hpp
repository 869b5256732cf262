// Counts and latencies of requests, in the Prometheus text format. Application thread only.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <jiaozi/base/duration_histogram.hpp>
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
    struct Row {
        std::array<std::uint64_t, 6> by_class{};  // index: status / 100
        DurationHistogram durations;
    };
    std::vector<std::string> names_;
    std::vector<Row> rows_ = std::vector<Row>(1);  // the last row is no_route's
};

}  // namespace jiaozi::http
