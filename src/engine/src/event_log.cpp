#include "event_log.hpp"

#include <algorithm>
#include <utility>

#include <jiaozi/base/log.hpp>

namespace jiaozi::engine {

void EventLog::add(const storage::Position& position, std::size_t payload_size, std::span<const Events> commands,
                   std::span<const Stretch> stretches) {
    const std::lock_guard guard(mutex_);
    if (points_.empty() || points_.back().position.segment != position.segment || since_point_ >= step_bytes) {
        points_.push_back({next_ordinal_, position});
        since_point_ = 0;
    }
    since_point_ += storage::entry_extent(payload_size);
    if (stretches.size() > 1) {
        for (const Stretch& stretch : stretches) parts_.push_back({next_ordinal_ + stretch.first, position, stretch});
    }
    for (const Events& events : commands) {
        std::uint64_t timestamp = events.last.ns - events.transfers.size();
        for (const ledger::Transfer& event : events.transfers) {
            const std::size_t at = next_ordinal_++ % latest_kept;
            if (at >= latest_.size()) latest_.resize(at + 1);
            latest_[at] = event;
            latest_[at].timestamp = ++timestamp;
        }
    }
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
    Result<Place> place = Error(ErrorKind::internal, "");
    {
        const std::lock_guard guard(mutex_);
        if (read_from_memory(ordinal, event)) return true;
        place = place_of(ordinal);
    }
    auto fetched = place.ok() ? fetch(*place, ordinal) : Result<Decoded>(std::move(place).error());
    const std::lock_guard guard(mutex_);
    if (!fetched.ok()) {
        log::error("an earlier event could not be read from the journal", {{"cause", fetched.error().to_string()}});
        failure_ = std::move(fetched).error();
        return false;
    }
    event = fetched->events[ordinal - fetched->first_ordinal];
    decoded_.push_front(std::move(*fetched));
    if (decoded_.size() > decoded_kept) decoded_.pop_back();
    return true;
}

void EventLog::bring_in(std::span<const std::uint64_t> ordinals) const {
    std::vector<Place> places;
    {
        const std::lock_guard guard(mutex_);
        for (const std::uint64_t ordinal : ordinals) {
            if (ordinal >= first_latest_ && next_ordinal_ - ordinal <= latest_kept) continue;
            if (const auto place = place_of(ordinal); place.ok()) places.push_back(*place);
        }
    }
    std::unique_ptr<storage::File> file;
    std::uint64_t segment = 0;
    for (const Place& place : places) {
        const storage::Position& position = place.part ? place.part->position : place.point.position;
        if (position.segment != segment) {
            auto opened = disk_.open(directory_ / storage::segment_name(position.segment), storage::Disk::Mode::read);
            if (!opened.ok()) return;  // reading will say why
            file = std::move(opened).value();
            segment = position.segment;
        }
        const std::uint64_t begin = position.offset + sizeof(storage::EntryHeader);
        if (place.part)
            file->will_read(begin + place.part->stretch.offset, place.part->stretch.size);
        else
            file->will_read(position.offset, step_bytes);
    }
}

std::uint64_t EventLog::count() const {
    const std::lock_guard guard(mutex_);
    return next_ordinal_;
}

bool EventLog::read_from_memory(std::uint64_t ordinal, ledger::Transfer& event) const {
    if (ordinal < next_ordinal_ && ordinal >= first_latest_ && next_ordinal_ - ordinal <= latest_kept) {
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
    const auto after = std::ranges::upper_bound(points_, ordinal, {}, &Point::first_ordinal);
    if (after == points_.begin()) return Error(ErrorKind::internal, "no entry with that event");
    Place place{std::nullopt, *std::prev(after)};
    const auto part = std::ranges::upper_bound(parts_, ordinal, {}, &Part::first_ordinal);
    if (part == parts_.begin()) return place;
    const Part& before = *std::prev(part);
    if (ordinal - before.first_ordinal < before.stretch.events) place.part = before;
    return place;
}

// What the ordinal's event is in: its part, or its entry, found by decoding from the point before it on.
Result<EventLog::Decoded> EventLog::fetch(const Place& place, std::uint64_t ordinal) const {
    if (place.part) {
        const Stretch& stretch = place.part->stretch;
        JZ_TRY(const Bytes bytes,
               storage::read_payload_part(disk_, directory_, place.part->position, stretch.offset, stretch.size));
        auto events = decode_stretch(stretch, bytes);
        if (!events.ok()) return std::move(events).error().in("entry " + std::to_string(place.part->position.entry));
        return Decoded{place.part->first_ordinal, std::move(*events)};
    }
    storage::Position position = place.point.position;
    std::uint64_t first_ordinal = place.point.first_ordinal;
    for (;;) {
        storage::Position next;
        JZ_TRY(auto entry, decode(position, first_ordinal, next));
        if (entry.holds(ordinal)) return entry;
        first_ordinal += entry.events.size();
        position = next;
    }
}

Result<EventLog::Decoded> EventLog::decode(const storage::Position& position, std::uint64_t first_ordinal,
                                           storage::Position& next) const {
    JZ_TRY(const Bytes bytes, storage::read_entry(disk_, directory_, position));
    next = {position.entry + 1, position.segment, position.offset + storage::entry_extent(bytes.size())};
    auto payload = decode_payload(bytes);
    if (!payload.ok()) return std::move(payload).error().in("entry " + std::to_string(position.entry));
    Decoded decoded;
    decoded.first_ordinal = first_ordinal;
    for (const TimedCommand& timed : payload->commands) {
        std::uint64_t timestamp = timed.timestamp.ns - timed.command.transfers.size();
        for (const ledger::Transfer& event : timed.command.transfers) {
            decoded.events.push_back(event);
            decoded.events.back().timestamp = ++timestamp;
        }
    }
    return decoded;
}

}  // namespace jiaozi::engine
