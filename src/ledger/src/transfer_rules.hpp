// The rules for creating transfers, in the order of docs/ledger.md. See Batch for what each function is for.
#pragma once

#include "state.hpp"

namespace jiaozi::ledger {

struct TransferRules {
    using Event = Transfer;
    using Result = CreateTransferResult;
    static constexpr std::uint16_t linked = transfer_flags::linked;

    static Result check_form(const Transfer& event);
    static Result check_known(const State& state, const Transfer& event);
    static Result apply(State& state, const Transfer& event, std::uint64_t timestamp_ns);
    static void prefetch(const State& state, const Transfer& event);
    static void remember(State& state, const Transfer& event, Result result) { state.remember_refusal(event, result); }
};

// Gives a held amount back, and reopens what the hold had closed: shared by voids and expiry.
void release_pending(State& state, std::uint64_t transfer_index, PendingStatus status);

}  // namespace jiaozi::ledger
