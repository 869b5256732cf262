// Bad input to every endpoint: the documented code, and nothing changed.
#include <gtest/gtest.h>

#include "world.hpp"

namespace jiaozi::http::test {
namespace {

bool has_parameter(const RouteInfo& route) {
    return route.pattern.find('{') != std::string::npos;
}
bool is_open(const RouteInfo& route) {
    return route.pattern == "/healthz" || route.pattern == "/v1/openapi.json" || route.pattern == "/checkpoint" ||
           route.pattern == "/tile/{tile}" || route.pattern == "/device/v1/messages";
}
bool takes_json(const RouteInfo& route) {
    return (route.method == "POST" || route.method == "PUT" || route.method == "PATCH") &&
           route.pattern != "/device/v1/messages";
}

class Conformance : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        world = new World();
        world->populate();
    }
    static void TearDownTestSuite() {
        delete world;
        world = nullptr;
    }
    void SetUp() override { before_ = world->marks(); }
    void TearDown() override { EXPECT_EQ(world->marks(), before_) << "bad input changed something"; }

    void expect(const RouteInfo& route, const Answer& answer, int status, std::string_view code) {
        EXPECT_EQ(answer.status, status) << route.method << ' ' << route.pattern << ": " << answer.body;
        EXPECT_EQ(answer.code(), code) << route.method << ' ' << route.pattern << ": " << answer.body;
        EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
        EXPECT_EQ(answer.at("status"), std::to_string(status));
        EXPECT_FALSE(answer.at("title").empty());
        EXPECT_FALSE(answer.at("detail").empty());
        EXPECT_EQ(answer.at("request_id"), answer.header("X-Request-Id"));
        EXPECT_EQ(answer.at("type"), "urn:jiaozi:error:" + std::string(code));
        EXPECT_EQ(answer.at("doc_url"), "/docs/errors.md#" + std::string(code));
    }

    static World* world;
    Marks before_;
};
World* Conformance::world = nullptr;

TEST_F(Conformance, EveryRouteAsksForAKey) {
    int routes = 0;
    for (const RouteInfo& route : world->routes()) {
        if (is_open(route)) continue;
        const std::string path = world->filled(route.pattern);
        expect(route, world->call(route.method, path, {}, {{"Authorization", ""}}), 401, "key_missing");
        const Answer wrong = world->call(route.method, path, {}, World::as("sk_test_00000000000000000000000000000000"));
        expect(route, wrong, 401, "key_invalid");
        EXPECT_EQ(wrong.header("WWW-Authenticate"), "Bearer");
        expect(route, world->call(route.method, path, {}, {{"Authorization", "Basic eDp5"}}), 401, "key_invalid");
        expect(route, world->call(route.method, path, {}, World::as(world->read_key)), 403, "scope_missing");
        ++routes;
    }
    EXPECT_GE(routes, 60);
}

TEST_F(Conformance, WrongMethodsNameTheRightOnes) {
    for (const RouteInfo& route : world->routes()) {
        const Answer answer = world->call("TRACE", world->filled(route.pattern));
        expect(route, answer, 405, "method_not_allowed");
        EXPECT_NE(answer.header("Allow").find(route.method), std::string::npos)
            << route.pattern << ' ' << answer.header("Allow");
    }
    const Answer options = world->call("OPTIONS", "/v1/payments");
    EXPECT_EQ(options.status, 204);
    EXPECT_EQ(options.header("Allow"), "POST, GET, HEAD, OPTIONS");
    EXPECT_EQ(options.header("Access-Control-Allow-Origin"), "");
}

TEST_F(Conformance, UnknownPathsAreProblems) {
    const RouteInfo route{"GET", "?"};
    for (const char* path :
         {"/v1/nothing", "/v1", "/v1/", "/v1/people/", "/v1/people//x", "/v1/people/a/b/c/d/e/f/g/h/i/j",
          "/device/v2/messages", "/v1/../healthz", "/assets/nothing.js"}) {
        expect(route, world->get(path), 404, "route_not_found");
    }
}

