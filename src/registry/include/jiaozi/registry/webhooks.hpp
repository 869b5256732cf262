// Webhook endpoints and the history of deliveries to them. Errors and threading: store.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <jiaozi/model/records.hpp>
#include <jiaozi/registry/page.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::registry {

// The signing secret is kept readable, because every delivery is signed with it; it is sealed if the store was opened
// with Options::seal. Reading a sealed one without Options::open is Error unavailable.
Result<> insert(Session& session, const WebhookEndpoint& endpoint);
Result<> update(Session& session, const WebhookEndpoint& endpoint);
Result<> erase(Session& session, EndpointId id);  // and its deliveries
Result<WebhookEndpoint> get_webhook_endpoint(Session& session, EndpointId id);
Result<Listing<WebhookEndpoint>> list_webhook_endpoints(Session& session, const Page& page);
Result<std::vector<WebhookEndpoint>> all_webhook_endpoints(Session& session);

// One delivery an endpoint and event: a second one for the same pair is left out, so fanning out an event again after
// a crash is harmless. To redeliver, update the stored one. Returns how many were new.
Result<std::uint64_t> insert_many(Session& session, std::span<const WebhookDelivery> deliveries);
// response: bytes that are not UTF-8 are replaced by U+FFFD, and it is cut to 512 bytes.
Result<> update(Session& session, const WebhookDelivery& delivery);
Result<WebhookDelivery> get_webhook_delivery(Session& session, DeliveryId id);

struct DeliveryFilter {
    EndpointId endpoint;  // zero or nullopt: any
    EventId event;
    std::optional<bool> done;
};
Result<Listing<WebhookDelivery>> list_webhook_deliveries(Session& session, const DeliveryFilter& filter,
                                                         const Page& page);
// Not done, next_attempt at or before `now`, endpoint enabled; the longest due first; limit 1 to 1,000.
Result<std::vector<WebhookDelivery>> due_webhook_deliveries(Session& session, Timestamp now, std::uint32_t limit);

}  // namespace jiaozi::registry
