#include "problem.hpp"

#include <jiaozi/api/json.hpp>

namespace jiaozi::http {
namespace {

int status_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::malformed:
        case ErrorKind::invalid:
            return 400;
        case ErrorKind::too_large:
            return 413;
        case ErrorKind::unauthenticated:
            return 401;
        case ErrorKind::forbidden:
            return 403;
        case ErrorKind::not_found:
            return 404;
        case ErrorKind::conflict:
            return 409;
        case ErrorKind::declined:
            return 422;
        case ErrorKind::rate_limited:
            return 429;
        case ErrorKind::unavailable:
            return 503;
        case ErrorKind::timeout:
            return 504;
        case ErrorKind::io:
        case ErrorKind::corrupt:
        case ErrorKind::internal:
            return 500;
    }
    return 500;
}

std::string_view title_of(int status) {
    switch (status) {
        case 400:
            return "The request is not right";
        case 401:
            return "Who is calling is not known";
        case 402:
            return "The payment was declined";
        case 403:
            return "This key may not do that";
        case 404:
            return "There is no such thing";
        case 405:
            return "This path does not have that method";
        case 406:
            return "The answer is not available in the media types accepted";
        case 409:
            return "This contradicts what is stored";
        case 413:
            return "The body is too large";
        case 415:
            return "The body's media type is not right";
        case 422:
            return "A rule refuses this";
        case 429:
            return "Too many requests";
        case 431:
            return "The headers are too large";
        case 503:
            return "Not possible right now";
        case 504:
            return "The outcome is not known yet";
        case 505:
            return "The protocol version is not spoken here";
        default:
            return "Something went wrong here";
    }
}

}  // namespace

Problem problem_of(const Error& error) {
    Problem problem{status_of(error.kind()), error.code(), error.message(), error.param(), {}};
    // The payment flow keeps its own memory of ids; to its HTTP callers those ids are their idempotency keys.
    if (problem.code == "idempotency_mismatch") {
        problem.status = 422;
        problem.code = "idempotency_error";
        problem.param = "Idempotency-Key";
    } else if (problem.code == "payment_in_flight" || problem.code == "refund_in_flight") {
        problem.code = "request_in_flight";
    }
    if (problem.code == "not_acceptable") problem.status = 406;
    if (problem.code == "unsupported_media_type") problem.status = 415;
    if (problem.status == 500)
        problem.detail = "the server could not do this; its log has the cause under this request_id";
    return problem;
}

Response problem_response(const Problem& problem, std::string_view request_id) {
    api::JsonObject body;
    body.text("type", "urn:jiaozi:error:" + problem.code)
        .text("title", title_of(problem.status))
        .number("status", static_cast<std::uint64_t>(problem.status))
        .text("detail", problem.detail)
        .text("code", problem.code);
    if (!problem.param.empty()) body.text("param", problem.param);
    body.text("request_id", request_id).text("doc_url", "/docs/errors.md#" + problem.code);
    if (!problem.payment.empty()) body.raw("payment", problem.payment);
    Response response;
    response.status = problem.status;
    response.content_type = "application/problem+json";
    response.body = body.take();
    if (problem.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
    if (problem.status == 429 || problem.status == 503) response.headers.emplace_back("Retry-After", "1");
    return response;
}

}  // namespace jiaozi::http
