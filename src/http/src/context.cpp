#include "context.hpp"

#include <jiaozi/base/assert.hpp>
#include <jiaozi/base/log.hpp>

namespace jiaozi::http {
namespace {

constexpr std::string_view api_headers =
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n";

}  // namespace

Core::Core(const Parts& parts_given, ApiOptions options_given)
    : parts(parts_given),
      options(std::move(options_given)),
      rate_limit(options.requests_per_s, options.requests_burst),
      item_limit(options.deposits_per_s, options.deposits_burst),
      idempotency(parts.session, parts.clock),
      events(parts.app, parts.reads) {}

Reply::Reply(std::shared_ptr<Core> core, std::shared_ptr<Channel> channel, std::string request_id)
    : core_(std::move(core)),
      channel_(std::move(channel)),
      request_id_(std::move(request_id)),
      started_(std::chrono::steady_clock::now()) {}

Reply::~Reply() {
    if (channel_)
        fail(Error(ErrorKind::unavailable, "the server is stopping; ask again with the same Idempotency-Key"));
}

void Reply::account(int status) {
    const auto took = std::chrono::steady_clock::now() - started_;
    core_->metrics.count(route_, status, took);
    if (log::enabled(log::Level::debug)) {
        log::debug("http", {{"route", core_->metrics.name(route_)},
                            {"status", std::to_string(status)},
                            {"us", std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(took).count())},
                            {"request", request_id_}});
    }
}

void Reply::send(Response&& response) {
    JZ_ASSERT(channel_ != nullptr);
    if (claim_) std::exchange(claim_, nullptr)->outcome(response.status, response.body);
    if (response.header_block.empty()) response.header_block = api_headers;
    account(response.status);
    for (auto& header : headers_) response.headers.push_back(std::move(header));
    response.headers.emplace_back("X-Request-Id", std::move(request_id_));
    std::exchange(channel_, nullptr)->respond(std::move(response));
}

void Reply::json(int status, std::string body) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    send(std::move(response));
}

void Reply::replay(int status, std::string body) {
    Response response;
    response.status = status;
    if (status >= 400) response.content_type = "application/problem+json";
    response.body = std::move(body);
    response.headers.emplace_back("Idempotent-Replayed", "true");
    send(std::move(response));
}

void Reply::fail(const Error& error) {
    const Problem problem = problem_of(error);
    if (problem.status >= 500)
        log::warn("http: request failed", {{"error", error.to_string()}, {"request", request_id_}});
    fail(problem);
}

void Reply::fail(const Problem& problem) {
    send(problem_response(problem, request_id_));
}

void Reply::finish(Result<std::string> body, int status) {
    if (body.ok()) {
        json(status, std::move(*body));
    } else {
        fail(body.error());
    }
}

std::shared_ptr<Stream> Reply::stream(Response&& head) {
    JZ_ASSERT(channel_ != nullptr);
    head.header_block = api_headers;
    account(head.status);
    for (auto& header : headers_) head.headers.push_back(std::move(header));
    head.headers.emplace_back("X-Request-Id", std::move(request_id_));
    return std::exchange(channel_, nullptr)->start_stream(std::move(head));
}

void read_and_answer(Call&& call, std::move_only_function<Result<std::string>(registry::Session&)> work) {
    call.core.parts.reads.run<std::string>(
        std::move(work),
        [reply = std::move(call.reply)](Result<std::string> body) mutable { reply.finish(std::move(body)); });
}

std::string deleted_json(std::string_view object, std::string_view id) {
    return api::JsonObject(object).text("id", id).boolean("deleted", true).take();
}

Error operators_only() {
    return Error(ErrorKind::forbidden, "a person's key cannot do this; use an operator's key")
        .with_code("operators_only");
}

Error no_such(std::string_view kind, std::string_view id) {
    return Error(ErrorKind::not_found, std::string(id) + " names no " + std::string(kind))
        .with_code(std::string(kind) + "_not_found");
}

}  // namespace jiaozi::http