TEST_F(Conformance, PathsThatNameNothing) {
    for (const RouteInfo& route : world->routes()) {
        if (!has_parameter(route)) continue;
        const std::string body = takes_json(route) ? "{}" : "";
        for (const std::string& path :
             {world->unknown(route.pattern), replace_all(world->unknown(route.pattern), "_0000", "-nonsense")}) {
            const Answer answer = world->call(route.method, path, body);
            const bool needs_body = takes_json(route) && answer.status == 400;
            EXPECT_TRUE(answer.status == 404 || needs_body)
                << route.method << ' ' << path << " → " << answer.status << ' ' << answer.body;
            if (answer.status == 404) {
                EXPECT_TRUE(answer.code().ends_with("_not_found")) << answer.body;
            }
        }
    }
}

TEST_F(Conformance, BodiesThatAreNotTheRightJson) {
    struct Row {
        const char* what;
        std::string body;
        int status;
        std::string_view code;
    };
    std::string deep;
    for (int i = 0; i < 40; ++i) deep += R"({"a":)";
    const Row rows[] = {
        {"cut off", R"({"name":"x)", 400, "malformed"},
        {"not JSON", "name=x", 400, "malformed"},
        {"two documents", "{}{}", 400, "malformed"},
        {"a comment", "{/*x*/}", 400, "malformed"},
        {"a trailing comma", R"({"name":"x",})", 400, "malformed"},
        {"a key twice", R"({"zzz":1,"zzz":2})", 400, "malformed"},
        {"not UTF-8", "{\"name\":\"\xff\xfe\"}", 400, "malformed"},
        {"nested deeply", deep, 400, "malformed"},
        {"an array", "[]", 400, "invalid"},
        {"a text", "\"x\"", 400, "invalid"},
        {"null", "null", 400, "invalid"},
    };
    for (const RouteInfo& route : world->routes()) {
        if (!takes_json(route)) continue;
        const std::string path = world->filled(route.pattern);
        for (const Row& row : rows) {
            SCOPED_TRACE(row.what);
            expect(route, world->call(route.method, path, row.body), row.status, row.code);
        }
        const Answer unknown = world->call(route.method, path, R"({"colour":"red"})");
        EXPECT_EQ(unknown.status, 400) << route.pattern;
        EXPECT_TRUE(unknown.code() == "unknown_field" || unknown.code() == "invalid") << unknown.body;
        EXPECT_FALSE(unknown.at("param").empty()) << unknown.body;
    }
}

TEST_F(Conformance, BodiesTooLargeOrOfTheWrongType) {
    const std::string large = R"({"name":")" + std::string(70'000, 'x') + "\"}";
    for (const RouteInfo& route : world->routes()) {
        if (!takes_json(route)) continue;
        const std::string path = world->filled(route.pattern);
        expect(route, world->call(route.method, path, large), 413, "too_large");
        expect(route, world->call(route.method, path, "{}", {{"Content-Type", "text/plain"}}), 415,
               "unsupported_media_type");
        expect(route, world->call(route.method, path, "{}", {{"Content-Type", ""}}), 415, "unsupported_media_type");
        expect(route, world->call(route.method, path, "{}", {{"Accept", "text/html"}}), 406, "not_acceptable");
    }
}

TEST_F(Conformance, HeadersThatLookLikeIdempotencyKeys) {
    for (const RouteInfo& route : world->routes()) {
        if (route.method == "GET" || is_open(route)) continue;
        const std::string path = world->filled(route.pattern);
        const std::string body = takes_json(route) ? "{}" : "";
        for (const char* name : {"X-Idempotency-Key", "Idempotency_Key", "IdempotencyKey", "Idempotent-Key",
                                 "X-Idempotency-Token", "idem-potency-key"}) {
            const Answer answer = world->call(route.method, path, body, {{name, "k"}});
            expect(route, answer, 400, "unknown_idempotency_header");
            EXPECT_EQ(answer.at("param"), name);
        }
        expect(route, world->call(route.method, path, body, {{"Idempotency-Key", ""}}), 400, "invalid");
        expect(route, world->call(route.method, path, body, {{"Idempotency-Key", std::string(256, 'k')}}), 400,
               "invalid");
        expect(route, world->call(route.method, path, body, {{"Idempotency-Key", "caf\xc3\xa9"}}), 400, "invalid");
        expect(route, world->call(route.method, path, body, {{"Idempotency-Key", "a"}, {"idempotency-key", "a"}}), 400,
               "invalid");
    }
}

