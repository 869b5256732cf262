// What holds of every delivery, wherever it comes from: a host, a recovered crash, a file.
#pragma once

#include <jiaozi/device/state.hpp>

namespace jiaozi::device {

// The specification's rule (section 3): 0 with failed, quantity with delivered, between with partial.
constexpr bool units_fit(DeliveryResult result, std::uint32_t units, std::uint32_t quantity) noexcept {
    switch (result) {
        case DeliveryResult::failed:
            return units == 0;
        case DeliveryResult::delivered:
            return units == quantity && units > 0;
        case DeliveryResult::partial:
            return units > 0 && units < quantity;
    }
    return false;
}

constexpr bool is_finished(CommandStage stage) noexcept {
    return stage == CommandStage::refused || stage == CommandStage::settled;
}

// Whether the whole command is still needed.
constexpr bool is_open(CommandStage stage) noexcept {
    return stage == CommandStage::waiting || stage == CommandStage::begun;
}

inline protocol::Command remembered(const protocol::Command& command) {
    return {.payment = command.payment,
            .number = command.number,
            .slot = 0,
            .quantity = command.quantity,
            .amount = 0,
            .asset = {},
            .expires_ms = 0,
            .product = {}};
}

}  // namespace jiaozi::device
