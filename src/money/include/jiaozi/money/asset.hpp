// An asset: what a ledger counts. Fiat money, stablecoins, points, energy and spending budgets are all assets.
#pragma once

#include <cstdint>
#include <string_view>

#include <jiaozi/base/result.hpp>

namespace jiaozi {

// Small and trivially copyable; compares by ledger number. Obtain one from the table (find_asset) or the registry.
struct Asset {
    std::uint32_t ledger = 0;   // the ledger that counts it; for fiat the ISO 4217 numeric code
    std::uint8_t exponent = 0;  // decimal places of the minor unit: CNY 2, JPY 0
    char code[12] = {};         // ISO 4217 code or a registered asset id, NUL-terminated

    constexpr bool operator==(const Asset& other) const noexcept { return ledger == other.ledger; }
    constexpr std::string_view name() const noexcept { return code; }
};

// The assets that ship with the program: ISO 4217 currencies it has been tried with and its own test token.
// `code` is exact and upper case. Error not_found names the code.
Result<Asset> find_asset(std::string_view code);
Result<Asset> find_asset(std::uint32_t ledger);

namespace assets {
inline constexpr Asset CNY{156, 2, "CNY"};
inline constexpr Asset EUR{978, 2, "EUR"};
inline constexpr Asset GBP{826, 2, "GBP"};
inline constexpr Asset HKD{344, 2, "HKD"};
inline constexpr Asset INR{356, 2, "INR"};
inline constexpr Asset JPY{392, 0, "JPY"};
inline constexpr Asset SGD{702, 2, "SGD"};
inline constexpr Asset USD{840, 2, "USD"};
}  // namespace assets

}  // namespace jiaozi
