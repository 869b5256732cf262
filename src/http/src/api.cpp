// What happens to every request before its handler: route, key, scope, media types, idempotency.
#include <algorithm>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/http/api.hpp>

#include "context.hpp"
#include "router.hpp"
#include "text.hpp"

namespace jiaozi::http {
namespace {

constexpr std::size_t json_body_max = std::size_t{64} * 1024;
constexpr std::size_t device_message_max = 4096;
constexpr std::string_view device_messages = "/device/v1/messages";

bool has_body(Method method) {
    return method == Method::post || method == Method::put || method == Method::patch;
}

bool is_api_path(std::string_view path) {
    return path.starts_with("/v1/") || path == "/v1" || path.starts_with("/device/") || path.starts_with("/tile/");
}

// Whether an Accept header admits the media type: exactly, by "type/*" or by "*/*". None at all admits everything.
bool accepts(std::string_view accept, std::string_view type) {
    if (accept.empty()) return true;
    const std::string_view family = type.substr(0, type.find('/') + 1);
    while (!accept.empty()) {
        std::string_view range = accept.substr(0, accept.find(','));
        accept = range.size() == accept.size() ? std::string_view{} : accept.substr(range.size() + 1);
        range = media_type(range);
        while (!range.empty() && range.front() == ' ') range.remove_prefix(1);
        if (range == "*/*" || same_ignoring_case(range, type)) return true;
        if (range.ends_with("/*") && same_ignoring_case(range.substr(0, range.size() - 1), family)) return true;
    }
    return false;
}

bool is_request_id(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
               c == '.';
    });
}

uint128 id_of(const crypto::Digest& digest) {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        high = high << 8 | digest[i];
        low = low << 8 | digest[i + 8];
    }
    return make_uint128(high, low);
}

// The page's files and the one that every problem's doc_url names.
std::vector<StaticFile> with_documents(std::vector<StaticFile> files) {
    static const std::string etag = '"' + to_hex(crypto::sha256(as_bytes(errors_page()))).substr(0, 16) + '"';
    files.push_back({"/docs/errors.md", "text/markdown; charset=utf-8", etag, errors_page(), {}, false});
    return files;
}

std::string route_name(const Route& route) {
    std::string name(name_of(route.method));
    name += ' ';
    name += route.pattern;
    return name;
}

}  // namespace

struct Api::State {
    State(const Parts& parts, ApiOptions options)
        : core(std::make_shared<Core>(parts, std::move(options))), files(with_documents(core->options.static_files)) {
        add_service_routes(router);
        add_proof_routes(router);
        add_payment_routes(router);
        add_people_routes(router);
        add_group_routes(router);
        add_wallet_routes(router);
        add_merchant_routes(router);
        add_device_routes(router);
        add_purse_routes(router);
        add_event_routes(router);
        add_webhook_routes(router);
        add_key_routes(router);
        add_sandbox_routes(router);
        std::vector<std::string> names;
        for (const Route& route : router.routes()) names.push_back(route_name(route));
        core->metrics.set_routes(std::move(names));
        std::array<std::uint8_t, 8> random{};
        crypto::random_bytes(random);
        for (const std::uint8_t byte : random) request_prefix = request_prefix << 8 | byte;
    }

    std::string new_request_id(const Request& request) {
        const std::string_view given = request.header("X-Request-Id");
        if (is_request_id(given)) return std::string(given);
        return "req_" + to_base32_id(make_uint128(request_prefix, ++requests));
    }

    Result<const identity::Principal*> authenticate(const Request& request, std::string_view& bearer) const;
    Result<> check_media(const Request& request, const Route& route) const;
    bool cors(const Request& request, Response& response) const;
    void preflight(const Request& request, Reply&& reply, const std::string& allow);
    void not_routed(const Request& request, Reply&& reply, const Router::Match& match);
    void post(Call&& call, const Route& route, std::string_view bearer);

