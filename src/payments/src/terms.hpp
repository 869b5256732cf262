// What a request comes to before the ledger is asked: who pays whom how much for what, and whether that is refused.
// docs/payments.md, outcomes 1 to 8.
#pragma once

#include <optional>
#include <vector>

#include <jiaozi/api/devices.hpp>
#include <jiaozi/api/groups.hpp>
#include <jiaozi/api/merchants.hpp>
#include <jiaozi/api/payments.hpp>

#include "tickets.hpp"

namespace jiaozi::payments {

struct Terms {
    Payment payment;                   // what was asked for, as far as it can be told; state and reason not set
    Reason reason = Reason::none;      // the first that holds
    std::vector<const Limit*> limits;  // that apply; good until the caches change
};

// Where the terms come from, and the ticket that the request carries, if its kind needs one.
struct TermSources {
    const api::Groups& groups;
    const api::Merchants& merchants;
    const api::Devices& devices;
    const CodeHolder* code = nullptr;  // payment_code
    const QrOffer* offer = nullptr;    // qr
};

// Errors, nothing of which is journaled: invalid `quantity`, `amount`, `request_hash`; not_found `wallet_not_found`,
// `device_not_found`.
Result<Terms> terms_of(const api::NewPayment& request, const TermSources& sources);

// What the machine asks for `quantity` units from that slot. Error not_found `product_unavailable` when it sells
// nothing there; invalid when the sum is over 128 bits.
Result<Amount> price_of(const api::Merchants& merchants, DeviceId machine, std::uint32_t slot, std::uint32_t quantity);

}  // namespace jiaozi::payments
