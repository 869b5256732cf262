// One device out in the world: the real client of the device protocol with its state on disk, a real MQTT connection, a
// motor with a drop sensor, and bad weather. Everything on the fleet's thread, but claim(), which comes before.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <jiaozi/device/client.hpp>
#include <jiaozi/mqtt/client.hpp>

#include "api.hpp"
#include "diary.hpp"
#include "plan.hpp"

namespace jiaozi::chaos {

// What goes wrong for a while. Each is ordered at random, and most are over within three seconds.
enum class Weather : std::uint8_t {
    calm,
    loss,        // some of all messages vanish, both ways
    duplicates,  // everything is sent twice
    reordering,  // everything is sent after the next
    storm,       // the three together
    silence,     // connected, hears nothing and says nothing
    no_signal,   // the connection is gone
    power_cut,   // everything in memory is gone
    clock_skew,  // the clock is wrong by up to an hour, either way
    // machines only
    failed_drop,        // the motor turns, nothing falls
    partial_delivery,   // half falls
    nack,               // commands are refused
    silence_after_ack,  // commands are taken and obeyed, reports wait
    jam,                // the motor is stuck: nothing falls, nobody says so, until the power is cut
};
std::string_view name_of(Weather weather) noexcept;

class Device {
  public:
    struct Setup {
        DeviceId id;
        bool delivers = false;
        std::filesystem::path state;
        std::uint16_t mqtt_port = 0;
        std::uint64_t seed = 0;
        std::uint64_t number = 0;  // which actor of the seed
    };

    Device(boost::asio::io_context& io, const Clock& clock, Diary& diary, Setup setup);

    Result<> claim(Api& api, const std::string& code);
    void start();
    // No more faults: power, signal and a working motor, from now on.
    void calm_down();
    void stop();

    // Kept until the device has power.
    void ask(protocol::PayRequest request);
    // Whether everything it asked was answered and everything it delivered acknowledged.
    bool is_done() const;
    DeviceId id() const noexcept { return setup_.id; }

  private:
    Result<> open();
    void power_on();
    void power_cut(bool stuck);
    void connect();
    void tick();
    void next_weather();
    void begin(Weather weather, Duration lasting);
    void end_weather();
    void deliver(const protocol::Command& command);
    void finish(const protocol::Command& command);
    device::Drop read_sensor(const protocol::Command& command) const;
    device::Actions actions();
    void ask_now(const protocol::PayRequest& request);
    template <class Task>
    void after(boost::asio::steady_timer& timer, Duration delay, Task task);

    boost::asio::io_context& io_;
    const Clock& clock_;
    Diary& diary_;
    Setup setup_;
    Random random_;
    std::unique_ptr<device::State> state_;
    std::unique_ptr<device::DeviceClient> client_;  // none: no power
    std::unique_ptr<mqtt::Client> signal_;          // none: no signal
    std::deque<protocol::PayRequest> wishes_;
    struct Motor {
        protocol::Command command;
        boost::asio::steady_timer timer;
    };
    std::map<PaymentId, Motor> motors_;
    Weather weather_ = Weather::calm;
    device::Faults faults_;
    bool stormy_ = true;  // until calm_down()
    boost::asio::steady_timer tick_;
    boost::asio::steady_timer weather_timer_;
    boost::asio::steady_timer power_timer_;
};

}  // namespace jiaozi::chaos
