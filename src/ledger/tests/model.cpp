#include "model.hpp"

#include <algorithm>

#include <boost/multiprecision/cpp_int.hpp>

namespace jiaozi::ledger::test {
namespace {

using Big = boost::multiprecision::cpp_int;

Big big(uint128 value) {
    return (Big(high64(value)) << 64) + low64(value);
}
bool too_big(const Big& value) {
    return value > big(uint128_max);
}

namespace af = account_flags;
namespace tf = transfer_flags;
bool is(const Transfer& t, std::uint16_t flag) {
    return (t.flags & flag) != 0;
}
bool is(const Account& a, std::uint16_t flag) {
    return (a.flags & flag) != 0;
}
bool resolves(const Transfer& t) {
    return is(t, tf::post_pending) || is(t, tf::void_pending);
}

Big expiry(const Transfer& pending, std::uint64_t created_ns) {
    return Big(created_ns) + Big(pending.timeout_s) * 1'000'000'000;
}

// [first, last) of each chain, single events included.
template <class Event>
std::vector<std::pair<std::size_t, std::size_t>> chains(std::span<const Event> events) {
    std::vector<std::pair<std::size_t, std::size_t>> found;
    std::size_t first = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        const bool goes_on = (events[i].flags & 1) != 0 && i + 1 < events.size();
        if (goes_on) continue;
        found.emplace_back(first, i + 1);
        first = i + 1;
    }
    return found;
}

template <class Event>
bool cut_off(std::span<const Event> events, std::size_t index) {
    return index + 1 == events.size() && (events[index].flags & 1) != 0;
}

}  // namespace

// ---------------------------------------------------------------- accounts

const Account* Model::account(uint128 id) const {
    for (const Account& a : data_.accounts) {
        if (a.id == id) return &a;
    }
    return nullptr;
}

Account Model::with_balances(const Account& created) const {
    Account a = created;
    for (const Stored& s : data_.transfers) {
        const Transfer& t = s.transfer;
        const bool debit = t.debit_account_id == a.id;
        if (!debit && t.credit_account_id != a.id) continue;
        if (is(t, tf::void_pending)) continue;
        if (!is(t, tf::pending)) {
            (debit ? a.debits_posted : a.credits_posted) += t.amount;
        } else if (s.status == PendingStatus::pending) {
            (debit ? a.debits_pending : a.credits_pending) += t.amount;
            if (is(t, debit ? tf::closing_debit : tf::closing_credit)) a.flags |= af::closed;
        }
    }
    return a;
}

std::vector<Account> Model::accounts() const {
    std::vector<Account> all;
    for (const Account& a : data_.accounts) all.push_back(with_balances(a));
    return all;
}

std::optional<CreateAccountResult> Model::answer_without_state(const Account& e) const {
    using enum CreateAccountResult;
    std::set<CreateAccountResult> faults;
    const auto fault = [&](bool wrong, CreateAccountResult result) {
        if (wrong) faults.insert(result);
    };
    fault(e.timestamp != 0, timestamp_must_be_zero);
    fault(e.reserved != 0, reserved_field);
    fault(e.flags >= 64, reserved_flag);
    fault(is(e, af::closed), closed_flag_must_not_be_set);
    fault(e.id == 0, id_must_not_be_zero);
    fault(e.id == uint128_max, id_must_not_be_int_max);
    fault(is(e, 2) && is(e, 4), flags_are_mutually_exclusive);
    fault(e.debits_pending != 0, debits_pending_must_be_zero);
    fault(e.debits_posted != 0, debits_posted_must_be_zero);
    fault(e.credits_pending != 0, credits_pending_must_be_zero);
    fault(e.credits_posted != 0, credits_posted_must_be_zero);
    fault(e.ledger == 0, ledger_must_not_be_zero);
    fault(e.code == 0, code_must_not_be_zero);
    if (const Account* known = account(e.id)) {
        constexpr int compared = 1 | 2 | 4 | 8;
        fault((known->flags & compared) != (e.flags & compared), exists_with_different_flags);
        fault(known->user_data_128 != e.user_data_128, exists_with_different_user_data_128);
        fault(known->user_data_64 != e.user_data_64, exists_with_different_user_data_64);
        fault(known->user_data_32 != e.user_data_32, exists_with_different_user_data_32);
        fault(known->ledger != e.ledger, exists_with_different_ledger);
        fault(known->code != e.code, exists_with_different_code);
        fault(true, exists);
    }
    if (faults.empty()) return std::nullopt;
    return *faults.begin();
}

