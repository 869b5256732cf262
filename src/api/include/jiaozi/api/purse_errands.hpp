// What a device asks for its offline purse in one go (docs/protocol/device.md, 4.1): offered by settlement, carried by
// the device gateway. Application thread only.
#pragma once

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/base/bytes.hpp>
#include <jiaozi/model/ids.hpp>

namespace jiaozi::api {

class PurseErrands {
  public:
    virtual ~PurseErrands() = default;
    // `errand`: bytes of docs/protocol/device.md, 4.2, from a device that has proven who it is; the answer likewise.
    // Done again it has one effect. Errors: malformed, not_found (no purse of this device), rate_limited, unavailable,
    // and those of the sync.
    virtual void run(DeviceId device, Bytes errand, Done<Bytes> done) = 0;
};

}  // namespace jiaozi::api
