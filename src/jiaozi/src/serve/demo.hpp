// The demo of `jiaozi serve --demo`: a small world (demo_world.hpp), its machines simulated on a thread of their own
// over real MQTT connections to this program's broker, and a little life: a car passes a gate, Ana buys a drink, and
// purses pay each other offline (demo_purses.hpp).
//
// Application thread, but for what runs on the machines' thread. Order of calls: seed() before io runs; start() when
// the server listens; stop() at the end; destroyed after the server's sockets are closed, so that no machine waits for
// an answer that cannot come.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/api/payments.hpp>
#include <jiaozi/api/sandbox.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/groups/groups.hpp>
#include <jiaozi/identity/devices.hpp>
#include <jiaozi/merchants/merchants.hpp>
#include <jiaozi/simulators/simulator.hpp>

#include "demo_purses.hpp"
#include "demo_world.hpp"

namespace jiaozi::serve {

struct Addresses;

class Demo final : public api::SandboxDevices {
  public:
    // All must outlive the demo. `directory` holds the machines' keys.
    struct Parts {
        boost::asio::io_context& io;
        api::AppThread& app;
        const Clock& clock;
        std::filesystem::path directory;
        groups::GroupService& groups;
        merchants::MerchantService& merchants;
        identity::DeviceService& devices;
        api::Payments& payments;
        settlement::Settlement* purses = nullptr;  // without it nobody pays offline
    };

    explicit Demo(Parts parts);
    ~Demo() override;

    // Makes what is missing of the world; doing it again changes nothing.
    Result<> seed();
    Result<> start(const Addresses& addresses);
    // Nothing is bought any more, and the machines hang up; returns at once.
    void stop();

    std::vector<api::SandboxDevice> list() const override;
    Result<api::SandboxDevice> set_fault(DeviceId device, api::SandboxFault fault) override;

  private:
    void run_machines(const std::string& url, const std::string& mqtt_host, std::uint16_t mqtt_port);
    void buy_again();
    void buy_drink();
    void top_up();
    void start_purses();

    Parts parts_;
    DemoWorld world_;
    std::map<DeviceId, api::SandboxFault> faults_;
    api::AppThread::TimerId next_purchase_ = 0;
    std::uint64_t purchases_ = 0;
    std::unique_ptr<DemoPurses> purses_;

    SystemClock machines_clock_;  // machines have clocks of their own; the server's may be moved by a test
    boost::asio::io_context machines_io_{1};
    std::map<DeviceId, std::unique_ptr<simulators::Simulator>> machines_;  // the machines' thread
    std::thread machines_thread_;
};

}  // namespace jiaozi::serve
