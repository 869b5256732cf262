// What callers rely on: payments and refunds with their statuses, idempotency, pages, persons' keys, the event stream.
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "world.hpp"

namespace jiaozi::http::test {
namespace {

class Behaviour : public ::testing::Test {
  protected:
    void SetUp() override { world.populate(); }

    std::string person_payment(std::string_view amount) const {
        return R"({"kind":"person","payer_wallet":")" + world.ann_wallet + R"(","payer_member":")" + world.ann_member +
               R"(","payee_wallet":")" + world.bob_wallet + R"(","amount":")" + std::string(amount) +
               R"(","asset":"CNY"})";
    }
    std::string balance(const std::string& wallet) { return world.get("/v1/wallets/" + wallet).at("total"); }

    World world;
};

TEST_F(Behaviour, PaymentsAnswerWithTheirOutcome) {
    const Answer paid = world.call("POST", "/v1/payments", person_payment("250"));
    EXPECT_EQ(paid.status, 201) << paid.body;
    EXPECT_EQ(paid.at("state"), "captured");
    EXPECT_EQ(paid.at("captured"), "250");
    EXPECT_EQ(balance(world.ann_wallet), "99250");

    const Answer poor = world.call("POST", "/v1/payments", person_payment("999999999"));
    EXPECT_EQ(poor.status, 402) << poor.body;
    EXPECT_EQ(poor.code(), "insufficient_funds");
    EXPECT_EQ(poor.at("payment.state"), "declined");
    EXPECT_EQ(balance(world.ann_wallet), "99250");

    const std::string at_machine = R"({"kind":"machine","payer_wallet":")" + world.ann_wallet +
                                   R"(","payer_member":")" + world.ann_member + R"(","device":")" + world.machine +
                                   R"(","slot":1})";
    const Answer asleep = world.call("POST", "/v1/payments", at_machine);
    EXPECT_EQ(asleep.status, 402) << asleep.body;
    EXPECT_EQ(asleep.code(), "device_not_active");

    const Answer seen = world.get("/v1/payments/" + paid.at("id"));
    EXPECT_EQ(seen.status, 200);
    EXPECT_EQ(seen.body, paid.body);
    EXPECT_EQ(world.call("POST", "/v1/payments/" + paid.at("id") + "/cancel").code(), "payment_not_cancellable");
}

TEST_F(Behaviour, RefundsArePartialThenTheRest) {
    const std::string refunds = "/v1/payments/" + world.payment + "/refunds";
    const Answer part = world.call("POST", refunds, R"({"amount":"200","asset":"CNY"})", {{"Idempotency-Key", "r1"}});
    EXPECT_EQ(part.status, 201) << part.body;
    const Answer again = world.call("POST", refunds, R"({"amount":"200","asset":"CNY"})", {{"Idempotency-Key", "r1"}});
    EXPECT_EQ(again.body, part.body);
    EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
    EXPECT_EQ(world.call("POST", refunds, R"({"amount":"301","asset":"CNY"})").code(), "refund_exceeds_captured");
    const Answer rest = world.call("POST", refunds, "{}");
    EXPECT_EQ(rest.at("amount"), "300") << rest.body;
    EXPECT_EQ(balance(world.ann_wallet), "100000");
    world.settle();
    EXPECT_EQ(world.get(refunds).at("data[0].amount"), "300");
    EXPECT_EQ(world.get("/v1/payments/" + world.payment).at("refunded"), "500");
}

