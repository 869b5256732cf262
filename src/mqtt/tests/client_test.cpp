// The client against a real broker: both protocol versions, TLS, bursts, bad moments to stop.
#include <gmock/gmock.h>

#include <jiaozi/mqtt/carrier.hpp>

#include "broker_fixture.hpp"

namespace jiaozi::mqtt {
namespace {

using testing::ElementsAre;

class ClientTest : public BrokerTest {};

TEST_F(ClientTest, ABurstArrivesCompleteAndInOrder) {
    struct Row {
        const char* name;
        Version version;
        int qos;
    };
    for (const Row& row : {Row{"3.1.1, QoS 0", Version::v311, 0},
                           {"3.1.1, QoS 1", Version::v311, 1},
                           {"5, QoS 0", Version::v5, 0},
                           {"5, QoS 1", Version::v5, 1}}) {
        SCOPED_TRACE(row.name);
        TestClient receiver(io, broker->address(), row.version);
        receiver.client.subscribe("jz/1/burst", row.qos);
        TestClient sender(io, broker->address(), row.version);
        receiver.client.start();
        sender.client.start();
        ASSERT_TRUE(run_until([&] { return receiver.connected && sender.connected; }));
        constexpr int count = 5000;
        for (int i = 0; i < count; ++i)
            ASSERT_TRUE(sender.client.publish("jz/1/burst", as_bytes(std::to_string(i)), row.qos));
        ASSERT_TRUE(run_until([&] { return receiver.messages.size() >= count; }))
            << receiver.messages.size() << " arrived";
        for (int i = 0; i < count; ++i)
            ASSERT_EQ(receiver.messages[static_cast<std::size_t>(i)], "jz/1/burst=" + std::to_string(i));
        EXPECT_EQ(receiver.client.counters().received, static_cast<std::uint64_t>(count));
    }
}

TEST_F(ClientTest, LargeAndEmptyAndBinaryPayloadsPass) {
    Bytes all;
    for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::uint8_t>(i));
    std::vector<Bytes> seen;
    Client receiver(io, {.broker = broker->address(), .client_id = {}},
                    {.message = [&](std::string_view, ByteView payload) { seen.push_back(to_bytes(payload)); },
                     .connected = {},
                     .disconnected = {},
                     .subscription_refused = {}});
    receiver.subscribe("jz/1/x");
    receiver.start();
    ASSERT_TRUE(run_until([&] { return receiver.connected(); }));
    const Bytes large(60'000, 7);
    ASSERT_TRUE(receiver.publish("jz/1/x", {}));
    ASSERT_TRUE(receiver.publish("jz/1/x", all));
    ASSERT_TRUE(receiver.publish("jz/1/x", large));
    ASSERT_TRUE(run_until([&] { return seen.size() == 3; }));
    EXPECT_THAT(seen, ElementsAre(Bytes{}, all, large));
}

TEST_F(ClientTest, PublishingIsRefusedWhileThereIsNoConnectionAndWhenTheBacklogIsFull) {
    Client client(io, {.broker = broker->address(), .client_id = {}, .backlog_max = 10}, {});
    EXPECT_FALSE(client.publish("jz/1/x", {}));
    client.start();
    EXPECT_FALSE(client.publish("jz/1/x", {}));
    ASSERT_TRUE(run_until([&] { return client.connected(); }));
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(client.publish("jz/1/x", {}));
    EXPECT_FALSE(client.publish("jz/1/x", {}));
    ASSERT_TRUE(run_until([&] { return client.counters().published == 10; }));
    EXPECT_EQ(client.counters().refused, 3U);
}

TEST_F(ClientTest, ItMayBeStoppedFromAnyOfItsCallbacksAndStartedAgain) {
    TestClient sender(io, broker->address());
    sender.client.start();
    ASSERT_TRUE(run_until([&] { return sender.connected == 1; }));

    std::unique_ptr<Client> client;
    int messages = 0, connects = 0;
    client = std::make_unique<Client>(io, ClientOptions{.broker = broker->address(), .client_id = {}},
                                      ClientHandlers{.message =
                                                         [&](std::string_view, ByteView) {
                                                             ++messages;
                                                             client->stop();
                                                         },
                                                     .connected = [&] { ++connects; },
                                                     .disconnected = {},
                                                     .subscription_refused = {}});
    client->subscribe("jz/1/x");
    client->start();
    ASSERT_TRUE(run_until([&] { return connects == 1; }));
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(sender.client.publish("jz/1/x", as_bytes("stop")));
    ASSERT_TRUE(run_until([&] { return messages == 1; }));
    run_for(std::chrono::milliseconds(100));
    EXPECT_EQ(messages, 1) << "no callback after stop()";
    EXPECT_FALSE(client->connected());
    client->start();
    ASSERT_TRUE(run_until([&] { return connects == 2; })) << "subscriptions are remembered";
    client.reset();
    run_for(std::chrono::milliseconds(50));
}

// Found by tests/chaos: what waited to be sent when the connection was lost had it lost, and made, a second time.
TEST_F(ClientTest, AConnectionIsLostOnceAlsoWhenSomethingWaitsToBeSent) {
    int lost = 0;
    std::unique_ptr<Client> client;
    const auto answer_a_dead_broker = [&](std::string_view, ByteView) {
        siginfo_t info{};
        const pid_t pid = broker->pid();
        ::kill(pid, SIGKILL);
        ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
        EXPECT_TRUE(client->publish("jz/1/x", as_bytes("answer")));
    };
    client = std::make_unique<Client>(
        io, ClientOptions{.broker = broker->address(), .client_id = {}, .reconnect_min = seconds(60)},
        ClientHandlers{.message = answer_a_dead_broker,
                       .connected = [&] { client->publish("jz/1/x", as_bytes("question")); },
                       .disconnected = [&](const std::string&) { ++lost; },
                       .subscription_refused = {}});
    client->subscribe("jz/1/x");
    client->start();
    ASSERT_TRUE(run_until([&] { return lost > 0; }));
    run_for(std::chrono::milliseconds(100));
    EXPECT_EQ(lost, 1);
}

TEST_F(ClientTest, ABrokerThatDoesNotAnswerIsGivenUpAndTriedAgain) {
    // Accepts connections into its backlog and says nothing.
    const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(silent, reinterpret_cast<const sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(silent, 16), 0);
    ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size), 0);
    std::vector<std::string> reasons;
    Client client(
        io,
        {.broker = {.host = "127.0.0.1", .port = ntohs(address.sin_port), .user = {}, .password = {}, .ca_file = {}},
         .client_id = {},
         .reconnect_min = milliseconds(10),
         .connect_patience = milliseconds(50)},
        {.message = {},
         .connected = {},
         .disconnected = [&](const std::string& why) { reasons.push_back(why); },
         .subscription_refused = {}});
    client.start();
    EXPECT_TRUE(run_until([&] { return reasons.size() >= 3; }));
    EXPECT_EQ(reasons.front(), "the broker did not answer in time");
    client.stop();
    ::close(silent);
    // Nobody listens there any more: refused, and tried again.
    reasons.clear();
    client.start();
    EXPECT_TRUE(run_until([&] { return reasons.size() >= 3; }));
    EXPECT_THAT(reasons.front(), testing::HasSubstr("refused"));
}

