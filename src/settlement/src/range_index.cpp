#include <algorithm>
#include <utility>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/settlement/range_index.hpp>

namespace jiaozi::settlement {

std::size_t RangeIndex::first_after(std::uint64_t position) const noexcept {
    // Purses spend a lot from its beginning on, so what is new mostly lies behind everything else.
    if (spans_.empty() || spans_.back().span.to <= position) return spans_.size();
    const auto found = std::ranges::upper_bound(spans_, position, {}, [](const OwnedSpan& s) { return s.span.to; });
    return static_cast<std::size_t>(found - spans_.begin());
}

std::vector<OwnedSpan> RangeIndex::taken(Span range) const {
    std::vector<OwnedSpan> out;
    for (std::size_t i = first_after(range.from); i < spans_.size() && spans_[i].span.from < range.to; ++i) {
        const Span cut{std::max(spans_[i].span.from, range.from), std::min(spans_[i].span.to, range.to)};
        out.push_back({cut, spans_[i].owner});
    }
    return out;
}

std::vector<Span> RangeIndex::gaps(Span range) const {
    std::vector<Span> out;
    std::uint64_t at = range.from;
    for (std::size_t i = first_after(range.from); i < spans_.size() && spans_[i].span.from < range.to; ++i) {
        if (spans_[i].span.from > at) out.push_back({at, spans_[i].span.from});
        at = spans_[i].span.to;
    }
    if (at < range.to) out.push_back({at, range.to});
    return out;
}

std::vector<OwnedSpan> RangeIndex::claim(Span range, std::uint32_t owner) {
    JZ_ASSERT(range.from < range.to);
    std::vector<OwnedSpan> others = taken(range);
    if (others.empty()) {
        spans_.insert(spans_.begin() + static_cast<std::ptrdiff_t>(first_after(range.from)), {range, owner});
        return others;
    }
    for (const Span& gap : gaps(range)) {
        spans_.insert(spans_.begin() + static_cast<std::ptrdiff_t>(first_after(gap.from)), {gap, owner});
    }
    return others;
}

std::optional<RangeIndex> RangeIndex::of(std::vector<OwnedSpan> spans) {
    std::uint64_t at = 0;
    for (const OwnedSpan& owned : spans) {
        if (owned.span.from < at || owned.span.to <= owned.span.from) return std::nullopt;
        at = owned.span.to;
    }
    RangeIndex index;
    index.spans_ = std::move(spans);
    return index;
}

std::vector<Span> RangeIndex::release(Span range, std::uint32_t owner) {
    std::vector<Span> freed;
    std::vector<OwnedSpan> kept;
    kept.reserve(spans_.size() + 1);
    for (const OwnedSpan& span : spans_) {
        const Span cut{std::max(span.span.from, range.from), std::min(span.span.to, range.to)};
        if (span.owner != owner || cut.from >= cut.to) {
            kept.push_back(span);
            continue;
        }
        freed.push_back(cut);
        if (span.span.from < cut.from) kept.push_back({{span.span.from, cut.from}, owner});
        if (cut.to < span.span.to) kept.push_back({{cut.to, span.span.to}, owner});
    }
    spans_ = std::move(kept);
    return freed;
}

}  // namespace jiaozi::settlement
