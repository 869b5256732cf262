// Counts and sums of payments, for "today at a glance". Errors and threading: store.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include <jiaozi/model/records.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::registry {

// One row for each state and asset that occurs.
struct PaymentTotal {
    PaymentState state = PaymentState::pending;
    Asset asset;
    std::uint64_t count = 0;
    uint128 amount_minor = 0;
    uint128 captured_minor = 0;
    uint128 refunded_minor = 0;
};

// Payments created at or after `from`. Sums are exact. SQLite adds in 64 bits: Error corrupt or unavailable, never a
// wrong sum, when one passes 2^63 minor units.
Result<std::vector<PaymentTotal>> payment_totals(Session& session, Timestamp from);

}  // namespace jiaozi::registry
