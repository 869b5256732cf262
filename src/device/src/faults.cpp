#include <jiaozi/device/faults.hpp>

namespace jiaozi::device {

Drop apply(const Faults& faults, std::uint32_t quantity, Drop drop) {
    if (faults.fail_drop) return {DeliveryResult::failed, 0, "nothing fell"};
    if (faults.partial && drop.result == DeliveryResult::delivered) {
        const std::uint32_t units = quantity / 2;
        return {units == 0 ? DeliveryResult::failed : DeliveryResult::partial, units, "not everything fell"};
    }
    return drop;
}

}  // namespace jiaozi::device
