// All devices, on one thread of their own. The functions here may be called from any thread; the destructor, like
// stop(), ends the thread.
#pragma once

#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "device.hpp"
#include "world.hpp"

namespace jiaozi::chaos {

class Fleet {
  public:
    Fleet(Diary& diary, const Plan& plan);
    ~Fleet();
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    // Every device enrols. Before start().
    Result<> enrol(Api& api, const World& world, const std::filesystem::path& states, std::uint16_t mqtt_port);
    // Connections, bad weather, and the cars' payments, evenly over the plan's time.
    void start();
    // A machine scanned this payment code.
    void scan(std::size_t machine, std::string digits, std::uint32_t slot, std::uint32_t quantity);
    void calm_down();
    bool is_done();
    void stop();

  private:
    void pay_by_cars();

    Diary& diary_;
    Plan plan_;
    Random random_;
    SystemClock clock_;
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
    std::vector<std::unique_ptr<Device>> machines_;
    std::vector<std::unique_ptr<Device>> cars_;
    boost::asio::steady_timer pace_{io_};
    SteadyClock::time_point began_;
    std::uint32_t paid_by_cars_ = 0;
    std::thread thread_;
};

}  // namespace jiaozi::chaos
