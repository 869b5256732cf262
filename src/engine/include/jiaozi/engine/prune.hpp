// Moving the oldest part of the journal to an archive, once snapshots no longer need it to open. What it means for
// whoever reads the journal: docs/engine.md, "Pruning"; bytes: docs/formats/journal.md, "A pruned journal".
#pragma once

#include <cstdint>
#include <filesystem>

#include <jiaozi/base/result.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::engine {

struct PruneDone {
    std::uint64_t first_kept = 1;         // the first entry that the journal has still
    std::uint64_t snapshot_sequence = 0;  // of the oldest good snapshot: it needs nothing before
    std::uint64_t segments_archived = 0;  // copied; the others were there already
    std::uint64_t segments_removed = 0;   // from the journal
};

// Of a data directory that no engine has open, as Engine::prune does of one that runs. Every snapshot there is read and
// checked; the segments wholly before the entry of the oldest good one are copied to `archive`, durably, each verified
// by the hash chain; only then are they removed. Empty `archive`: the one of the last time. With another one than the
// last time everything is copied there that the old one has, so that an archive can be moved. invalid: no good
// snapshot, or no usable archive. conflict: another process has the journal open, or the archive is another journal's.
// corrupt, not_found, io: as the journal's. An Error leaves a journal and an archive that are whole between them.
Result<PruneDone> prune(const std::filesystem::path& directory, const std::filesystem::path& archive,
                        storage::Disk& disk = storage::system_disk());

}  // namespace jiaozi::engine
