// Where a device's key and memory are, in a folder of such files.
#pragma once

#include <filesystem>

#include <jiaozi/model/ids.hpp>

namespace jiaozi::simulators {

inline std::filesystem::path state_path(const std::filesystem::path& states, DeviceId device) {
    return states / (device.to_string() + ".state");
}

}  // namespace jiaozi::simulators