TEST_F(Behaviour, TheSameKeyPaysOnce) {
    const Headers key = {{"Idempotency-Key", "order-17"}};
    const Answer first = world.call("POST", "/v1/payments", person_payment("100"), key);
    EXPECT_EQ(first.header("Idempotent-Replayed"), "");
    for (int i = 0; i < 3; ++i) {
        const Answer again = world.call("POST", "/v1/payments", person_payment("100"), key);
        EXPECT_EQ(again.status, 201);
        EXPECT_EQ(again.body, first.body);
        EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
    }
    EXPECT_EQ(balance(world.ann_wallet), "99400");
    const Answer other = world.call("POST", "/v1/payments", person_payment("101"), key);
    EXPECT_EQ(other.status, 422);
    EXPECT_EQ(other.code(), "idempotency_error");
    // Another owner's equal key is another key.
    EXPECT_EQ(world
                  .call("POST", "/v1/payments", person_payment("100"),
                        {{"Idempotency-Key", "order-17"}, {"Authorization", "Bearer " + world.ann_key}})
                  .status,
              201);
    EXPECT_EQ(balance(world.ann_wallet), "99300");

    // A decline is remembered too, although the money has come since.
    const Headers declined_key = {{"Idempotency-Key", "order-18"}};
    const Answer declined = world.call("POST", "/v1/payments", person_payment("200000"), declined_key);
    EXPECT_EQ(declined.status, 402);
    world.must("POST", "/v1/wallets/" + world.ann_wallet + "/deposits", R"({"amount":"500000","asset":"CNY"})");
    const Answer still = world.call("POST", "/v1/payments", person_payment("200000"), declined_key);
    EXPECT_EQ(still.status, 402);
    EXPECT_EQ(still.header("Idempotent-Replayed"), "true");
    EXPECT_EQ(still.at("payment.id"), declined.at("payment.id"));

    world.restart();
    const Answer after = world.call("POST", "/v1/payments", person_payment("100"), key);
    EXPECT_EQ(after.body, first.body);
    EXPECT_EQ(after.header("Idempotent-Replayed"), "true");
}

TEST_F(Behaviour, ConcurrentRequestsWithOneKeyPayOnce) {
    const std::string text = request_text("POST", "/v1/payments",
                                          {{"Authorization", "Bearer " + world.operator_key},
                                           {"Content-Type", "application/json"},
                                           {"Idempotency-Key", "race"}},
                                          person_payment("10"));
    std::vector<std::unique_ptr<Connection>> connections;
    for (int i = 0; i < 8; ++i) connections.push_back(std::make_unique<Connection>(world.port()));
    for (auto& connection : connections) connection->send(text);
    std::set<std::string> ids;
    for (auto& connection : connections) {
        const Answer answer = connection->receive();
        EXPECT_TRUE(answer.status == 201 || answer.code() == "request_in_flight") << answer.body;
        if (answer.status == 201) ids.insert(answer.at("id"));
    }
    EXPECT_EQ(ids.size(), 1u);
    EXPECT_EQ(balance(world.ann_wallet), "99490");
}

TEST_F(Behaviour, StoredOutcomesAreReplayedAndSecretsStayReadable) {
    const Headers key = {{"Idempotency-Key", "k"}};
    const Answer person = world.must("POST", "/v1/people", R"({"name":"Cho"})", key);
    const Answer again = world.call("POST", "/v1/people", R"({"name":"Cho"})", key);
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, person.body);
    EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
    EXPECT_EQ(world.call("POST", "/v1/people", R"({"name":"Dee"})", key).code(), "idempotency_error");
    // The same key on another path is another key.
    EXPECT_EQ(world.call("POST", "/v1/groups", R"({"kind":"home","name":"Home"})", key).status, 201);

    const Answer made = world.must("POST", "/v1/api_keys", R"({"name":"x","scopes":["payments:read"]})", key);
    const Answer replay = world.call("POST", "/v1/api_keys", R"({"name":"x","scopes":["payments:read"]})", key);
    EXPECT_EQ(replay.body, made.body);
    EXPECT_TRUE(made.at("key").starts_with("sk_test_"));
    EXPECT_EQ(world.get("/v1/payments").status, 200);

    // What was never decided is not remembered: the corrected request runs under the same key.
    const Headers fixed = {{"Idempotency-Key", "fixed"}};
    EXPECT_EQ(world.call("POST", "/v1/people", R"({"name":""})", fixed).status, 400);
    EXPECT_EQ(world.call("POST", "/v1/people", R"({"name":"Eve"})", fixed).status, 201);

    world.restart();
    EXPECT_EQ(world.call("POST", "/v1/people", R"({"name":"Cho"})", key).body, person.body);
}

