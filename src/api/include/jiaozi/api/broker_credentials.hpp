// Who may connect to the MQTT broker. Identity makes a random password for a device when it claims, tells it once, and
// hands it here; the implementation (the broker's supervisor) keeps only what the broker needs to check it, in its own
// file. Application thread only; must not block for long and reports its own failures.
#pragma once

#include <string_view>

#include <jiaozi/model/ids.hpp>

namespace jiaozi::api {

class BrokerCredentials {
  public:
    virtual ~BrokerCredentials() = default;
    // The user name is the id's text. Replaces an earlier password.
    virtual void put(DeviceId device, std::string_view password) = 0;
    // A device that is not there is fine. An open connection of the device ends.
    virtual void remove(DeviceId device) = 0;
};

}  // namespace jiaozi::api
