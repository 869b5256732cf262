// How many messages a second one connection carries, through a real Mosquitto on loopback. A child process stands for
// the devices: it publishes to the server's subscription and reads what the server publishes, as fast as asked.
//
//   mqtt_bench IN_PER_S OUT_PER_S SECONDS
//
// Prints what arrived, what was sent and the processor time that the server's side used.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jiaozi/mqtt/broker.hpp>
#include <jiaozi/mqtt/client.hpp>

namespace {

namespace asio = boost::asio;
using namespace jiaozi;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t envelope_bytes = 150;  // a delivery report in its Mac0 envelope

// Publishes at a steady rate, in slices of a few milliseconds.
class Sender {
  public:
    Sender(asio::io_context& io, mqtt::Client& client, std::string topic, long per_second)
        : timer_(io), client_(client), topic_(std::move(topic)), per_second_(per_second), payload_(envelope_bytes, 1) {}
    void start() {
        begin_ = SteadyClock::now();
        sent_ = 0;
        tick();
    }
    void stop() { timer_.cancel(); }
    long sent() const { return sent_; }

  private:
    void tick() {
        const auto elapsed = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - begin_).count();
        for (const long due = elapsed * per_second_ / 1'000'000; sent_ < due; ++sent_)
            client_.publish(topic_, payload_);
        timer_.expires_after(std::chrono::milliseconds(2));
        timer_.async_wait([this](const boost::system::error_code& failure) {
            if (!failure) tick();
        });
    }
    asio::steady_timer timer_;
    mqtt::Client& client_;
    std::string topic_;
    long per_second_;
    Bytes payload_;
    SteadyClock::time_point begin_;
    long sent_ = 0;
};

mqtt::ClientOptions options(const mqtt::BrokerAddress& address) {
    mqtt::ClientOptions result;
    result.broker = address;
    return result;
}

void run_until(asio::io_context& io, const std::function<bool()>& reached) {
    while (!reached()) {
        io.restart();
        io.run_one_for(std::chrono::milliseconds(5));
    }
}

[[noreturn]] void be_devices(const mqtt::BrokerAddress& address, long per_second) {
    asio::io_context io;
    const pid_t parent = getppid();
    mqtt::Client client(io, options(address), {});
    client.subscribe("jz/1/down");
    client.start();
    Sender sender(io, client, "jz/1/up", per_second);
    run_until(io, [&] { return client.connected(); });
    sender.start();
    run_until(io, [&] { return getppid() != parent; });
    std::_Exit(0);
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int count, char** arguments) {
    const long in_per_s = count > 1 ? std::atol(arguments[1]) : 15'000;
    const long out_per_s = count > 2 ? std::atol(arguments[2]) : 10'000;
    const int duration_s = count > 3 ? std::atoi(arguments[3]) : 5;
    const auto folder = std::filesystem::temp_directory_path() / ("jiaozi-mqtt-bench-" + std::to_string(getpid()));
    asio::io_context io;
    auto broker = mqtt::Broker::start(io, {.directory = folder, .port = 0, .executable = {}});
    if (!broker.ok()) {
        std::fprintf(stderr, "%s\n", broker.error().to_string().c_str());
        return 1;
    }
    const mqtt::BrokerAddress address = (*broker)->address();
    const pid_t devices = fork();
    if (devices == 0) be_devices(address, in_per_s);
    mqtt::Client client(io, options(address), {});
    client.subscribe("jz/1/up");
    client.start();
    Sender sender(io, client, "jz/1/down", out_per_s);
    run_until(io, [&] { return client.connected() && (in_per_s == 0 || client.counters().received > 0); });
    sender.start();
    const auto begin = SteadyClock::now();
    const double cpu_begin = cpu_seconds();
    const std::uint64_t received_begin = client.counters().received, published_begin = client.counters().published;
    run_until(io, [&] { return SteadyClock::now() - begin > std::chrono::seconds(duration_s); });
    const double elapsed = std::chrono::duration<double>(SteadyClock::now() - begin).count();
    std::printf("in %.0f/s (asked %ld)  out %.0f/s (asked %ld)  server side's processor: %.0f %%\n",
                static_cast<double>(client.counters().received - received_begin) / elapsed, in_per_s,
                static_cast<double>(client.counters().published - published_begin) / elapsed, out_per_s,
                100 * (cpu_seconds() - cpu_begin) / elapsed);
    sender.stop();
    client.stop();
    kill(devices, SIGKILL);
    waitpid(devices, nullptr, 0);
    (*broker)->stop();
    std::filesystem::remove_all(folder);
    return 0;
}
