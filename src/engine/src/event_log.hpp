// Transfer events by their ordinal, read back from the journal: what the ledger asks for when it meets a duplicate or a
// lookup. Keeps the latest events (most lookups are of those), where entries start, sparsely, where the stretches of
// large ones do, and the last few things it decoded.
//
// Threading: add by one thread; all other members by any. Nothing is read from the disk under the mutex.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/payload.hpp>
#include <jiaozi/ledger/event_source.hpp>
#include <jiaozi/storage/journal.hpp>

#include "recent_payloads.hpp"

namespace jiaozi::engine {

class EventLog final : public ledger::EventSource {
  public:
    // Payloads of the newest entries are kept in memory, up to `recent_bytes`.
    EventLog(storage::Disk& disk, std::filesystem::path journal_directory, std::size_t recent_bytes = 0)
        : disk_(disk), directory_(std::move(journal_directory)), recent_(recent_bytes) {}

    // The entry at `position` begins with this ordinal. One for some kilobytes of journal, and one for each
    // segment, because only inside a segment the next entry's place follows from the one before.
    struct Point {
        std::uint64_t first_ordinal;
        storage::Position position;
    };
    // A stretch of an entry with more than one.
    struct Part {
        std::uint64_t first_ordinal;
        storage::Position position;
        Stretch stretch;
        bool holds(std::uint64_t ordinal) const noexcept {
            return ordinal >= first_ordinal && ordinal - first_ordinal < stretch.events;
        }
    };

    // An entry that is in the journal, before its commands are applied, with each command's transfers and the time of
    // the last of them. In order, by one thread.
    struct Events {
        std::span<const ledger::Transfer> transfers;
        Timestamp last;
    };
    void add(const storage::Position& position, ByteView payload, std::span<const Events> commands,
             std::span<const Stretch> stretches);

    bool read(std::uint64_t ordinal, ledger::Transfer& event) const override;
    // Without the disk: one of the latest, of a recent entry, or that was read lately.
    bool read_from_memory(std::uint64_t ordinal, ledger::Transfer& event) const;
    Result<ledger::Transfer> read(std::uint64_t ordinal) const;
    // The events with these ordinals, in that order. The disk is told of all of them before the first is waited for,
    // and what several are in is read once.
    Result<std::vector<ledger::Transfer>> read(std::span<const std::uint64_t> ordinals) const;
    std::uint64_t count() const;  // events that can be read

    // Everything that a snapshot keeps of it: where events are, not the events.
    struct Places {
        std::vector<Point> points;
        std::vector<Part> parts;
        std::uint64_t next_ordinal = 0;
        std::uint64_t since_point = 0;
    };
    Places places() const;
    // Into one to which nothing was added yet.
    void restore(Places places);

    // Why the last failing read failed.
    std::optional<Error> failure() const;

  private:
    static constexpr std::uint64_t step_bytes = std::uint64_t{16} * 1024;

    // Where an ordinal is to be looked for: in a part, else from a point on.
    struct Place {
        std::optional<Part> part;
        Point point;
        std::shared_ptr<const Bytes> payload;  // of the part's entry, or the point's, which holds it, if in memory
    };

    struct Decoded {
        std::uint64_t first_ordinal = 0;
        std::vector<ledger::Transfer> events;
        bool holds(std::uint64_t ordinal) const noexcept {
            return ordinal >= first_ordinal && ordinal - first_ordinal < events.size();
        }
    };
    static constexpr std::size_t decoded_kept = 8;
    static constexpr std::size_t latest_kept = std::size_t{1} << 16;

    // The segment that was read last stays open.
    class OpenSegment;

    std::uint64_t begin_add(const storage::Position& position, std::size_t payload_size,
                            std::span<const Events> commands, std::span<const Stretch> stretches);
    bool is_in_memory(std::uint64_t ordinal, ledger::Transfer& event) const;  // with mutex_
    Result<Place> place_of(std::uint64_t ordinal) const;                      // with mutex_
    // What `first` is in, as far as `last` at least.
    Result<Decoded> fetch(const Place& place, std::uint64_t first, std::uint64_t last, OpenSegment& segment) const;

    storage::Disk& disk_;
    const std::filesystem::path directory_;
    RecentPayloads recent_;
    mutable std::mutex mutex_;  // guards all below
    std::vector<Point> points_;
    std::vector<Part> parts_;
    std::uint64_t next_ordinal_ = 0;
    std::uint64_t since_point_ = 0;
    std::uint64_t first_latest_ = 0;  // events before this one are not in latest_, or not for long
    // A ring: the event with ordinal n stands at n % latest_kept. Of those in [first_latest_, next_ordinal_); the other
    // places are add's, without the mutex.
    std::vector<ledger::Transfer> latest_;
    mutable std::list<Decoded> decoded_;  // the last used first
    mutable std::optional<Error> failure_;
};

}  // namespace jiaozi::engine
