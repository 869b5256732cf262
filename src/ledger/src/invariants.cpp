#include <array>
#include <map>

#include <jiaozi/base/uint128.hpp>
#include <jiaozi/ledger/invariants.hpp>

namespace jiaozi::ledger {
namespace {

using Violations = std::vector<Violation>;

bool has(const Account& account, std::uint16_t flag) {
    return (account.flags & flag) != 0;
}
bool has(const Transfer& transfer, std::uint16_t flag) {
    return (transfer.flags & flag) != 0;
}
std::string account_text(const Account& account) {
    return "account " + to_decimal(account.id);
}
std::string transfer_text(const Transfer& transfer) {
    return "transfer " + to_decimal(transfer.id);
}

template <class Visit>
void each_account(const Ledger& ledger, Visit visit) {
    for (std::size_t i = 0; i < ledger.account_count(); ++i) visit(ledger.account_at(i));
}
template <class Visit>
void each_transfer(const Ledger& ledger, Visit visit) {
    for (std::uint64_t i = 0; i < ledger.event_count(); ++i) {
        if (const auto transfer = ledger.stored_transfer(i)) visit(*transfer);
    }
}

struct Balances {
    uint128 debits_pending = 0;
    uint128 debits_posted = 0;
    uint128 credits_pending = 0;
    uint128 credits_posted = 0;
};

// Sums over many accounts may wrap; equal sums stay equal modulo 2^128.
void debits_equal_credits(const Ledger& ledger, std::string_view name, Violations& violations) {
    std::map<std::uint32_t, Balances> ledgers;
    each_account(ledger, [&](const Account& a) {
        Balances& sum = ledgers[a.ledger];
        sum.debits_pending += a.debits_pending;
        sum.debits_posted += a.debits_posted;
        sum.credits_pending += a.credits_pending;
        sum.credits_posted += a.credits_posted;
    });
    for (const auto& [number, sum] : ledgers) {
        const std::string which = "ledger " + std::to_string(number);
        if (sum.debits_pending != sum.credits_pending) violations.push_back({name, which + ": pending"});
        if (sum.debits_posted != sum.credits_posted) violations.push_back({name, which + ": posted"});
    }
}

// None, too, when it cannot be read: another checker says so then.
PendingStatus status_of(const Ledger& ledger, uint128 id) {
    const auto status = ledger.pending_status(id);
    return status.ok() ? *status : PendingStatus::none;
}

void balances_are_sums_of_transfers(const Ledger& ledger, std::string_view name, Violations& violations) {
    std::map<uint128, Balances> accounts;
    each_transfer(ledger, [&](const Transfer& t) {
        if (has(t, transfer_flags::void_pending)) return;
        Balances& debit = accounts[t.debit_account_id];
        Balances& credit = accounts[t.credit_account_id];
        if (!has(t, transfer_flags::pending)) {
            debit.debits_posted += t.amount;
            credit.credits_posted += t.amount;
        } else if (status_of(ledger, t.id) == PendingStatus::pending) {
            debit.debits_pending += t.amount;
            credit.credits_pending += t.amount;
        }
    });
    each_account(ledger, [&](const Account& a) {
        const Balances& sum = accounts[a.id];
        const bool pending = a.debits_pending == sum.debits_pending && a.credits_pending == sum.credits_pending;
        const bool posted = a.debits_posted == sum.debits_posted && a.credits_posted == sum.credits_posted;
        if (!pending) violations.push_back({name, account_text(a) + ": pending is not the sum of its live holds"});
        if (!posted) violations.push_back({name, account_text(a) + ": posted is not the sum of its transfers"});
    });
}

void limits_are_kept(const Ledger& ledger, std::string_view name, Violations& violations) {
    each_account(ledger, [&](const Account& a) {
        const uint128 debits = a.debits_pending + a.debits_posted;
        const uint128 credits = a.credits_pending + a.credits_posted;
        if (debits < a.debits_pending || credits < a.credits_pending) {
            violations.push_back({name, account_text(a) + ": pending plus posted wraps"});
        }
        if (has(a, account_flags::debits_must_not_exceed_credits) && debits > a.credits_posted) {
            violations.push_back({name, account_text(a) + ": debits exceed credits"});
        }
        if (has(a, account_flags::credits_must_not_exceed_debits) && credits > a.debits_posted) {
            violations.push_back({name, account_text(a) + ": credits exceed debits"});
        }
    });
}

void closed_by_live_closing_transfer(const Ledger& ledger, std::string_view name, Violations& violations) {
    std::map<uint128, int> closers;
    each_transfer(ledger, [&](const Transfer& t) {
        if (status_of(ledger, t.id) != PendingStatus::pending) return;
        if (has(t, transfer_flags::closing_debit)) ++closers[t.debit_account_id];
        if (has(t, transfer_flags::closing_credit)) ++closers[t.credit_account_id];
    });
    each_account(ledger, [&](const Account& a) {
        const int expected = has(a, account_flags::closed) ? 1 : 0;
        if (closers[a.id] != expected) {
            violations.push_back({name, account_text(a) + ": closed flag and closing transfers disagree"});
        }
    });
}

void timestamps_increase(const Ledger& ledger, std::string_view name, Violations& violations) {
    std::uint64_t last = 0;
    each_account(ledger, [&](const Account& a) {
        if (a.timestamp <= last) violations.push_back({name, account_text(a) + ": not later than the one before"});
        last = a.timestamp;
    });
    if (last > ledger.last_timestamp_ns()) violations.push_back({name, "the last account is in the future"});
    last = 0;
    each_transfer(ledger, [&](const Transfer& t) {
        if (t.timestamp <= last) violations.push_back({name, transfer_text(t) + ": not later than the one before"});
        last = t.timestamp;
    });
    if (last > ledger.last_timestamp_ns()) violations.push_back({name, "the last transfer is in the future"});
}

void transfers_join_two_accounts_of_one_ledger(const Ledger& ledger, std::string_view name, Violations& violations) {
    std::uint64_t seen = 0;
    each_transfer(ledger, [&](const Transfer& t) {
        ++seen;
        const Account* debit = ledger.find_account(t.debit_account_id);
        const Account* credit = ledger.find_account(t.credit_account_id);
        const bool joined = debit != nullptr && credit != nullptr && debit != credit && t.ledger == debit->ledger &&
                            t.ledger == credit->ledger;
        if (!joined) violations.push_back({name, transfer_text(t)});
        const auto found = ledger.find_transfer(t.id);
        if (!found.ok() || *found != t) violations.push_back({name, transfer_text(t) + ": not found by its id"});
    });
    if (seen != ledger.transfer_count()) violations.push_back({name, "not every stored transfer is found by its id"});
}

void pendings_are_resolved_once(const Ledger& ledger, std::string_view name, Violations& violations) {
    std::map<uint128, std::vector<Transfer>> resolvers;
    each_transfer(ledger, [&](const Transfer& t) {
        if (t.pending_id != 0) resolvers[t.pending_id].push_back(t);
    });
    each_transfer(ledger, [&](const Transfer& t) {
        const PendingStatus status = status_of(ledger, t.id);
        const auto found = resolvers.find(t.id);
        const std::size_t count = found == resolvers.end() ? 0 : found->second.size();
        const bool resolved = status == PendingStatus::posted || status == PendingStatus::voided;
        if (has(t, transfer_flags::pending) == (status == PendingStatus::none)) {
            violations.push_back({name, transfer_text(t) + ": status does not suit its flags"});
        }
        if (count != (resolved ? 1U : 0U)) {
            violations.push_back({name, transfer_text(t) + ": is " + std::string(name_of(status)) + " by " +
                                            std::to_string(count) + " transfers"});
            return;
        }
        if (!resolved) return;
        const Transfer& by = found->second.front();
        const bool posted = status == PendingStatus::posted;
        const bool right_kind = has(by, posted ? transfer_flags::post_pending : transfer_flags::void_pending);
        const bool right_amount = posted ? by.amount <= t.amount : by.amount == t.amount;
        const bool right_accounts =
            by.debit_account_id == t.debit_account_id && by.credit_account_id == t.credit_account_id;
        if (!right_kind || !right_amount || !right_accounts) {
            violations.push_back({name, transfer_text(by) + ": does not suit what it resolves"});
        }
    });
}

constexpr std::array checkers{
    Checker{"debits_equal_credits", debits_equal_credits},
    Checker{"balances_are_sums_of_transfers", balances_are_sums_of_transfers},
    Checker{"limits_are_kept", limits_are_kept},
    Checker{"closed_by_live_closing_transfer", closed_by_live_closing_transfer},
    Checker{"timestamps_increase", timestamps_increase},
    Checker{"transfers_join_two_accounts_of_one_ledger", transfers_join_two_accounts_of_one_ledger},
    Checker{"pendings_are_resolved_once", pendings_are_resolved_once},
};

}  // namespace

std::span<const Checker> invariant_checkers() {
    return checkers;
}

std::vector<Violation> check_invariants(const Ledger& ledger) {
    std::vector<Violation> violations;
    for (const Checker& checker : checkers) checker.check(ledger, checker.name, violations);
    return violations;
}

}  // namespace jiaozi::ledger
