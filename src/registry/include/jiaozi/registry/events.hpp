// Events: one per state change, in an order that cursors count. Errors and threading: store.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <jiaozi/model/records.hpp>
#include <jiaozi/registry/page.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::registry {

// Appends in one transaction (the caller's, if one is open), in the span's order. Positions are assigned here (the
// field is ignored), grow with the order of commits, and may have gaps; an event whose id is stored already is left as
// it is. A reader that has seen position n never finds a smaller one appear later.
// data is at most 64 KiB.
Result<> append_many(Session& session, std::span<const Event> events);

// The oldest first, position greater than `position`; limit 1 to 1,000.
Result<std::vector<Event>> events_after(Session& session, std::uint64_t position, std::uint32_t limit);
Result<std::uint64_t> newest_event_position(Session& session);  // 0 when there is none

struct EventFilter {
    std::string type;       // exact, or a family: "payment.*"; empty: any
    std::string object_id;  // empty: any
};
Result<Event> get_event(Session& session, EventId id);
// Newest position first.
Result<Listing<Event>> list_events(Session& session, const EventFilter& filter, const Page& page);

}  // namespace jiaozi::registry
