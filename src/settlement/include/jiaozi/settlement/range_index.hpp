// Which parts of a lot or a note are spent, and by whom: disjoint intervals in order. Overlaps are found exactly.
// Pure data, not thread-safe. Positions are units of the lot or note, below 2^63.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace jiaozi::settlement {

// [from, to), never empty.
struct Span {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint64_t size() const noexcept { return to - from; }
    bool operator==(const Span&) const = default;
};

struct OwnedSpan {
    Span span;
    std::uint32_t owner = 0;
    bool operator==(const OwnedSpan&) const = default;
};

class RangeIndex {
  public:
    // What of `range` is taken, cut to it, in order.
    std::vector<OwnedSpan> taken(Span range) const;
    // What of it is free, in order.
    std::vector<Span> gaps(Span range) const;
    // Gives the free parts of `range` to `owner`, and returns what others have of it.
    std::vector<OwnedSpan> claim(Span range, std::uint32_t owner);
    // Frees everything that `owner` has of `range`, and returns it.
    std::vector<Span> release(Span range, std::uint32_t owner);

    std::size_t size() const noexcept { return spans_.size(); }
    // All of it, in order; and the index of such spans, or none if they are not disjoint and in order.
    const std::vector<OwnedSpan>& all() const noexcept { return spans_; }
    static std::optional<RangeIndex> of(std::vector<OwnedSpan> spans);
    bool operator==(const RangeIndex&) const = default;

  private:
    // The first interval that ends after `position`.
    std::size_t first_after(std::uint64_t position) const noexcept;

    std::vector<OwnedSpan> spans_;
};

}  // namespace jiaozi::settlement
