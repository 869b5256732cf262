#include <jiaozi/api/json.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/registry/webhooks.hpp>

#include "access.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

std::string with_secret_json(const webhooks::EndpointWithSecret& made) {
    std::string json = webhooks::endpoint_json(made.endpoint);
    json.pop_back();
    json += ",\"secret\":\"" + api::json_escaped(made.secret) + "\"}";
    return json;
}

void create_endpoint(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(WebhookEndpoint wanted, call.reply, decode_new_webhook_endpoint(call.request.body));
    wanted.id = EndpointId(call.object_id);
    JZ_ANSWER_TRY(const auto made, call.reply, call.parts().endpoints.create(std::move(wanted)));
    call.reply.json(201, with_secret_json(made));
}

void list_endpoints(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    read_and_answer(std::move(call), [page](registry::Session& session) -> Result<std::string> {
        JZ_TRY(const auto endpoints, registry::list_webhook_endpoints(session, page));
        return list_json(endpoints.data, endpoints.has_more, webhooks::endpoint_json);
    });
}

void get_endpoint(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(const EndpointId id, call.reply, call.path_id<EndpointId>(0, "webhook_endpoint"));
    read_and_answer(std::move(call), [id](registry::Session& session) -> Result<std::string> {
        JZ_TRY(const WebhookEndpoint endpoint, registry::get_webhook_endpoint(session, id));
        return webhooks::endpoint_json(endpoint);
    });
}

void change_endpoint(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(const EndpointId id, call.reply, call.path_id<EndpointId>(0, "webhook_endpoint"));
    JZ_ANSWER_TRY(EndpointChange change, call.reply, decode_endpoint_change(call.request.body));
    JZ_ANSWER_TRY(const WebhookEndpoint changed, call.reply,
                  call.parts().endpoints.change(id, {std::move(change.url), std::move(change.events), change.enabled}));
    call.reply.json(200, webhooks::endpoint_json(changed));
}

void delete_endpoint(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(const EndpointId id, call.reply, call.path_id<EndpointId>(0, "webhook_endpoint"));
    JZ_ANSWER_CHECK(call.reply, call.parts().endpoints.erase(id));
    call.reply.json(200, deleted_json("webhook_endpoint", id.to_string()));
}

void rotate_secret(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(const EndpointId id, call.reply, call.path_id<EndpointId>(0, "webhook_endpoint"));
    JZ_ANSWER_TRY(const Duration overlap, call.reply, decode_secret_rotation(call.request.body));
    JZ_ANSWER_TRY(const auto rotated, call.reply, call.parts().endpoints.rotate_secret(id, overlap));
    call.reply.json(200, with_secret_json(rotated));
}

void list_deliveries(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(const EndpointId id, call.reply, call.path_id<EndpointId>(0, "webhook_endpoint"));
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    registry::DeliveryFilter filter;
    filter.endpoint = id;
    filter.done = query.boolean("done");
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    read_and_answer(std::move(call), [filter, page](registry::Session& session) -> Result<std::string> {
        JZ_CHECK(registry::get_webhook_endpoint(session, filter.endpoint));
        JZ_TRY(const auto deliveries, registry::list_webhook_deliveries(session, filter, page));
        return list_json(deliveries.data, deliveries.has_more, webhooks::delivery_json);
    });
}

void redeliver(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(const DeliveryId id, call.reply, call.path_id<DeliveryId>(0, "webhook_delivery"));
    JZ_ANSWER_CHECK(call.reply, decode_nothing(call.request.body));
    JZ_ANSWER_TRY(const WebhookDelivery delivery, call.reply, call.parts().endpoints.redeliver(id));
    call.reply.json(200, webhooks::delivery_json(delivery));
}

}  // namespace

void add_webhook_routes(Router& router) {
    router.add({Method::post, "/v1/webhook_endpoints", "webhooks", "write", Repeat::sealed, create_endpoint});
    router.add({Method::get, "/v1/webhook_endpoints", "webhooks", "read", Repeat::none, list_endpoints});
    router.add({Method::get, "/v1/webhook_endpoints/{endpoint}", "webhooks", "read", Repeat::none, get_endpoint});
    router.add({Method::patch, "/v1/webhook_endpoints/{endpoint}", "webhooks", "write", Repeat::none, change_endpoint});
    router.add({Method::del, "/v1/webhook_endpoints/{endpoint}", "webhooks", "write", Repeat::none, delete_endpoint});
    router.add({Method::post, "/v1/webhook_endpoints/{endpoint}/rotate_secret", "webhooks", "write", Repeat::sealed,
                rotate_secret});
    router.add({Method::get, "/v1/webhook_endpoints/{endpoint}/deliveries", "webhooks", "read", Repeat::none,
                list_deliveries});
    router.add(
        {Method::post, "/v1/webhook_deliveries/{delivery}/redeliver", "webhooks", "write", Repeat::stored, redeliver});
}

}  // namespace jiaozi::http
