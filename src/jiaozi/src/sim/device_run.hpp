// Runs simulated devices in the foreground and tells what happens, one line an event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <jiaozi/base/result.hpp>
#include <jiaozi/simulators/simulator.hpp>

#include "purse_slot.hpp"

namespace jiaozi::sim {

struct DeviceRun {
    std::vector<simulators::Options> devices;  // started in this order
    std::uint32_t seconds = 0;                 // 0: until Ctrl-C
    std::uint32_t settled = 0;                 // ends after so many deliveries are settled; 0: does not count
    bool scans = false;  // the last device: a payment code is read from each line of standard input
    bool json = false;
    std::optional<PurseSlotOptions> purse_slot;  // of the last device
    std::string url;                             // where the purse is synced, and the key for it
    std::string key;
};

// Blocks until Ctrl-C, SIGTERM, or what `run` says. Error: a device could not start.
Result<> run_devices(const DeviceRun& run);

}  // namespace jiaozi::sim
