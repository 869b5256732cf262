#include "transfer_rules.hpp"

#include <algorithm>
#include <array>

#include <jiaozi/base/assert.hpp>

namespace jiaozi::ledger {
namespace {

using enum CreateTransferResult;

constexpr std::uint16_t resolving = transfer_flags::post_pending | transfer_flags::void_pending;
constexpr std::uint16_t balancing = transfer_flags::balancing_debit | transfer_flags::balancing_credit;
constexpr std::uint16_t closing = transfer_flags::closing_debit | transfer_flags::closing_credit;

bool has(const Transfer& t, std::uint16_t flags) {
    return (t.flags & flags) != 0;
}
bool has(const AccountRecord& record, std::uint16_t flags) {
    return (record.account.flags & flags) != 0;
}

// Each sum here is one the balances are promised to hold without wrapping.
bool sum_overflows(uint128 a, uint128 b) {
    return a > uint128_max - b;
}
uint128 at_most(uint128 ceiling, uint128 amount) {
    return std::min(ceiling, amount);
}
uint128 left_of(uint128 whole, uint128 used) {
    return whole > used ? whole - used : 0;
}

// Of pending, post and void at most one; a post or void takes over what the pending transfer said about the rest.
bool flags_exclude_each_other(const Transfer& t) {
    using namespace transfer_flags;
    if (has(t, post_pending) && has(t, void_pending)) return true;
    return has(t, resolving) && has(t, pending | balancing | closing);
}

CreateTransferResult check_form_of_resolving(const Transfer& t) {
    if (t.pending_id == 0) return pending_id_must_not_be_zero;
    if (t.pending_id == uint128_max) return pending_id_must_not_be_int_max;
    if (t.pending_id == t.id) return pending_id_must_be_different;
    if (t.timeout_s != 0) return timeout_reserved_for_pending_transfer;
    return ok;
}

CreateTransferResult check_form_of_moving(const Transfer& t) {
    if (t.debit_account_id == 0) return debit_account_id_must_not_be_zero;
    if (t.debit_account_id == uint128_max) return debit_account_id_must_not_be_int_max;
    if (t.credit_account_id == 0) return credit_account_id_must_not_be_zero;
    if (t.credit_account_id == uint128_max) return credit_account_id_must_not_be_int_max;
    if (t.debit_account_id == t.credit_account_id) return accounts_must_be_different;
    if (t.pending_id != 0) return pending_id_must_be_zero;
    if (t.timeout_s != 0 && !has(t, transfer_flags::pending)) return timeout_reserved_for_pending_transfer;
    if (has(t, closing) && !has(t, transfer_flags::pending)) return closing_transfer_must_be_pending;
    if (t.ledger == 0) return ledger_must_not_be_zero;
    if (t.code == 0) return code_must_not_be_zero;
    return ok;
}

CreateTransferResult compare_with_stored(State& state, const Transfer& event, std::uint64_t ordinal) {
    Transfer asked;  // the event that was stored, as it came
    Transfer pending;
    if (!state.read_event(ordinal, asked)) {
        state.stop();
        return exists;
    }
    if (event.flags != asked.flags) return exists_with_different_flags;
    if (event.pending_id != asked.pending_id) return exists_with_different_pending_id;
    if (event.timeout_s != asked.timeout_s) return exists_with_different_timeout;
    Transfer t = event;
    if (has(event, resolving)) {
        // The stored transfer's pending transfer is stored too, and from here on it is the event's as well.
        bool unread = false;
        const auto known = state.find_transfer(event.pending_id, IdHash{}(event.pending_id), unread);
        if (!known || !state.read_stored(known->ordinal, pending)) {
            state.stop();
            return exists;
        }
        t = inherit(event, pending);
        asked = inherit(asked, pending);
    }
    if (t.debit_account_id != asked.debit_account_id) return exists_with_different_debit_account_id;
    if (t.credit_account_id != asked.credit_account_id) return exists_with_different_credit_account_id;
    if (t.amount != asked.amount) return exists_with_different_amount;
    if (t.user_data_128 != asked.user_data_128) return exists_with_different_user_data_128;
    if (t.user_data_64 != asked.user_data_64) return exists_with_different_user_data_64;
    if (t.user_data_32 != asked.user_data_32) return exists_with_different_user_data_32;
    if (t.ledger != asked.ledger) return exists_with_different_ledger;
    if (t.code != asked.code) return exists_with_different_code;
    return exists;
}

CreateTransferResult compare_with_refused(State& state, const Transfer& event, std::uint64_t ordinal) {
    Transfer asked;
    const auto result = state.refusal_of(ordinal);
    JZ_ASSERT(result.has_value());
    if (!state.read_event(ordinal, asked)) {
        state.stop();
        return *result;
    }
    asked.timestamp = 0;
    return event == asked ? *result : id_already_failed;
}

CreateTransferResult check_open(const AccountRecord& debit, const AccountRecord& credit) {
    if (has(debit, account_flags::closed)) return debit_account_already_closed;
    if (has(credit, account_flags::closed)) return credit_account_already_closed;
    if (has(debit, account_flags::frozen)) return debit_account_frozen;
    if (has(credit, account_flags::frozen)) return credit_account_frozen;
    return ok;
}

// What a balancing transfer moves: no more than asked, and no more than keeps each balanced account in balance.
uint128 balanced_amount(const Transfer& t, const Account& debit, const Account& credit) {
    uint128 amount = t.amount;
    if (has(t, transfer_flags::balancing_debit)) {
        amount = at_most(left_of(debit.credits_posted, debit.debits_posted + debit.debits_pending), amount);
    }
    if (has(t, transfer_flags::balancing_credit)) {
        amount = at_most(left_of(credit.debits_posted, credit.credits_posted + credit.credits_pending), amount);
    }
    return amount;
}

// Pending plus posted never wraps, so the sums of two balances in here need no check of their own.
CreateTransferResult check_balances(const Transfer& t, const Account& debit, const Account& credit,
                                    std::uint64_t timestamp_ns) {
    const uint128 debits = debit.debits_pending + debit.debits_posted;
    const uint128 credits = credit.credits_pending + credit.credits_posted;
    if (has(t, transfer_flags::pending)) {
        if (sum_overflows(t.amount, debit.debits_pending)) return overflows_debits_pending;
        if (sum_overflows(t.amount, credit.credits_pending)) return overflows_credits_pending;
    }
    if (sum_overflows(t.amount, debit.debits_posted)) return overflows_debits_posted;
    if (sum_overflows(t.amount, credit.credits_posted)) return overflows_credits_posted;
    if (sum_overflows(t.amount, debits)) return overflows_debits;
    if (sum_overflows(t.amount, credits)) return overflows_credits;
    if (static_cast<std::uint64_t>(t.timeout_s) * ns_per_s > UINT64_MAX - timestamp_ns) return overflows_timeout;
    if ((debit.flags & account_flags::debits_must_not_exceed_credits) != 0 &&
        debits + t.amount > debit.credits_posted) {
        return exceeds_credits;
    }
    if ((credit.flags & account_flags::credits_must_not_exceed_debits) != 0 &&
        credits + t.amount > credit.debits_posted) {
        return exceeds_debits;
    }
    return ok;
}

CreateTransferResult apply_moving(State& state, const Transfer& event, const Prepared& prepared, Place place) {
    AccountRecord* const debit = prepared.debit;
    if (debit == nullptr) return debit_account_not_found;
    AccountRecord* const credit = prepared.credit;
    if (credit == nullptr) return credit_account_not_found;
    if (debit->account.ledger != credit->account.ledger) return accounts_must_have_the_same_ledger;
    if (event.ledger != debit->account.ledger) return transfer_must_have_the_same_ledger_as_accounts;
    if (const auto result = check_open(*debit, *credit); result != ok) return result;
    Transfer t = event;
    t.timestamp = place.timestamp_ns;
    t.amount = balanced_amount(event, debit->account, credit->account);
    if (const auto result = check_balances(t, debit->account, credit->account, t.timestamp); result != ok) {
        return result;
    }

    Account& debited = state.change(*debit);
    Account& credited = state.change(*credit);
    if (has(t, transfer_flags::pending)) {
        debited.debits_pending += t.amount;
        credited.credits_pending += t.amount;
    } else {
        debited.debits_posted += t.amount;
        credited.credits_posted += t.amount;
    }
    if (has(t, transfer_flags::closing_debit)) debited.flags |= account_flags::closed;
    if (has(t, transfer_flags::closing_credit)) credited.flags |= account_flags::closed;
    state.add_transfer(t, place.ordinal, prepared.id_hash, event.amount);
    if (has(t, transfer_flags::pending)) state.add_hold({t, debit, credit}, place.ordinal);
    state.add_transfer_history(*debit, *credit, place.ordinal);
    return ok;
}

// `t` has inherited, so a field it left out cannot differ.
CreateTransferResult check_against_pending(const Transfer& t, const Transfer& pending, PendingStatus status) {
    if (t.debit_account_id != pending.debit_account_id) return pending_transfer_has_different_debit_account_id;
    if (t.credit_account_id != pending.credit_account_id) return pending_transfer_has_different_credit_account_id;
    if (t.ledger != pending.ledger) return pending_transfer_has_different_ledger;
    if (t.code != pending.code) return pending_transfer_has_different_code;
    if (t.amount > pending.amount) return exceeds_pending_transfer_amount;
    if (has(t, transfer_flags::void_pending) && t.amount != pending.amount) {
        return pending_transfer_has_different_amount;
    }
    if (status == PendingStatus::posted) return pending_transfer_already_posted;
    if (status == PendingStatus::voided) return pending_transfer_already_voided;
    if (status == PendingStatus::expired) return pending_transfer_expired;
    if (pending.timeout_s != 0 && expiry_ns(pending) <= t.timestamp) return pending_transfer_expired;
    return ok;
}

CreateTransferResult apply_resolving(State& state, const Transfer& event, const Prepared& prepared, Place place) {
    bool unread = false;
    const auto known = state.find_transfer(event.pending_id, prepared.pending_hash(), unread);
    const Hold* const live = known ? state.live_hold(known->ordinal) : nullptr;
    Hold hold;
    if (live != nullptr) hold = *live;
    if (unread || (known && !known->refused && live == nullptr && !state.read_stored(known->ordinal, hold.transfer))) {
        state.stop();
        return pending_transfer_not_found;
    }
    if (!known || known->refused) return pending_transfer_not_found;
    const Transfer& pending = hold.transfer;
    if (!has(pending, transfer_flags::pending)) return pending_transfer_not_pending;
    Transfer t = inherit(event, pending);
    t.timestamp = place.timestamp_ns;
    const PendingStatus status = live != nullptr ? PendingStatus::pending : state.status_of(known->ordinal);
    if (const auto result = check_against_pending(t, pending, status); result != ok) return result;
    JZ_ASSERT(live != nullptr);  // of those that are not, the check above has refused every one
    AccountRecord& debit = *hold.debit;
    AccountRecord& credit = *hold.credit;
    const bool posting = has(t, transfer_flags::post_pending);
    if (posting) {
        if (const auto result = check_open(debit, credit); result != ok) return result;
    }

    release_pending(state, hold, known->ordinal, posting ? PendingStatus::posted : PendingStatus::voided);
    if (posting) {
        // The hold was counted in pending plus posted, so what is posted of it fits.
        state.change(debit).debits_posted += t.amount;
        state.change(credit).credits_posted += t.amount;
    }
    state.add_transfer(t, place.ordinal, prepared.id_hash, t.amount);
    state.add_transfer_history(debit, credit, place.ordinal);
    return ok;
}

}  // namespace

// Each stage asks for memory that the one before has told it of.
void TransferRules::prepare(State& state, unsigned stage, std::span<const Transfer> events,
                            std::span<Prepared> prepared) {
    for (std::size_t i = 0; i < events.size(); ++i) {
        const Transfer& event = events[i];
        Prepared& p = prepared[i];
        const bool moving = !has(event, resolving);
        switch (stage) {
            case 0:  // what each id leads to
                p.id_hash = IdHash{}(event.id);
                state.prefetch_transfer_shard(p.id_hash);
                if (!moving) {
                    p.debit_hash = IdHash{}(event.pending_id);
                    state.prefetch_transfer_shard(p.pending_hash());
                    break;
                }
                p.debit_hash = IdHash{}(event.debit_account_id);
                p.credit_hash = IdHash{}(event.credit_account_id);
                if (p.places.debit == AccountPlaces::unknown) state.prefetch_account_shard(p.debit_hash);
                if (p.places.credit == AccountPlaces::unknown) state.prefetch_account_shard(p.credit_hash);
                break;
            case 1:  // its slot
                state.prefetch_transfer(p.id_hash);
                if (!moving) {
                    state.prefetch_transfer(p.pending_hash());
                    break;
                }
                if (p.places.debit == AccountPlaces::unknown) state.prefetch_account(p.debit_hash);
                if (p.places.credit == AccountPlaces::unknown) state.prefetch_account(p.credit_hash);
                break;
            case 2:  // the records, or where the hold is
                if (!moving) {
                    p.candidate = state.prefetch_hold_place(p.pending_hash());
                    break;
                }
                if (p.places.debit == AccountPlaces::unknown) p.places.debit = state.place_of_account(p.debit_hash);
                if (p.places.credit == AccountPlaces::unknown) p.places.credit = state.place_of_account(p.credit_hash);
                state.prefetch_record(p.places.debit);
                state.prefetch_record(p.places.credit);
                break;
            case 3:  // the hold
                state.prefetch_transfer_overflow(p.id_hash);
                if (!moving) state.prefetch_hold(p.candidate);
                break;
            case 4:  // its records
                if (moving) {
                    p.debit = state.find_account_at(p.places.debit, event.debit_account_id, p.debit_hash);
                    p.credit = state.find_account_at(p.places.credit, event.credit_account_id, p.credit_hash);
                } else {
                    state.prefetch_hold_accounts(p.candidate);
                }
                break;
            default:
                break;
        }
    }
}

void TransferRules::look_up(State& state, std::span<const Transfer> events, std::span<Prepared> prepared) {
    for (std::size_t i = 0; i < events.size(); ++i) {
        const Transfer& event = events[i];
        Prepared& p = prepared[i];
        p.id_hash = IdHash{}(event.id);
        if (has(event, resolving)) {
            p.debit_hash = IdHash{}(event.pending_id);
        } else {
            p.debit = state.find_account_at(p.places.debit, event.debit_account_id, IdHash{}(event.debit_account_id));
            p.credit =
                state.find_account_at(p.places.credit, event.credit_account_id, IdHash{}(event.credit_account_id));
        }
    }
}

// A window at a time, so that what one asks for arrives while the others ask.
void TransferRules::find_places(const State& state, std::span<const Transfer> events,
                                std::vector<AccountPlaces>& places) {
    constexpr std::size_t window = 32;
    struct Hashes {
        std::uint64_t debit, credit;
    };
    std::array<Hashes, window> hashes{};
    while (!events.empty()) {
        const auto some = events.first(std::min(window, events.size()));
        for (std::size_t i = 0; i < some.size(); ++i) {
            hashes[i] = {IdHash{}(some[i].debit_account_id), IdHash{}(some[i].credit_account_id)};
            state.prefetch_account_shard(hashes[i].debit);
            state.prefetch_account_shard(hashes[i].credit);
        }
        for (std::size_t i = 0; i < some.size(); ++i) {
            state.prefetch_account(hashes[i].debit);
            state.prefetch_account(hashes[i].credit);
        }
        for (std::size_t i = 0; i < some.size(); ++i) {
            if (has(some[i], resolving))
                places.push_back({});
            else
                places.push_back({state.place_of_account(hashes[i].debit), state.place_of_account(hashes[i].credit)});
        }
        events = events.subspan(some.size());
    }
}

CreateTransferResult TransferRules::check_form(const Transfer& event) {
    static_assert(transfer_flags::all == 0xFF, "the mask below covers every flag there is");
    if (event.timestamp != 0) return timestamp_must_be_zero;
    if ((event.flags & ~transfer_flags::all) != 0) return reserved_flag;
    if (event.id == 0) return id_must_not_be_zero;
    if (event.id == uint128_max) return id_must_not_be_int_max;
    if (flags_exclude_each_other(event)) return flags_are_mutually_exclusive;
    return has(event, resolving) ? check_form_of_resolving(event) : check_form_of_moving(event);
}

CreateTransferResult TransferRules::check_known(State& state, const Transfer& event, const Prepared& prepared) {
    bool unread = false;
    const auto known = state.find_transfer(event.id, prepared.id_hash, unread);
    if (unread) {
        state.stop();
        return exists;
    }
    if (!known) return ok;
    return known->refused ? compare_with_refused(state, event, known->ordinal)
                          : compare_with_stored(state, event, known->ordinal);
}

CreateTransferResult TransferRules::apply(State& state, const Transfer& event, const Prepared& prepared, Place place) {
    return has(event, resolving) ? apply_resolving(state, event, prepared, place)
                                 : apply_moving(state, event, prepared, place);
}

void release_pending(State& state, const Hold& hold, std::uint64_t ordinal, PendingStatus status) {
    const Transfer& pending = hold.transfer;
    Account& debited = state.change(*hold.debit);
    Account& credited = state.change(*hold.credit);
    debited.debits_pending -= pending.amount;
    credited.credits_pending -= pending.amount;
    // Posting needs open accounts, so a closing transfer is never posted: it is voided, expires, or holds for ever.
    if (has(pending, transfer_flags::closing_debit))
        debited.flags &= static_cast<std::uint16_t>(~account_flags::closed);
    if (has(pending, transfer_flags::closing_credit))
        credited.flags &= static_cast<std::uint16_t>(~account_flags::closed);
    state.resolve_pending(ordinal, status);
}

}  // namespace jiaozi::ledger
