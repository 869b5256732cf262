// The program itself: health, metrics, the interface document, today at a glance, and messages of devices.
#include <map>

#include <jiaozi/api/json.hpp>
#include <jiaozi/registry/payment_totals.hpp>

#include "access.hpp"
#include "device_json.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

void get_health(Call&& call) {
    const ApiOptions& options = call.core.options;
    if (options.health) JZ_ANSWER_CHECK(call.reply, options.health());
    call.reply.json(200, api::JsonObject("health")
                             .text("status", "ok")
                             .text("version", options.version)
                             .boolean("sandbox", options.sandbox)
                             .take());
}

void get_metrics(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    Response response;
    response.content_type = "text/plain; version=0.0.4";
    response.body = call.core.metrics.text();
    response.body +=
        "# HELP jiaozi_event_streams Event streams that are open.\n# TYPE jiaozi_event_streams "
        "gauge\njiaozi_event_streams " +
        std::to_string(call.core.events.streams()) + '\n';
    if (call.core.options.more_metrics) response.body += call.core.options.more_metrics();
    call.reply.send(std::move(response));
}

void get_openapi(Call&& call) {
    Response response;
    response.static_body = openapi_json();
    call.reply.send(std::move(response));
}

// Sums by asset, in the order of their codes.
class Sums {
  public:
    void add(const Asset& asset, uint128 minor) { by_asset_[std::string(asset.name())] += minor; }
    std::string json() const {
        std::string out = "[";
        for (const auto& [asset, minor] : by_asset_) {
            if (out.size() > 1) out += ',';
            out += api::JsonObject().text("asset", asset).minor("amount", minor).take();
        }
        return out + "]";
    }

  private:
    std::map<std::string, uint128> by_asset_;
};

constexpr PaymentState states[] = {PaymentState::pending, PaymentState::authorized, PaymentState::captured,
                                   PaymentState::voided,  PaymentState::declined,   PaymentState::failed};

using Totals = std::vector<registry::PaymentTotal>;

// Active devices by kind: a list of them would have no bound.
std::string devices_json(const Parts& parts) {
    struct Count {
        std::uint64_t active = 0;
        std::uint64_t online = 0;
    };
    std::map<DeviceKind, Count> counts;
    parts.devices.for_each([&](const Device& device) {
        if (device.state != DeviceState::active) return;
        Count& count = counts[device.kind];
        ++count.active;
        if (parts.gateway.online(device.id)) ++count.online;
    });
    std::string out = "[";
    for (const auto& [kind, count] : counts) {
        if (out.size() > 1) out += ',';
        out += api::JsonObject()
                   .text("kind", name_of(kind))
                   .number("active", count.active)
                   .number("online", count.online)
                   .take();
    }
    return out + "]";
}

std::string overview_json(const Parts& parts, Timestamp from, Timestamp now, const Totals& totals) {
    Sums captured;
    Sums refunded;
    std::string payments = "[";
    for (const PaymentState state : states) {
        std::uint64_t count = 0;
        Sums amounts;
        for (const registry::PaymentTotal& total : totals) {
            if (total.state != state) continue;
            count += total.count;
            amounts.add(total.asset, total.amount_minor);
            captured.add(total.asset, total.captured_minor);
            refunded.add(total.asset, total.refunded_minor);
        }
        if (payments.size() > 1) payments += ',';
        payments += api::JsonObject()
                        .text("state", name_of(state))
                        .number("count", count)
                        .raw("amounts", amounts.json())
                        .take();
    }
    return api::JsonObject("overview")
        .time("from", from)
        .time("now", now)
        .raw("payments", payments + "]")
        .raw("captured", captured.json())
        .raw("refunded", refunded.json())
        .raw("devices", devices_json(parts))
        .take();
}

void get_overview(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    const Timestamp now = call.parts().clock.now();
    const Timestamp from = timestamp_s(now.s() / 86'400 * 86'400);
    const Parts& parts = call.parts();
    parts.reads.run<Totals>([from](registry::Session& session) { return registry::payment_totals(session, from); },
                            [&parts, from, now, reply = std::move(call.reply)](Result<Totals> totals) mutable {
                                JZ_ANSWER_TRY(const Totals read, reply, std::move(totals));
                                reply.json(200, overview_json(parts, from, now, read));
                            });
}

void post_device_message(Call&& call) {
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const std::uint32_t wait_s = query.integer("wait", 0, 0, 30);
    JZ_ANSWER_CHECK(call.reply, query.finish());
    if (call.request.body.empty()) {
        call.reply.fail(Error(ErrorKind::malformed, "one COSE envelope is expected as body"));
        return;
    }
    call.parts().gateway.receive_https(as_bytes(call.request.body), seconds(wait_s),
                                       [reply = std::move(call.reply)](devices::HttpsAnswer answer) mutable {
                                           if (answer.refused) {
                                               reply.fail(Problem{devices::http_status(*answer.refused),
                                                                  std::string(protocol::name_of(*answer.refused)),
                                                                  std::move(answer.text),
                                                                  {},
                                                                  {}});
                                               return;
                                           }
                                           Response response;
                                           response.content_type = "application/cbor-seq";
                                           response.body.assign(as_text(answer.envelopes));
                                           reply.send(std::move(response));
                                       });
}

}  // namespace

void add_service_routes(Router& router) {
    router.add({Method::get, "/healthz", "", "", Repeat::none, get_health});
    router.add({Method::get, "/metrics", "metrics", "read", Repeat::none, get_metrics, "text/plain"});
    router.add({Method::get, "/v1/openapi.json", "", "", Repeat::none, get_openapi});
    router.add({Method::get, "/v1/overview", "payments", "read", Repeat::none, get_overview});
    router.add({.method = Method::post,
                .pattern = "/device/v1/messages",
                .resource = "",
                .action = "",
                .repeat = Repeat::none,
                .handler = post_device_message,
                .produces = "application/cbor-seq",
                .consumes = "application/cose"});
}

}  // namespace jiaozi::http
