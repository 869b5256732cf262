// One simulated world: the real engine over a simulated disk and clock, a workload, everything that can go wrong with
// a machine, and an auditor, all from one seed. docs/simulation.md describes what happens and what is checked.
//
// Threading: one world at a time per thread; the engine's threads inside it are stepped one operation at a time, so
// that the same options give the same run: the same trace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <jiaozi/sim/simulated_disk.hpp>

namespace jiaozi::sim {

struct WorldOptions {
    std::uint64_t seed = 1;
    std::uint64_t batches = 0;  // commands to be answered; 0: as the seed says, a few hundred

    // Instead of trouble from the seed: only this, at the disk operation with this number (from 1).
    struct Accident {
        std::uint64_t operation = 0;
        Fate fate = Fate::crash_before;
    };
    std::optional<Accident> only_accident = std::nullopt;

    // Whether the world has a transparency log; else as the seed says, in one world of eight.
    std::optional<bool> has_log = std::nullopt;

    // A planted bug, to see the auditor find it: some syncs of the journal do nothing.
    bool syncs_pretend = false;
};

struct WorldReport {
    std::string failure;  // empty: all is well. Else what the auditor found
    std::uint64_t trace = 0;

    std::uint64_t batches = 0;     // commands answered
    std::uint64_t events = 0;      // in them
    std::uint64_t refusals = 0;    // of them
    std::uint64_t entries = 0;     // journal entries written and acknowledged
    std::uint64_t operations = 0;  // of the disk that changed something
    std::uint64_t opens = 0;       // of the engine, each a recovery
    std::uint64_t power_failures = 0, kills = 0, clean_ends = 0, disk_errors = 0, disk_full = 0, read_errors = 0;
    std::uint64_t survivors = 0;  // commands in flight at a crash that turned out to be durable
    std::uint64_t vanished = 0;   // ... that turned out not to be
    std::uint64_t expired = 0;    // holds that time voided
    std::uint64_t ticks = 0;
    std::uint64_t checkpoints = 0;     // different ones that the log has shown
    std::uint64_t log_stops = 0;       // lives in which the log stood still because of the disk, and the engine did not
    std::uint64_t damage_refused = 0;  // damage that the engine found, and refused to open
    std::uint64_t damage_harmless = 0;  // damage where nothing is kept, or that it saw through
    std::uint64_t snapshots = 0;        // made
    std::uint64_t from_snapshots = 0;   // recoveries that began with one
    std::uint64_t history_runs = 0;     // files of account histories, written or joined
    std::uint64_t pruned = 0;           // segments of the journal moved to an archive

    void add(const WorldReport& other);
};

WorldReport run_world(const WorldOptions& options);

}  // namespace jiaozi::sim
