// What goes into the engine and what comes out of it: commands, their outcomes, and committed commands as projections
// are fed them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/ledger/ledger.hpp>
#include <jiaozi/ledger/types.hpp>

namespace jiaozi::engine {

// Limits of one command, held before anything is journaled (Error too_large).
inline constexpr std::size_t max_events = ledger::max_batch;  // accounts, flag changes and transfers, each
inline constexpr std::size_t max_annotation_bytes = std::size_t{64} * 1024;

// Sets and clears flags of an existing account (freezing and unfreezing). Which flags may change is the ledger's rule.
struct FlagChange {
    uint128 account_id = 0;
    std::uint16_t set = 0;
    std::uint16_t clear = 0;
    bool operator==(const FlagChange&) const = default;
};

// One unit of work: applied whole, in this order: accounts, flag changes, transfers. Each event has its own result;
// only linked chains are all or nothing. A chain cannot span commands. The annotation is opaque to the engine, is
// journaled and hashed with the events, and is kept even when every event is refused. A command may be annotation only.
//
// Every member below has an initializer so that designated initializers may leave members out.
struct Command {
    std::vector<ledger::Account> accounts{};
    std::vector<FlagChange> flag_changes{};
    std::vector<ledger::Transfer> transfers{};
    Bytes annotation{};
};

// results[i] answers event i. `timestamp` is that of the command's last event; event timestamps count up to it by one.
struct Outcome {
    std::uint64_t sequence = 0;  // 1-based, dense over all commands of the journal
    Timestamp timestamp{};
    std::vector<ledger::CreateAccountResult> accounts{};
    std::vector<ledger::SetAccountFlagsResult> flag_changes{};
    std::vector<ledger::CreateTransferResult> transfers{};
    bool operator==(const Outcome&) const = default;
};

// A command after its commit. `expired` are the pending transfers that time voided right before this command. A tick
// (written when a hold expires while there is no traffic) is a Committed whose command is empty.
struct Committed {
    std::uint64_t sequence = 0;
    Timestamp timestamp{};
    Command command{};
    Outcome outcome{};
    std::vector<ledger::Expired> expired{};
};

}  // namespace jiaozi::engine