TEST_F(ClientTest, TlsIsCheckedAgainstTheAuthorityGiven) {
    const auto at = [&](const char* name) { return (folder / name).string(); };
    const auto openssl = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "openssl");
        return Program(std::move(arguments), folder / "openssl.out").wait();
    };
    for (const char* name : {"ours", "other"}) {
        ASSERT_EQ(openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                           at(name) + ".key", "-out", at(name) + ".pem", "-days", "2", "-subj", "/CN=127.0.0.1",
                           "-addext", "subjectAltName=IP:127.0.0.1"}),
                  0);
    }
    const std::uint16_t port = [] {
        const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), size), 0);
        EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
        ::close(socket);
        return ntohs(address.sin_port);
    }();
    {
        std::ofstream conf(at("tls.conf"));
        conf << "listener " << port << " 127.0.0.1\nallow_anonymous true\ncertfile " << at("ours.pem") << "\nkeyfile "
             << at("ours.key") << "\nuser root\n";
    }
    Program tls_broker({"/usr/sbin/mosquitto", "-c", at("tls.conf")}, folder / "tls.out");

    BrokerAddress trusted{
        .host = "127.0.0.1", .port = port, .user = {}, .password = {}, .tls = true, .ca_file = at("ours.pem")};
    TestClient good(io, trusted);
    good.client.subscribe("x");
    good.client.start();
    ASSERT_TRUE(run_until([&] { return good.connected == 1; }));
    const std::string large(100'000, 'y');
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(good.client.publish("x", as_bytes(large)));
    EXPECT_TRUE(run_until([&] { return good.messages.size() == 50; })) << "nothing stays behind in the TLS layer";

    trusted.ca_file = at("other.pem");
    TestClient bad(io, trusted);
    bad.client.start();
    ASSERT_TRUE(run_until([&] { return bad.reasons.size() >= 2; }));
    EXPECT_EQ(bad.connected, 0);
}

TEST_F(ClientTest, TheCarrierHandsOverWhatDevicesPublishAndPublishesToThem) {
    const BrokerAddress a = enrol(device(1), "one");
    std::vector<std::pair<DeviceId, std::string>> received;
    Carrier carrier(io, broker->address(),
                    [&](DeviceId topic, ByteView envelope) { received.emplace_back(topic, as_text(envelope)); });
    carrier.start();
    TestClient machine(io, a);
    machine.client.subscribe(protocol::down_topic(device(1)));
    machine.client.start();
    ASSERT_TRUE(run_until([&] { return carrier.connected() && machine.connected; }));
    ASSERT_TRUE(machine.client.publish(protocol::up_topic(device(1)), as_bytes("ping")));
    ASSERT_TRUE(run_until([&] { return received.size() == 1; }));
    EXPECT_EQ(received[0].first, device(1));
    EXPECT_EQ(received[0].second, "ping");
    carrier.send(device(1), as_bytes("pong"));
    ASSERT_TRUE(run_until([&] { return machine.messages.size() == 1; }));

    // The broker lets no device do this; the server's own user could.
    TestClient server(io, broker->address());
    server.client.start();
    ASSERT_TRUE(run_until([&] { return server.connected == 1; }));
    ASSERT_TRUE(server.client.publish("jz/1/d/dev_not-an-id/up", as_bytes("x")));
    ASSERT_TRUE(run_until([&] { return carrier.foreign_topics() == 1; }));
    EXPECT_EQ(received.size(), 1U);
}

}  // namespace
}  // namespace jiaozi::mqtt
