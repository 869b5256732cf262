#include <jiaozi/registry/events.hpp>

#include "rows.hpp"

namespace jiaozi::registry {

// What a caller gives; the table adds the position.
struct NewEvent {
    const Event* event = nullptr;
};

template <>
struct Map<Event> {
    static constexpr std::string_view kind = "event", table = "events", order = "position";
    static constexpr std::string_view on_conflict = "ON CONFLICT (id) DO NOTHING";
    static void given(auto& visit, auto& event) {
        visit("id", event.id);
        visit("type", event.type, Text{1, 100});
        visit("object_id", event.object_id, Text{0, 64});
        visit("data", event.data, Text{0, 65'536});
        visit("created", event.created);
    }
    static void fields(auto& visit, auto& event) {
        visit("position", event.position);
        given(visit, event);
    }
};

template <>
struct Map<NewEvent> {
    static constexpr std::string_view kind = "event", table = "events", on_conflict = Map<Event>::on_conflict;
    static void fields(auto& visit, const NewEvent& added) {
        static const Event shape{};
        Map<Event>::given(visit, added.event == nullptr ? shape : *added.event);
    }
};

namespace {

constexpr std::uint32_t max_events_at_once = 1000;

// PostgreSQL hands out positions when a row is inserted, not when it is committed: two appenders could commit out of
// order, and a reader would skip the smaller position for ever. So appenders take turns until their commit. SQLite has
// one writer anyway.
Result<> take_turns(Session& session) {
    if (session.connection().backend() == Backend::sqlite) return {};
    constexpr std::uint64_t lock_number = 0x6A69616F7A690002;  // "jiaozi", 2
    JZ_CHECK(
        read_number(session, "event", Sql("SELECT count(*) FROM pg_advisory_xact_lock(") << param(lock_number) << ")"));
    return {};
}

}  // namespace

Result<> append_many(Session& session, std::span<const Event> events) {
    if (events.empty()) return {};
    std::vector<NewEvent> added;
    std::vector<const NewEvent*> rows;
    added.reserve(events.size());
    rows.reserve(events.size());
    for (const Event& event : events) rows.push_back(&added.emplace_back(NewEvent{&event}));
    return session.connection().transaction(Connection::Isolation::batch, [&]() -> Result<> {
        JZ_CHECK(take_turns(session));
        JZ_CHECK(insert_rows<NewEvent>(session, rows));
        return {};
    });
}

Result<std::vector<Event>> events_after(Session& session, std::uint64_t position, std::uint32_t limit) {
    if (limit < 1 || limit > max_events_at_once) {
        return Error(ErrorKind::invalid, "limit must be 1 to " + std::to_string(max_events_at_once))
            .with_param("limit");
    }
    // A position beyond 63 bits is later than all.
    if (!std::in_range<long long>(position)) return std::vector<Event>{};
    return read_all<Event>(session, Sql(select_from<Event>())
                                        << " WHERE position > " << param(position) << " ORDER BY position LIMIT "
                                        << param(std::uint64_t{limit}));
}

Result<std::uint64_t> newest_event_position(Session& session) {
    return read_number(session, "event", Sql("SELECT max(position) FROM events"));
}

Result<Event> get_event(Session& session, EventId id) {
    return get_row<Event>(session, id);
}

Result<Listing<Event>> list_events(Session& session, const EventFilter& filter, const Page& page) {
    JZ_CHECK(check_text("event", "type", filter.type, Text{0, 100}));
    JZ_CHECK(check_text("event", "object_id", filter.object_id, Text{0, 64}));
    Where where(select_from<Event>());
    where.equal("object_id", filter.object_id);
    if (filter.type.ends_with(".*")) {
        const std::string_view family = std::string_view(filter.type).substr(0, filter.type.size() - 1);
        where.next() << "substr(type, 1, length(" << param(family) << ")) = " << param(family);
    } else {
        where.equal("type", filter.type);
    }
    return list_rows<Event>(session, std::move(where), page);
}

}  // namespace jiaozi::registry
