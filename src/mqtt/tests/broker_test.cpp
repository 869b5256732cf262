// What devices can and cannot do at the broker, shown with clients that we did not write; and that it comes back.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "broker_fixture.hpp"

namespace jiaozi::mqtt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(BrokerTest, ADevicesMessagesReachTheServerAndTheServersTheDevice) {
    const BrokerAddress a = enrol(device(1), "password of a");
    TestClient server(io, broker->address());
    server.client.subscribe(std::string(protocol::all_up_topics));
    server.client.start();
    ASSERT_TRUE(run_until([&] { return server.connected == 1; }));

    ASSERT_EQ(
        Program(tool("mosquitto_pub", a, protocol::up_topic(device(1)), {"-m", "hello", "-q", "1"}), folder / "pub.out")
            .wait(),
        0);
    ASSERT_TRUE(run_until([&] { return server.messages.size() == 1; }));
    EXPECT_THAT(server.messages, ElementsAre(protocol::up_topic(device(1)) + "=hello"));

    Program listener(tool("mosquitto_sub", a, protocol::down_topic(device(1)), {"-C", "1", "-W", "20"}),
                     folder / "sub.out");
    // Until it has subscribed, messages pass it by.
    ASSERT_TRUE(run_until([&] {
        server.client.publish(protocol::down_topic(device(1)), as_bytes("welcome"));
        return listener.output().find("welcome") != std::string::npos || listener.has_ended();
    }));
    EXPECT_EQ(listener.wait(), 0);
    EXPECT_THAT(listener.output(), HasSubstr("welcome"));
}

TEST_F(BrokerTest, ADeviceCannotReadAnothersTopicsOrAnyButItsOwnDown) {
    const BrokerAddress a = enrol(device(1), "password of a");
    const BrokerAddress b = enrol(device(2), "password of b");
    TestClient spy(io, a);
    for (const std::string& topic :
         {protocol::down_topic(device(2)), protocol::up_topic(device(2)), protocol::up_topic(device(1)),
          std::string("jz/1/d/+/down"), std::string("jz/1/#"), std::string("#"), std::string("$SYS/#")}) {
        spy.client.subscribe(topic);
    }
    TestClient owner(io, b);
    owner.client.subscribe(protocol::down_topic(device(2)));
    TestClient server(io, broker->address());
    for (TestClient* each : {&spy, &owner, &server}) each->client.start();
    ASSERT_TRUE(run_until([&] { return spy.connected && owner.connected && server.connected; }));

    ASSERT_TRUE(server.client.publish(protocol::down_topic(device(2)), as_bytes("for b alone"), 1));
    ASSERT_TRUE(owner.client.publish(protocol::up_topic(device(2)), as_bytes("from b"), 1));
    ASSERT_TRUE(run_until([&] { return owner.messages.size() == 1; })) << "the owner does receive it";
    run_for(std::chrono::milliseconds(300));
    EXPECT_THAT(spy.messages, ElementsAre());
}

TEST_F(BrokerTest, ADeviceCannotWriteAnothersTopicsOrItsOwnDown) {
    const BrokerAddress a = enrol(device(1), "password of a");
    const BrokerAddress b = enrol(device(2), "password of b");
    TestClient server(io, broker->address());
    server.client.subscribe("jz/1/#");
    TestClient victim(io, b);
    victim.client.subscribe(protocol::down_topic(device(2)));
    for (TestClient* each : {&server, &victim}) each->client.start();
    ASSERT_TRUE(run_until([&] { return server.connected && victim.connected; }));

    for (const std::string& topic : {protocol::up_topic(device(2)), protocol::down_topic(device(2)),
                                     protocol::down_topic(device(1)), std::string("jz/1/x")}) {
        Program(tool("mosquitto_pub", a, topic, {"-m", "forged", "-q", "1"}), folder / "pub.out").wait();
    }
    // A retained message would be handed to whoever subscribes later; none is kept.
    Program(tool("mosquitto_pub", a, protocol::up_topic(device(1)), {"-m", "kept", "-r", "-q", "1"}),
            folder / "pub.out")
        .wait();
    Program(tool("mosquitto_pub", a, protocol::up_topic(device(1)), {"-m", "mine", "-q", "1"}), folder / "pub.out")
        .wait();
    ASSERT_TRUE(run_until([&] { return !server.messages.empty() && server.messages.back().ends_with("=mine"); }));
    for (const std::string& message : server.messages) EXPECT_THAT(message, testing::Not(HasSubstr("forged")));
    EXPECT_THAT(victim.messages, ElementsAre());
}

