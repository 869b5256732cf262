#include <jiaozi/device/faults.hpp>

namespace jiaozi::device {

Drop apply(const Faults& faults, std::uint32_t quantity, Drop drop) {
    if (faults.fail_drop) return {DeliveryResult::failed, 0, "nothing fell"};
    if (faults.partial && drop.result == DeliveryResult::delivered) {
        if (quantity <= 1) return {DeliveryResult::failed, 0, "one short"};
        return {DeliveryResult::partial, quantity - 1, "one short"};
    }
    return drop;
}

}  // namespace jiaozi::device
