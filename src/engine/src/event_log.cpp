#include "event_log.hpp"

#include <algorithm>
#include <utility>

#include <jiaozi/base/log.hpp>

namespace jiaozi::engine {

namespace {

Error no_such_event() {
    return Error(ErrorKind::internal, "no entry with that event");
}

}  // namespace

class EventLog::OpenSegment {
  public:
    OpenSegment(storage::Disk& disk, const std::filesystem::path& directory) : disk_(disk), directory_(directory) {}

    Result<Bytes> read(const Part& part) {
        JZ_CHECK(open(part.position.segment));
        return storage::read_payload_part(*file_, part.position, part.stretch.offset, part.stretch.size);
    }
    Result<> will_read(const Place& place) {
        if (place.payload != nullptr) return {};
        const storage::Position& position = place.part ? place.part->position : place.point.position;
        JZ_CHECK(open(position.segment));
        if (place.part)
            file_->will_read(position.offset + sizeof(storage::EntryHeader) + place.part->stretch.offset,
                             place.part->stretch.size);
        else
            file_->will_read(position.offset, step_bytes);
        return {};
    }

  private:
    Result<> open(std::uint64_t segment) {
        if (file_ && segment == segment_) return {};
        JZ_TRY(file_, disk_.open(directory_ / storage::segment_name(segment), storage::Disk::Mode::read));
        segment_ = segment;
        return {};
    }