std::vector<CreateAccountResult> Model::create_accounts(std::span<const Account> events, std::uint64_t last_ns) {
    using enum CreateAccountResult;
    std::vector<CreateAccountResult> results(events.size());
    for (const auto& [first, last] : chains(events)) {
        const Data before = data_;
        bool broken = false;
        for (std::size_t i = first; i < last; ++i) {
            const std::optional<CreateAccountResult> answer =
                cut_off(events, i) ? linked_event_chain_open : answer_without_state(events[i]);
            results[i] = answer ? *answer : broken ? linked_event_failed : ok;
            if (results[i] == ok) {
                data_.accounts.push_back(events[i]);
                data_.accounts.back().timestamp = last_ns - events.size() + 1 + i;
            } else if (!broken) {
                broken = true;
                data_ = before;
                std::fill(results.begin() + static_cast<std::ptrdiff_t>(first),
                          results.begin() + static_cast<std::ptrdiff_t>(i), linked_event_failed);
            }
        }
    }
    return results;
}

void Model::set_frozen(uint128 account_id, bool frozen) {
    for (Account& a : data_.accounts) {
        if (a.id == account_id) a.flags = static_cast<std::uint16_t>(frozen ? a.flags | 16 : a.flags & ~16);
    }
}

// ---------------------------------------------------------------- transfers

const Model::Stored* Model::stored(uint128 id) const {
    for (const Stored& s : data_.transfers) {
        if (s.transfer.id == id) return &s;
    }
    return nullptr;
}

std::optional<CreateTransferResult> Model::answer_without_state(const Transfer& e) const {
    using enum CreateTransferResult;
    std::set<CreateTransferResult> faults;
    const auto fault = [&](bool wrong, CreateTransferResult result) {
        if (wrong) faults.insert(result);
    };
    const bool post_or_void = resolves(e);
    const bool held_kind = is(e, tf::pending) || is(e, 16) || is(e, 32) || is(e, 64) || is(e, 128);
    fault(e.timestamp != 0, timestamp_must_be_zero);
    fault(e.flags >= 256, reserved_flag);
    fault(e.id == 0, id_must_not_be_zero);
    fault(e.id == uint128_max, id_must_not_be_int_max);
    fault((is(e, tf::post_pending) && is(e, tf::void_pending)) || (post_or_void && held_kind),
          flags_are_mutually_exclusive);
    if (post_or_void) {
        fault(e.pending_id == 0, pending_id_must_not_be_zero);
        fault(e.pending_id == uint128_max, pending_id_must_not_be_int_max);
        fault(e.pending_id == e.id, pending_id_must_be_different);
    } else {
        fault(e.debit_account_id == 0, debit_account_id_must_not_be_zero);
        fault(e.debit_account_id == uint128_max, debit_account_id_must_not_be_int_max);
        fault(e.credit_account_id == 0, credit_account_id_must_not_be_zero);
        fault(e.credit_account_id == uint128_max, credit_account_id_must_not_be_int_max);
        fault(e.debit_account_id == e.credit_account_id, accounts_must_be_different);
        fault(e.pending_id != 0, pending_id_must_be_zero);
        fault((is(e, 64) || is(e, 128)) && !is(e, tf::pending), closing_transfer_must_be_pending);
        fault(e.ledger == 0, ledger_must_not_be_zero);
        fault(e.code == 0, code_must_not_be_zero);
    }
    fault(e.timeout_s != 0 && !is(e, tf::pending), timeout_reserved_for_pending_transfer);
    if (faults.empty()) return std::nullopt;
    return *faults.begin();
}

