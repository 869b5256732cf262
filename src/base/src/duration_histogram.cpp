#include <numeric>

#include <jiaozi/base/duration_histogram.hpp>

namespace jiaozi {

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

std::uint64_t DurationHistogram::total() const noexcept {
    return std::accumulate(buckets_.begin(), buckets_.end(), std::uint64_t{0});
}

std::uint64_t DurationHistogram::above(std::size_t bound) const noexcept {
    return std::accumulate(buckets_.begin() + static_cast<std::ptrdiff_t>(bound) + 1, buckets_.end(), std::uint64_t{0});
}

std::string DurationHistogram::text(std::string_view name, std::string_view labels) const {
    std::string out;
    const auto sample = [&](std::string_view what, std::string_view bound, const std::string& value) {
        ((out += name) += what);
        if (!labels.empty() || !bound.empty()) out += '{';
        out += labels;
        if (!labels.empty() && !bound.empty()) out += ',';
        if (!bound.empty()) ((out += "le=\"") += bound) += '"';
        if (!labels.empty() || !bound.empty()) out += '}';
        ((out += ' ') += value) += '\n';
    };
    const std::uint64_t all = total();
    for (std::size_t b = 0; b < bounds_us.size(); ++b)
        sample("_bucket", seconds_text(bounds_us[b]), std::to_string(all - above(b)));
    sample("_bucket", "+Inf", std::to_string(all));
    sample("_sum", "", seconds_text(sum_ns_ / 1000));
    sample("_count", "", std::to_string(all));
    return out;
}

}  // namespace jiaozi
