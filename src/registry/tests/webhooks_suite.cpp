#include <algorithm>

#include "suite.hpp"

namespace jiaozi::registry {
namespace {

WebhookEndpoint endpoint(std::uint64_t n) {
    return {.id = EndpointId(n),
            .url = "https://shop.example/hooks?a=1",
            .secret = "whsec_c2VjcmV0",
            .events = {"payment.captured", "device.*"},
            .enabled = true,
            .created = at(n)};
}

WebhookDelivery delivery(std::uint64_t n, std::uint64_t endpoint_n, std::uint64_t event_n) {
    return {.id = DeliveryId(n),
            .endpoint = EndpointId(endpoint_n),
            .event = EventId(event_n),
            .attempt = 2,
            .status = -1,
            .response = "connection refused",
            .done = false,
            .next_attempt = at(n),
            .created = at(n),
            .updated = at(n + 1)};
}

TEST_F(Registry, webhook_endpoints_come_back) {
    ASSERT_OK(insert(db(), endpoint(1)));
    ASSERT_OK(insert(db(), endpoint(2)));
    EXPECT_EQ(show(must(get_webhook_endpoint(db(), EndpointId(1)))), show(endpoint(1)));
    WebhookEndpoint changed = endpoint(2);
    changed.events = {};
    changed.enabled = false;
    changed.secret = "sealed:00";  // a secret may look like anything
    ASSERT_OK(update(db(), changed));
    EXPECT_EQ(show(must(get_webhook_endpoint(db(), EndpointId(2)))), show(changed));
    EXPECT_EQ(page_text(list_webhook_endpoints(db(), {})), "2 1");
    EXPECT_EQ(must(list_webhook_endpoints(db(), {})).data[0].secret, "sealed:00");
    EXPECT_EQ(numbers(must(all_webhook_endpoints(db()))), (std::vector<std::uint64_t>{1, 2}));
    changed.events = {"payment captured"};
    EXPECT_EQ(refusal(update(db(), changed)), "invalid/invalid/events");
    changed.events = {""};
    EXPECT_EQ(refusal(update(db(), changed)), "invalid/invalid/events");
    EXPECT_EQ(refusal(get_webhook_endpoint(db(), EndpointId(9))), "not_found/webhook_endpoint_not_found/");
    ASSERT_OK(insert_many(db(), std::vector{delivery(1, 1, 1)}));
    ASSERT_OK(erase(db(), EndpointId(1)));
    EXPECT_EQ(refusal(get_webhook_delivery(db(), DeliveryId(1))), "not_found/webhook_delivery_not_found/");
    EXPECT_EQ(refusal(erase(db(), EndpointId(1))), "not_found/webhook_endpoint_not_found/");
}

TEST_F(Registry, secrets_are_sealed_where_there_is_a_key) {
    // Not encryption: enough to see that what is stored is what the sealer made, bytes that are no text included.
    const auto turned = [](std::string_view text) {
        std::string reversed(text.rbegin(), text.rend());
        for (char& c : reversed) c = static_cast<char>(c ^ 0x80);
        return reversed;
    };
    ASSERT_OK(insert(db(), endpoint(1)));  // before there was a key
    auto sealing =
        Store::open({.url = url, .seal = turned, .open = [&](std::string_view sealed) -> Result<std::string> {
                         return turned(sealed);
                     }});
    ASSERT_OK(sealing);
    auto sealed = (*sealing)->session();
    ASSERT_OK(sealed);
    ASSERT_OK(insert(**sealed, endpoint(2)));
    EXPECT_EQ(must(get_webhook_endpoint(**sealed, EndpointId(1))).secret, endpoint(1).secret);
    EXPECT_EQ(must(get_webhook_endpoint(**sealed, EndpointId(2))).secret, endpoint(2).secret);
    EXPECT_EQ(must(all_webhook_endpoints(**sealed)).size(), 2U);
    // Without the key it cannot be read, and says so.
    EXPECT_EQ(refusal(get_webhook_endpoint(db(), EndpointId(2))), "unavailable/unavailable/");
    EXPECT_EQ(refusal(Store::open({.url = url, .seal = turned, .open = {}})), "invalid/invalid/");
}

TEST_F(Registry, an_event_is_delivered_once_to_an_endpoint) {
    ASSERT_OK(insert(db(), endpoint(1)));
    ASSERT_OK(insert(db(), endpoint(2)));
    EXPECT_EQ(must(insert_many(db(), std::vector{delivery(1, 1, 10), delivery(2, 2, 10), delivery(3, 1, 11)})), 3U);
    // The same fan-out again, with new ids, as after a crash.
    EXPECT_EQ(must(insert_many(db(), std::vector{delivery(4, 1, 10), delivery(5, 2, 10), delivery(6, 2, 11)})), 1U);
    EXPECT_EQ(page_text(list_webhook_deliveries(db(), {}, {})), "6 3 2 1");
    EXPECT_EQ(page_text(list_webhook_deliveries(db(), {.endpoint = EndpointId(1), .event = {}, .done = {}}, {})),
              "3 1");
    EXPECT_EQ(page_text(list_webhook_deliveries(db(), {.endpoint = {}, .event = EventId(10), .done = {}}, {})), "2 1");
    EXPECT_EQ(show(must(get_webhook_delivery(db(), DeliveryId(1)))), show(delivery(1, 1, 10)));
    WebhookDelivery done = delivery(1, 1, 10);
    done.done = true;
    done.status = 204;
    done.attempt = 3;
    ASSERT_OK(update(db(), done));
    EXPECT_EQ(show(must(get_webhook_delivery(db(), DeliveryId(1)))), show(done));
    EXPECT_EQ(page_text(list_webhook_deliveries(db(), {.endpoint = {}, .event = {}, .done = true}, {})), "1");
    EXPECT_EQ(page_text(list_webhook_deliveries(db(), {.endpoint = {}, .event = {}, .done = false}, {})), "6 3 2");
    EXPECT_EQ(refusal(insert_many(db(), std::vector{delivery(7, 77, 1)})), "not_found/reference_not_found/");
    EXPECT_EQ(refusal(insert_many(db(), std::vector{delivery(7, 1, 0)})), "invalid/invalid/event");
    EXPECT_EQ(refusal(update(db(), delivery(77, 1, 99))), "not_found/webhook_delivery_not_found/");
}

TEST_F(Registry, what_a_server_answers_is_made_storable) {
    ASSERT_OK(insert(db(), endpoint(1)));
    const std::string cut = std::string(510, 'x') + "\xE7\xBB\xBF";  // the third byte does not fit
    const struct {
        std::string what, response, expected;
    } rows[] = {
        {"text", "ok \xE7\xBB\xBF", "ok \xE7\xBB\xBF"},
        {"binary", std::string("\x00\xFFz", 3), "\xEF\xBF\xBD\xEF\xBF\xBDz"},
        {"too long", std::string(600, 'x'), std::string(512, 'x')},
        {"cut inside a character", cut, std::string(510, 'x')},
        {"cut by the caller inside a character", cut.substr(0, 512), std::string(510, 'x')},
    };
    std::uint64_t n = 0;
    for (const auto& row : rows) {
        ++n;
        WebhookDelivery made = delivery(n, 1, n);
        made.response = row.response;
        ASSERT_OK(insert_many(db(), std::vector{made}));
        EXPECT_EQ(must(get_webhook_delivery(db(), made.id)).response, row.expected) << row.what;
    }
}

TEST_F(Registry, due_deliveries_come_longest_due_first) {
    ASSERT_OK(insert(db(), endpoint(1)));
    WebhookEndpoint off = endpoint(2);
    off.enabled = false;
    ASSERT_OK(insert(db(), off));
    std::vector<WebhookDelivery> all;
    for (const std::uint64_t n : {5U, 3U, 4U, 1U, 2U}) all.push_back(delivery(n, 1, n));
    all[1].done = true;                // 3
    all.push_back(delivery(6, 2, 6));  // its endpoint is off
    all.back().next_attempt = at(1);
    ASSERT_OK(insert_many(db(), all));
    EXPECT_EQ(numbers(must(due_webhook_deliveries(db(), at(4), 10))), (std::vector<std::uint64_t>{1, 2, 4}));
    EXPECT_EQ(numbers(must(due_webhook_deliveries(db(), at(4), 2))), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_TRUE(must(due_webhook_deliveries(db(), at(0), 10)).empty());
    off.enabled = true;
    ASSERT_OK(update(db(), off));
    EXPECT_EQ(numbers(must(due_webhook_deliveries(db(), at(1), 10))), (std::vector<std::uint64_t>{1, 6}));
    EXPECT_EQ(refusal(due_webhook_deliveries(db(), at(1), 0)), "invalid/invalid/limit");
}

}  // namespace
}  // namespace jiaozi::registry