TEST_F(Conformance, QueryParametersAreStrict) {
    for (const RouteInfo& route : world->routes()) {
        if (route.method != "GET" || is_open(route) || route.pattern == "/metrics" || route.pattern == "/v1/overview")
            continue;
        const bool is_one = route.pattern.ends_with('}');
        if (is_one || route.pattern.ends_with("/slots") || route.pattern.starts_with("/v1/sandbox")) continue;
        const std::string path = world->filled(route.pattern);
        const Answer unknown = world->get(path + "?colour=red");
        EXPECT_EQ(unknown.status, 400) << route.pattern << ' ' << unknown.body;
        EXPECT_EQ(world->get(path + "?type=%zz").code(), "malformed") << route.pattern;
        EXPECT_EQ(world->get(path + "?limit=1&limit=2").code(), "invalid") << route.pattern;
        if (route.pattern == "/v1/limits" || route.pattern == "/v1/events/stream") continue;
        expect(route, unknown, 400, "unknown_parameter");
        EXPECT_EQ(unknown.at("param"), "colour");
        const bool no_list = route.pattern.ends_with("/receipt") || route.pattern.ends_with("/blacklist") ||
                             route.pattern.ends_with("/root") || route.pattern.ends_with("/proof");
        if (no_list) continue;
        for (const char* limit : {"0", "101", "-1", "1.0", "x", "", "99999999999999999999"}) {
            const Answer answer = world->get(path + "?limit=" + limit);
            expect(route, answer, 400, "invalid");
            EXPECT_EQ(answer.at("param"), "limit");
        }
        if (route.pattern.ends_with("/statement") || route.pattern.ends_with("/quarantine") ||
            route.pattern.ends_with("/alarms"))
            continue;
        expect(route, world->get(path + "?starting_after=a&ending_before=b"), 400, "invalid");
        expect(route, world->get(path + "?starting_after=nonsense"), 400, "invalid");
    }
}

