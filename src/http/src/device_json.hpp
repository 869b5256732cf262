// A device with what only the running program knows of it.
#pragma once

#include "context.hpp"

namespace jiaozi::http {

// Application thread only.
std::string device_json(const Parts& parts, const Device& device);

}  // namespace jiaozi::http
