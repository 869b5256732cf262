// What other services may know and ask of devices. Implemented by identity (records, state) and by the gateway
// `devices` (the link to the machine). Application thread only.
#pragma once

#include <cstdint>
#include <string>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/model/records.hpp>

namespace jiaozi::api {

class Devices {
  public:
    virtual ~Devices() = default;
    // nullptr if there is none. The pointer is good until the next call that changes devices: do not keep it.
    virtual const Device* find(DeviceId id) const = 0;
};

// What a machine is told to deliver, and may deliver until `expires`.
struct DeliveryCommand {
    PaymentId payment;
    std::uint32_t number = 1;  // counts resends; a device acts on the first it sees and acknowledges all
    std::uint32_t slot = 0;
    std::uint32_t quantity = 1;
    Amount amount;
    ProductId product;
    Timestamp expires;
};

// Towards the machine. Fire and forget: what matters is resent by the caller until it is acknowledged.
class DeviceLink {
  public:
    virtual ~DeviceLink() = default;
    // True if an authenticated message came within the last `fresh`: then a probe would tell nothing new.
    virtual bool heard_within(DeviceId device, Duration fresh) const = 0;
    // Asks whether the device is alive; `done` gets true on its answer, false after `patience`.
    virtual void probe(DeviceId device, Duration patience, std::move_only_function<void(bool)> done) = 0;
    virtual void send(DeviceId device, const DeliveryCommand& command) = 0;
    virtual void send_cancel(DeviceId device, PaymentId payment) = 0;
};

}  // namespace jiaozi::api
