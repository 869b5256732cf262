// The ids of this service's transfers (docs/settlement.md, Accounts).
#pragma once

#include <cstdint>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/ledger/types.hpp>
#include <jiaozi/purse/bytes.hpp>

namespace jiaozi::settlement {

// The numbers are hashed into ids: they never change.
enum class Role : std::uint8_t {
    load = 1,
    collateral = 2,
    payout = 3,
    sweep = 4,
    refund = 5,
    recovery = 6,
    collateral_back = 7,
};

uint128 transfer_id(ByteView subject, Role role, std::uint32_t number, std::uint32_t part = 0);
uint128 transfer_id(std::uint64_t subject, Role role, std::uint32_t number, std::uint32_t part = 0);

}  // namespace jiaozi::settlement
