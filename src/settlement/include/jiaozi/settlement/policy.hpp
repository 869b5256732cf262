// What a purse of each assurance class may do, and what its issuer risks (docs/settlement.md, Loading). Amounts are
// minor units of the purse's asset.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace jiaozi::settlement {

struct ClassPolicy {
    std::uint64_t lot;          // the most that one load may bring
    std::uint64_t per_payment;  // limits that the certificate carries (docs/protocol/offline.md, 3.1)
    std::uint64_t without_cvm;
    std::uint16_t count;
    std::uint8_t hops;
    std::uint64_t receive_cap;
    std::uint32_t collateral_percent;  // of the open lots of the purse
    std::uint64_t reserve_cap;         // what the reserve pays at most for one lot
    std::uint32_t spendable_s;         // from the load to `expires`
    std::uint32_t settle_s;            // from the load to `settle_by`
};

struct Policy {
    std::array<ClassPolicy, 4> classes;  // A0 to A3
    std::uint64_t holder_cap;            // open lots of all purses of one holder in one asset
    const ClassPolicy& of(std::uint8_t assurance) const { return classes[assurance & 3U]; }
};

inline constexpr std::uint32_t day_s = 86'400;
inline constexpr Policy default_policy{
    .classes = {{{20'000, 5'000, 5'000, 50, 3, 50'000, 50, 10'000, 7 * day_s, 14 * day_s},
                 {50'000, 20'000, 10'000, 100, 4, 100'000, 0, 20'000, 14 * day_s, 28 * day_s},
                 {200'000, 50'000, 20'000, 300, 5, 200'000, 0, 20'000, 30 * day_s, 60 * day_s},
                 {200'000, 100'000, 20'000, 500, 5, 500'000, 0, 20'000, 30 * day_s, 60 * day_s}}},
    .holder_cap = 500'000};

}  // namespace jiaozi::settlement