TEST_F(Conformance, FieldsOfTheWrongKind) {
    struct Row {
        const char* method;
        std::string path;
        std::string body;
        const char* param;
    };
    const std::string pay = R"("kind":"person","payer_wallet":")" + world->ann_wallet + R"(","payer_member":")" +
                            world->ann_member + R"(","payee_wallet":")" + world->bob_wallet + "\"";
    const Row rows[] = {
        {"POST", "/v1/people", R"({})", "name"},
        {"POST", "/v1/people", R"({"name":5})", "name"},
        {"POST", "/v1/people", R"({"name":""})", "name"},
        {"POST", "/v1/people", R"({"name":null})", "name"},
        {"POST", "/v1/people", R"({"name":"a\u0000b"})", "name"},
        {"POST", "/v1/people", "{\"name\":\"" + std::string(201, 'x') + "\"}", "name"},
        {"POST", "/v1/groups", R"({"kind":"clan","name":"x"})", "kind"},
        {"POST", "/v1/groups", R"({"kind":"family","name":"x","owner":"nobody"})", "owner"},
        {"POST", "/v1/groups/{group}/members", R"({})", "person"},
        {"POST", "/v1/groups/{group}/wallets", R"({"name":"x","asset":"XXX"})", "asset"},
        {"POST", "/v1/wallets/{wallet}/deposits", R"({"amount":350,"asset":"CNY"})", "amount"},
        {"POST", "/v1/wallets/{wallet}/deposits", R"({"amount":"3.50","asset":"CNY"})", "amount"},
        {"POST", "/v1/wallets/{wallet}/deposits", R"({"amount":"-1","asset":"CNY"})", "amount"},
        {"POST", "/v1/wallets/{wallet}/deposits", R"({"amount":"01","asset":"CNY"})", "amount"},
        {"POST", "/v1/wallets/{wallet}/deposits",
         R"({"amount":"340282366920938463463374607431768211456","asset":"CNY"})", "amount"},
        {"POST", "/v1/wallets/{wallet}/deposits", R"({"amount":"1"})", "asset"},
        {"POST", "/v1/limits", R"({"member":"x","kind":"per_day","amount":"1","asset":"CNY"})", "member"},
        {"POST", "/v1/limits", R"({"member":"{member}","kind":"per_day","amount":"1","asset":"CNY","window_days":0})",
         "window_days"},
        {"POST", "/v1/limits", R"({"member":"{member}","kind":"per_day","amount":"1","asset":"CNY","window_days":1.5})",
         "window_days"},
        {"POST", "/v1/limits", R"({"member":"{member}","kind":"per_day","amount":"1","asset":"CNY","window_days":"1"})",
         "window_days"},
        {"POST", "/v1/devices", R"({"kind":"vending","name":"x","sim":{"iccid":"12"}})", "sim.iccid"},
        {"POST", "/v1/devices", R"({"kind":"vending","name":"x","sim":{"imei":"49015420323751X"}})", "sim.imei"},
        {"POST", "/v1/devices", R"({"kind":"vending","name":"x","sim":{"colour":"1"}})", "sim.colour"},
        {"POST", "/v1/devices", R"({"kind":"vending","name":"x","sim":"1"})", "sim"},
        {"PUT", "/v1/devices/{device}/slots", R"({"slots":[{"slot":0}]})", "slots[0].slot"},
        {"PUT", "/v1/devices/{device}/slots", R"({"slots":[7]})", "slots[0]"},
        {"PUT", "/v1/devices/{device}/slots", R"({"slots":{}})", "slots"},
        {"POST", "/v1/devices/{device}/qr", R"({"slot":1000})", "slot"},
        {"POST", "/v1/payments", R"({"kind":"gift"})", "kind"},
        {"POST", "/v1/payments", R"({"kind":"payment_code"})", "kind"},
        {"POST", "/v1/payments", R"({"kind":"machine"})", "payer_wallet"},
        {"POST", "/v1/payments", "{" + pay + "}", "amount"},
        {"POST", "/v1/payments", "{" + pay + R"(,"amount":"1","asset":"CNY","slot":1})", "slot"},
        {"POST", "/v1/payments", "{" + pay + R"(,"amount":"1e3","asset":"CNY"})", "amount"},
        {"POST", "/v1/payments",
         R"({"kind":"person","payer_wallet":"mem_00000000000000000000000001","payer_member":"x","payee_wallet":"y","amount":"1","asset":"CNY"})",
         "payer_wallet"},
        {"POST", "/v1/payments/{payment}/refunds", R"({"amount":"1"})", "asset"},
        {"POST", "/v1/payments/{payment}/refunds", R"({"asset":"CNY"})", "amount"},
        {"POST", "/v1/webhook_endpoints", R"({"url":"ftp://x"})", "url"},
        {"POST", "/v1/webhook_endpoints", R"({"url":"https://x.example","events":[]})", "events"},
        {"POST", "/v1/webhook_endpoints", R"({"url":"https://x.example","events":["Bad"]})", "events"},
        {"POST", "/v1/webhook_endpoints", R"({"url":"https://x.example","events":[1]})", "events[0]"},
        {"POST", "/v1/webhook_endpoints", R"({"url":"https://x.example","enabled":"yes"})", "enabled"},
        {"POST", "/v1/webhook_endpoints/{endpoint}/rotate_secret", R"({"overlap_s":604801})", "overlap_s"},
        {"POST", "/v1/api_keys", R"({"name":"x","scopes":["payments"]})", "scopes"},
        {"POST", "/v1/api_keys", R"({"name":"x","scopes":"*"})", "scopes"},
        {"POST", "/v1/purses", R"({"wallet":"x","suite":1,"key":"00"})", "wallet"},
        {"POST", "/v1/purses", R"({"wallet":"{wallet}","suite":4,"key":"00"})", "suite"},
        {"POST", "/v1/purses", R"({"wallet":"{wallet}","suite":1,"key":"00"})", "key"},
        {"POST", "/v1/purses", R"({"wallet":"{wallet}","suite":1,"key":")" + std::string(64, 'z') + "\"}", "key"},
        {"POST", "/v1/purses", R"({"wallet":"{wallet}","suite":1,"class":4,"key":")" + std::string(64, '0') + "\"}",
         "class"},
        {"POST", "/v1/purses/{purse}/loads", R"({"amount":5,"asset":"CNY"})", "amount"},
        {"POST", "/v1/purses/{purse}/loads", R"({"amount":"5"})", "asset"},
        {"POST", "/v1/purses/{purse}/loads", R"({"amount":"5","asset":"EUR"})", "asset"},
        {"POST", "/v1/purses/{purse}/loads", R"({"amount":"18446744073709551616","asset":"CNY"})", "amount"},
        {"POST", "/v1/purses/deposits", R"({"items":[]})", "items"},
        {"POST", "/v1/purses/deposits", R"({"items":["AAA"]})", "items[0]"},
        {"POST", "/v1/purses/deposits", R"({"items":["AAAA",5]})", "items[1]"},
        {"POST", "/v1/purses/deposits", R"({"items":["AAAA"],"purse":0})", "purse"},
        {"POST", "/v1/purses/carried", R"({"items":[]})", "items"},
        {"POST", "/v1/purses/carried", R"({"items":["AAAA","?"]})", "items[1]"},
        {"POST", "/v1/purses/alarms", R"({"heads":"?"})", "heads"},
        {"POST", "/v1/purses/{purse}/sync", R"({"last_seen":-1})", "last_seen"},
        {"POST", "/v1/purses/{purse}/sync", R"({"suspect":1})", "suspect"},
        {"POST", "/v1/purses/root", R"({"root":"!"})", "root"},
        {"POST", "/v1/test_clock/advance", R"({"seconds":0})", "seconds"},
        {"POST", "/v1/test_clock/advance", R"({"seconds":-5})", "seconds"},
        {"POST", "/v1/sandbox/devices/{device}/faults", R"({"fault":"explode"})", "fault"},
    };
    for (const Row& row : rows) {
        const std::string body =
            replace_all(replace_all(row.body, "{member}", world->bob_member), "{wallet}", world->ann_wallet);
        const Answer answer = world->call(row.method, world->filled(row.path), body);
        EXPECT_EQ(answer.status, 400) << row.path << ' ' << body << " → " << answer.body;
        EXPECT_EQ(answer.at("param"), row.param) << row.path << ' ' << body << " → " << answer.body;
    }
}

TEST_F(Conformance, DeviceMessagesThatAreNot) {
    const RouteInfo route{"POST", "/device/v1/messages"};
    const Headers cose = {{"Content-Type", "application/cose"}};
    expect(route, world->call("POST", "/device/v1/messages", "{}", {{"Content-Type", "application/json"}}), 415,
           "unsupported_media_type");
    expect(route, world->call("POST", "/device/v1/messages", "", cose), 400, "malformed");
    expect(route, world->call("POST", "/device/v1/messages", "\xa0", cose), 400, "malformed");
    expect(route, world->call("POST", "/device/v1/messages", std::string(4096, 'x'), cose), 400, "malformed");
    expect(route, world->call("POST", "/device/v1/messages", std::string(4097, 'x'), cose), 413, "too_large");
    expect(route, world->call("POST", "/device/v1/messages?wait=31", "x", cose), 400, "invalid");
    expect(route, world->call("POST", "/device/v1/messages?colour=1", "x", cose), 400, "unknown_parameter");
}

}  // namespace
}  // namespace jiaozi::http::test
