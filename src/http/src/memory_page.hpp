// Pages over lists that are in memory already, by the same rules as the registry's.
#pragma once

#include <algorithm>
#include <vector>

#include <jiaozi/base/result.hpp>
#include <jiaozi/registry/page.hpp>

namespace jiaozi::http {

// `items` newest first; each has `id`.
template <class T>
Result<registry::Listing<T>> page_of(std::vector<T> items, const registry::Page& page) {
    const auto find = [&](const std::string& cursor) {
        return std::find_if(items.begin(), items.end(), [&](const T& item) { return item.id.to_string() == cursor; });
    };
    auto begin = items.begin();
    auto end = items.end();
    const bool backwards = !page.ending_before.empty();
    if (const std::string& cursor = backwards ? page.ending_before : page.starting_after; !cursor.empty()) {
        const auto at = find(cursor);
        if (at == items.end()) {
            return Error(ErrorKind::invalid, "this cursor names nothing in the list")
                .with_param(backwards ? "ending_before" : "starting_after");
        }
        (backwards ? end : begin) = backwards ? at : at + 1;
    }
    const bool has_more = end - begin > static_cast<std::ptrdiff_t>(page.limit);
    if (has_more)
        (backwards ? begin : end) =
            backwards ? end - static_cast<std::ptrdiff_t>(page.limit) : begin + static_cast<std::ptrdiff_t>(page.limit);
    return registry::Listing<T>{std::vector<T>(begin, end), has_more};
}

template <class T>
void newest_first(std::vector<T>& items) {
    std::sort(items.begin(), items.end(),
              [](const T& a, const T& b) { return a.created != b.created ? a.created > b.created : a.id > b.id; });
}

}  // namespace jiaozi::http