TEST_F(Behaviour, CursorsWalkBothWays) {
    std::vector<std::string> made;
    for (int i = 0; i < 7; ++i) {
        world.advance_clock(1);
        made.push_back(world.must("POST", "/v1/people", R"({"name":"P)" + std::to_string(i) + "\"}").at("id"));
    }
    std::vector<std::string> walked;
    std::string cursor;
    while (true) {
        const Answer page = world.get("/v1/people?limit=3" + (cursor.empty() ? "" : "&starting_after=" + cursor));
        ASSERT_EQ(page.status, 200) << page.body;
        for (int i = 0; !page.at("data[" + std::to_string(i) + "].id").empty(); ++i)
            walked.push_back(page.at("data[" + std::to_string(i) + "].id"));
        if (page.at("has_more") != "true") break;
        cursor = walked.back();
    }
    ASSERT_EQ(walked.size(), 10u);
    for (std::size_t i = 0; i < made.size(); ++i) EXPECT_EQ(walked[i], made[made.size() - 1 - i]);
    const Answer back = world.get("/v1/people?limit=2&ending_before=" + walked[5]);
    EXPECT_EQ(back.at("data[0].id"), walked[3]);
    EXPECT_EQ(back.at("data[1].id"), walked[4]);
    EXPECT_EQ(back.at("has_more"), "true");
}

TEST_F(Behaviour, StatementsTellTheWholeStory) {
    const Answer page = world.get("/v1/wallets/" + world.ann_wallet + "/statement?limit=1");
    EXPECT_EQ(page.at("data[0].type"), "payment") << page.body;
    EXPECT_EQ(page.at("data[0].direction"), "debit");
    EXPECT_EQ(page.at("data[0].amount"), "500");
    EXPECT_EQ(page.at("data[0].total"), "99500");
    EXPECT_EQ(page.at("data[0].object_id"), world.payment);
    EXPECT_EQ(page.at("has_more"), "true");
    const Answer older =
        world.get("/v1/wallets/" + world.ann_wallet + "/statement?limit=1&starting_after=" + page.at("next"));
    EXPECT_EQ(older.at("data[0].type"), "deposit") << older.body;
    EXPECT_EQ(older.at("next"), "null");
}

TEST_F(Behaviour, FrozenWalletsDoNotPay) {
    EXPECT_EQ(world.must("POST", "/v1/wallets/" + world.ann_wallet + "/freeze").at("frozen"), "true");
    EXPECT_EQ(world.call("POST", "/v1/payments", person_payment("1")).code(), "payer_frozen");
    EXPECT_EQ(world.must("POST", "/v1/wallets/" + world.ann_wallet + "/unfreeze").at("frozen"), "false");
    EXPECT_EQ(world.call("POST", "/v1/payments", person_payment("1")).status, 201);
}

TEST_F(Behaviour, APersonsKeyActsForThatPersonOnly) {
    struct Row {
        const char* method;
        std::string path;
        std::string body;
        int stranger;
        int ann;
    };
    const Row rows[] = {
        {"GET", "/v1/people/{person}", "", 404, 200},
        {"GET", "/v1/groups/{group}", "", 404, 200},
        {"GET", "/v1/groups/{group}/members", "", 404, 200},
        {"GET", "/v1/wallets/{wallet}", "", 404, 200},
        {"GET", "/v1/wallets/{wallet}/statement", "", 404, 200},
        {"GET", "/v1/wallets?group=" + world.group, "", 200, 200},
        {"GET", "/v1/payments", "", 400, 400},
        {"GET", "/v1/payments?group=" + world.group, "", 404, 200},
        {"GET", "/v1/payments/{payment}", "", 404, 200},
        {"GET", "/v1/limits?member=" + world.bob_member, "", 404, 200},
        {"GET", "/v1/devices", "", 403, 403},
        {"GET", "/v1/devices/{device}", "", 404, 404},
        {"GET", "/v1/devices/{device}/slots", "", 200, 200},
        {"GET", "/v1/events", "", 403, 403},
        {"GET", "/v1/webhook_endpoints", "", 403, 403},
        {"GET", "/v1/api_keys", "", 403, 403},
        {"GET", "/v1/overview", "", 403, 403},
        {"GET", "/metrics", "", 403, 403},
        {"POST", "/v1/people", R"({"name":"x"})", 403, 403},
        {"POST", "/v1/merchants", R"({"name":"x"})", 403, 403},
        {"POST", "/v1/test_clock/advance", R"({"seconds":1})", 403, 403},
        {"POST", "/v1/groups/{group}/wallets", R"({"name":"x","asset":"CNY"})", 404, 201},
        {"POST", "/v1/payments", person_payment("1"), 404, 201},
        {"POST", "/v1/payments/{payment}/refunds", "{}", 404, 201},
        {"POST", "/v1/payment_codes",
         R"({"wallet":")" + world.ann_wallet + R"(","member":")" + world.ann_member + "\"}", 404, 201},
        {"POST", "/v1/payment_codes",
         R"({"wallet":")" + world.ann_wallet + R"(","member":")" + world.bob_member + "\"}", 404, 403},
        {"DELETE", "/v1/limits/{limit}", "", 404, 200},
    };
    for (const Row& row : rows) {
        const std::string path = world.filled(row.path);
        const Answer stranger = world.call(row.method, path, row.body, World::as(world.stranger_key));
        EXPECT_EQ(stranger.status, row.stranger)
            << row.method << ' ' << row.path << " as a stranger: " << stranger.body;
        const Answer ann = world.call(row.method, path, row.body, World::as(world.ann_key));
        EXPECT_EQ(ann.status, row.ann) << row.method << ' ' << row.path << " as Ann: " << ann.body;
    }
    EXPECT_EQ(world.call("GET", "/v1/wallets", {}, World::as(world.stranger_key)).at("data"), "[]");
    EXPECT_EQ(world.call("GET", "/v1/people", {}, World::as(world.ann_key)).at("data[0].id"), world.ann);
}

