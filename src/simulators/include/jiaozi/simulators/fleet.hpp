// Many cars at many gates, for load with everything real but the motors: each device is a connection to the broker with
// its own key. At the end every payment that was asked for is looked up at the server, and must have ended.
//
// run_fleet blocks; its own io_context runs on the calling thread. Errors: those of Simulator::start, and unavailable
// when the server is gone at the end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/base/uint128.hpp>
#include <jiaozi/model/ids.hpp>

namespace jiaozi::simulators {

struct FleetDevice {
    DeviceId device;
    std::string code;
};
struct FleetPair {
    FleetDevice car;
    FleetDevice gate;  // sells in slot 1
};

struct FleetOptions {
    std::vector<FleetPair> pairs;
    std::string url;
    std::string key;  // to look payments up with
    std::string mqtt_host;
    std::uint16_t mqtt_port = 0;
    std::uint32_t per_second = 10;
    Duration lasting = seconds(10);
    std::uint32_t fault_percent = 0;  // of deliveries that go wrong in some way
    std::uint64_t seed = 1;
    Duration patience = seconds(90);   // after the last request, for all to end: longer than the server's hold
    std::function<void()> all_online;  // called when the load begins; may be empty
};

struct FleetReport {
    std::uint64_t asked = 0;
    std::uint64_t not_sent = 0;  // refused by the car itself: too many without an answer already
    // How they ended, as the server tells it.
    std::uint64_t captured = 0;
    std::uint64_t voided = 0;
    std::uint64_t declined = 0;
    std::uint64_t failed = 0;
    std::uint64_t open = 0;     // pending or authorized when patience ended
    std::uint64_t unknown = 0;  // the server has never heard of it
    uint128 captured_minor = 0;
    // How many a device was told that the server tells otherwise: must be 0.
    std::uint64_t contradicted = 0;
    std::uint64_t faults = 0;  // deliveries that went wrong on purpose
    // From the car's request to the server's acknowledgement of the gate's report; microseconds; 0 without captures.
    std::uint64_t p50_us = 0;
    std::uint64_t p99_us = 0;
    Duration elapsed{};  // from the first request to the last answer

    std::uint64_t unaccounted() const { return open + unknown + contradicted; }
};

Result<FleetReport> run_fleet(const FleetOptions& options);

}  // namespace jiaozi::simulators
