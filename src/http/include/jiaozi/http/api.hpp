// The HTTP interface of docs/openapi.yaml: routes, keys and scopes, idempotency, problems, events, static files. It
// translates between JSON and the services and decides nothing itself.
//
//   Api api(parts, options);                       // a Handler for Server::listen, and a follower of events
//   fanout.add(api.event_signal());
//   JZ_TRY(auto server, Server::listen(io, {.port = 8080}, api));
//
// Threading: application thread only, but for event_signal(), which is thread-safe. Lifetime: the parts must outlive
// the Api; answers that come after its end are dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/api/events.hpp>
#include <jiaozi/api/payments.hpp>
#include <jiaozi/api/proofs.hpp>
#include <jiaozi/api/sandbox.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/devices/gateway.hpp>
#include <jiaozi/groups/groups.hpp>
#include <jiaozi/http/message.hpp>
#include <jiaozi/http/read_pool.hpp>
#include <jiaozi/http/static_files.hpp>
#include <jiaozi/identity/api_keys.hpp>
#include <jiaozi/identity/devices.hpp>
#include <jiaozi/merchants/merchants.hpp>
#include <jiaozi/webhooks/endpoints.hpp>
#include <jiaozi/webhooks/sender.hpp>

namespace jiaozi::settlement {
class Projector;
class Settlement;
}  // namespace jiaozi::settlement

namespace jiaozi::http {

struct Parts {
    api::AppThread& app;
    const Clock& clock;
    registry::Session& session;  // the Api's own: idempotent outcomes
    ReadPool& reads;
    identity::ApiKeys& keys;
    identity::DeviceService& devices;
    groups::GroupService& groups;
    merchants::MerchantService& merchants;
    api::Payments& payments;
    webhooks::Endpoints& endpoints;
    devices::Gateway& gateway;
    // Only in sandbox mode; without them those routes answer 404 `sandbox_only`.
    api::SandboxDevices* sandbox_devices = nullptr;
    api::SandboxClock* sandbox_clock = nullptr;
    // The transparency log; without it its routes answer 503.
    api::Proofs* proofs = nullptr;
    // Offline purses; without it their routes answer 503.
    settlement::Settlement* purses = nullptr;
    // What writes their payments; without it a payment may be seen a moment later than it was settled.
    settlement::Projector* purse_payments = nullptr;
};

struct ApiOptions {
    bool sandbox = false;  // deposits, the test clock, simulated devices
    std::string version = "0.1.0";
    std::uint32_t requests_per_s = 0;  // of one key, sustained; 0: no limit
    std::uint32_t requests_burst = 200;
    std::uint32_t deposits_per_s = 1'000;  // items from offline purses of one key, sustained; 0: no limit
    std::uint32_t deposits_burst = 10'000;
    std::vector<std::string> cors_origins;      // "https://shop.example"; none: no CORS headers at all
    std::vector<StaticFile> static_files;       // the page; paths that are neither API nor file answer /index.html
    std::function<std::string()> more_metrics;  // Prometheus text of other parts
    std::function<Result<>()> health;           // unset: always well
};

struct RouteName {
    Method method;
    std::string_view pattern;  // "/v1/people/{person}"
};

class Api final : public Handler {
  public:
    Api(const Parts& parts, ApiOptions options);
    ~Api() override;
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    void handle(const Request& request, std::shared_ptr<Channel> channel) override;
    Response refusal(int status, std::string_view code, std::string_view detail) override;
    std::size_t body_limit(std::string_view path) const override;

    // Streams follow this. Thread-safe, and may be told of events after the Api has gone (not after its AppThread).
    std::shared_ptr<api::EventSignal> event_signal() noexcept;
    // Every route, for the contract test.
    std::vector<RouteName> routes() const;
    // Call about once a minute: forgets old outcomes and tokens.
    void housekeeping();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

// docs/openapi.yaml as JSON, and docs/errors.md, put into the program at build time.
std::string_view openapi_json() noexcept;
std::string_view errors_page() noexcept;

}  // namespace jiaozi::http
