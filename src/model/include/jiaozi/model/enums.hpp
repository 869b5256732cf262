// The closed enumerations of the domain. Numbers are stable: they stand in the journal, on the wire and in SQL.
// Every enum has name_of(value) (its token in JSON and SQL) and parse_<enum>(token).
#pragma once

#include <cstdint>
#include <string_view>

#include <jiaozi/base/result.hpp>

namespace jiaozi {

enum class GroupKind : std::uint8_t { family = 1, car, fleet, home, shop };
enum class Role : std::uint8_t { owner = 1, admin, member };  // owner and admin may change settings, member may pay

enum class DeviceKind : std::uint8_t { vending = 1, gate, charger, car, meter, phone, terminal };
// pending → active → (suspended ⇄ active) → lost | retired. Only an active device is heard.
enum class DeviceState : std::uint8_t { pending = 1, active, suspended, lost, retired };

enum class PaymentKind : std::uint8_t {
    machine = 1,   // a customer buys at a machine; a wallet pays
    device,        // a device pays by itself from its group's wallet
    person,        // a person pays a person: one step
    payment_code,  // the payer's code, scanned by the machine
    qr,            // the machine's dynamic QR, scanned by the payer
    offline,       // a purse paid a purse with no network; the ledger hears of it later (docs/settlement.md)
};

// pending (asking the device whether it is alive; no money held)
//   → failed (no money was ever held) | declined (a refusal) | authorized (money held)
// authorized → captured (all or part of it moved) | voided (the hold released)
// A refund leaves the state captured and raises amount_refunded.
enum class PaymentState : std::uint8_t { pending = 1, authorized, captured, voided, declined, failed };

// Why a payment is declined, failed or voided. Stored for idempotent replay. docs/errors.md explains each.
// Precedence when several hold: the order of this list, top first, within declines.
enum class Reason : std::uint8_t {
    none = 0,
    // declined: decided before money is held
    payer_not_member = 1,  // the payer is not a member of the wallet's group, or may not pay
    payer_frozen,          // the wallet is frozen or closed
    device_not_active,     // suspended, lost, retired or not enrolled
    product_unavailable,   // the machine does not sell that
    price_changed,         // the amount asked is not the catalogue's
    asset_mismatch,        // wallet and price are in different assets
    code_invalid,          // payment code or QR unknown, used or expired
    self_payment,          // payer and payee are the same wallet
    limit_per_payment,     // a per-payment limit refused
    limit_per_day,         // a daily (or N-day) allowance is used up
    limit_per_category,    // a category allowance is used up
    insufficient_funds,    // the wallet's available balance is too small
    ledger_refused,        // any other refusal of the ledger, named in the log
    // failed: no money held
    device_offline = 32,  // no answer to the alive check
    device_busy,          // another payment is in delivery and the machine serves one at a time
    // voided: money held, then released
    not_delivered = 48,  // the device reported failure
    device_nack,         // the device refused the command
    device_silent,       // no acknowledgement or no report before the hold's deadline
    cancelled,           // by the payer before the command was acknowledged
    // voided: offline
    payee_voided,  // the payee's purse has signed that it never would be credited
    not_claimed,   // nobody spoke for the payee before the deadline
};

enum class LimitKind : std::uint8_t { per_payment = 1, per_day, per_category };

enum class DeliveryResult : std::uint8_t { delivered = 1, partial, failed };

std::string_view name_of(GroupKind);
std::string_view name_of(Role);
std::string_view name_of(DeviceKind);
std::string_view name_of(DeviceState);
std::string_view name_of(PaymentKind);
std::string_view name_of(PaymentState);
std::string_view name_of(Reason);
std::string_view name_of(LimitKind);
std::string_view name_of(DeliveryResult);

// Error invalid, listing the tokens allowed.
Result<GroupKind> parse_group_kind(std::string_view);
Result<Role> parse_role(std::string_view);
Result<DeviceKind> parse_device_kind(std::string_view);
Result<DeviceState> parse_device_state(std::string_view);
Result<PaymentKind> parse_payment_kind(std::string_view);
Result<PaymentState> parse_payment_state(std::string_view);
Result<Reason> parse_reason(std::string_view);
Result<LimitKind> parse_limit_kind(std::string_view);
Result<DeliveryResult> parse_delivery_result(std::string_view);

}  // namespace jiaozi
