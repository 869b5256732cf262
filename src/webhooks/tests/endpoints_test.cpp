#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <jiaozi/webhooks/endpoints.hpp>
#include <jiaozi/webhooks/signature.hpp>

#include "private_address.hpp"
#include "store_fixture.hpp"

namespace jiaozi::webhooks {
namespace {

TEST(WebhookUrl, WhatIsTaken) {
    struct Row {
        const char* url;
        bool ok;
    };
    const Row rows[] = {
        {"https://shop.example/hooks", true},
        {"http://127.0.0.1:8080/", true},
        {"https://[2001:db8::1]/x?y=1", true},
        {"ftp://shop.example/", false},
        {"file:///etc/passwd", false},
        {"shop.example/hooks", false},
        {"", false},
        {"https://", false},
        {"https://user:pass@shop.example/", false},
        {"https://user@shop.example/", false},
        {"https://shop.example/#x", false},
        {"https://shop.example/a b", false},
        {"https://shop.example/\r\nX: y", false},
        {"javascript:alert(1)", false},
    };
    for (const Row& row : rows) EXPECT_EQ(check_url(row.url).ok(), row.ok) << row.url;
    EXPECT_FALSE(check_url("https://shop.example/" + std::string(2048, 'a')).ok());
}

TEST(WebhookEventPattern, WhatIsTaken) {
    for (const char* good : {"*", "payment.captured", "payment.*", "webhook_endpoint.created"})
        EXPECT_TRUE(check_event_pattern(good).ok()) << good;
    for (const char* bad :
         {"", "payment", ".captured", "payment.", "Payment.captured", "*.captured", "payment.cap*", "a.b.c"}) {
        EXPECT_FALSE(check_event_pattern(bad).ok()) << bad;
    }
}

TEST(PublicAddress, SpecialOnesAreNot) {
    struct Row {
        const char* address;
        bool is_public;
    };
    const Row rows[] = {
        {"8.8.8.8", true},
        {"127.0.0.1", false},
        {"10.1.2.3", false},
        {"172.16.0.1", false},
        {"172.32.0.1", true},
        {"192.168.1.1", false},
        {"169.254.169.254", false},
        {"100.64.0.1", false},
        {"0.0.0.0", false},
        {"224.0.0.1", false},
        {"255.255.255.255", false},
        {"198.18.0.1", false},
        {"2606:4700::1111", true},
        {"::1", false},
        {"::", false},
        {"fe80::1", false},
        {"fd00::1", false},
        {"ff02::1", false},
        {"::ffff:127.0.0.1", false},
        {"::ffff:8.8.8.8", true},
        {"64:ff9b::a00:1", false},
        {"2002:7f00:1::", false},
        {"2001:db8::1", false},
    };
    for (const Row& row : rows) {
        sockaddr_in six4{};
        sockaddr_in6 six{};
        if (inet_pton(AF_INET, row.address, &six4.sin_addr) == 1) {
            six4.sin_family = AF_INET;
            EXPECT_EQ(is_public_address(reinterpret_cast<sockaddr*>(&six4), sizeof six4), row.is_public) << row.address;
        } else {
            ASSERT_EQ(inet_pton(AF_INET6, row.address, &six.sin6_addr), 1) << row.address;
            six.sin6_family = AF_INET6;
            EXPECT_EQ(is_public_address(reinterpret_cast<sockaddr*>(&six), sizeof six), row.is_public) << row.address;
        }
    }
}

class EndpointsTest : public test::StoreTest {
  protected:
    WebhookEndpoint wanted() {
        WebhookEndpoint endpoint;
        endpoint.id = EndpointId(make_uint128(1, 1));
        endpoint.url = "https://shop.example/hooks";
        endpoint.events = {"payment.*"};
        return endpoint;
    }
    Endpoints endpoints_{*session_, clock_};
};

TEST_F(EndpointsTest, CreateIsIdempotentById) {
    const auto first = endpoints_.create(wanted());
    ASSERT_TRUE(first.ok()) << first.error().to_string();
    const auto again = endpoints_.create(wanted());
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(first->secret, again->secret);
    WebhookEndpoint other = wanted();
    other.url = "https://other.example/";
    EXPECT_EQ(endpoints_.create(other).error().code(), "already_exists");
}

TEST_F(EndpointsTest, ChangeRotateErase) {
    int changes = 0;
    endpoints_.on_change([&] { ++changes; });
    const auto made = endpoints_.create(wanted());
    const auto changed =
        endpoints_.change(made->endpoint.id, {.url = {}, .events = std::vector<std::string>{"*"}, .enabled = false});
    ASSERT_TRUE(changed.ok()) << changed.error().to_string();
    EXPECT_FALSE(changed->enabled);
    EXPECT_EQ(changed->url, wanted().url);
    EXPECT_EQ(endpoints_.change(made->endpoint.id, {.url = "nonsense", .events = {}, .enabled = {}}).error().param(),
              "url");

    const auto rotated = endpoints_.rotate_secret(made->endpoint.id, seconds(60));
    ASSERT_TRUE(rotated.ok()) << rotated.error().to_string();
    const auto stored = registry::get_webhook_endpoint(*session_, made->endpoint.id);
    EXPECT_EQ(secrets_in_force(stored->secret, clock_.now()),
              (std::vector<std::string>{rotated->secret, made->secret}));
    EXPECT_EQ(secrets_in_force(stored->secret, clock_.now() + seconds(60)),
              (std::vector<std::string>{rotated->secret}));
    EXPECT_EQ(endpoint_json(*stored).find("whsec"), std::string::npos);

    EXPECT_TRUE(endpoints_.erase(made->endpoint.id).ok());
    EXPECT_EQ(endpoints_.erase(made->endpoint.id).error().code(), "webhook_endpoint_not_found");
    EXPECT_EQ(changes, 4);
}

}  // namespace
}  // namespace jiaozi::webhooks
