#include "account_rules.hpp"

namespace jiaozi::ledger {

void AccountRules::prepare(const State& state, unsigned stage, std::span<const Account> events,
                           std::span<Prepared> prepared) {
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (stage == 0) {
            prepared[i].id_hash = IdHash{}(events[i].id);
            state.prefetch_account_shard(prepared[i].id_hash);
        } else {
            state.prefetch_account(prepared[i].id_hash);
        }
    }
}

CreateAccountResult AccountRules::check_form(const Account& event) {
    using enum CreateAccountResult;
    using namespace account_flags;
    constexpr std::uint16_t both_limits = debits_must_not_exceed_credits | credits_must_not_exceed_debits;

    if (event.timestamp != 0) return timestamp_must_be_zero;
    if (event.reserved != 0) return reserved_field;
    if ((event.flags & ~all) != 0) return reserved_flag;
    if ((event.flags & closed) != 0) return closed_flag_must_not_be_set;
    if (event.id == 0) return id_must_not_be_zero;
    if (event.id == uint128_max) return id_must_not_be_int_max;
    if ((event.flags & both_limits) == both_limits) return flags_are_mutually_exclusive;
    if (event.debits_pending != 0) return debits_pending_must_be_zero;
    if (event.debits_posted != 0) return debits_posted_must_be_zero;
    if (event.credits_pending != 0) return credits_pending_must_be_zero;
    if (event.credits_posted != 0) return credits_posted_must_be_zero;
    if (event.ledger == 0) return ledger_must_not_be_zero;
    if (event.code == 0) return code_must_not_be_zero;
    return ok;
}

CreateAccountResult AccountRules::check_known(State& state, const Account& event, const Prepared& prepared) {
    using enum CreateAccountResult;
    // These change over an account's life, so they say nothing about whether it was created by the same event.
    constexpr auto lifelong = static_cast<std::uint16_t>(~(account_flags::frozen | account_flags::closed));

    const AccountRecord* record = state.find_account(event.id, prepared.id_hash);
    if (record == nullptr) return ok;
    const Account& stored = record->account;
    if ((event.flags & lifelong) != (stored.flags & lifelong)) return exists_with_different_flags;
    if (event.user_data_128 != stored.user_data_128) return exists_with_different_user_data_128;
    if (event.user_data_64 != stored.user_data_64) return exists_with_different_user_data_64;
    if (event.user_data_32 != stored.user_data_32) return exists_with_different_user_data_32;
    if (event.ledger != stored.ledger) return exists_with_different_ledger;
    if (event.code != stored.code) return exists_with_different_code;
    return exists;
}

CreateAccountResult AccountRules::apply(State& state, const Account& event, const Prepared& prepared, Place place) {
    Account account = event;
    account.timestamp = place.timestamp_ns;
    state.add_account(account, prepared.id_hash);
    return CreateAccountResult::ok;
}

}  // namespace jiaozi::ledger