std::optional<CreateTransferResult> Model::answer_of_memory(const Transfer& e) const {
    using enum CreateTransferResult;
    for (const Refused& r : data_.refused) {
        if (r.asked.id == e.id) return r.asked == e ? r.result : id_already_failed;
    }
    const Stored* known = stored(e.id);
    if (known == nullptr) return std::nullopt;
    const Transfer& old = known->asked;
    if (e.flags != old.flags) return exists_with_different_flags;
    if (e.pending_id != old.pending_id) return exists_with_different_pending_id;
    if (e.timeout_s != old.timeout_s) return exists_with_different_timeout;
    // "What a post or void leaves to inheritance and what it spells out count as the same."
    const Stored* held = resolves(e) ? stored(e.pending_id) : nullptr;
    const auto differ = [&](auto field) {
        const auto now = e.*field == 0 && held != nullptr ? held->transfer.*field : e.*field;
        const auto then = old.*field == 0 && held != nullptr ? held->transfer.*field : old.*field;
        return now != then;
    };
    const auto amount_of = [&](const Transfer& t) {
        if (held == nullptr) return t.amount;
        const bool all = t.amount == everything || (is(t, tf::void_pending) && t.amount == 0);
        return all ? held->transfer.amount : t.amount;
    };
    if (differ(&Transfer::debit_account_id)) return exists_with_different_debit_account_id;
    if (differ(&Transfer::credit_account_id)) return exists_with_different_credit_account_id;
    if (amount_of(e) != amount_of(old)) return exists_with_different_amount;
    if (differ(&Transfer::user_data_128)) return exists_with_different_user_data_128;
    if (differ(&Transfer::user_data_64)) return exists_with_different_user_data_64;
    if (differ(&Transfer::user_data_32)) return exists_with_different_user_data_32;
    if (differ(&Transfer::ledger)) return exists_with_different_ledger;
    if (differ(&Transfer::code)) return exists_with_different_code;
    return exists;
}

uint128 Model::amount_to_move(const Transfer& e) const {
    Big amount = big(e.amount);
    const Account debit = with_balances(*account(e.debit_account_id));
    const Account credit = with_balances(*account(e.credit_account_id));
    const Big debit_left = big(debit.credits_posted) - big(debit.debits_posted) - big(debit.debits_pending);
    const Big credit_owed = big(credit.debits_posted) - big(credit.credits_posted) - big(credit.credits_pending);
    if (is(e, tf::balancing_debit) && debit_left < amount) amount = debit_left;
    if (is(e, tf::balancing_credit) && credit_owed < amount) amount = credit_owed;
    if (amount < 0) amount = 0;
    return make_uint128(static_cast<std::uint64_t>(amount >> 64), static_cast<std::uint64_t>(amount & UINT64_MAX));
}

std::set<CreateTransferResult> Model::faults_of_move(const Transfer& e, std::uint64_t at_ns) const {
    using enum CreateTransferResult;
    std::set<CreateTransferResult> faults;
    const auto fault = [&](bool wrong, CreateTransferResult result) {
        if (wrong) faults.insert(result);
    };
    fault(account(e.debit_account_id) == nullptr, debit_account_not_found);
    fault(account(e.credit_account_id) == nullptr, credit_account_not_found);
    fault(expiry(e, at_ns) > UINT64_MAX, overflows_timeout);
    if (account(e.debit_account_id) == nullptr || account(e.credit_account_id) == nullptr) return faults;

    const Account debit = with_balances(*account(e.debit_account_id));
    const Account credit = with_balances(*account(e.credit_account_id));
    const Big amount = big(amount_to_move(e));
    const Big debits_after = big(debit.debits_pending) + big(debit.debits_posted) + amount;
    const Big credits_after = big(credit.credits_pending) + big(credit.credits_posted) + amount;
    fault(debit.ledger != credit.ledger, accounts_must_have_the_same_ledger);
    fault(e.ledger != debit.ledger || e.ledger != credit.ledger, transfer_must_have_the_same_ledger_as_accounts);
    fault(is(debit, af::closed), debit_account_already_closed);
    fault(is(credit, af::closed), credit_account_already_closed);
    fault(is(debit, af::frozen), debit_account_frozen);
    fault(is(credit, af::frozen), credit_account_frozen);
    fault(is(e, tf::pending) && too_big(amount + big(debit.debits_pending)), overflows_debits_pending);
    fault(is(e, tf::pending) && too_big(amount + big(credit.credits_pending)), overflows_credits_pending);
    fault(too_big(amount + big(debit.debits_posted)), overflows_debits_posted);
    fault(too_big(amount + big(credit.credits_posted)), overflows_credits_posted);
    fault(too_big(debits_after), overflows_debits);
    fault(too_big(credits_after), overflows_credits);
    fault(is(debit, af::debits_must_not_exceed_credits) && debits_after > big(debit.credits_posted), exceeds_credits);
    fault(is(credit, af::credits_must_not_exceed_debits) && credits_after > big(credit.debits_posted), exceeds_debits);
    return faults;
}