    std::shared_ptr<Core> core;
    Router router;
    StaticFiles files;
    std::uint64_t request_prefix = 0;
    std::uint64_t requests = 0;
};

Api::Api(const Parts& parts, ApiOptions options) : state_(std::make_shared<State>(parts, std::move(options))) {}

Api::~Api() {
    state_->core->events.close();
    state_->core->idempotency.detach();
}

std::shared_ptr<api::EventSignal> Api::event_signal() noexcept {
    return {state_->core, &state_->core->events};
}

std::vector<RouteName> Api::routes() const {
    std::vector<RouteName> names;
    for (const Route& route : state_->router.routes()) names.push_back({route.method, route.pattern});
    return names;
}

void Api::housekeeping() {
    state_->core->idempotency.purge();
    const Timestamp now = state_->core->parts.clock.now();
    std::erase_if(state_->core->stream_tokens, [&](const auto& item) { return item.second.expires <= now; });
}

std::size_t Api::body_limit(std::string_view path) const {
    return path == device_messages ? device_message_max : json_body_max;
}

Response Api::refusal(int status, std::string_view code, std::string_view detail) {
    const std::string request_id = "req_" + to_base32_id(make_uint128(state_->request_prefix, ++state_->requests));
    Response response = problem_response({status, std::string(code), std::string(detail), {}, {}}, request_id);
    response.headers.emplace_back("X-Request-Id", request_id);
    response.close = true;
    state_->core->metrics.count(Metrics::no_route, status, std::chrono::nanoseconds(0));
    return response;
}

Result<const identity::Principal*> Api::State::authenticate(const Request& request, std::string_view& bearer) const {
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view header = request.header("Authorization");
    if (header.empty()) {
        return Error(ErrorKind::unauthenticated, "give an API key: Authorization: Bearer sk_test_…")
            .with_code("key_missing")
            .with_param("Authorization");
    }
    if (header.size() <= scheme.size() || !same_ignoring_case(header.substr(0, scheme.size()), scheme)) {
        return Error(ErrorKind::unauthenticated, "expected the scheme Bearer and an API key")
            .with_code("key_invalid")
            .with_param("Authorization");
    }
    bearer = header.substr(scheme.size());
    return core->parts.keys.authenticate(bearer);
}

Result<> Api::State::check_media(const Request& request, const Route& route) const {
    if (!accepts(request.header("Accept"), route.produces)) {
        return Error(ErrorKind::invalid, "this endpoint answers " + std::string(route.produces))
            .with_code("not_acceptable")
            .with_param("Accept");
    }
    if (has_body(request.method) && !request.body.empty()) {
        if (!same_ignoring_case(media_type(request.header("Content-Type")), route.consumes)) {
            return Error(ErrorKind::invalid, "expected a body of type " + std::string(route.consumes))
                .with_code("unsupported_media_type")
                .with_param("Content-Type");
        }
    }
    return {};
}

// Adds the headers that let a listed origin's page read the answer. False: not a listed origin.
bool Api::State::cors(const Request& request, Response& response) const {
    const std::string_view origin = request.header("Origin");
    const auto& origins = core->options.cors_origins;
    if (origin.empty() || std::find(origins.begin(), origins.end(), origin) == origins.end()) return false;
    response.headers.emplace_back("Access-Control-Allow-Origin", origin);
    response.headers.emplace_back("Vary", "Origin");
    response.headers.emplace_back("Access-Control-Expose-Headers", "X-Request-Id, Idempotent-Replayed, Retry-After");
    return true;
}

void Api::State::preflight(const Request& request, Reply&& reply, const std::string& allow) {
    Response response;
    response.status = 204;
    response.content_type = {};
    response.headers.emplace_back("Allow", allow + ", OPTIONS");
    Response probe;
    if (cors(request, probe)) {
        response.headers.emplace_back("Access-Control-Allow-Methods", allow);
        response.headers.emplace_back("Access-Control-Allow-Headers",
                                      "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id");
        response.headers.emplace_back("Access-Control-Max-Age", "600");
    }
    reply.send(std::move(response));
}

