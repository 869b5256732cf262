// A device with what only the running program knows of it.
#pragma once

#include "context.hpp"

namespace jiaozi::http {

// Devices send a heartbeat every 30 seconds; two may be lost.
inline constexpr Duration online_within = seconds(90);

// Application thread only.
std::string device_json(const Parts& parts, const Device& device);

}  // namespace jiaozi::http
