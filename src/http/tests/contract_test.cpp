// The OpenAPI document and the program say the same: every route is described, every description has a route, and the
// answers have the shape that their schemas promise.
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <jiaozi/crypto/signature.hpp>

#include "world.hpp"

namespace jiaozi::http::test {
namespace {

namespace json = boost::json;

const json::object& document() {
    static const json::value parsed = json::parse(json::string_view(World::openapi().data(), World::openapi().size()));
    return parsed.as_object();
}

const json::object& resolve(const json::object& schema) {
    const json::value* reference = schema.if_contains("$ref");
    if (reference == nullptr) return schema;
    const std::string path(reference->as_string());
    const json::object* at = &document();
    for (std::size_t begin = 2; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        at = &at->at(path.substr(begin, end - begin)).as_object();
        begin = end + 1;
    }
    return resolve(*at);
}

bool has_type(const json::value& value, json::string_view type) {
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_int64() || value.is_uint64();
    if (type == "boolean") return value.is_bool();
    if (type == "array") return value.is_array();
    if (type == "object") return value.is_object();
    return type == "null" && value.is_null();
}

// The part of JSON Schema that the document uses for answers.
void check(const json::object& given, const json::value& value, const std::string& where,
           std::set<std::string>& known) {
    const json::object& schema = resolve(given);
    if (const json::value* all = schema.if_contains("allOf")) {
        for (const json::value& part : all->as_array()) check(part.as_object(), value, where, known);
    }
    if (const json::value* type = schema.if_contains("type")) {
        bool ok = false;
        if (type->is_string()) ok = has_type(value, type->as_string());
        if (type->is_array()) {
            for (const json::value& one : type->as_array()) ok = ok || has_type(value, one.as_string());
        }
        EXPECT_TRUE(ok) << where << " is " << json::serialize(value);
    }
    if (const json::value* constant = schema.if_contains("const")) {
        EXPECT_EQ(value, *constant) << where;
    }
    if (const json::value* allowed = schema.if_contains("enum")) {
        const auto& list = allowed->as_array();
        EXPECT_NE(std::find(list.begin(), list.end(), value), list.end()) << where << " is " << json::serialize(value);
    }
    if (value.is_array() && schema.contains("items")) {
        for (const json::value& item : value.as_array()) {
            std::set<std::string> inner;
            check(schema.at("items").as_object(), item, where + "[]", inner);
        }
    }
    const json::value* properties = schema.if_contains("properties");
    if (!value.is_object() || properties == nullptr) return;
    if (const json::value* needed = schema.if_contains("required")) {
        for (const json::value& name : needed->as_array()) {
            EXPECT_TRUE(value.as_object().contains(name.as_string())) << where << " lacks " << name;
        }
    }
    for (const auto& [name, property] : properties->as_object()) {
        known.insert(std::string(name));
        if (const json::value* part = value.as_object().if_contains(name)) {
            std::set<std::string> inner;
            check(property.as_object(), *part, where + "." + std::string(name), inner);
        }
    }
}

void check_answer(const std::string& method, const std::string& pattern, const Answer& answer) {
    std::string lower_method = method;
    for (char& c : lower_method) c = static_cast<char>(std::tolower(c));
    const json::object& operation = document().at("paths").at(pattern).as_object().at(lower_method).as_object();
    const json::object& responses = operation.at("responses").as_object();
    const std::string exact = std::to_string(answer.status);
    const json::value* response = responses.if_contains(exact);
    if (response == nullptr && answer.status >= 400 && answer.status < 500) response = responses.if_contains("4XX");
    ASSERT_NE(response, nullptr) << method << ' ' << pattern << " does not describe " << answer.status;
    const json::object& content = resolve(response->as_object()).at("content").as_object();
    std::string type = answer.header("Content-Type");
    type = type.substr(0, type.find(';'));
    ASSERT_TRUE(content.contains(type)) << method << ' ' << pattern << " does not describe " << type;
    if (type.find("json") == std::string::npos) return;
    const json::value body = json::parse(answer.body);
    std::set<std::string> known;
    const json::object& schema = content.at(type).as_object().at("schema").as_object();
    check(schema, body, method + " " + pattern, known);
    if (known.empty()) return;
    for (const auto& [name, value] : body.as_object()) {
        EXPECT_TRUE(known.contains(std::string(name)))
            << method << ' ' << pattern << " answers the undocumented field " << name;
    }
}

TEST(Contract, EveryRouteIsDescribedAndEveryDescriptionHasARoute) {
    World world;
    std::set<std::string> routes;
    for (const RouteInfo& route : world.routes()) routes.insert(route.method + " " + route.pattern);
    std::set<std::string> described;
    for (const auto& [path, item] : document().at("paths").as_object()) {
        for (const auto& [method, operation] : item.as_object()) {
            if (method == "parameters") continue;
            std::string upper(method);
            for (char& c : upper) c = static_cast<char>(std::toupper(c));
            described.insert(upper + " " + std::string(path));
        }
    }
    EXPECT_EQ(routes, described);
    EXPECT_GE(routes.size(), 66u);
}

TEST(Contract, AnswersHaveTheShapesOfTheirSchemas) {
    World world;
    world.populate();
    world.must("POST", "/v1/payments/" + world.payment + "/refunds", "{}");
    world.settle();
    for (const RouteInfo& route : world.routes()) {
        if (route.method != "GET" || route.pattern == "/v1/events/stream") continue;
        std::string path = world.filled(route.pattern);
        if (route.pattern == "/v1/limits") path += "?member=" + world.bob_member;
        const Answer answer = world.get(path);
        EXPECT_EQ(answer.status, 200) << path << ' ' << answer.body;
        check_answer(route.method, route.pattern, answer);
        const Answer refused = world.call("GET", path + "?x=%zz", {}, {{"Authorization", ""}});
        if (refused.status >= 400) check_answer(route.method, route.pattern, refused);
    }
    const std::string pay = R"({"kind":"person","payer_wallet":")" + world.ann_wallet + R"(","payer_member":")" +
                            world.ann_member + R"(","payee_wallet":")" + world.bob_wallet +
                            R"(","asset":"CNY","amount":)";
    struct Row {
        const char* method;
        const char* pattern;
        std::string body;
        int status;
    };
    const Row rows[] = {
        {"POST", "/v1/people", R"({"name":"x"})", 201},
        {"POST", "/v1/groups", R"({"kind":"car","name":"x"})", 201},
        {"POST", "/v1/groups/{group}/members",
         R"({"device":")" + world.must("POST", "/v1/devices", R"({"kind":"car","name":"car"})").at("id") + "\"}", 201},
        {"POST", "/v1/groups/{group}/wallets", R"({"name":"x","asset":"EUR"})", 201},
        {"POST", "/v1/wallets/{wallet}/deposits", R"({"amount":"5","asset":"CNY"})", 201},
        {"POST", "/v1/wallets/{wallet}/freeze", "", 200},
        {"POST", "/v1/wallets/{wallet}/unfreeze", "", 200},
        {"POST", "/v1/limits",
         R"({"member":")" + world.ann_member + R"(","kind":"per_day","amount":"50000","asset":"CNY","window_days":7})",
         201},
        {"POST", "/v1/merchants", R"({"name":"x","city":"Paris","country":"FR","mcc":"5411","asset":"EUR"})", 201},
        {"POST", "/v1/products", R"({"merchant":")" + world.merchant + R"(","name":"x","category":"drinks"})", 201},
        {"POST", "/v1/devices", R"({"kind":"gate","name":"x","sim":{"iccid":"8986011234567890123"}})", 400},
        {"POST", "/v1/devices/{device}/enrolment_code", "", 200},
        {"PUT", "/v1/devices/{device}/slots", R"({"slots":[]})", 200},
        {"POST", "/v1/payments", pay + "\"1\"}", 201},
        {"POST", "/v1/payments", pay + "\"999999999\"}", 402},
        {"POST", "/v1/payments/{payment}/cancel", "", 409},
        {"POST", "/v1/payment_codes",
         R"({"wallet":")" + world.ann_wallet + R"(","member":")" + world.ann_member + "\"}", 201},
        {"POST", "/v1/purses",
         R"({"wallet":")" + world.bob_wallet + R"(","suite":1,"key":")" +
             to_hex(crypto::generate_key(crypto::Suite::ed25519).public_key) + "\"}",
         201},
        {"POST", "/v1/purses/{purse}/loads", R"({"amount":"1","asset":"CNY"})", 422},
        {"POST", "/v1/purses/deposits", R"({"items":["AAAA"]})", 200},
        {"POST", "/v1/purses/carried", R"({"items":["AAAA"]})", 200},
        {"POST", "/v1/purses/alarms", R"({"heads":"AAAA"})", 400},
        {"POST", "/v1/purses/{purse}/sync", "{}", 200},
        {"POST", "/v1/purses/{purse}/lost", "", 200},
        {"POST", "/v1/events/stream_tokens", "", 201},
        {"POST", "/v1/webhook_endpoints", R"({"url":"https://x.example/"})", 201},
        {"PATCH", "/v1/webhook_endpoints/{endpoint}", R"({"events":["payment.*"]})", 200},
        {"POST", "/v1/webhook_endpoints/{endpoint}/rotate_secret", "{}", 200},
        {"POST", "/v1/api_keys", R"({"name":"x","scopes":["payments:read"]})", 201},
        {"POST", "/v1/test_clock/advance", R"({"seconds":1})", 200},
        {"POST", "/v1/sandbox/devices/{device}/faults", R"({"fault":"nack"})", 200},
        {"DELETE", "/v1/limits/{limit}", "", 200},
        {"DELETE", "/v1/groups/{group}/members/{member}", "", 200},
        {"DELETE", "/v1/webhook_endpoints/{endpoint}", "", 200},
        {"DELETE", "/v1/api_keys/{key}", "", 200},
    };
    for (const Row& row : rows) {
        const Answer answer = world.call(row.method, world.filled(row.pattern), row.body);
        EXPECT_EQ(answer.status, row.status) << row.method << ' ' << row.pattern << ' ' << answer.body;
        check_answer(row.method, row.pattern, answer);
    }
}

}  // namespace
}  // namespace jiaozi::http::test
