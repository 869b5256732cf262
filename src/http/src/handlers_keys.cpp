#include <jiaozi/api/json.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/registry/keys.hpp>

#include "access.hpp"
#include "router.hpp"

namespace jiaozi::http {
namespace {

void create_key(Call&& call) {
    JZ_ANSWER_TRY(NewApiKey wanted, call.reply, decode_new_api_key(call.request.body));
    const identity::NewApiKey request{ApiKeyId(call.object_id), std::move(wanted.name), std::move(wanted.scopes),
                                      wanted.person ? wanted.person : call.person()};
    JZ_ANSWER_TRY(const auto made, call.reply, call.parts().keys.create(request, call.principal));
    std::string json = api::json_of(made.key);
    json.pop_back();
    json += ",\"key\":\"" + api::json_escaped(made.secret) + "\"}";
    call.reply.json(201, std::move(json));
}

void list_keys(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    read_and_answer(std::move(call), [page](registry::Session& session) -> Result<std::string> {
        JZ_TRY(const auto keys, registry::list_api_keys(session, page));
        return list_json(keys.data, keys.has_more, [](const ApiKey& key) { return api::json_of(key); });
    });
}

void revoke_key(Call&& call) {
    JZ_ANSWER_TRY(const ApiKeyId id, call.reply, call.path_id<ApiKeyId>(0, "api_key"));
    JZ_ANSWER_TRY(const ApiKey key, call.reply, call.parts().keys.revoke(id, call.principal));
    call.reply.json(200, api::json_of(key));
}

}  // namespace

void add_key_routes(Router& router) {
    router.add({Method::post, "/v1/api_keys", "api_keys", "write", Repeat::sealed, create_key});
    router.add({Method::get, "/v1/api_keys", "api_keys", "read", Repeat::none, list_keys});
    router.add({Method::del, "/v1/api_keys/{key}", "api_keys", "write", Repeat::none, revoke_key});
}

}  // namespace jiaozi::http
