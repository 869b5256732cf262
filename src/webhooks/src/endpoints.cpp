#include <algorithm>

#include <curl/curl.h>

#include <jiaozi/api/json.hpp>
#include <jiaozi/registry/webhooks.hpp>
#include <jiaozi/webhooks/endpoints.hpp>
#include <jiaozi/webhooks/signature.hpp>

namespace jiaozi::webhooks {
namespace {

constexpr std::size_t url_max = 2048;

// One part of a URL as libcurl understands it: the same parser that will connect must be the one that checks.
std::string part_of(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    std::string value;
    if (curl_url_get(url, part, &text, 0) == CURLUE_OK && text != nullptr) value = text;
    curl_free(text);
    return value;
}

Error bad_url(std::string message) {
    return Error(ErrorKind::invalid, std::move(message)).with_param("url");
}

bool is_word(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

Result<> check(const WebhookEndpoint& endpoint) {
    JZ_CHECK(check_url(endpoint.url));
    if (endpoint.events.empty())
        return Error(ErrorKind::invalid, "name at least one type of event, or \"*\"").with_param("events");
    for (const std::string& pattern : endpoint.events) JZ_CHECK(check_event_pattern(pattern));
    return {};
}

}  // namespace

Result<> check_url(std::string_view url) {
    if (url.size() > url_max) return bad_url("at most 2,048 bytes");
    const bool printable = std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (!printable) return bad_url("spaces and characters outside ASCII must be percent-encoded");
    CURLU* parsed = curl_url();
    if (parsed == nullptr) return Error(ErrorKind::internal, "out of memory");
    const bool ok = curl_url_set(parsed, CURLUPART_URL, std::string(url).c_str(), 0) == CURLUE_OK;
    const std::string scheme = part_of(parsed, CURLUPART_SCHEME);
    const bool has_user = !part_of(parsed, CURLUPART_USER).empty() || !part_of(parsed, CURLUPART_PASSWORD).empty();
    const bool has_fragment = url.find('#') != std::string_view::npos;
    const bool has_host = !part_of(parsed, CURLUPART_HOST).empty();
    curl_url_cleanup(parsed);
    if (!ok || !has_host || (scheme != "http" && scheme != "https"))
        return bad_url("expected a URL that begins with https:// or http://");
    if (has_user) return bad_url("a URL with a user name or password is not taken; deliveries are signed instead");
    if (has_fragment) return bad_url("a URL with a fragment is not taken");
    return {};
}

Result<> check_event_pattern(std::string_view pattern) {
    if (pattern == "*") return {};
    const std::size_t dot = pattern.find('.');
    const bool ok = pattern.size() <= 64 && dot != std::string_view::npos && is_word(pattern.substr(0, dot)) &&
                    (pattern.substr(dot + 1) == "*" || is_word(pattern.substr(dot + 1)));
    if (!ok)
        return Error(ErrorKind::invalid, "expected a type such as payment.captured, a family such as payment.*, or *")
            .with_param("events");
    return {};
}

Result<EndpointWithSecret> Endpoints::create(WebhookEndpoint wanted) {
    JZ_CHECK(check(wanted));
    if (auto stored = registry::get_webhook_endpoint(*session_, wanted.id); stored.ok()) {
        if (stored->url != wanted.url || stored->events != wanted.events) {
            return Error(ErrorKind::conflict, wanted.id.to_string() + " exists with other content")
                .with_code("already_exists");
        }
        std::string secret = secrets_in_force(stored->secret, clock_->now()).front();
        return EndpointWithSecret{std::move(*stored), std::move(secret)};
    }
    wanted.secret = new_secret();
    wanted.created = clock_->now();
    JZ_CHECK(registry::insert(*session_, wanted));
    changed();
    std::string secret = wanted.secret;
    return EndpointWithSecret{std::move(wanted), std::move(secret)};
}

Result<WebhookEndpoint> Endpoints::change(EndpointId id, const Change& change) {
    WebhookEndpoint endpoint;
    const auto work = [&]() -> Result<> {
        JZ_TRY(endpoint, registry::get_webhook_endpoint(*session_, id));
        if (change.url) endpoint.url = *change.url;
        if (change.events) endpoint.events = *change.events;
        if (change.enabled) endpoint.enabled = *change.enabled;
        JZ_CHECK(check(endpoint));
        return registry::update(*session_, endpoint);
    };
    JZ_CHECK(session_->in_transaction(work));
    changed();
    return endpoint;
}

Result<EndpointWithSecret> Endpoints::rotate_secret(EndpointId id, Duration overlap) {
    EndpointWithSecret result;
    result.secret = new_secret();
    const auto work = [&]() -> Result<> {
        JZ_TRY(result.endpoint, registry::get_webhook_endpoint(*session_, id));
        result.endpoint.secret = overlap.ns == 0
                                     ? result.secret
                                     : rotated_secret(result.endpoint.secret, result.secret, clock_->now() + overlap);
        return registry::update(*session_, result.endpoint);
    };
    JZ_CHECK(session_->in_transaction(work));
    changed();
    return result;
}

Result<> Endpoints::erase(EndpointId id) {
    JZ_CHECK(registry::get_webhook_endpoint(*session_, id));
    JZ_CHECK(registry::erase(*session_, id));
    changed();
    return {};
}

Result<WebhookDelivery> Endpoints::redeliver(DeliveryId id) {
    WebhookDelivery delivery;
    const auto work = [&]() -> Result<> {
        JZ_TRY(delivery, registry::get_webhook_delivery(*session_, id));
        delivery.done = false;
        delivery.next_attempt = delivery.updated = clock_->now();
        return registry::update(*session_, delivery);
    };
    JZ_CHECK(session_->in_transaction(work));
    changed();
    return delivery;
}

std::string endpoint_json(const WebhookEndpoint& endpoint) {
    std::string events = "[";
    for (const std::string& pattern : endpoint.events) {
        if (events.size() > 1) events += ',';
        events += '"' + api::json_escaped(pattern) + '"';
    }
    events += ']';
    return api::JsonObject("webhook_endpoint")
        .id("id", endpoint.id)
        .text("url", endpoint.url)
        .raw("events", events)
        .boolean("enabled", endpoint.enabled)
        .time("created", endpoint.created)
        .take();
}

std::string delivery_json(const WebhookDelivery& delivery) {
    return api::JsonObject("webhook_delivery")
        .id("id", delivery.id)
        .id("endpoint", delivery.endpoint)
        .id("event", delivery.event)
        .number("attempt", delivery.attempt)
        .raw("status", std::to_string(delivery.status))
        .text("response", delivery.response)
        .boolean("done", delivery.done)
        .time("next_attempt", delivery.next_attempt)
        .time("created", delivery.created)
        .time("updated", delivery.updated)
        .take();
}

}  // namespace jiaozi::webhooks
