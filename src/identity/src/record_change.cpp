#include "record_change.hpp"

#include <jiaozi/base/log.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/registry/events.hpp>

namespace jiaozi::identity {

Result<> record_change(registry::Session& session, const Clock& clock, api::EventSignal& events,
                       const std::function<Result<>()>& write, const ChangeEvent& change) {
    const Event event{.position = 0,
                      .id = crypto::new_id<EventId>(clock),
                      .type = std::string(change.type),
                      .object_id = change.object_id,
                      .data = change.data,
                      .created = clock.now()};
    auto stored = session.in_transaction([&]() -> Result<> {
        JZ_CHECK(write());
        return registry::append_many(session, {&event, 1});
    });
    if (!stored.ok()) return stored;
    // The change is stored: that followers hear of it a little later is no reason to report a failure.
    const auto position = registry::newest_event_position(session);
    if (position.ok()) {
        events.stored_up_to(*position);
    } else {
        log::warn("an event is stored but could not be announced",
                  {{"event", event.id.to_string()}, {"error", position.error().to_string()}});
    }
    return {};
}

}  // namespace jiaozi::identity
