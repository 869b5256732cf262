// Who may connect to the MQTT broker. Identity derives a device's password when it claims, tells it once, and hands it
// here; the implementation (the broker's supervisor) keeps only what the broker needs to check it, in its own file.
// Application thread only; must not block for long and reports its own failures.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <jiaozi/model/ids.hpp>

namespace jiaozi::api {

struct BrokerAccount {
    DeviceId device;  // the user name is the id's text
    std::string password;
};

class BrokerCredentials {
  public:
    virtual ~BrokerCredentials() = default;
    // These devices with these passwords, and no others. Called at start: a crash may have come between a change of the
    // records and that of the broker's accounts.
    virtual void reset(std::span<const BrokerAccount> accounts) = 0;
    // Replaces an earlier password.
    virtual void put(DeviceId device, std::string_view password) = 0;
    // A device that is not there is fine. An open connection of the device ends.
    virtual void remove(DeviceId device) = 0;
};

}  // namespace jiaozi::api
