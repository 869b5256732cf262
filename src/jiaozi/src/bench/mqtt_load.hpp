// Whole sagas over MQTT: a car asks to pass a gate, the server holds the money and commands the gate, the gate reports,
// the server captures. Every device is a connection of its own to the real broker.
#pragma once

#include <cstdint>
#include <string>

#include <jiaozi/base/result.hpp>

#include "measure.hpp"
#include "setup.hpp"

namespace jiaozi::bench {

struct MqttLoad {
    std::string host;
    std::uint16_t port = 0;
    std::uint32_t pairs = 32;       // of a car and a gate
    std::uint32_t outstanding = 8;  // sagas under way for each pair
    std::uint64_t warm_up = 0;      // sagas not counted
    std::uint64_t sagas = 0;
};

// A saga's latency runs from the car's request to the server's acknowledgement of the gate's report: captured, durable.
// Failed: declined, or no acknowledgement within ten seconds. `op` enrols the devices.
Result<Measured> run_mqtt_load(const MqttLoad& load, Operator& op);

}  // namespace jiaozi::bench
