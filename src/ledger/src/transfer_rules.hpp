// The rules for creating transfers, in the order of docs/ledger.md. See Batch for what each function is for.
#pragma once

#include <span>
#include <vector>

#include "batch.hpp"
#include "state.hpp"

namespace jiaozi::ledger {

struct TransferRules {
    using Event = Transfer;
    using Result = CreateTransferResult;
    static constexpr std::uint16_t linked = transfer_flags::linked;

    static void begin(State& state, std::span<const Transfer> events, std::uint64_t first_timestamp_ns) {
        state.begin_transfers(events, first_timestamp_ns);
    }
    static void end(State& state) { state.end_transfers(); }
    static constexpr unsigned stages = 5;
    static void prepare(State& state, unsigned stage, std::span<const Transfer> events, std::span<Prepared> prepared);
    static void look_up(State& state, std::span<const Transfer> events, std::span<Prepared> prepared);
    static void find_places(const State& state, std::span<const Transfer> events, std::vector<AccountPlaces>& places);
    static Result check_form(const Transfer& event);
    static Result check_known(State& state, const Transfer& event, const Prepared& prepared);
    static Result apply(State& state, const Transfer& event, const Prepared& prepared, Place place);
    static void remember(State& state, const Transfer&, std::uint64_t id_hash, std::uint64_t ordinal, Result result) {
        state.remember_refusal(ordinal, id_hash, result);
    }
};

// Gives a held amount back, and reopens what the hold had closed: shared by posts, voids and expiry. `hold` is a copy
// of the live hold with that ordinal.
void release_pending(State& state, const Hold& hold, std::uint64_t ordinal, PendingStatus status);

}  // namespace jiaozi::ledger
