// The chart of accounts: which ledger accounts exist, under which ids, codes and ledgers (docs/accounts.md).
#pragma once

#include <cstdint>

#include <jiaozi/base/uint128.hpp>

namespace jiaozi::api {

// Account codes.
inline constexpr std::uint16_t code_funding = 1;           // where sandbox deposits come from; may go negative
inline constexpr std::uint16_t code_wallet = 10;           // a group's wallet: debits must not exceed credits
inline constexpr std::uint16_t code_merchant_wallet = 11;  // a merchant's wallet: the same
inline constexpr std::uint16_t code_allowance_pool = 20;   // the other side of every budget; may go negative
inline constexpr std::uint16_t code_budget = 21;           // one per limit and window: what may still be spent
inline constexpr std::uint16_t code_escrow = 30;           // one per lot of an offline purse (docs/settlement.md)
inline constexpr std::uint16_t code_received = 31;         // one per purse: deposited for it, not yet in the wallet
inline constexpr std::uint16_t code_collateral = 32;       // one per purse
inline constexpr std::uint16_t code_reserve = 33;          // pays victims of double spends, up to a cap for each lot

// Transfer codes.
inline constexpr std::uint16_t transfer_payment = 100;
inline constexpr std::uint16_t transfer_refund = 101;
inline constexpr std::uint16_t transfer_deposit = 102;
inline constexpr std::uint16_t transfer_limit_use = 110;
inline constexpr std::uint16_t transfer_allowance = 111;
inline constexpr std::uint16_t transfer_purse_load = 120;
inline constexpr std::uint16_t transfer_purse_collateral = 121;
inline constexpr std::uint16_t transfer_purse_payout = 122;
inline constexpr std::uint16_t transfer_purse_sweep = 123;
inline constexpr std::uint16_t transfer_purse_refund = 124;
inline constexpr std::uint16_t transfer_purse_recovery = 125;
inline constexpr std::uint16_t transfer_purse_collateral_back = 126;

// Budgets count in a ledger of their own beside the asset's, so that an allowance can never be spent as money.
constexpr std::uint32_t budget_ledger(std::uint32_t asset_ledger) noexcept {
    return asset_ledger + 1'000'000;
}

// The program's own accounts have fixed ids, one per code and ledger. No generated id can equal one: generated ids
// carry a time in their top 48 bits, and these carry year 1970.
constexpr uint128 system_account(std::uint16_t code, std::uint32_t ledger) noexcept {
    return (static_cast<uint128>(code) << 32) | ledger;
}

}  // namespace jiaozi::api
