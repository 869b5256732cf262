// What handlers work with: the services, one request (Call), and its answer (Reply).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include <jiaozi/api/json.hpp>
#include <jiaozi/base/token_bucket.hpp>
#include <jiaozi/http/api.hpp>
#include <jiaozi/http/message.hpp>
#include <jiaozi/http/query.hpp>

#include "event_hub.hpp"
#include "idempotency.hpp"
#include "metrics.hpp"
#include "problem.hpp"

namespace jiaozi::http {

// For limits of what a client may ask: of a clock that nobody sets.
inline Timestamp steady_now() noexcept {
    return {static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())};
}

// Shared by the requests under way, which may outlive the Api object for a moment while the program stops.
struct Core {
    Core(const Parts& parts_given, ApiOptions options_given);

    Parts parts;
    ApiOptions options;
    Metrics metrics;
    RateLimit<ApiKeyId> rate_limit;
    RateLimit<ApiKeyId> item_limit;  // of deposits from purses
    Idempotency idempotency;
    EventHub events;
    struct StreamToken {
        PersonId person;
        Timestamp expires;
    };
    std::unordered_map<std::string, StreamToken> stream_tokens;
};

// The answer to one request; moves along with the work. Answered once; dropped unanswered it says 503.
class Reply {
  public:
    Reply(std::shared_ptr<Core> core, std::shared_ptr<Channel> channel, std::string request_id);
    ~Reply();
    Reply(Reply&&) noexcept = default;
    Reply& operator=(Reply&&) = delete;

    void send(Response&& response);
    void json(int status, std::string body);
    void replay(int status, std::string body);  // with Idempotent-Replayed: true
    void fail(const Error& error);
    void fail(const Problem& problem);
    // 200 with the text, or the error.
    void finish(Result<std::string> body, int status = 200);
    std::shared_ptr<Stream> stream(Response&& head);

    const std::string& request_id() const noexcept { return request_id_; }
    // Sent with whatever the answer will be.
    void add_headers(std::vector<std::pair<std::string_view, std::string>> headers) { headers_ = std::move(headers); }
    void set_route(std::size_t route) noexcept { route_ = route; }
    // The outcome is remembered under this claim before it is sent.
    void remember(std::unique_ptr<IdempotencyClaim> claim) { claim_ = std::move(claim); }

  private:
    void account(int status);

    std::shared_ptr<Core> core_;
    std::shared_ptr<Channel> channel_;
    std::string request_id_;
    std::size_t route_ = Metrics::no_route;
    std::chrono::steady_clock::time_point started_;
    std::unique_ptr<IdempotencyClaim> claim_;
    std::vector<std::pair<std::string_view, std::string>> headers_;
};

// One request as a handler sees it. References and views are good until the reply is sent or the handler returns,
// whichever is later: an asynchronous handler copies what it needs.
struct Call {
    Core& core;
    const Request& request;
    std::array<std::string_view, 2> params;       // the path's {…} parts, in order
    const identity::Principal* principal;         // nullptr on open routes
    uint128 object_id = 0;                        // POST: the id of what is made
    std::array<std::uint8_t, 16> request_hash{};  // POST: over the body
    Reply reply;

    Parts& parts() const { return core.parts; }
    PersonId person() const { return principal == nullptr ? PersonId{} : principal->person; }
    groups::Actor actor() const { return groups::Actor{person()}; }
    bool is_operator() const { return !person(); }

    // The id in the path. Error not_found with the code of that kind: a malformed id names nothing.
    template <class SomeId>
    Result<SomeId> path_id(std::size_t index, std::string_view kind) const {
        if (auto id = SomeId::parse(params[index]); id.ok()) return *id;
        return Error(ErrorKind::not_found, std::string(params[index]) + " names no " + std::string(kind))
            .with_code(std::string(kind) + "_not_found");
    }
};

// Runs `work` on a reader thread and answers 200 with what it returns.
void read_and_answer(Call&& call, std::move_only_function<Result<std::string>(registry::Session&)> work);

// {"object":"list","data":[…],"has_more":…}
template <class T, class ToJson>
std::string list_json(const std::vector<T>& items, bool has_more, ToJson&& to_json) {
    std::string out = R"({"object":"list","data":[)";
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i != 0) out += ',';
        if constexpr (std::is_pointer_v<T>) {
            out += to_json(*items[i]);
        } else {
            out += to_json(items[i]);
        }
    }
    out += has_more ? R"(],"has_more":true})" : R"(],"has_more":false})";
    return out;
}
std::string deleted_json(std::string_view object, std::string_view id);

Error operators_only();
Error no_such(std::string_view kind, std::string_view id);

// Returns early from a handler with the problem of a failed Result.
#define JZ_ANSWER_TRY_IMPL(temporary, target, reply, ...) \
    auto temporary = (__VA_ARGS__);                       \
    if (!temporary.ok()) {                                \
        (reply).fail(temporary.error());                  \
        return;                                           \
    }                                                     \
    target = std::move(temporary).value()
#define JZ_ANSWER_TRY(target, reply, ...) \
    JZ_ANSWER_TRY_IMPL(JZ_CONCAT(jz_answer_, __LINE__), target, reply, __VA_ARGS__)
#define JZ_ANSWER_CHECK(reply, ...)                              \
    do {                                                         \
        if (auto jz_checked = (__VA_ARGS__); !jz_checked.ok()) { \
            (reply).fail(jz_checked.error());                    \
            return;                                              \
        }                                                        \
    } while (false)

}  // namespace jiaozi::http
