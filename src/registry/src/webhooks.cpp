#include <jiaozi/registry/webhooks.hpp>

#include "rows.hpp"

namespace jiaozi::registry {

template <>
struct Map<WebhookEndpoint> {
    static constexpr std::string_view kind = "webhook_endpoint", table = "webhook_endpoints", order = "created";
    static void fields(auto& visit, auto& endpoint) {
        visit("id", endpoint.id);
        visit("url", endpoint.url, Text{1, 2048});
        visit("secret", endpoint.secret, Text{0, 4096});
        visit("events", endpoint.events);
        visit("enabled", endpoint.enabled);
        visit("created", endpoint.created);
    }
};

template <>
struct Map<WebhookDelivery> {
    static constexpr std::string_view kind = "webhook_delivery", table = "webhook_deliveries", order = "created";
    // Without a target: neither a second row for the pair nor a second with the id is added.
    static constexpr std::string_view on_conflict = "ON CONFLICT DO NOTHING";
    static void fields(auto& visit, auto& delivery) {
        visit("id", delivery.id);
        visit("endpoint_id", delivery.endpoint);
        visit("event_id", delivery.event);
        visit("attempt", delivery.attempt);
        visit("status", delivery.status);
        visit("response", delivery.response, Text{0, 512});
        visit("done", delivery.done);
        visit("next_attempt", delivery.next_attempt);
        visit("created", delivery.created);
        visit("updated", delivery.updated);
    }
};

namespace {

constexpr std::size_t max_secret = 512;
constexpr std::size_t max_response = 512;
constexpr std::uint32_t max_due = 1000;

// Sealed bytes are not text, so they stand as hexadecimal behind a mark that says so; a plain secret has a mark too,
// so that no secret can be taken for the other form.
constexpr std::string_view sealed_mark = "sealed:";
constexpr std::string_view plain_mark = "plain:";

Result<WebhookEndpoint> with_stored_secret(Session& session, const WebhookEndpoint& endpoint) {
    JZ_CHECK(check_text("webhook_endpoint", "secret", endpoint.secret, Text{0, max_secret}));
    WebhookEndpoint stored = endpoint;
    const auto& seal = session.connection().options().seal;
    stored.secret = seal ? std::string(sealed_mark) + to_hex(as_bytes(seal(endpoint.secret)))
                         : std::string(plain_mark) + endpoint.secret;
    return stored;
}

Result<> open_secret(Session& session, WebhookEndpoint& endpoint) {
    const std::string_view stored = endpoint.secret;
    if (stored.starts_with(plain_mark)) {
        endpoint.secret.erase(0, plain_mark.size());
        return {};
    }
    const auto& open = session.connection().options().open;
    if (!open) {
        return Error(ErrorKind::unavailable, "webhook_endpoint " + endpoint.id.to_string() +
                                                 ": its secret is sealed; start with the key that sealed it");
    }
    if (!stored.starts_with(sealed_mark))
        return Error(ErrorKind::corrupt, "registry: the stored webhook secret has no known form");
    JZ_TRY(const Bytes sealed, from_hex(stored.substr(sealed_mark.size())));
    JZ_TRY(endpoint.secret, open(as_text(sealed)));
    return {};
}

Result<std::vector<WebhookEndpoint>> opened(Session& session, Result<std::vector<WebhookEndpoint>> endpoints) {
    if (!endpoints.ok()) return endpoints;
    for (WebhookEndpoint& endpoint : *endpoints) JZ_CHECK(open_secret(session, endpoint));
    return endpoints;
}

WebhookDelivery cleaned(WebhookDelivery delivery) {
    delivery.response = clean_text(delivery.response, max_response);
    return delivery;
}

}  // namespace

Result<> insert(Session& session, const WebhookEndpoint& endpoint) {
    JZ_TRY(const auto stored, with_stored_secret(session, endpoint));
    return insert_row(session, stored);
}
Result<> update(Session& session, const WebhookEndpoint& endpoint) {
    JZ_TRY(const auto stored, with_stored_secret(session, endpoint));
    return update_row(session, stored);
}
Result<> erase(Session& session, EndpointId id) {
    return erase_row(session, "webhook_endpoints", "webhook_endpoint", id);
}
Result<WebhookEndpoint> get_webhook_endpoint(Session& session, EndpointId id) {
    JZ_TRY(WebhookEndpoint endpoint, get_row<WebhookEndpoint>(session, id));
    JZ_CHECK(open_secret(session, endpoint));
    return endpoint;
}
Result<Listing<WebhookEndpoint>> list_webhook_endpoints(Session& session, const Page& page) {
    JZ_TRY(auto listing, list_rows<WebhookEndpoint>(session, Where(select_from<WebhookEndpoint>()), page));
    JZ_TRY(listing.data, opened(session, std::move(listing.data)));
    return listing;
}
Result<std::vector<WebhookEndpoint>> all_webhook_endpoints(Session& session) {
    return opened(session,
                  read_all<WebhookEndpoint>(session, Sql(select_from<WebhookEndpoint>()) << " ORDER BY created, id"));
}

Result<std::uint64_t> insert_many(Session& session, std::span<const WebhookDelivery> deliveries) {
    std::vector<WebhookDelivery> clean;
    std::vector<const WebhookDelivery*> rows;
    clean.reserve(deliveries.size());
    rows.reserve(deliveries.size());
    for (const WebhookDelivery& delivery : deliveries) {
        if (!delivery.event) return Error(ErrorKind::invalid, "webhook_delivery: event is missing").with_param("event");
        rows.push_back(&clean.emplace_back(cleaned(delivery)));
    }
    return insert_rows<WebhookDelivery>(session, rows);
}
Result<> update(Session& session, const WebhookDelivery& delivery) {
    return update_row(session, cleaned(delivery));
}
Result<WebhookDelivery> get_webhook_delivery(Session& session, DeliveryId id) {
    return get_row<WebhookDelivery>(session, id);
}

Result<Listing<WebhookDelivery>> list_webhook_deliveries(Session& session, const DeliveryFilter& filter,
                                                         const Page& page) {
    Where where(select_from<WebhookDelivery>());
    where.equal("endpoint_id", filter.endpoint).equal("event_id", filter.event);
    if (filter.done) where.next() << "done = " << param(std::uint64_t{*filter.done});
    return list_rows<WebhookDelivery>(session, std::move(where), page);
}

Result<std::vector<WebhookDelivery>> due_webhook_deliveries(Session& session, Timestamp now, std::uint32_t limit) {
    if (limit < 1 || limit > max_due) {
        return Error(ErrorKind::invalid, "limit must be 1 to " + std::to_string(max_due)).with_param("limit");
    }
    // "done = 0" stands in the text, not as a parameter, so that the partial index serves.
    return read_all<WebhookDelivery>(session,
                                     Sql(select_from<WebhookDelivery>())
                                         << " WHERE done = 0 AND next_attempt <= " << param(now)
                                         << " AND endpoint_id IN (SELECT id FROM webhook_endpoints WHERE enabled = 1)"
                                         << " ORDER BY next_attempt, id LIMIT " << param(std::uint64_t{limit}));
}

}  // namespace jiaozi::registry