void Api::State::not_routed(const Request& request, Reply&& reply, const Router::Match& match) {
    if (match.known_path && request.method == Method::options) {
        preflight(request, std::move(reply), match.allow);
    } else if (match.known_path) {
        Response response = problem_response(
            {405, "method_not_allowed", "this path has the methods " + match.allow, {}, {}}, reply.request_id());
        response.headers.emplace_back("Allow", match.allow);
        reply.send(std::move(response));
    } else if (const StaticFile* file = is_api_path(request.path) ? nullptr : files.find(request.path)) {
        if (request.method == Method::get || request.method == Method::head) {
            reply.send(StaticFiles::respond(*file, request));
            return;
        }
        Response response = problem_response({405, "method_not_allowed", "this path has the methods GET, HEAD", {}, {}},
                                             reply.request_id());
        response.headers.emplace_back("Allow", "GET, HEAD");
        reply.send(std::move(response));
    } else {
        reply.fail(
            Error(ErrorKind::not_found, "there is nothing at this path; the interface is described in /v1/openapi.json")
                .with_code("route_not_found"));
    }
}

// Gives a POST its id and, where outcomes are stored, finds the first one.
void Api::State::post(Call&& call, const Route& route, std::string_view bearer) {
    const Request& request = call.request;
    JZ_ANSWER_TRY(const auto key, call.reply, idempotency_key(request));
    const crypto::Digest body_hash = crypto::sha256(as_bytes(request.body));
    std::copy_n(body_hash.begin(), call.request_hash.size(), call.request_hash.begin());
    if (!key || call.principal == nullptr || route.repeat == Repeat::none) {
        call.object_id = crypto::new_id_value(core->parts.clock);
        route.handler(std::move(call));
        return;
    }
    const crypto::Digest digest = idempotency_digest(*call.principal, request.method, request.path, *key);
    call.object_id = id_of(digest);
    if (route.repeat != Repeat::service) {
        JZ_ANSWER_TRY(auto begun, call.reply, core->idempotency.begin(digest, call.request_hash, route.repeat, bearer));
        if (begun.replay) {
            call.reply.replay(begun.replay->status, std::move(begun.replay->body));
            return;
        }
        call.reply.remember(std::move(begun.claim));
    }
    route.handler(std::move(call));
}

void Api::handle(const Request& request, std::shared_ptr<Channel> channel) {
    State& state = *state_;
    Reply reply(state.core, std::move(channel), state.new_request_id(request));
    const Router::Match match = state.router.find(request.method, request.path);
    if (!state.core->options.cors_origins.empty()) {
        Response headers;
        if (state.cors(request, headers)) reply.add_headers(std::move(headers.headers));
    }
    if (match.route == nullptr) {
        state.not_routed(request, std::move(reply), match);
        return;
    }
    const Route& route = *match.route;
    reply.set_route(match.index);

    const identity::Principal* principal = nullptr;
    std::string_view bearer;
    if (!route.resource.empty() && !route.checks_key_itself) {
        JZ_ANSWER_TRY(principal, reply, state.authenticate(request, bearer));
        if (!state.core->rate_limit.allow(principal->key, steady_now())) {
            reply.fail(
                Error(ErrorKind::rate_limited, "this key has used up its requests; wait as long as Retry-After says"));
            return;
        }
        JZ_ANSWER_CHECK(reply, principal->require(route.resource, route.action));
    }
    JZ_ANSWER_CHECK(reply, state.check_media(request, route));

    Call call{*state.core, request, match.params, principal, 0, {}, std::move(reply)};
    if (request.method == Method::post) {
        state.post(std::move(call), route, bearer);
    } else {
        JZ_ANSWER_CHECK(call.reply, has_body(request.method) || request.method == Method::del
                                        ? idempotency_key(request)
                                        : Result<std::optional<std::string_view>>(std::nullopt));
        route.handler(std::move(call));
    }
}

}  // namespace jiaozi::http
