// The rules for creating accounts, in the order of docs/ledger.md. See Batch for what each function is for.
#pragma once

#include <span>

#include "batch.hpp"
#include "state.hpp"

namespace jiaozi::ledger {

struct AccountRules {
    using Event = Account;
    using Result = CreateAccountResult;
    static constexpr std::uint16_t linked = account_flags::linked;

    static void begin(State&, std::span<const Account>, std::uint64_t) {}
    static void end(State&) {}
    static constexpr unsigned stages = 2;
    static void prepare(const State& state, unsigned stage, std::span<const Account> events,
                        std::span<Prepared> prepared);
    static void look_up(const State& state, std::span<const Account> events, std::span<Prepared> prepared) {
        prepare(state, 0, events, prepared);
    }
    static Result check_form(const Account& event);
    static Result check_known(State& state, const Account& event, const Prepared& prepared);
    static Result apply(State& state, const Account& event, const Prepared& prepared, Place place);
    // Nothing: no refusal of an account depends on the state, so a repetition is answered the same without a memory.
    static void remember(State&, const Account&, std::uint64_t, std::uint64_t, Result) {}
};

}  // namespace jiaozi::ledger