TEST_F(Behaviour, EventStreamResumesWhereItStopped) {
    Connection stream(world.port());
    stream.send(request_text("GET", "/v1/events/stream", {{"Authorization", "Bearer " + world.operator_key}}, ""));
    EXPECT_NE(stream.receive_until("\r\n\r\n").find("text/event-stream"), std::string::npos);
    stream.receive_until("retry: 1000\n\n");
    // The place in the table is looked up after the head is sent: repeat until the stream is live.
    world.add_event("test.first");
    world.add_event("test.first");
    const std::string first = stream.receive_until("\n\n");
    EXPECT_NE(first.find("event: test.first\n"), std::string::npos) << first;
    const std::string id = first.substr(first.find("id: ") + 4, first.find('\n') - first.find("id: ") - 4);

    world.add_event("test.second");
    world.add_event("other.third");
    const std::string path = "/v1/events/stream?type=other.*";
    Connection resumed(world.port());
    resumed.send(
        request_text("GET", path, {{"Authorization", "Bearer " + world.operator_key}, {"Last-Event-ID", id}}, ""));
    const std::string got = resumed.receive_until("other.third");
    EXPECT_EQ(got.find("test.second"), std::string::npos);
    // Then it goes on live.
    resumed.receive_until("\n\n");
    world.add_event("other.fourth");
    EXPECT_NE(resumed.receive_until("\n\n").find("other.fourth"), std::string::npos);
    EXPECT_NE(stream.receive_until("other.fourth").find("test.second"), std::string::npos);
}

TEST_F(Behaviour, EventStreamReplaysEverythingInOrder) {
    for (int i = 0; i < 1200; ++i) world.add_event("bulk.event");
    Connection stream(world.port());
    stream.send(request_text("GET", "/v1/events/stream?last_event_id=0",
                             {{"Authorization", "Bearer " + world.operator_key}}, ""));
    world.add_event("last.event");
    const std::string all = stream.receive_until("event: last.event");
    std::size_t count = 0;
    std::uint64_t previous = 0;
    for (std::size_t at = all.find("\nid: "); at != std::string::npos; at = all.find("\nid: ", at + 1)) {
        const std::uint64_t position = std::stoull(all.substr(at + 5));
        EXPECT_GT(position, previous);
        previous = position;
        ++count;
    }
    EXPECT_GE(count, 1201u);
}

