// The payloads of the newest entries as they stand in the journal, so that an event of the last few million is found
// without the disk: a sixth of what it takes as a Transfer, and direct writes leave nothing in the page cache.
//
// Threading: add by one thread, find by any.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/storage/journal.hpp>

namespace jiaozi::engine {

class RecentPayloads {
  public:
    struct Entry {
        std::uint64_t first_ordinal;
        storage::Position position;
        std::shared_ptr<const Bytes> payload;
    };

    // Older ones are given up when all take more than that. Zero keeps none.
    explicit RecentPayloads(std::size_t bytes) : most_bytes_(bytes) {}

    // An entry with events, the first of which has that ordinal; behind all that were added.
    void add(std::uint64_t first_ordinal, const storage::Position& position, ByteView payload);
    // The entry that holds the event, if it is one of these.
    std::optional<Entry> find(std::uint64_t ordinal) const;

  private:
    static std::size_t size_of(const Entry& entry) noexcept;

    const std::size_t most_bytes_;
    mutable std::mutex mutex_;  // guards all below
    std::deque<Entry> entries_;
    std::size_t bytes_ = 0;
};

}  // namespace jiaozi::engine
