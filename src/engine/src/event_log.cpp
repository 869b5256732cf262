#include "event_log.hpp"

#include <algorithm>
#include <utility>

#include <jiaozi/base/log.hpp>

namespace jiaozi::engine {

void EventLog::add(const storage::Position& position, std::size_t payload_size, std::span<const Events> commands) {
    const std::lock_guard guard(mutex_);
    if (points_.empty() || points_.back().position.segment != position.segment || since_point_ >= step_bytes) {
        points_.push_back({next_ordinal_, position});
        since_point_ = 0;
    }
    since_point_ += storage::entry_extent(payload_size);
    for (const Events& events : commands) {
        std::uint64_t timestamp = events.last.ns - events.transfers.size();
        for (const ledger::Transfer& event : events.transfers) {
            const std::size_t at = next_ordinal_++ % latest_kept;
            if (at == latest_.size()) latest_.emplace_back();
            latest_[at] = event;
            latest_[at].timestamp = ++timestamp;
        }
    }
}

std::optional<Error> EventLog::failure() const {
    const std::lock_guard guard(mutex_);
    return failure_;
}

bool EventLog::read(std::uint64_t ordinal, ledger::Transfer& event) const {
    const std::lock_guard guard(mutex_);
    if (ordinal < next_ordinal_ && next_ordinal_ - ordinal <= latest_.size()) {
        event = latest_[ordinal % latest_kept];
        return true;
    }
    auto found = std::ranges::find_if(decoded_, [&](const Decoded& one) { return one.holds(ordinal); });
    if (found == decoded_.end()) {
        if (auto fetched = fetch(ordinal); !fetched.ok()) {
            log::error("an earlier event could not be read from the journal", {{"cause", fetched.error().to_string()}});
            failure_ = std::move(fetched).error();
            return false;
        }
        found = decoded_.begin();
    } else {
        decoded_.splice(decoded_.begin(), decoded_, found);
    }
    event = decoded_.front().events[ordinal - decoded_.front().first_ordinal];
    return true;
}

// Decodes from the point before the ordinal on, up to the entry that has it, which becomes the first of decoded_.
Result<> EventLog::fetch(std::uint64_t ordinal) const {
    const auto after = std::ranges::upper_bound(points_, ordinal, {}, &Point::first_ordinal);
    if (after == points_.begin()) return Error(ErrorKind::internal, "no entry with that event");
    const Point& point = *std::prev(after);
    storage::Position position = point.position;
    std::uint64_t first_ordinal = point.first_ordinal;
    for (;;) {
        storage::Position next;
        JZ_TRY(auto entry, decode(position, first_ordinal, next));
        first_ordinal += entry.events.size();
        if (ordinal < first_ordinal) {
            decoded_.push_front(std::move(entry));
            if (decoded_.size() > decoded_kept) decoded_.pop_back();
            return {};
        }
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
