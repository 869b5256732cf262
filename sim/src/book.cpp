#include <algorithm>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/sim/book.hpp>

namespace jiaozi::sim {

namespace {

using ledger::Account;
using ledger::everything;
using ledger::PendingStatus;
using ledger::SetAccountFlagsResult;
using ledger::Transfer;
namespace af = ledger::account_flags;
namespace tf = ledger::transfer_flags;

constexpr std::uint64_t second_ns = 1'000'000'000;

template <class Event>
bool has(const Event& event, int flags) {
    return (event.flags & flags) != 0;
}
bool resolves(const Transfer& t) {
    return has(t, tf::post_pending | tf::void_pending);
}
bool wraps(uint128 a, uint128 b) {
    return a + b < a;
}

// The end of the chain that starts at `first`, and whether the batch ends before the chain does.
template <class Event>
std::pair<std::size_t, bool> chain_end(std::span<const Event> events, std::size_t first) {
    for (std::size_t i = first; i < events.size(); ++i) {
        if (!has(events[i], 1)) return {i + 1, false};
    }
    return {events.size(), true};
}

}  // namespace

const Book::Known* Book::find(uint128 transfer_id) const {
    const auto found = known_.find(transfer_id);
    return found == known_.end() ? nullptr : &found->second;
}

void Book::on_undo(std::function<void()> step) {
    if (in_chain_) steps_back_.push_back(std::move(step));
}

void Book::undo() {
    while (!steps_back_.empty()) {
        steps_back_.back()();
        steps_back_.pop_back();
    }
}

// To be called before an account is changed.
void Book::change(Account& account) {
    on_undo([&account, before = account] { account = before; });
}

Book::Answers Book::apply(const engine::Command& command, Timestamp timestamp) {
    Answers answers;
    std::uint64_t at = timestamp.ns - command.accounts.size() - command.flag_changes.size() - command.transfers.size();
    expire(at);
    answers.accounts = apply(std::span(command.accounts), at + 1);
    at += command.accounts.size() + command.flag_changes.size();
    for (const engine::FlagChange& wanted : command.flag_changes) {
        const auto found = accounts_.find(wanted.account_id);
        SetAccountFlagsResult result = SetAccountFlagsResult::ok;
        if (((wanted.set | wanted.clear) & ~af::frozen) != 0) {
            result = SetAccountFlagsResult::flag_cannot_be_changed;
        } else if ((wanted.set & wanted.clear) != 0) {
            result = SetAccountFlagsResult::set_and_clear_overlap;
        } else if (found == accounts_.end()) {
            result = SetAccountFlagsResult::account_not_found;
        } else {
            auto& flags = found->second.flags;
            flags = static_cast<std::uint16_t>((flags | wanted.set) & ~wanted.clear);
        }
        answers.flag_changes.push_back(result);
    }
    answers.transfers = apply(std::span(command.transfers), at + 1);
    return answers;
}

// ---------------------------------------------------------------- accounts

Book::AccountResult Book::judge(const Account& e) const {
    using enum ledger::CreateAccountResult;
    if (e.timestamp != 0) return timestamp_must_be_zero;
    if (e.reserved != 0) return reserved_field;
    if (e.flags > af::all) return reserved_flag;
    if (has(e, af::closed)) return closed_flag_must_not_be_set;
    if (e.id == 0) return id_must_not_be_zero;
    if (e.id == uint128_max) return id_must_not_be_int_max;
    if (has(e, 2) && has(e, 4)) return flags_are_mutually_exclusive;
    if (e.debits_pending != 0) return debits_pending_must_be_zero;
    if (e.debits_posted != 0) return debits_posted_must_be_zero;
    if (e.credits_pending != 0) return credits_pending_must_be_zero;
    if (e.credits_posted != 0) return credits_posted_must_be_zero;
    if (e.ledger == 0) return ledger_must_not_be_zero;
    if (e.code == 0) return code_must_not_be_zero;
    const auto known = accounts_.find(e.id);
    if (known == accounts_.end()) return ok;
    const Account& old = known->second;
    constexpr int kept = ~(af::frozen | af::closed);
    if ((old.flags & kept) != (e.flags & kept)) return exists_with_different_flags;
    if (old.user_data_128 != e.user_data_128) return exists_with_different_user_data_128;
    if (old.user_data_64 != e.user_data_64) return exists_with_different_user_data_64;
    if (old.user_data_32 != e.user_data_32) return exists_with_different_user_data_32;
    if (old.ledger != e.ledger) return exists_with_different_ledger;
    if (old.code != e.code) return exists_with_different_code;
    return exists;
}

std::vector<Book::AccountResult> Book::apply(std::span<const Account> events, std::uint64_t first_ns) {
    using enum ledger::CreateAccountResult;
    std::vector<AccountResult> results(events.size());
    for (std::size_t first = 0; first < events.size();) {
        const auto [end, open] = chain_end(events, first);
        std::vector<uint128> created;
        bool broken = false;
        for (std::size_t i = first; i < end; ++i) {
            AccountResult result = open && i + 1 == end ? linked_event_chain_open : judge(events[i]);
            if (result == ok && broken) result = linked_event_failed;
            results[i] = result;
            if (result == ok) {
                Account account = events[i];
                account.timestamp = first_ns + i;
                accounts_.emplace(account.id, account);
                created.push_back(account.id);
            } else if (!broken) {
                broken = true;
                for (const uint128 id : created) accounts_.erase(id);
                std::fill(results.begin() + static_cast<std::ptrdiff_t>(first),
                          results.begin() + static_cast<std::ptrdiff_t>(i), linked_event_failed);
            }
        }
        first = end;
    }
    return results;
}

// ---------------------------------------------------------------- transfers

Book::TransferResult Book::judge_form(const Transfer& e) const {
    using enum ledger::CreateTransferResult;
    if (e.timestamp != 0) return timestamp_must_be_zero;
    if (e.flags > tf::all) return reserved_flag;
    if (e.id == 0) return id_must_not_be_zero;
    if (e.id == uint128_max) return id_must_not_be_int_max;
    const bool other =
        has(e, tf::pending | tf::balancing_debit | tf::balancing_credit | tf::closing_debit | tf::closing_credit);
    if (has(e, tf::post_pending) && has(e, tf::void_pending)) return flags_are_mutually_exclusive;
    if (resolves(e) && other) return flags_are_mutually_exclusive;
    if (resolves(e)) {
        if (e.pending_id == 0) return pending_id_must_not_be_zero;
        if (e.pending_id == uint128_max) return pending_id_must_not_be_int_max;
        if (e.pending_id == e.id) return pending_id_must_be_different;
        return e.timeout_s != 0 ? timeout_reserved_for_pending_transfer : ok;
    }
    if (e.debit_account_id == 0) return debit_account_id_must_not_be_zero;
    if (e.debit_account_id == uint128_max) return debit_account_id_must_not_be_int_max;
    if (e.credit_account_id == 0) return credit_account_id_must_not_be_zero;
    if (e.credit_account_id == uint128_max) return credit_account_id_must_not_be_int_max;
    if (e.debit_account_id == e.credit_account_id) return accounts_must_be_different;
    if (e.pending_id != 0) return pending_id_must_be_zero;
    if (e.timeout_s != 0 && !has(e, tf::pending)) return timeout_reserved_for_pending_transfer;
    if (has(e, tf::closing_debit | tf::closing_credit) && !has(e, tf::pending)) return closing_transfer_must_be_pending;
    if (e.ledger == 0) return ledger_must_not_be_zero;
    if (e.code == 0) return code_must_not_be_zero;
    return ok;
}

// The answer for an id that is known. Whether a field that a post or void left to inheritance "says the same" is asked
// of the stored transfer, which holds the inherited value.
std::optional<Book::TransferResult> Book::remembered(const Transfer& e) const {
    using enum ledger::CreateTransferResult;
    const Known* known = find(e.id);
    if (known == nullptr) return std::nullopt;
    const Transfer& old = known->asked;
    if (known->result != ok) return old == e ? known->result : id_already_failed;
    if (e.flags != old.flags) return exists_with_different_flags;
    if (e.pending_id != old.pending_id) return exists_with_different_pending_id;
    if (e.timeout_s != old.timeout_s) return exists_with_different_timeout;
    const Transfer& stored = known->stored;
    const Transfer* hold = resolves(e) ? &find(e.pending_id)->stored : nullptr;
    const auto differs = [&](auto Transfer::* field) {
        const bool inherited = hold != nullptr && e.*field == 0;
        return (inherited ? hold->*field : e.*field) != stored.*field;
    };
    if (differs(&Transfer::debit_account_id)) return exists_with_different_debit_account_id;
    if (differs(&Transfer::credit_account_id)) return exists_with_different_credit_account_id;
    uint128 now = e.amount;
    uint128 then = old.amount;
    if (hold != nullptr) {
        for (uint128* amount : {&now, &then}) {
            if (*amount == everything || (*amount == 0 && has(e, tf::void_pending))) *amount = hold->amount;
        }
    }
    if (now != then) return exists_with_different_amount;
    if (differs(&Transfer::user_data_128)) return exists_with_different_user_data_128;
    if (differs(&Transfer::user_data_64)) return exists_with_different_user_data_64;
    if (differs(&Transfer::user_data_32)) return exists_with_different_user_data_32;
    if (differs(&Transfer::ledger)) return exists_with_different_ledger;
    if (differs(&Transfer::code)) return exists_with_different_code;
    return exists;
}

void Book::store(const Transfer& asked, const Transfer& stored, PendingStatus status) {
    known_.emplace(stored.id, Known{asked, stored, TransferResult::ok, status});
    stored_.push_back(stored.id);
    on_undo([this, id = stored.id] {
        known_.erase(id);
        stored_.pop_back();
    });
    if (status != PendingStatus::pending || stored.timeout_s == 0) return;
    const Due due{static_cast<uint128>(stored.timestamp) + static_cast<uint128>(stored.timeout_s) * second_ns,
                  stored.timestamp, stored.id};
    due_.insert(due);
    on_undo([this, due] { due_.erase(due); });
}

void Book::remember_refusal(const Transfer& asked, TransferResult result) {
    known_.emplace(asked.id, Known{asked, {}, result, PendingStatus::none});
}

Book::TransferResult Book::try_moving(const Transfer& e, std::uint64_t at_ns) {
    using enum ledger::CreateTransferResult;
    const auto debit_found = accounts_.find(e.debit_account_id);
    if (debit_found == accounts_.end()) return debit_account_not_found;
    const auto credit_found = accounts_.find(e.credit_account_id);
    if (credit_found == accounts_.end()) return credit_account_not_found;
    Account& debit = debit_found->second;
    Account& credit = credit_found->second;
    if (debit.ledger != credit.ledger) return accounts_must_have_the_same_ledger;
    if (e.ledger != debit.ledger) return transfer_must_have_the_same_ledger_as_accounts;
    if (has(debit, af::closed)) return debit_account_already_closed;
    if (has(credit, af::closed)) return credit_account_already_closed;
    if (has(debit, af::frozen)) return debit_account_frozen;
    if (has(credit, af::frozen)) return credit_account_frozen;

    const uint128 debits = debit.debits_pending + debit.debits_posted;
    const uint128 credits = credit.credits_pending + credit.credits_posted;
    uint128 amount = e.amount;
    if (has(e, tf::balancing_debit)) {
        amount = std::min(amount, debit.credits_posted > debits ? debit.credits_posted - debits : 0);
    }
    if (has(e, tf::balancing_credit)) {
        amount = std::min(amount, credit.debits_posted > credits ? credit.debits_posted - credits : 0);
    }
    const bool holds = has(e, tf::pending);
    if (holds && wraps(debit.debits_pending, amount)) return overflows_debits_pending;
    if (holds && wraps(credit.credits_pending, amount)) return overflows_credits_pending;
    if (wraps(debit.debits_posted, amount)) return overflows_debits_posted;
    if (wraps(credit.credits_posted, amount)) return overflows_credits_posted;
    if (wraps(debits, amount)) return overflows_debits;
    if (wraps(credits, amount)) return overflows_credits;
    if (static_cast<uint128>(at_ns) + static_cast<uint128>(e.timeout_s) * second_ns > UINT64_MAX) {
        return overflows_timeout;
    }
    if (has(debit, af::debits_must_not_exceed_credits) && debits + amount > debit.credits_posted) {
        return exceeds_credits;
    }
    if (has(credit, af::credits_must_not_exceed_debits) && credits + amount > credit.debits_posted) {
        return exceeds_debits;
    }

    change(debit);
    change(credit);
    (holds ? debit.debits_pending : debit.debits_posted) += amount;
    (holds ? credit.credits_pending : credit.credits_posted) += amount;
    if (has(e, tf::closing_debit)) debit.flags |= af::closed;
    if (has(e, tf::closing_credit)) credit.flags |= af::closed;
    Transfer stored = e;
    stored.amount = amount;
    stored.timestamp = at_ns;
    store(e, stored, holds ? PendingStatus::pending : PendingStatus::none);
    return ok;
}

// Ends a hold: takes it off the accounts, and opens what it had closed.
void Book::release(Known& hold, PendingStatus status) {
    const Transfer& t = hold.stored;
    Account& debit = accounts_.at(t.debit_account_id);
    Account& credit = accounts_.at(t.credit_account_id);
    change(debit);
    change(credit);
    debit.debits_pending -= t.amount;
    credit.credits_pending -= t.amount;
    if (status != PendingStatus::posted) {
        if (has(t, tf::closing_debit)) debit.flags &= static_cast<std::uint16_t>(~af::closed);
        if (has(t, tf::closing_credit)) credit.flags &= static_cast<std::uint16_t>(~af::closed);
    }
    hold.status = status;
    on_undo([&hold] { hold.status = PendingStatus::pending; });
    if (t.timeout_s == 0) return;
    const Due due{static_cast<uint128>(t.timestamp) + static_cast<uint128>(t.timeout_s) * second_ns, t.timestamp, t.id};
    if (due_.erase(due) != 0) on_undo([this, due] { due_.insert(due); });
}

Book::TransferResult Book::try_resolving(const Transfer& e, std::uint64_t at_ns) {
    using enum ledger::CreateTransferResult;
    const auto found = known_.find(e.pending_id);
    if (found == known_.end() || found->second.result != ok) return pending_transfer_not_found;
    Known& hold = found->second;
    const Transfer& p = hold.stored;
    if (!has(p, tf::pending)) return pending_transfer_not_pending;
    const bool voids = has(e, tf::void_pending);
    if (e.debit_account_id != 0 && e.debit_account_id != p.debit_account_id) {
        return pending_transfer_has_different_debit_account_id;
    }
    if (e.credit_account_id != 0 && e.credit_account_id != p.credit_account_id) {
        return pending_transfer_has_different_credit_account_id;
    }
    if (e.ledger != 0 && e.ledger != p.ledger) return pending_transfer_has_different_ledger;
    if (e.code != 0 && e.code != p.code) return pending_transfer_has_different_code;
    const bool whole = e.amount == everything || (voids && e.amount == 0);
    const uint128 amount = whole ? p.amount : e.amount;
    if (amount > p.amount) return exceeds_pending_transfer_amount;
    if (voids && amount != p.amount) return pending_transfer_has_different_amount;
    if (hold.status == PendingStatus::posted) return pending_transfer_already_posted;
    if (hold.status == PendingStatus::voided) return pending_transfer_already_voided;
    if (hold.status == PendingStatus::expired) return pending_transfer_expired;
    const uint128 end = static_cast<uint128>(p.timestamp) + static_cast<uint128>(p.timeout_s) * second_ns;
    if (p.timeout_s != 0 && end <= at_ns) return pending_transfer_expired;
    Account& debit = accounts_.at(p.debit_account_id);
    Account& credit = accounts_.at(p.credit_account_id);
    if (!voids) {
        if (has(debit, af::closed)) return debit_account_already_closed;
        if (has(credit, af::closed)) return credit_account_already_closed;
        if (has(debit, af::frozen)) return debit_account_frozen;
        if (has(credit, af::frozen)) return credit_account_frozen;
    }

    release(hold, voids ? PendingStatus::voided : PendingStatus::posted);
    if (!voids) {
        change(debit);
        change(credit);
        debit.debits_posted += amount;
        credit.credits_posted += amount;
    }
    Transfer stored = e;
    stored.amount = amount;
    stored.debit_account_id = p.debit_account_id;
    stored.credit_account_id = p.credit_account_id;
    stored.ledger = p.ledger;
    stored.code = p.code;
    if (stored.user_data_128 == 0) stored.user_data_128 = p.user_data_128;
    if (stored.user_data_64 == 0) stored.user_data_64 = p.user_data_64;
    if (stored.user_data_32 == 0) stored.user_data_32 = p.user_data_32;
    stored.timestamp = at_ns;
    store(e, stored, PendingStatus::none);
    return ok;
}

std::vector<Book::TransferResult> Book::apply(std::span<const Transfer> events, std::uint64_t first_ns) {
    using enum ledger::CreateTransferResult;
    std::vector<TransferResult> results(events.size());
    for (std::size_t first = 0; first < events.size();) {
        const auto [end, open] = chain_end(events, first);
        in_chain_ = end - first > 1;
        bool broken = false;
        for (std::size_t i = first; i < end; ++i) {
            const Transfer& e = events[i];
            TransferResult result = open && i + 1 == end ? linked_event_chain_open : judge_form(e);
            bool decided_by_state = false;
            if (result == ok) {
                const auto memory = remembered(e);
                decided_by_state = !memory.has_value();
                result = memory        ? *memory
                         : broken      ? linked_event_failed
                         : resolves(e) ? try_resolving(e, first_ns + i)
                                       : try_moving(e, first_ns + i);
            }
            results[i] = result;
            if (result == ok) continue;
            if (!broken) {
                undo();
                for (std::size_t k = first; k < i; ++k) {
                    results[k] = linked_event_failed;
                    remember_refusal(events[k], linked_event_failed);
                }
            }
            broken = true;
            if (decided_by_state) remember_refusal(e, result);
        }
        steps_back_.clear();
        in_chain_ = false;
        first = end;
    }
    return results;
}

// ---------------------------------------------------------------- time

std::vector<Book::RunOut> Book::due(Timestamp now) const {
    std::vector<RunOut> found;
    for (const Due& due : due_) {
        if (due.at_ns > now.ns) break;
        found.push_back({static_cast<std::uint64_t>(due.at_ns), due.id});
    }
    return found;
}

void Book::expire(std::uint64_t now_ns) {
    while (!due_.empty() && due_.begin()->at_ns <= now_ns) {
        release(known_.at(due_.begin()->id), PendingStatus::expired);
        ++expired_;
    }
}

}  // namespace jiaozi::sim
