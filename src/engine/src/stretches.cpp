#include <jiaozi/engine/payload.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace jiaozi::engine {

std::uint64_t stretch_check(ByteView bytes) noexcept {
    return XXH3_64bits(bytes.data(), bytes.size());
}

void StretchKeeper::begin() {
    stretches_.clear();
    events_ = 0;
}

const std::vector<Stretch>& StretchKeeper::finish(ByteView commands) {
    for (std::size_t i = 0; i < stretches_.size(); ++i) {
        Stretch& stretch = stretches_[i];
        const bool last = i + 1 == stretches_.size();
        stretch.first = static_cast<std::uint32_t>(i) * Stretch::max_events;
        stretch.events = last ? events_ - stretch.first : Stretch::max_events;
        const std::size_t end = last ? commands.size() : stretches_[i + 1].offset;
        stretch.size = static_cast<std::uint32_t>(end - stretch.offset);
        // A payload of one stretch is read whole, and has a hash.
        if (stretches_.size() > 1) stretch.check = stretch_check(commands.subspan(stretch.offset, stretch.size));
    }
    return stretches_;
}

}  // namespace jiaozi::engine
