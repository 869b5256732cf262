// Who sells what, where, at what price. Implemented by the service `merchants`. Application thread only.
#pragma once

#include <cstdint>
#include <vector>

#include <jiaozi/model/records.hpp>

namespace jiaozi::api {

class Merchants {
  public:
    virtual ~Merchants() = default;
    virtual const Merchant* merchant(MerchantId id) const = 0;
    virtual const Product* product(ProductId id) const = 0;
    virtual const Slot* slot(DeviceId machine, std::uint32_t slot) const = 0;
    virtual std::vector<const Slot*> slots_of(DeviceId machine) const = 0;
};

}  // namespace jiaozi::api
