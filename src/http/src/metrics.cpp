#include "metrics.hpp"

#include <algorithm>

namespace jiaozi::http {

void Metrics::set_routes(std::vector<std::string> names) {
    names_ = std::move(names);
    rows_.assign(names_.size() + 1, {});
}

void Metrics::count(std::size_t route, int status, std::chrono::nanoseconds took) {
    Row& row = route < names_.size() ? rows_[route] : rows_.back();
    const std::size_t status_class = std::min<std::size_t>(static_cast<std::size_t>(status) / 100, 5);
    ++row.by_class[status_class];
    row.durations.count({std::chrono::nanoseconds(took).count()});
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
        if (rows_[i].durations.total() == 0) continue;
        out += rows_[i].durations.text("jiaozi_http_request_duration_seconds", "route=\"" + name(i) + '"');
    }
    return out;
}

}  // namespace jiaozi::http
