// The transfers of a payment: their ids and the chains they stand in (docs/accounts.md). Pure functions.
#pragma once

#include <cstdint>

#include <jiaozi/engine/command.hpp>
#include <jiaozi/model/records.hpp>

namespace jiaozi::payments {

// What a transfer is for. The numbers are hashed into transfer ids: they never change.
enum class TransferRole : std::uint8_t {
    money = 1,         // payment
    use = 2,           // payment: of an allowance
    check = 3,         // payment: against a per-payment limit
    check_return = 4,  // payment
    post = 5,          // payment: index 0 the money, then the uses
    release = 6,       // payment: index 0 the money, then the uses
    refund = 7,        // refund
    give_back = 8,     // refund: to an allowance
};

uint128 transfer_id(uint128 subject, TransferRole role, std::uint32_t index = 0);

inline uint128 hold_id(PaymentId payment) {
    return transfer_id(payment.value, TransferRole::money);
}
inline uint128 use_id(PaymentId payment, std::uint32_t index) {
    return transfer_id(payment.value, TransferRole::use, index);
}
inline uint128 refund_transfer_id(RefundId refund) {
    return transfer_id(refund.value, TransferRole::refund);
}

// The last link of the chain: held for hold_s seconds, or, if that is zero, moved at once.
ledger::Transfer money_transfer(const Payment& payment, std::uint32_t hold_s);

// Posts `amount` of the money and of every use, as one chain.
void add_posts(engine::Command& command, PaymentId payment, std::uint32_t uses, uint128 amount);
// Releases the money and every use, as one chain.
void add_releases(engine::Command& command, PaymentId payment, std::uint32_t uses);

// From payee to payer, last in its chain.
ledger::Transfer refund_transfer(RefundId refund, const Payment& payment, uint128 amount);
// The opposite of `use`, linked to what follows.
ledger::Transfer give_back(RefundId refund, std::uint32_t index, const ledger::Transfer& use, uint128 amount);

}  // namespace jiaozi::payments
