// Cursor pages, as every list of the HTTP interface shows them: newest first, by (created, id).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace jiaozi::registry {

inline constexpr std::uint32_t page_limit_default = 20;
inline constexpr std::uint32_t page_limit_max = 100;

// The cursors are ids of objects of the kind listed, in text form; at most one of the two is set.
//   starting_after  the page that follows this object (older ones)
//   ending_before   the page that precedes this object (newer ones), still newest first
// Errors of every function that takes a Page, all of kind invalid and naming the parameter: limit outside 1..100,
// both cursors given, a cursor that names no stored object.
struct Page {
    std::uint32_t limit = page_limit_default;
    std::string starting_after;
    std::string ending_before;
};

template <class T>
struct Listing {
    std::vector<T> data;
    bool has_more = false;  // more objects lie beyond this page, in the direction of travel
};

}  // namespace jiaozi::registry
