#include "chains.hpp"

#include <array>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/base/big_endian.hpp>
#include <jiaozi/crypto/hash.hpp>

namespace jiaozi::payments {
namespace {

using ledger::Transfer;
namespace flags = ledger::transfer_flags;

// A post or release of the use or money with that index; what it leaves out is inherited from the hold.
Transfer resolving(PaymentId payment, TransferRole role, std::uint32_t index, uint128 pending, uint128 amount) {
    const std::uint16_t what = role == TransferRole::post ? flags::post_pending : flags::void_pending;
    const std::uint16_t link = index == 0 ? std::uint16_t{0} : flags::linked;
    return {.id = transfer_id(payment.value, role, index),
            .amount = amount,
            .pending_id = pending,
            .flags = static_cast<std::uint16_t>(what | link)};
}

void add_resolving(engine::Command& command, PaymentId payment, TransferRole role, std::uint32_t uses, uint128 amount) {
    command.transfers.reserve(uses + std::size_t{1});
    for (std::uint32_t i = 0; i < uses; ++i) {
        command.transfers.push_back(resolving(payment, role, i + 1, use_id(payment, i), amount));
    }
    command.transfers.push_back(resolving(payment, role, 0, hold_id(payment), amount));
}

}  // namespace

uint128 transfer_id(uint128 subject, TransferRole role, std::uint32_t index) {
    static constexpr std::string_view domain = "jiaozi/transfer/1";
    std::array<std::uint8_t, domain.size() + 21> text{};
    auto at = std::copy(domain.begin(), domain.end(), text.begin());
    const auto id = big_endian(subject);
    at = std::copy(id.begin(), id.end(), at);
    *at++ = static_cast<std::uint8_t>(role);
    for (unsigned shift = 32; shift > 0; shift -= 8) *at++ = static_cast<std::uint8_t>(index >> (shift - 8));
    return from_big_endian(crypto::sha256(text));
}

Transfer money_transfer(const Payment& payment, std::uint32_t hold_s) {
    return {.id = hold_id(payment.id),
            .debit_account_id = payment.payer_wallet.value,
            .credit_account_id = payment.payee_wallet.value,
            .amount = payment.amount.minor(),
            .user_data_128 = payment.id.value,
            .timeout_s = hold_s,
            .ledger = payment.amount.asset().ledger,
            .code = api::transfer_payment,
            .flags = hold_s == 0 ? std::uint16_t{0} : flags::pending};
}

void add_posts(engine::Command& command, PaymentId payment, std::uint32_t uses, uint128 amount) {
    add_resolving(command, payment, TransferRole::post, uses, amount);
}

void add_releases(engine::Command& command, PaymentId payment, std::uint32_t uses) {
    add_resolving(command, payment, TransferRole::release, uses, 0);
}

Transfer refund_transfer(RefundId refund, const Payment& payment, uint128 amount) {
    return {.id = refund_transfer_id(refund),
            .debit_account_id = payment.payee_wallet.value,
            .credit_account_id = payment.payer_wallet.value,
            .amount = amount,
            .user_data_128 = payment.id.value,
            .ledger = payment.amount.asset().ledger,
            .code = api::transfer_refund};
}

Transfer give_back(RefundId refund, std::uint32_t index, const Transfer& use, uint128 amount) {
    return {.id = transfer_id(refund.value, TransferRole::give_back, index),
            .debit_account_id = use.credit_account_id,
            .credit_account_id = use.debit_account_id,
            .amount = amount,
            .user_data_128 = use.user_data_128,
            .ledger = use.ledger,
            .code = api::transfer_limit_use,
            .flags = flags::linked};
}

}  // namespace jiaozi::payments
