// What the writer submits, as a pure function of a key, so that the checker knows what to expect of every command
// without being told more than its key.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include <jiaozi/engine/command.hpp>

namespace jiaozi::crash {

inline constexpr std::uint32_t accounts = 50;
inline constexpr std::uint32_t missing_account = 1'000'000;
inline constexpr std::uint64_t ready_key = UINT64_MAX;  // reported once, when the engine is open

// What the writer reports: fixed size, so that one write(2) to a pipe is never split.
struct Report {
    std::uint64_t key;
    std::uint64_t as_expected;  // 1: the results were those of the plan
};

constexpr std::uint64_t key_of(std::uint64_t round, std::uint64_t thread, std::uint64_t number) noexcept {
    return (round << 32) | (thread << 28) | number;
}

constexpr std::uint64_t mix(std::uint64_t value) noexcept {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
}

constexpr uint128 transfer_id(std::uint64_t key, std::uint64_t member) noexcept {
    return make_uint128(1, key * 8 + member + 1);
}

struct Plan {
    engine::Command command;
    bool accepted = true;  // all transfers ok; else none of them is stored
};

// By number: singles, linked chains, chains whose last link fails, holds (some that run out), and what resolves them.
inline Plan plan_of(std::uint64_t key) {
    namespace tf = ledger::transfer_flags;
    const std::uint64_t number = key & 0xFFFFFFF;
    const std::uint64_t random = mix(key);
    Plan plan;
    std::vector<ledger::Transfer>& transfers = plan.command.transfers;
    const auto add = [&](std::uint16_t flags) {
        const std::uint64_t one = mix(random + transfers.size());
        const auto debit = static_cast<std::uint32_t>(one % accounts);
        const auto credit = static_cast<std::uint32_t>((debit + 1 + (one >> 32) % (accounts - 1)) % accounts);
        ledger::Transfer transfer;
        transfer.id = transfer_id(key, transfers.size());
        transfer.debit_account_id = debit + 1;
        transfer.credit_account_id = credit + 1;
        transfer.amount = one % 1000 + 1;
        transfer.ledger = 1;
        transfer.code = 1;
        transfer.flags = flags;
        transfers.push_back(transfer);
    };
    switch (number % 8) {
        case 4:
        case 5:  // a chain that fails at its last link
            for (std::uint64_t i = 0; i < 1 + random % 3; ++i) add(tf::linked);
            add(0);
            plan.accepted = number % 8 == 4;
            if (!plan.accepted) transfers.back().credit_account_id = missing_account;
            break;
        case 6:  // a hold; one in four runs out by itself
            add(tf::pending);
            transfers[0].timeout_s = number % 32 == 6 ? 1 : 3600;
            break;
        case 7:  // resolves the hold before it, unless that is to run out
            if (number % 32 == 7) {
                add(0);
                break;
            }
            add(random % 2 == 0 ? tf::post_pending : tf::void_pending);
            transfers[0] = {.id = transfers[0].id,
                            .amount = ledger::everything,
                            .pending_id = transfer_id(key - 1, 0),
                            .flags = transfers[0].flags};
            break;
        default:
            add(0);
    }
    plan.command.annotation.resize(sizeof key);
    std::memcpy(plan.command.annotation.data(), &key, sizeof key);
    return plan;
}

}  // namespace jiaozi::crash
