// The sender against a real receiver on loopback.
#include <atomic>
#include <set>

#include <gtest/gtest.h>

#include <jiaozi/webhooks/endpoints.hpp>
#include <jiaozi/webhooks/sender.hpp>
#include <jiaozi/webhooks/signature.hpp>

#include "receiver.hpp"
#include "store_fixture.hpp"

namespace jiaozi::webhooks {
namespace {

using test::answer;
using test::Received;
using test::Receiver;

TEST(Schedule, TenSecondsAMinuteTenMinutesThenHourlyForThreeDays) {
    const Timestamp created = timestamp_s(1'700'000'000);
    const std::int64_t delays[] = {10, 60, 600, 600, 600, 600, 600, 600, 3600, 3600};
    Timestamp now = created;
    for (std::uint32_t i = 0; i < std::size(delays); ++i) {
        const auto next = next_attempt(i + 1, created, now);
        ASSERT_TRUE(next.has_value());
        EXPECT_EQ((*next - now).s(), delays[i]) << "after attempt " << i + 1;
        now = *next;
    }
    EXPECT_TRUE(next_attempt(50, created, created + seconds(3 * 86'400 - 3600)).has_value());
    EXPECT_FALSE(next_attempt(50, created, created + seconds(3 * 86'400 - 3599)).has_value());
}

class SenderTest : public test::StoreTest {
  protected:
    EndpointWithSecret register_endpoint(const std::string& url, std::vector<std::string> events = {"*"}) {
        WebhookEndpoint wanted;
        wanted.id = crypto::new_id<EndpointId>(clock_);
        wanted.url = url;
        wanted.events = std::move(events);
        auto made = endpoints_.create(wanted);
        EXPECT_TRUE(made.ok());
        return *made;
    }
    void start(bool allow_private = true) {
        SenderOptions options;
        options.allow_private = allow_private;
        auto started = Sender::start(*store_, clock_, options);
        ASSERT_TRUE(started.ok()) << started.error().to_string();
        sender_ = std::move(*started);
        endpoints_.on_change([this] { sender_->wake(); });
    }
    std::vector<WebhookDelivery> deliveries(EndpointId endpoint) {
        registry::DeliveryFilter filter;
        filter.endpoint = endpoint;
        return registry::list_webhook_deliveries(*session_, filter,
                                                 {.limit = 100, .starting_after = {}, .ending_before = {}})
            ->data;
    }
    // Waits until the endpoint's deliveries look right; false after ten seconds.
    template <class Predicate>
    bool wait_until(EndpointId endpoint, Predicate predicate) {
        for (int i = 0; i < 1000; ++i) {
            if (predicate(deliveries(endpoint))) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    }

    Endpoints endpoints_{*session_, clock_};
    std::unique_ptr<Sender> sender_;
};

TEST_F(SenderTest, DeliversSignedEventsThatAreWanted) {
    Receiver receiver([](const Received&) { return answer(200, "thanks"); });
    const auto made = register_endpoint(receiver.url(), {"payment.*"});
    start();
    add_event("device.suspended");
    const Event event = add_event("payment.captured");
    sender_->stored_up_to(2);
    ASSERT_TRUE(receiver.wait_for(1));
    const Received got = receiver.at(0);
    EXPECT_NE(got.body.find(event.id.to_string()), std::string::npos);
    EXPECT_NE(got.body.find(R"("data":{"object":"payment","amount":"350"})"), std::string::npos);
    EXPECT_EQ(got.header("Content-Type"), "application/json");
    EXPECT_TRUE(verify_signature(got.header("Jiaozi-Signature"), made.secret, got.body, clock_.now()).ok());
    ASSERT_TRUE(wait_until(made.endpoint.id, [](const auto& all) { return all.size() == 1 && all[0].done; }));
    const WebhookDelivery kept = deliveries(made.endpoint.id)[0];
    EXPECT_EQ(kept.status, 200);
    EXPECT_EQ(kept.response, "thanks");
    EXPECT_EQ(kept.attempt, 1u);
    EXPECT_EQ(receiver.count(), 1u);
}

TEST_F(SenderTest, EventsBeforeTheEndpointAreNotSent) {
    Receiver receiver([](const Received&) { return answer(204); });
    add_event("payment.captured");
    clock_.advance(seconds(1));
    register_endpoint(receiver.url());
    const Event later = add_event("payment.voided");
    start();
    ASSERT_TRUE(receiver.wait_for(1));
    EXPECT_NE(receiver.at(0).body.find(later.id.to_string()), std::string::npos);
    EXPECT_EQ(receiver.count(), 1u);
}

TEST_F(SenderTest, FailuresAreRetriedOnScheduleAndRedirectsAreNotFollowed) {
    std::atomic<int> requests = 0;
    Receiver receiver([&](const Received&) -> std::string {
        switch (++requests) {
            case 1:
                return answer(500, std::string(2000, 'x'));
            case 2:
                return "HTTP/1.1 302 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
            default:
                return answer(200);
        }
    });
    const auto made = register_endpoint(receiver.url());
    const EndpointId id = made.endpoint.id;
    start();
    add_event("payment.captured");
    sender_->stored_up_to(1);
    ASSERT_TRUE(wait_until(id, [](const auto& all) { return all.size() == 1 && all[0].attempt == 1; }));
    EXPECT_EQ(deliveries(id)[0].status, 500);
    EXPECT_EQ(deliveries(id)[0].response.size(), 512u);
    EXPECT_EQ((deliveries(id)[0].next_attempt - clock_.now()).s(), 10);
    clock_.advance(seconds(10));
    sender_->wake();
    ASSERT_TRUE(wait_until(id, [](const auto& all) { return all[0].attempt == 2; }));
    EXPECT_EQ(deliveries(id)[0].status, 302);
    EXPECT_EQ((deliveries(id)[0].next_attempt - clock_.now()).s(), 60);
    clock_.advance(seconds(60));
    sender_->wake();
    ASSERT_TRUE(wait_until(id, [](const auto& all) { return all[0].done; }));
    EXPECT_EQ(receiver.count(), 3u);
    EXPECT_EQ(receiver.at(2).path, "/hook");
    EXPECT_EQ(receiver.at(2).body, receiver.at(0).body);
}

TEST_F(SenderTest, AFailingEndpointDoesNotStopAnother) {
    Receiver silent([&](const Received&) -> std::string {
        silent.hang();
        return answer(200);
    });
    Receiver well([](const Received&) { return answer(200); });
    register_endpoint(silent.url());
    const auto good = register_endpoint(well.url());
    start();
    for (int i = 0; i < 60; ++i) add_event("payment.captured");
    sender_->stored_up_to(60);
    ASSERT_TRUE(well.wait_for(60));
    std::set<std::string> bodies;
    for (std::size_t i = 0; i < 60; ++i) bodies.insert(well.at(i).body);
    EXPECT_EQ(bodies.size(), 60u);
    sender_.reset();
}

TEST_F(SenderTest, RestartSendsWhatWasLeft) {
    Receiver receiver([](const Received&) { return answer(200); });
    const auto made = register_endpoint("http://127.0.0.1:1/closed");
    const EndpointId id = made.endpoint.id;
    start();
    add_event("payment.captured");
    sender_->stored_up_to(1);
    ASSERT_TRUE(wait_until(id, [](const auto& all) { return all.size() == 1 && all[0].attempt == 1; }));
    EXPECT_EQ(deliveries(id)[0].status, -1);
    EXPECT_FALSE(deliveries(id)[0].response.empty());
    sender_.reset();
    endpoints_.on_change({});
    add_event("payment.voided");  // while nobody was looking
    ASSERT_TRUE(endpoints_.change(id, {.url = receiver.url(), .events = {}, .enabled = {}}).ok());
    clock_.advance(seconds(10));
    start();
    ASSERT_TRUE(receiver.wait_for(2));
    EXPECT_TRUE(wait_until(id, [](const auto& all) { return all.size() == 2 && all[0].done && all[1].done; }));
}

TEST_F(SenderTest, RedeliverByHand) {
    Receiver receiver([](const Received&) { return answer(200); });
    const auto made = register_endpoint(receiver.url());
    const EndpointId id = made.endpoint.id;
    start();
    add_event("payment.captured");
    sender_->stored_up_to(1);
    ASSERT_TRUE(wait_until(id, [](const auto& all) { return all.size() == 1 && all[0].done; }));
    ASSERT_TRUE(endpoints_.redeliver(deliveries(id)[0].id).ok());
    ASSERT_TRUE(wait_until(id, [](const auto& all) { return all[0].done && all[0].attempt == 2; }));
    EXPECT_EQ(receiver.count(), 2u);
    EXPECT_EQ(endpoints_.redeliver(DeliveryId(make_uint128(1, 9))).error().code(), "webhook_delivery_not_found");
}

TEST_F(SenderTest, DisabledEndpointsWaitAndGivenUpIsDone) {
    Receiver receiver([](const Received&) { return answer(503); });
    const auto made = register_endpoint(receiver.url());
    const EndpointId id = made.endpoint.id;
    start();
    add_event("payment.captured");
    sender_->stored_up_to(1);
    ASSERT_TRUE(wait_until(id, [](const auto& all) { return all.size() == 1 && all[0].attempt == 1; }));
    clock_.advance(seconds(3 * 86'400));
    sender_->wake();
    ASSERT_TRUE(wait_until(id, [](const auto& all) { return all[0].attempt == 2; }));
    EXPECT_TRUE(deliveries(id)[0].done);
    EXPECT_EQ(sender_->counters().given_up, 1u);
}

TEST_F(SenderTest, PrivateAddressesAreRefusedUnlessAllowed) {
    Receiver receiver([](const Received&) { return answer(200); });
    const auto made = register_endpoint(receiver.url());
    start(false);
    add_event("payment.captured");
    sender_->stored_up_to(1);
    ASSERT_TRUE(wait_until(made.endpoint.id, [](const auto& all) { return all.size() == 1 && all[0].attempt == 1; }));
    EXPECT_EQ(deliveries(made.endpoint.id)[0].status, -1);
    EXPECT_EQ(receiver.count(), 0u);
}

}  // namespace
}  // namespace jiaozi::webhooks
