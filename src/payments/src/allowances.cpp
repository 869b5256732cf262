#include "allowances.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/base/big_endian.hpp>
#include <jiaozi/crypto/hash.hpp>

#include "chains.hpp"

namespace jiaozi::payments {
namespace {

using ledger::Transfer;
namespace flags = ledger::transfer_flags;

constexpr std::uint64_t seconds_per_day = 86'400;

void hash_number(crypto::Sha256& hash, std::uint64_t number) {
    const auto wide = big_endian(number);
    hash.update(std::span(wide).last<8>());
}

uint128 budget_account(LimitId limit, std::uint32_t days, std::uint64_t number) {
    crypto::Sha256 hash;
    hash.update(as_bytes("jiaozi/budget/1")).update(big_endian(limit.value));
    hash_number(hash, days);
    hash_number(hash, number);
    return from_big_endian(hash.finish());
}

uint128 allowance_id(uint128 account, std::uint32_t number) {
    crypto::Sha256 hash;
    hash.update(as_bytes("jiaozi/allowance/1")).update(big_endian(account));
    hash_number(hash, number);
    return from_big_endian(hash.finish());
}

uint128 pool_of(const Amount& amount) {
    return api::system_account(api::code_allowance_pool, api::budget_ledger(amount.asset().ledger));
}

Transfer use_of(const Payment& payment, TransferRole role, std::uint32_t index, uint128 account) {
    return {.id = transfer_id(payment.id.value, role, index),
            .debit_account_id = account,
            .credit_account_id = pool_of(payment.amount),
            .amount = payment.amount.minor(),
            .user_data_128 = payment.id.value,
            .ledger = api::budget_ledger(payment.amount.asset().ledger),
            .code = api::transfer_limit_use,
            .flags = flags::linked};
}

}  // namespace

Result<Allowances::Added> Allowances::add(engine::Command& command, const Payment& payment,
                                          std::span<const Limit* const> limits, Timestamp now, std::uint32_t hold_s) {
    Added added;
    if (limits.empty()) return added;
    std::vector<Transfer> chain;
    chain.reserve(limits.size() + 1);
    for (const LimitKind kind : {LimitKind::per_payment, LimitKind::per_day, LimitKind::per_category}) {
        for (const Limit* limit : limits) {
            if (limit->kind != kind) continue;
            JZ_TRY(Window* const found, window_of(*limit, now));
            Window& window = *found;
            if (!window.open || window.granted != limit->amount.minor()) open_and_grant(command, *limit, window, added);
            if (kind == LimitKind::per_payment) {
                Transfer check = use_of(payment, TransferRole::check, added.shape.checks, window.account);
                check.flags |= flags::pending;
                chain.push_back(check);
                chain.push_back({.id = transfer_id(payment.id.value, TransferRole::check_return, added.shape.checks),
                                 .pending_id = check.id,
                                 .flags = flags::linked | flags::void_pending});
                ++added.shape.checks;
                continue;
            }
            Transfer use = use_of(payment, TransferRole::use, added.shape.uses(), window.account);
            if (hold_s != 0) {
                use.flags |= flags::pending;
                use.timeout_s = hold_s;
            }
            chain.push_back(use);
            ++(kind == LimitKind::per_day ? added.shape.daily : added.shape.category);
        }
    }
    added.shape.adjustments = static_cast<std::uint32_t>(command.transfers.size());
    command.transfers.insert(command.transfers.end(), chain.begin(), chain.end());
    return added;
}

void Allowances::settle(const Added& added, bool committed) {
    if (committed && !added.taken_back) return;
    for (const LimitId limit : added.opened) windows_.erase(limit);
}

// The limit's window at this time, as remembered or as the ledger has it.
Result<Allowances::Window*> Allowances::window_of(const Limit& limit, Timestamp now) {
    const bool windowed = limit.kind != LimitKind::per_payment;
    const std::uint32_t days = windowed ? std::max(limit.window_days, 1U) : 0;
    const std::uint64_t number = windowed ? now.s() / seconds_per_day / days : 0;
    Window& window = windows_[limit.id];
    if (window.account == 0 || window.days != days || window.number != number) {
        Window fresh{.days = days, .number = number, .account = budget_account(limit.id, days, number)};
        JZ_CHECK(read(fresh));
        window = fresh;
    }
    return &window;
}

Result<> Allowances::read(Window& window) const {
    window.open = engine_.account(window.account).has_value();
    while (window.open) {
        JZ_TRY(const auto grant, engine_.transfer(allowance_id(window.account, window.next)));
        if (!grant) break;
        ++window.next;
        if (grant->credit_account_id == window.account) {
            window.granted += grant->amount;
        } else {
            window.granted -= grant->amount;
        }
    }
    return {};
}

// Brings what was granted to what the limit says. Assumes that the command will succeed: commands are carried out in
// the order in which they are submitted, and settle() takes the assumption back.
void Allowances::open_and_grant(engine::Command& command, const Limit& limit, Window& window, Added& added) const {
    const std::uint32_t ledger = api::budget_ledger(limit.amount.asset().ledger);
    const uint128 pool = pool_of(limit.amount);
    added.opened.push_back(limit.id);
    if (!window.open) {
        command.accounts.push_back({.id = pool, .ledger = ledger, .code = api::code_allowance_pool});
        command.accounts.push_back({.id = window.account,
                                    .user_data_128 = limit.id.value,
                                    .user_data_64 = window.number,
                                    .ledger = ledger,
                                    .code = api::code_budget,
                                    .flags = ledger::account_flags::debits_must_not_exceed_credits});
        window.open = true;
    }
    const uint128 wanted = limit.amount.minor();
    if (wanted == window.granted) return;
    const bool more = wanted > window.granted;
    command.transfers.push_back({.id = allowance_id(window.account, window.next++),
                                 .debit_account_id = more ? pool : window.account,
                                 .credit_account_id = more ? window.account : pool,
                                 .amount = more ? wanted - window.granted : window.granted - wanted,
                                 .user_data_128 = limit.id.value,
                                 .ledger = ledger,
                                 .code = api::transfer_allowance,
                                 .flags = more ? std::uint16_t{0} : flags::balancing_debit});
    if (!more) added.taken_back = true;
    window.granted = wanted;
}

}  // namespace jiaozi::payments
