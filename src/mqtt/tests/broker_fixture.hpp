// A real Mosquitto under our supervisor, our client, and Debian's mosquitto_pub and mosquitto_sub.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jiaozi/mqtt/broker.hpp>
#include <jiaozi/mqtt/client.hpp>
#include <jiaozi/protocol/topics.hpp>

extern char** environ;

namespace jiaozi::mqtt {

// A child process whose output goes to a file; killed by its destructor.
class Program {
  public:
    Program(std::vector<std::string> arguments, const std::filesystem::path& output) : output_(output) {
        std::vector<char*> raw;
        for (std::string& argument : arguments) raw.push_back(argument.data());
        raw.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
        if (posix_spawnp(&pid_, raw[0], &actions, nullptr, raw.data(), environ) != 0) pid_ = 0;
        posix_spawn_file_actions_destroy(&actions);
    }
    ~Program() {
        if (pid_ != 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    bool has_ended() const {
        siginfo_t info{};
        return pid_ == 0 ||
               (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_);
    }
    int wait() {
        int status = -1;
        if (pid_ != 0) waitpid(pid_, &status, 0);
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::string output() const {
        std::ifstream in(output_);
        return {std::istreambuf_iterator<char>(in), {}};
    }

  private:
    pid_t pid_ = 0;
    std::filesystem::path output_;
};

class BrokerTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "jiaozi-mqtt-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
        start_broker();
    }
    void TearDown() override {
        broker.reset();
        std::filesystem::remove_all(folder);
    }
    void start_broker(std::uint16_t port = 0) {
        auto started = Broker::start(io, {.directory = folder / "broker", .port = port, .executable = {}});
        ASSERT_TRUE(started.ok()) << started.error().to_string();
        broker = std::move(started).value();
    }

    bool run_until(const std::function<bool()>& reached, std::chrono::seconds patience = std::chrono::seconds(20)) {
        const auto give_up = std::chrono::steady_clock::now() + patience;
        while (!reached()) {
            if (std::chrono::steady_clock::now() > give_up) return false;
            io.restart();
            io.run_one_for(std::chrono::milliseconds(10));
        }
        return true;
    }
    // Long enough for a message that is not stopped to arrive many times over.
    void run_for(std::chrono::milliseconds time) {
        const auto end = std::chrono::steady_clock::now() + time;
        run_until([&] { return std::chrono::steady_clock::now() > end; });
    }

    BrokerAddress address_of(DeviceId device, std::string password) const {
        BrokerAddress address = broker->address();
        address.user = device.to_string();
        address.password = std::move(password);
        return address;
    }
    std::vector<std::string> tool(const char* name, const BrokerAddress& as, const std::string& topic,
                                  std::vector<std::string> more) const {
        std::vector<std::string> all{name, "-h",        as.host, "-p", std::to_string(as.port), "-u", as.user,
                                     "-P", as.password, "-t",    topic};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    // Enrols, and waits until the broker lets the device in.
    BrokerAddress enrol(DeviceId device, const std::string& password) {
        broker->put(device, password);
        const BrokerAddress address = address_of(device, password);
        EXPECT_TRUE(run_until([&] { return can_log_in(address); }));
        return address;
    }
    bool can_log_in(const BrokerAddress& as) {
        Program publisher(tool("mosquitto_pub", as, "nowhere", {"-m", "x"}), folder / "login.out");
        return publisher.wait() == 0;
    }

    static DeviceId device(std::uint64_t number) { return DeviceId(make_uint128(1, number)); }

    std::filesystem::path folder;
    boost::asio::io_context io;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy = boost::asio::make_work_guard(io);
    std::unique_ptr<Broker> broker;
};

// A client of ours and what happened to it.
struct TestClient {
    TestClient(boost::asio::io_context& io, BrokerAddress address, Version version = Version::v311)
        : client(io,
                 {.broker = std::move(address),
                  .client_id = {},
                  .version = version,
                  .reconnect_min = milliseconds(20),
                  .reconnect_max = milliseconds(100)},
                 {.message =
                      [this](std::string_view topic, ByteView payload) {
                          messages.push_back(std::string(topic) + "=" + std::string(as_text(payload)));
                      },
                  .connected = [this] { ++connected; },
                  .disconnected = [this](const std::string& why) { reasons.push_back(why); },
                  .subscription_refused = [this](const std::string& filter) { refused.push_back(filter); }}) {}
    std::vector<std::string> messages, reasons, refused;
    int connected = 0;
    Client client;
};

}  // namespace jiaozi::mqtt
