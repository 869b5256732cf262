// Reads a journal from nothing, changing nothing: every hash, every link, every command applied to a ledger of its own,
// every journaled outcome held against what that ledger says. The journal's owner may run meanwhile.
//
// All knowledge of the journal's bytes outside storage and engine is in replay.cpp and damage.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/command.hpp>
#include <jiaozi/ledger/ledger.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::proof {

// The first thing that is wrong with a journal.
struct Damage {
    std::string file;
    std::uint64_t offset = 0;               // of the first bad byte if `exact`, else of the entry that it lies in
    std::uint64_t end = 0;                  // of that entry, where it is known
    bool exact = false;                     //
    std::optional<std::uint8_t> should_be;  // what the byte was, if one changed byte explains everything
    std::string cause;
    bool whole = false;  // the bytes are as they were written, but are no journal of this ledger
};

struct ReplayResult {
    std::uint64_t entries = 0;
    std::uint64_t commands = 0;
    std::uint64_t bytes = 0;  // of whole entries
    std::string torn_file;    // not empty: a write that a crash interrupted stands at the end
    std::uint64_t torn_offset = 0;
    std::uint64_t torn_bytes = 0;
    std::optional<Damage> damage;  // replay went up to it
};

// Called for every command with the outcomes of the replay, in order. False ends the replay.
using CommandVisitor = std::function<Result<bool>(const engine::Committed&)>;

// `directory` is the engine's. Errors: not_found, io, the visitor's. Damage is a result, not an error.
Result<ReplayResult> replay_journal(storage::Disk& disk, const std::filesystem::path& directory, ledger::Ledger& ledger,
                                    const CommandVisitor& visit);

}  // namespace jiaozi::proof
