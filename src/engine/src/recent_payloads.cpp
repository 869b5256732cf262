#include "recent_payloads.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace jiaozi::engine {

// With what the allocator and the queue need for it.
std::size_t RecentPayloads::size_of(const Entry& entry) noexcept {
    constexpr std::size_t overhead = sizeof(Entry) + 96;
    return entry.payload->size() + overhead;
}

void RecentPayloads::add(std::uint64_t first_ordinal, const storage::Position& position, ByteView payload) {
    if (most_bytes_ == 0) return;
    Entry entry{first_ordinal, position, std::make_shared<const Bytes>(payload.begin(), payload.end())};
    std::vector<Entry> given_up;  // memory is given back behind the mutex
    const std::lock_guard guard(mutex_);
    bytes_ += size_of(entry);
    entries_.push_back(std::move(entry));
    while (bytes_ > most_bytes_) {
        bytes_ -= size_of(entries_.front());
        given_up.push_back(std::move(entries_.front()));
        entries_.pop_front();
    }
}

std::optional<RecentPayloads::Entry> RecentPayloads::find(std::uint64_t ordinal) const {
    const std::lock_guard guard(mutex_);
    const auto after = std::ranges::upper_bound(entries_, ordinal, {}, &Entry::first_ordinal);
    if (after == entries_.begin()) return std::nullopt;
    return *std::prev(after);
}

}  // namespace jiaozi::engine
