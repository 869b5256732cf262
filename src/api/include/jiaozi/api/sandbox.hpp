// What exists only in sandbox mode, for the HTTP interface to offer: devices simulated inside the program, and a clock
// that can be moved. Implemented by the program's demo. Application thread only.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/model/records.hpp>

namespace jiaozi::api {

// How a simulated device misbehaves from its next delivery on.
enum class SandboxFault : std::uint8_t {
    none,       // it delivers
    fail_drop,  // it accepts the command and reports that nothing fell
    silent,     // it answers nothing at all, as if its SIM had no signal
    partial,    // it delivers one unit less than it was told (with one unit: nothing)
    nack,       // it refuses the command
};

constexpr std::string_view name_of(SandboxFault fault) noexcept {
    switch (fault) {
        case SandboxFault::none:
            return "none";
        case SandboxFault::fail_drop:
            return "fail_drop";
        case SandboxFault::silent:
            return "silent";
        case SandboxFault::partial:
            return "partial";
        case SandboxFault::nack:
            return "nack";
    }
    return "none";
}

// Error invalid, listing the tokens allowed.
inline Result<SandboxFault> parse_sandbox_fault(std::string_view token) {
    for (const SandboxFault fault : {SandboxFault::none, SandboxFault::fail_drop, SandboxFault::silent,
                                     SandboxFault::partial, SandboxFault::nack}) {
        if (token == name_of(fault)) return fault;
    }
    return Error(ErrorKind::invalid, "expected one of none, fail_drop, silent, partial, nack").with_param("fault");
}

struct SandboxDevice {
    DeviceId device;
    SandboxFault fault = SandboxFault::none;
};

class SandboxDevices {
  public:
    virtual ~SandboxDevices() = default;
    virtual std::vector<SandboxDevice> list() const = 0;
    // Error not_found `device_not_found`: no simulated device has that id.
    virtual Result<SandboxDevice> set_fault(DeviceId device, SandboxFault fault) = 0;
};

class SandboxClock {
  public:
    virtual ~SandboxClock() = default;
    // Forwards only. Everything whose time has come happens soon after, on the usual threads.
    virtual Timestamp advance(Duration by) = 0;
};

}  // namespace jiaozi::api
