// Faults to order: what a machine does wrong, so that the server's answers to it can be seen. Off unless set; a device
// in the field never sets one. Plain values, thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/model/enums.hpp>

namespace jiaozi::device {

struct Faults {
    bool fail_drop = false;          // the motor turns, nothing falls
    bool partial = false;            // one unit less than ordered falls; of one unit, nothing
    bool silent = false;             // connected, but hears nothing and says nothing
    bool silent_after_ack = false;   // acknowledges and delivers; its reports wait until this is lifted
    bool nack = false;               // refuses every command that it has not seen before
    bool duplicate = false;          // sends every message twice
    bool reorder = false;            // sends every message after the next one (alone: at the next tick)
    Duration clock_skew{};           // the device's clock is wrong by this much, either way
    std::uint32_t drop_percent = 0;  // of the messages of each direction that are lost, 0..100
    std::uint64_t seed = 1;          // which ones
    bool operator==(const Faults&) const = default;
};

// What came out of the machine.
struct Drop {
    DeliveryResult result = DeliveryResult::failed;
    std::uint32_t units = 0;  // 0 with failed, the quantity with delivered, between with partial
    std::string detail;       // at most 64 bytes, for people
    bool operator==(const Drop&) const = default;
};

// What comes out under these faults when `drop` would have come out of a sound machine. DeviceClient::delivered()
// applies this; a simulator that keeps stock may ask too.
Drop apply(const Faults& faults, std::uint32_t quantity, Drop drop);

}  // namespace jiaozi::device