std::set<CreateTransferResult> Model::faults_of_resolution(const Transfer& e, std::uint64_t at_ns) const {
    using enum CreateTransferResult;
    const Stored* held = stored(e.pending_id);
    if (held == nullptr) return {pending_transfer_not_found};
    if (!is(held->transfer, tf::pending)) return {pending_transfer_not_pending};
    std::set<CreateTransferResult> faults;
    const auto fault = [&](bool wrong, CreateTransferResult result) {
        if (wrong) faults.insert(result);
    };
    const Transfer& p = held->transfer;
    const auto other = [&](auto field) { return e.*field != 0 && e.*field != p.*field; };
    const bool voids = is(e, tf::void_pending);
    fault(other(&Transfer::debit_account_id), pending_transfer_has_different_debit_account_id);
    fault(other(&Transfer::credit_account_id), pending_transfer_has_different_credit_account_id);
    fault(other(&Transfer::ledger), pending_transfer_has_different_ledger);
    fault(other(&Transfer::code), pending_transfer_has_different_code);
    fault(e.amount != everything && e.amount > p.amount, exceeds_pending_transfer_amount);
    fault(voids && e.amount != 0 && e.amount != everything && e.amount < p.amount,
          pending_transfer_has_different_amount);
    fault(held->status == PendingStatus::posted, pending_transfer_already_posted);
    fault(held->status == PendingStatus::voided, pending_transfer_already_voided);
    const bool over = held->status == PendingStatus::pending && p.timeout_s != 0 && expiry(p, p.timestamp) <= at_ns;
    fault(held->status == PendingStatus::expired || over, pending_transfer_expired);
    const Account debit = with_balances(*account(p.debit_account_id));
    const Account credit = with_balances(*account(p.credit_account_id));
    fault(!voids && is(debit, af::closed), debit_account_already_closed);
    fault(!voids && is(credit, af::closed), credit_account_already_closed);
    fault(!voids && is(debit, af::frozen), debit_account_frozen);
    fault(!voids && is(credit, af::frozen), credit_account_frozen);
    return faults;
}

void Model::store_resolution(const Transfer& e, std::uint64_t at_ns) {
    Transfer t = e;
    t.timestamp = at_ns;
    for (Stored& held : data_.transfers) {
        if (held.transfer.id != e.pending_id) continue;
        const Transfer& p = held.transfer;
        held.status = is(e, tf::post_pending) ? PendingStatus::posted : PendingStatus::voided;
        if (is(e, tf::void_pending) || e.amount == everything) t.amount = p.amount;
        t.debit_account_id = p.debit_account_id;
        t.credit_account_id = p.credit_account_id;
        t.ledger = p.ledger;
        t.code = p.code;
        if (t.user_data_128 == 0) t.user_data_128 = p.user_data_128;
        if (t.user_data_64 == 0) t.user_data_64 = p.user_data_64;
        if (t.user_data_32 == 0) t.user_data_32 = p.user_data_32;
    }
    data_.transfers.push_back({t, e, PendingStatus::none});
}

