#include "router.hpp"

#include <algorithm>

#include <jiaozi/base/assert.hpp>

namespace jiaozi::http {
namespace {

constexpr std::size_t segments_max = 10;

// "/v1/people/x" → v1, people, x. The count is segments_max + 1 when there are more.
std::size_t split(std::string_view path, std::array<std::string_view, segments_max>& out) {
    std::size_t count = 0;
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const std::size_t end = std::min(path.find('/'), path.size());
        if (count == segments_max) return segments_max + 1;
        out[count++] = path.substr(0, end);
        path.remove_prefix(end);
    }
    return count;
}

bool is_parameter(std::string_view segment) {
    return segment.starts_with('{');
}

}  // namespace

void Router::add(const Route& route) {
    std::array<std::string_view, segments_max> parts;
    const std::size_t count = split(route.pattern, parts);
    JZ_ASSERT(count <= segments_max && route.handler != nullptr);
    routes_.push_back(route);
    segments_.emplace_back(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(count));
}

Router::Match Router::find(Method method, std::string_view path) const {
    Match match;
    std::array<std::string_view, segments_max> parts;
    if (!path.starts_with('/')) return match;
    const std::size_t count = split(path, parts);
    const Method wanted = method == Method::head ? Method::get : method;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        const auto& pattern = segments_[i];
        const bool rest = routes_[i].rest;
        if (rest ? count < pattern.size() || count > segments_max : pattern.size() != count) continue;
        std::array<std::string_view, 2> params;
        std::size_t found = 0;
        bool same = true;
        for (std::size_t s = 0; s < pattern.size() && same; ++s) {
            if (is_parameter(pattern[s])) {
                same = !parts[s].empty() && found < params.size();
                if (same) params[found++] = parts[s];
            } else {
                same = pattern[s] == parts[s];
            }
        }
        if (!same) continue;
        if (rest) params[found - 1] = path.substr(static_cast<std::size_t>(params[found - 1].data() - path.data()));
        match.known_path = true;
        if (routes_[i].method == wanted) {
            // Literal paths are added before those with parameters, so the first match is the right one.
            match.route = &routes_[i];
            match.index = i;
            match.params = params;
            return match;
        }
        if (!match.allow.empty()) match.allow += ", ";
        match.allow += name_of(routes_[i].method);
        if (routes_[i].method == Method::get) match.allow += ", HEAD";
    }
    return match;
}

}  // namespace jiaozi::http
