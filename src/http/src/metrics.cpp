#include "metrics.hpp"

#include <algorithm>

namespace jiaozi::http {
namespace {

// Microseconds as seconds in decimal, without floating point: 2500 → "0.0025".
std::string seconds_text(std::uint64_t us) {
    std::string fraction = std::to_string(us % 1'000'000);
    fraction.insert(0, 6 - fraction.size(), '0');
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
    std::string text = std::to_string(us / 1'000'000);
    if (!fraction.empty()) text += '.' + fraction;
    return text;
}

}  // namespace

void Metrics::set_routes(std::vector<std::string> names) {
    names_ = std::move(names);
    rows_.assign(names_.size() + 1, {});
}

void Metrics::count(std::size_t route, int status, std::chrono::nanoseconds took) {
    Row& row = route < names_.size() ? rows_[route] : rows_.back();
    const std::size_t status_class = std::min<std::size_t>(static_cast<std::size_t>(status) / 100, 5);
    ++row.by_class[status_class];
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
    const auto bucket = std::lower_bound(bounds_us.begin(), bounds_us.end(), (ns + 999) / 1000);
    ++row.buckets[static_cast<std::size_t>(bucket - bounds_us.begin())];
    row.sum_ns += ns;
}

std::string Metrics::text() const {
    std::string out =
        "# HELP jiaozi_http_requests_total Requests answered, by route and class of status.\n"
        "# TYPE jiaozi_http_requests_total counter\n";
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        for (std::size_t c = 1; c < rows_[i].by_class.size(); ++c) {
            if (rows_[i].by_class[c] == 0) continue;
            out += "jiaozi_http_requests_total{route=\"" + name(i) + "\",status=\"" + std::to_string(c) + "xx\"} " +
                   std::to_string(rows_[i].by_class[c]) + '\n';
        }
    }
    out +=
        "# HELP jiaozi_http_request_duration_seconds From the request read to the answer made.\n"
        "# TYPE jiaozi_http_request_duration_seconds histogram\n";
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const std::string label = "{route=\"" + name(i) + '"';
        std::uint64_t total = 0;
        for (const std::uint64_t bucket : rows_[i].buckets) total += bucket;
        if (total == 0) continue;
        std::uint64_t below = 0;
        for (std::size_t b = 0; b < bounds_us.size(); ++b) {
            below += rows_[i].buckets[b];
            out += "jiaozi_http_request_duration_seconds_bucket" + label + ",le=\"" + seconds_text(bounds_us[b]) +
                   "\"} " + std::to_string(below) + '\n';
        }
        out += "jiaozi_http_request_duration_seconds_bucket" + label + ",le=\"+Inf\"} " + std::to_string(total) + '\n';
        out += "jiaozi_http_request_duration_seconds_sum" + label + "} " + seconds_text(rows_[i].sum_ns / 1000) + '\n';
        out += "jiaozi_http_request_duration_seconds_count" + label + "} " + std::to_string(total) + '\n';
    }
    return out;
}

}  // namespace jiaozi::http
