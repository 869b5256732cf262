#include <charconv>

#include <jiaozi/api/event_json.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/http/bodies.hpp>
#include <jiaozi/registry/events.hpp>

#include "access.hpp"
#include "router.hpp"
#include "text.hpp"

namespace jiaozi::http {
namespace {

constexpr Duration token_lifetime = seconds(60);
constexpr std::size_t tokens_max = 10'000;
constexpr std::size_t streams_max = 1'000;

// Events are about everybody, so they are the operator's.
void list_events(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    registry::EventFilter filter;
    filter.type = std::string(query.get("type").value_or(""));
    filter.object_id = std::string(query.get("object_id").value_or(""));
    const registry::Page page = query.page();
    JZ_ANSWER_CHECK(call.reply, query.finish());
    read_and_answer(std::move(call), [filter, page](registry::Session& session) -> Result<std::string> {
        JZ_TRY(const auto events, registry::list_events(session, filter, page));
        return list_json(events.data, events.has_more, api::event_json);
    });
}

void get_event(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_TRY(const EventId id, call.reply, call.path_id<EventId>(0, "event"));
    read_and_answer(std::move(call), [id](registry::Session& session) -> Result<std::string> {
        JZ_TRY(const Event event, registry::get_event(session, id));
        return api::event_json(event);
    });
}

void create_stream_token(Call&& call) {
    JZ_ANSWER_CHECK(call.reply, operator_only(call));
    JZ_ANSWER_CHECK(call.reply, decode_nothing(call.request.body));
    auto& tokens = call.core.stream_tokens;
    const Timestamp now = call.parts().clock.now();
    if (tokens.size() >= tokens_max)
        std::erase_if(tokens, [&](const auto& item) { return item.second.expires <= now; });
    if (tokens.size() >= tokens_max) {
        call.reply.fail(Error(ErrorKind::rate_limited, "too many stream tokens are unused; use them or wait a minute"));
        return;
    }
    std::array<std::uint8_t, 24> random{};
    crypto::random_bytes(random);
    const std::string token = "st_" + to_hex(random);
    const Timestamp expires = now + token_lifetime;
    tokens.emplace(token, Core::StreamToken{call.person(), expires});
    call.reply.json(201, api::JsonObject("stream_token").text("token", token).time("expires", expires).take());
}

// A token opens one stream: URLs end up in logs and histories.
Result<> check_token(Core& core, std::string_view token) {
    const auto found = core.stream_tokens.find(std::string(token));
    const bool good = found != core.stream_tokens.end() && found->second.expires > core.parts.clock.now();
    if (found != core.stream_tokens.end()) core.stream_tokens.erase(found);
    if (!good) {
        return Error(ErrorKind::unauthenticated, "this stream token is unknown, used or expired; make a new one")
            .with_code("key_invalid")
            .with_param("access_token");
    }
    return {};
}

Result<> check_key(const Call& call) {
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view header = call.request.header("Authorization");
    if (header.empty()) {
        return Error(ErrorKind::unauthenticated, "give an API key in Authorization, or a stream token as access_token")
            .with_code("key_missing")
            .with_param("Authorization");
    }
    const bool is_bearer = header.size() > scheme.size() && same_ignoring_case(header.substr(0, scheme.size()), scheme);
    JZ_TRY(const identity::Principal* principal,
           call.parts().keys.authenticate(is_bearer ? header.substr(scheme.size()) : std::string_view{}));
    JZ_CHECK(principal->require("events", "read"));
    if (principal->person) return operators_only();
    return {};
}

Result<std::optional<std::uint64_t>> last_event_id(std::string_view text) {
    if (text.empty()) return std::optional<std::uint64_t>{};
    std::uint64_t position = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
    if (error != std::errc{} || end != text.data() + text.size() || position > INT64_MAX) {
        return Error(ErrorKind::invalid, "expected the id of an event of this stream: a decimal number")
            .with_param("Last-Event-ID");
    }
    return std::optional(position);
}

void stream_events(Call&& call) {
    JZ_ANSWER_TRY(Query query, call.reply, Query::parse(call.request.query));
    const auto token = query.get("access_token");
    const std::string pattern(query.get("type").value_or("*"));
    const std::string_view from_query = query.get("last_event_id").value_or("");
    JZ_ANSWER_CHECK(call.reply, token ? check_token(call.core, *token) : check_key(call));
    JZ_ANSWER_CHECK(call.reply, query.finish());
    const std::string_view from_header = call.request.header("Last-Event-ID");
    JZ_ANSWER_TRY(const auto after, call.reply, last_event_id(from_header.empty() ? from_query : from_header));
    if (call.core.events.streams() >= streams_max) {
        call.reply.fail(Error(ErrorKind::unavailable, "too many event streams are open"));
        return;
    }
    if (call.request.method == Method::head) {
        Response head;
        head.content_type = "text/event-stream";
        call.reply.send(std::move(head));
        return;
    }
    EventHub& hub = call.core.events;
    Response head;
    head.content_type = "text/event-stream";
    head.headers.emplace_back("X-Accel-Buffering", "no");  // proxies must not hold events back
    hub.add(call.reply.stream(std::move(head)), after, pattern);
}

}  // namespace

void add_event_routes(Router& router) {
    router.add({Method::get, "/v1/events", "events", "read", Repeat::none, list_events});
    router.add({.method = Method::get,
                .pattern = "/v1/events/stream",
                .resource = "events",
                .action = "read",
                .repeat = Repeat::none,
                .handler = stream_events,
                .produces = "text/event-stream",
                .checks_key_itself = true});
    router.add({Method::get, "/v1/events/{event}", "events", "read", Repeat::none, get_event});
    router.add({Method::post, "/v1/events/stream_tokens", "events", "read", Repeat::none, create_stream_token});
}

}  // namespace jiaozi::http
