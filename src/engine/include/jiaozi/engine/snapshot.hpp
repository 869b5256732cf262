// Snapshots of the ledger, so that opening need not replay the whole journal. Bytes on disk: docs/formats/snapshot.md;
// why they are made as they are: docs/adr/0009-snapshots.md.
#pragma once

#include <cstdint>
#include <filesystem>

#include <jiaozi/base/result.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::engine {

struct SnapshotMade {
    std::uint64_t sequence = 0;          // the last command in it
    std::uint64_t base_sequence = 0;     // of the snapshot it was made from; zero: from nothing
    std::uint64_t entries_replayed = 0;  // of the journal, since that one
    std::uint64_t bytes = 0;             // zero: nothing came since the base, and nothing was written
};

// Makes one of a data directory that no engine has open, as Engine::make_snapshot does of one that runs.
// conflict: another process has it open. not_found: there is nothing to make one of. Else as Engine::open.
Result<SnapshotMade> make_snapshot(const std::filesystem::path& directory,
                                   storage::Disk& disk = storage::system_disk());

}  // namespace jiaozi::engine