TEST_F(BrokerTest, NobodyComesInWithoutThePassword) {
    const BrokerAddress a = enrol(device(1), "right");
    EXPECT_FALSE(can_log_in(address_of(device(1), "wrong")));
    EXPECT_FALSE(can_log_in(address_of(device(1), "")));
    EXPECT_FALSE(can_log_in(address_of(device(2), "right"))) << "never enrolled";
    EXPECT_NE(Program({"mosquitto_pub", "-h", a.host, "-p", std::to_string(a.port), "-t", "x", "-m", "x"},
                      folder / "anonymous.out")
                  .wait(),
              0);
    BrokerAddress server = broker->address();
    server.password = "guess";
    EXPECT_FALSE(can_log_in(server));

    TestClient refused(io, address_of(device(1), "wrong"));
    refused.client.start();
    ASSERT_TRUE(run_until([&] { return refused.reasons.size() >= 2; }))
        << "it keeps trying, since it may be enrolled later";
    EXPECT_THAT(refused.reasons.front(), HasSubstr("not authorised"));
    EXPECT_EQ(refused.connected, 0);
}

TEST_F(BrokerTest, AddingADeviceDisturbsNobodyAndARemovedOneIsPutOut) {
    TestClient first(io, enrol(device(1), "one"));
    first.client.start();
    ASSERT_TRUE(run_until([&] { return first.connected == 1; }));
    for (std::uint64_t number = 2; number <= 50; ++number) broker->put(device(number), "p" + std::to_string(number));
    ASSERT_TRUE(run_until([&] { return can_log_in(address_of(device(50), "p50")); }));
    EXPECT_TRUE(can_log_in(address_of(device(2), "p2")));
    EXPECT_TRUE(first.client.connected());
    EXPECT_THAT(first.reasons, ElementsAre());

    broker->put(device(2), "new password");
    ASSERT_TRUE(run_until([&] { return can_log_in(address_of(device(2), "new password")); }));
    EXPECT_FALSE(can_log_in(address_of(device(2), "p2")));

    broker->remove(device(1));
    ASSERT_TRUE(run_until([&] { return !first.reasons.empty(); })) << "its open connection ends";
    EXPECT_FALSE(can_log_in(address_of(device(1), "one")));
}

TEST_F(BrokerTest, AKilledBrokerComesBackAndMessagesFlowAgain) {
    const BrokerAddress a = enrol(device(1), "one");
    TestClient server(io, broker->address());
    server.client.subscribe(std::string(protocol::all_up_topics));
    TestClient sender(io, a, Version::v5);
    for (TestClient* each : {&server, &sender}) each->client.start();
    ASSERT_TRUE(run_until([&] { return server.connected == 1 && sender.connected == 1; }));

    for (int round = 1; round <= 3; ++round) {
        const pid_t old = broker->pid();
        ASSERT_EQ(kill(old, SIGKILL), 0);
        ASSERT_TRUE(run_until([&] { return broker->pid() != 0 && broker->pid() != old; })) << "started again";
        ASSERT_TRUE(run_until([&] { return server.connected == 1 + round && sender.connected == 1 + round; }))
            << "and found again";
        const std::string text = "after kill " + std::to_string(round);
        ASSERT_TRUE(sender.client.publish(protocol::up_topic(device(1)), as_bytes(text)));
        ASSERT_TRUE(run_until([&] { return !server.messages.empty() && server.messages.back().ends_with(text); }));
    }
    EXPECT_EQ(broker->restarts(), 3U);
}