CreateTransferResult Model::try_transfer(const Transfer& e, std::uint64_t at_ns) {
    const std::set<CreateTransferResult> faults =
        resolves(e) ? faults_of_resolution(e, at_ns) : faults_of_move(e, at_ns);
    if (!faults.empty()) return *faults.begin();
    if (resolves(e)) {
        store_resolution(e, at_ns);
    } else {
        Transfer t = e;
        t.timestamp = at_ns;
        t.amount = amount_to_move(e);
        data_.transfers.push_back({t, e, is(e, tf::pending) ? PendingStatus::pending : PendingStatus::none});
    }
    const Transfer& t = data_.transfers.back().transfer;
    note_history(t.debit_account_id, t.id, at_ns, ChangeCause::transfer);
    note_history(t.credit_account_id, t.id, at_ns, ChangeCause::transfer);
    return CreateTransferResult::ok;
}

std::vector<CreateTransferResult> Model::create_transfers(std::span<const Transfer> events, std::uint64_t last_ns) {
    using enum CreateTransferResult;
    std::vector<CreateTransferResult> results(events.size());
    for (const auto& [first, last] : chains(events)) {
        const std::optional<Data> before = last - first > 1 ? std::optional(data_) : std::nullopt;
        bool broken = false;
        for (std::size_t i = first; i < last; ++i) {
            std::optional<CreateTransferResult> answer;
            if (cut_off(events, i)) answer = linked_event_chain_open;
            if (!answer) answer = answer_without_state(events[i]);
            if (!answer) answer = answer_of_memory(events[i]);
            const bool unknown = !answer;
            if (unknown && broken) answer = linked_event_failed;
            if (!answer) answer = try_transfer(events[i], last_ns - events.size() + 1 + i);
            results[i] = *answer;
            if (*answer == ok) continue;
            if (!broken && before) {
                data_ = *before;
                for (std::size_t j = first; j < i; ++j) {
                    results[j] = linked_event_failed;
                    data_.refused.push_back({events[j], linked_event_failed});
                }
            }
            broken = true;
            if (unknown) data_.refused.push_back({events[i], *answer});
        }
    }
    return results;
}

// ---------------------------------------------------------------- time

void Model::note_history(uint128 account_id, uint128 transfer_id, std::uint64_t at_ns, ChangeCause cause) {
    const Account a = with_balances(*account(account_id));
    if (!is(a, af::history)) return;
    data_.histories[account_id].push_back(
        {transfer_id, a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted, at_ns, cause});
}

std::vector<BalanceChange> Model::history(uint128 account_id) const {
    const auto found = data_.histories.find(account_id);
    return found == data_.histories.end() ? std::vector<BalanceChange>{} : found->second;
}

std::optional<std::uint64_t> Model::next_expiry_ns() const {
    std::optional<std::uint64_t> next;
    for (const Stored& s : data_.transfers) {
        if (s.status != PendingStatus::pending || s.transfer.timeout_s == 0) continue;
        const auto at = static_cast<std::uint64_t>(expiry(s.transfer, s.transfer.timestamp));
        next = next ? std::min(*next, at) : at;
    }
    return next;
}

std::vector<Expired> Model::expire(std::uint64_t now_ns) {
    std::vector<Expired> out;
    while (next_expiry_ns() && *next_expiry_ns() <= now_ns) {
        const Big at = *next_expiry_ns();
        for (Stored& s : data_.transfers) {
            const Transfer t = s.transfer;
            const bool due = s.status == PendingStatus::pending && t.timeout_s != 0 && expiry(t, t.timestamp) == at;
            if (!due) continue;
            s.status = PendingStatus::expired;
            note_history(t.debit_account_id, t.id, now_ns, ChangeCause::expiry);
            note_history(t.credit_account_id, t.id, now_ns, ChangeCause::expiry);
            out.push_back({t.id, now_ns});
        }
    }
    return out;
}

}  // namespace jiaozi::ledger::test