TEST_F(Behaviour, StreamTokensOpenOneStream) {
    const std::string token = world.must("POST", "/v1/events/stream_tokens").at("token");
    Connection stream(world.port());
    stream.send(request_text("GET", "/v1/events/stream?access_token=" + token, {}, ""));
    stream.receive_until("retry: 1000\n\n");
    EXPECT_EQ(world.call("GET", "/v1/events/stream?access_token=" + token, {}, {{"Authorization", ""}}).code(),
              "key_invalid");
    const std::string late = world.must("POST", "/v1/events/stream_tokens").at("token");
    world.advance_clock(61);
    EXPECT_EQ(world.call("GET", "/v1/events/stream?access_token=" + late, {}, {{"Authorization", ""}}).code(),
              "key_invalid");
    EXPECT_EQ(world.get("/v1/events/stream?last_event_id=x").code(), "invalid");
}

TEST_F(Behaviour, OverviewAddsUp) {
    world.call("POST", "/v1/payments", person_payment("250"));
    world.call("POST", "/v1/payments", person_payment("999999999"));
    world.settle();
    const Answer overview = world.get("/v1/overview");
    EXPECT_EQ(overview.at("payments[2].state"), "captured") << overview.body;
    EXPECT_EQ(overview.at("payments[2].count"), "2");
    EXPECT_EQ(overview.at("payments[2].amounts[0].amount"), "750");
    EXPECT_EQ(overview.at("payments[4].count"), "1");
    EXPECT_EQ(overview.at("captured[0].amount"), "750");
    EXPECT_NE(overview.body.find(R"("devices":[])"), std::string::npos) << "the machine has not enrolled yet";
}

TEST_F(Behaviour, DevicesWebhooksKeysAndSandbox) {
    EXPECT_EQ(world.must("POST", "/v1/devices/" + world.machine + "/enrolment_code").at("enrolment_code").size(), 11u);
    EXPECT_EQ(world.call("POST", "/v1/devices/" + world.machine + "/suspend").code(), "device_state");
    EXPECT_EQ(world.must("POST", "/v1/devices/" + world.machine + "/retire").at("state"), "retired");
    EXPECT_EQ(world.get("/v1/devices?state=retired").at("data[0].id"), world.machine);

    const std::string hook = "/v1/webhook_endpoints/" + world.endpoint;
    EXPECT_EQ(world.must("PATCH", hook, R"({"enabled":false})").at("enabled"), "false");
    EXPECT_TRUE(world.must("POST", hook + "/rotate_secret", R"({"overlap_s":60})").at("secret").starts_with("whsec_"));
    EXPECT_EQ(world.get(hook).at("secret"), "");
    EXPECT_EQ(world.get(hook + "/deliveries").at("data"), "[]");
    EXPECT_EQ(world.must("DELETE", hook).at("deleted"), "true");
    EXPECT_EQ(world.call("DELETE", hook).code(), "webhook_endpoint_not_found");

    EXPECT_EQ(world.must("DELETE", "/v1/api_keys/" + world.spare_key).at("revoked"), "true");
    EXPECT_EQ(world.call("POST", "/v1/api_keys", R"({"name":"x","scopes":["*"]})", World::as(world.read_key)).code(),
              "scope_missing");

    const std::string fault = "/v1/sandbox/devices/" + world.machine + "/faults";
    EXPECT_EQ(world.must("POST", fault, R"({"fault":"fail_drop"})").at("fault"), "fail_drop");
    EXPECT_EQ(world.get("/v1/sandbox/devices").at("data[0].fault"), "fail_drop");
    EXPECT_FALSE(world.must("POST", "/v1/test_clock/advance", R"({"seconds":86400})").at("now").empty());
}

TEST(WithoutSandbox, SandboxRoutesAreNotThere) {
    WorldOptions options;
    options.sandbox = false;
    World world(options);
    const std::string group = world.must("POST", "/v1/groups", R"({"kind":"home","name":"H"})").at("id");
    const std::string wallet =
        world.must("POST", "/v1/groups/" + group + "/wallets", R"({"name":"W","asset":"CNY"})").at("id");
    EXPECT_EQ(world.call("POST", "/v1/wallets/" + wallet + "/deposits", R"({"amount":"1","asset":"CNY"})").code(),
              "sandbox_only");
    EXPECT_EQ(world.call("POST", "/v1/test_clock/advance", R"({"seconds":1})").code(), "sandbox_only");
    EXPECT_EQ(world.get("/v1/sandbox/devices").code(), "sandbox_only");
}

}  // namespace
}  // namespace jiaozi::http::test