TEST_F(BrokerTest, DevicesKeepTheirPasswordsAcrossARestartOfTheProgramAndTheServerGetsANewOne) {
    const BrokerAddress a = enrol(device(1), "one");
    const std::string server_password = broker->address().password;
    const pid_t old = broker->pid();
    broker.reset();
    EXPECT_NE(kill(old, 0), 0) << "the broker goes with its supervisor";
    start_broker(a.port);
    EXPECT_TRUE(can_log_in(a));
    EXPECT_NE(broker->address().password, server_password);

    struct stat file{};
    ASSERT_EQ(stat((folder / "broker" / "device-passwords").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600U);
    std::ifstream in(folder / "broker" / "device-passwords");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_THAT(text, testing::Not(HasSubstr("jiaozi-server")));
}

TEST_F(BrokerTest, AResetPutsRightWhatAKillLeftBetweenTheRecordsAndThePasswordFile) {
    const BrokerAddress kept = enrol(device(1), "one");
    const BrokerAddress revoked = enrol(device(2), "two");
    const BrokerAddress enrolled_anew = enrol(device(3), "three");
    TestClient connected(io, kept);
    connected.client.start();
    ASSERT_TRUE(run_until([&] { return connected.connected == 1; }));

    const api::BrokerAccount accounts[] = {{device(1), "one"}, {device(3), "three anew"}, {device(4), "four"}};
    broker->reset(accounts);
    ASSERT_TRUE(run_until([&] { return can_log_in(address_of(device(4), "four")); }));
    EXPECT_TRUE(can_log_in(kept));
    EXPECT_FALSE(can_log_in(revoked));
    EXPECT_FALSE(can_log_in(enrolled_anew));
    EXPECT_TRUE(can_log_in(address_of(device(3), "three anew")));
    EXPECT_TRUE(can_log_in(broker->address())) << "the server's own account stays";
    EXPECT_THAT(connected.reasons, ElementsAre()) << "who did not change is not disturbed";
}

TEST_F(BrokerTest, TheFolderOfAProgramThatWasKilledIsRemovedByTheNextOne) {
    if (::geteuid() != 0) GTEST_SKIP() << "only a broker started by root has a folder of its own";
    const auto note = [this](const std::string& path) {
        broker.reset();
        std::ofstream(folder / "broker" / "runtime-folder") << path;
        start_broker();
    };
    const auto left_behind = std::filesystem::temp_directory_path() / "jiaozi-broker-killed";
    std::filesystem::create_directory(left_behind);
    std::ofstream(left_behind / "passwords") << "hashes";
    note(left_behind.string());
    EXPECT_FALSE(std::filesystem::exists(left_behind));

    const auto foreign = folder / "somebody-elses";
    std::filesystem::create_directory(foreign);
    note(foreign.string());
    EXPECT_TRUE(std::filesystem::exists(foreign)) << "only what we named is removed";
}

TEST_F(BrokerTest, APortThatIsTakenOrAProgramThatCannotRunIsToldAtOnce) {
    const auto taken =
        Broker::start(io, {.directory = folder / "second", .port = broker->address().port, .executable = {}});
    ASSERT_FALSE(taken.ok());
    EXPECT_THAT(taken.error().message(), HasSubstr("is taken"));
    const auto missing =
        Broker::start(io, {.directory = folder / "third", .port = 0, .executable = "/nonexistent/mosquitto"});
    EXPECT_EQ(missing.error().kind(), ErrorKind::unavailable);
    const auto broken = Broker::start(io, {.directory = folder / "fourth", .port = 0, .executable = "/bin/false"});
    ASSERT_FALSE(broken.ok());
    EXPECT_THAT(broken.error().message(), HasSubstr("exited with code 1"));
}

}  // namespace
}  // namespace jiaozi::mqtt
