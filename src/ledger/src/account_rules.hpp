// The rules for creating accounts, in the order of docs/ledger.md. See Batch for what each function is for.
#pragma once

#include "state.hpp"

namespace jiaozi::ledger {

struct AccountRules {
    using Event = Account;
    using Result = CreateAccountResult;
    static constexpr std::uint16_t linked = account_flags::linked;

    static Result check_form(const Account& event);
    static Result check_known(const State& state, const Account& event);
    static Result apply(State& state, const Account& event, std::uint64_t timestamp_ns);
    static void prefetch(const State&, const Account&) {}
    // Nothing: no refusal of an account depends on the state, so a repetition is answered the same without a memory.
    static void remember(State&, const Account&, Result) {}
};

}  // namespace jiaozi::ledger
