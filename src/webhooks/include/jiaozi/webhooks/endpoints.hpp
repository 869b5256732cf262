// Webhook endpoints as people manage them: create, change, rotate the secret, remove, redeliver.
// Errors: invalid (url, events), not_found `webhook_endpoint_not_found`, `webhook_delivery_not_found`, those of the
// registry. Application thread only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/model/records.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::webhooks {

struct EndpointWithSecret {
    WebhookEndpoint endpoint;
    std::string secret;  // the newest one
};

struct Change {
    std::optional<std::string> url;
    std::optional<std::vector<std::string>> events;
    std::optional<bool> enabled;
};

// http or https, a host, no user information, no fragment, at most 2,048 bytes. Which addresses the host may have is
// checked when a connection is made (SenderOptions::allow_private), because names can change their minds.
Result<> check_url(std::string_view url);
// "payment.captured", "payment.*" or "*"; lower-case letters and underscores.
Result<> check_event_pattern(std::string_view pattern);

class Endpoints {
  public:
    // Both must outlive this; the session is its own.
    Endpoints(registry::Session& session, const Clock& clock) : session_(&session), clock_(&clock) {}

    // Takes id, url, events and enabled from `wanted`. The same id and content again answers what is stored.
    Result<EndpointWithSecret> create(WebhookEndpoint wanted);
    Result<WebhookEndpoint> change(EndpointId id, const Change& change);
    // The old secret signs beside the new one until the overlap ends.
    Result<EndpointWithSecret> rotate_secret(EndpointId id, Duration overlap);
    Result<> erase(EndpointId id);
    // Due now, whatever it was.
    Result<WebhookDelivery> redeliver(DeliveryId id);

    // Called after every change: the sender looks again.
    void on_change(std::function<void()> observer) { observer_ = std::move(observer); }

  private:
    void changed() const {
        if (observer_) observer_();
    }
    registry::Session* session_;
    const Clock* clock_;
    std::function<void()> observer_;
};

// Without the secret.
std::string endpoint_json(const WebhookEndpoint& endpoint);
std::string delivery_json(const WebhookDelivery& delivery);

}  // namespace jiaozi::webhooks