    storage::Disk& disk_;
    const std::filesystem::path& directory_;
    std::unique_ptr<storage::File> file_;
    std::uint64_t segment_ = 0;
};

void EventLog::add(const storage::Position& position, ByteView payload, std::span<const Events> commands,
                   std::span<const Stretch> stretches) {
    std::uint64_t ordinal = begin_add(position, payload.size(), commands, stretches);
    recent_.add(ordinal, position, payload);
    // Not under the mutex: nobody looks at the places of events that are given up, or not here yet, and a lookup would
    // have to wait for as much as a megabyte.
    for (const Events& events : commands) {
        std::uint64_t timestamp = events.last.ns - events.transfers.size();
        for (const ledger::Transfer& event : events.transfers) {
            ledger::Transfer& place = latest_[ordinal++ % latest_kept];
            place = event;
            place.timestamp = ++timestamp;
        }
    }
    const std::lock_guard guard(mutex_);
    next_ordinal_ = ordinal;
}

// Where the entry is; and room for its events. The ordinal of the first.
std::uint64_t EventLog::begin_add(const storage::Position& position, std::size_t payload_size,
                                  std::span<const Events> commands, std::span<const Stretch> stretches) {
    std::uint64_t end = 0;
    for (const Events& events : commands) end += events.transfers.size();
    const std::lock_guard guard(mutex_);
    if (points_.empty() || points_.back().position.segment != position.segment || since_point_ >= step_bytes) {
        points_.push_back({next_ordinal_, position});
        since_point_ = 0;
    }
    since_point_ += storage::entry_extent(payload_size);
    if (stretches.size() > 1) {
        for (const Stretch& stretch : stretches) parts_.push_back({next_ordinal_ + stretch.first, position, stretch});
    }
    end += next_ordinal_;
    first_latest_ = std::max(first_latest_, end - std::min<std::uint64_t>(end, latest_kept));
    const auto used = static_cast<std::size_t>(std::min<std::uint64_t>(end, latest_kept));
    if (latest_.size() < used) latest_.resize(used);
    return next_ordinal_;
}

EventLog::Places EventLog::places() const {
    const std::lock_guard guard(mutex_);
    return {points_, parts_, next_ordinal_, since_point_};
}

void EventLog::restore(Places places) {
    const std::lock_guard guard(mutex_);
    points_ = std::move(places.points);
    parts_ = std::move(places.parts);
    next_ordinal_ = first_latest_ = places.next_ordinal;
    since_point_ = places.since_point;
}

std::optional<Error> EventLog::failure() const {
    const std::lock_guard guard(mutex_);
    return failure_;
}

bool EventLog::read(std::uint64_t ordinal, ledger::Transfer& event) const {
    auto found = read(ordinal);
    if (found.ok()) return event = *found, true;
    log::error("an earlier event could not be read from the journal", {{"cause", found.error().to_string()}});
    const std::lock_guard guard(mutex_);
    failure_ = std::move(found).error();
    return false;
}

bool EventLog::read_from_memory(std::uint64_t ordinal, ledger::Transfer& event) const {
    Result<Place> place = Error(ErrorKind::internal, "");
    {
        const std::lock_guard guard(mutex_);
        if (is_in_memory(ordinal, event)) return true;
        place = place_of(ordinal);
    }
    if (!place.ok() || place->payload == nullptr) return false;
    OpenSegment none(disk_, directory_);
    const auto decoded = fetch(*place, ordinal, ordinal, none);
    if (decoded.ok()) event = decoded->events[ordinal - decoded->first_ordinal];
    return decoded.ok();
}

Result<ledger::Transfer> EventLog::read(std::uint64_t ordinal) const {
    Result<Place> place = Error(ErrorKind::internal, "");
    {
        const std::lock_guard guard(mutex_);
        ledger::Transfer event;
        if (is_in_memory(ordinal, event)) return event;
        place = place_of(ordinal);
    }
    if (!place.ok()) return std::move(place).error();
    OpenSegment segment(disk_, directory_);
    JZ_TRY(Decoded fetched, fetch(*place, ordinal, ordinal, segment));
    const ledger::Transfer event = fetched.events[ordinal - fetched.first_ordinal];
    const std::lock_guard guard(mutex_);
    decoded_.push_front(std::move(fetched));
    if (decoded_.size() > decoded_kept) decoded_.pop_back();
    return event;
}

Result<std::vector<ledger::Transfer>> EventLog::read(std::span<const std::uint64_t> ordinals) const {
    struct Wanted {
        std::uint64_t ordinal;
        ledger::Transfer* event;
        Place place;
    };
    std::vector<ledger::Transfer> events(ordinals.size());
    std::vector<Wanted> wanted;
    {
        const std::lock_guard guard(mutex_);
        for (std::size_t i = 0; i < ordinals.size(); ++i) {
            if (is_in_memory(ordinals[i], events[i])) continue;
            JZ_TRY(const Place place, place_of(ordinals[i]));
            wanted.push_back({ordinals[i], &events[i], place});
        }
    }
    std::ranges::sort(wanted, {}, &Wanted::ordinal);
    OpenSegment segment(disk_, directory_);
    for (const Wanted& one : wanted) JZ_CHECK(segment.will_read(one.place));
    for (std::size_t i = 0, end = 0; i < wanted.size(); i = end) {
        const auto& part = wanted[i].place.part;
        for (end = i + 1; part && end < wanted.size() && part->holds(wanted[end].ordinal);) ++end;
        JZ_TRY(const Decoded decoded, fetch(wanted[i].place, wanted[i].ordinal, wanted[end - 1].ordinal, segment));
        while (end < wanted.size() && decoded.holds(wanted[end].ordinal)) ++end;
        for (std::size_t k = i; k < end; ++k)
            *wanted[k].event = decoded.events[wanted[k].ordinal - decoded.first_ordinal];
    }
    return events;
}

std::uint64_t EventLog::count() const {
    const std::lock_guard guard(mutex_);
    return next_ordinal_;
}

bool EventLog::is_in_memory(std::uint64_t ordinal, ledger::Transfer& event) const {
    if (ordinal < next_ordinal_ && ordinal >= first_latest_) {
        event = latest_[ordinal % latest_kept];
        return true;
    }
    const auto found = std::ranges::find_if(decoded_, [&](const Decoded& one) { return one.holds(ordinal); });
    if (found == decoded_.end()) return false;
    decoded_.splice(decoded_.begin(), decoded_, found);
    event = found->events[ordinal - found->first_ordinal];
    return true;
}

Result<EventLog::Place> EventLog::place_of(std::uint64_t ordinal) const {
    Place place;
    if (auto recent = recent_.find(ordinal)) {
        place.point = {recent->first_ordinal, recent->position};
        place.payload = std::move(recent->payload);
    } else {
        const auto after = std::ranges::upper_bound(points_, ordinal, {}, &Point::first_ordinal);
        if (after == points_.begin()) return no_such_event();
        place.point = *std::prev(after);
    }
    const auto part = std::ranges::upper_bound(parts_, ordinal, {}, &Part::first_ordinal);
    if (part != parts_.begin() && std::prev(part)->holds(ordinal)) place.part = *std::prev(part);
    return place;
}

namespace {

Result<std::vector<ledger::Transfer>> events_of(std::uint64_t entry, ByteView bytes) {
    auto payload = decode_payload(bytes);
    if (!payload.ok()) return std::move(payload).error().in("entry " + std::to_string(entry));
    std::vector<ledger::Transfer> events;
    for (const TimedCommand& timed : payload->commands) {
        std::uint64_t timestamp = timed.timestamp.ns - timed.command.transfers.size();
        for (const ledger::Transfer& event : timed.command.transfers) {
            events.push_back(event);
            events.back().timestamp = ++timestamp;
        }
    }
    return events;
}

}  // namespace

// Its part, or its entry, which without the payload is found by decoding from the point before it on.
Result<EventLog::Decoded> EventLog::fetch(const Place& place, std::uint64_t first, std::uint64_t last,
                                          OpenSegment& segment) const {
    if (place.part) {
        const Part& part = *place.part;
        Bytes read;
        if (place.payload == nullptr) {
            JZ_TRY(read, segment.read(part));
        }
        const ByteView bytes = place.payload == nullptr
                                   ? ByteView(read)
                                   : ByteView(*place.payload).subspan(part.stretch.offset, part.stretch.size);
        auto events = decode_stretch(part.stretch, bytes, last - part.first_ordinal + 1);
        if (!events.ok()) return std::move(events).error().in("entry " + std::to_string(part.position.entry));
        return Decoded{part.first_ordinal, std::move(*events)};
    }
    storage::Position position = place.point.position;
    Decoded decoded{place.point.first_ordinal, {}};
    if (place.payload != nullptr) {
        JZ_TRY(decoded.events, events_of(position.entry, *place.payload));
        if (!decoded.holds(first)) return no_such_event();
        return decoded;
    }
    for (;;) {
        JZ_TRY(const Bytes bytes, storage::read_entry(disk_, directory_, position));
        JZ_TRY(decoded.events, events_of(position.entry, bytes));
        if (decoded.holds(first)) return decoded;
        decoded.first_ordinal += decoded.events.size();
        position = {position.entry + 1, position.segment, position.offset + storage::entry_extent(bytes.size())};
    }
}

}  // namespace jiaozi::engine
