#include "prune.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <jiaozi/base/log.hpp>

#include "recovery.hpp"
#include "snapshot.hpp"

namespace jiaozi::engine {

namespace {

namespace fs = std::filesystem;

struct Covered {
    std::uint64_t sequence = 0;
    std::uint64_t segment = 0;  // the one that its entry is in
};

// The oldest snapshot that is whole and belongs to the journal, read to its end. Damaged ones are not counted on.
Result<Covered> oldest_good_snapshot(storage::Disk& disk, const fs::path& directory,
                                     const std::atomic<bool>& cancelled) {
    std::optional<Covered> oldest;
    JZ_TRY(const auto names, disk.list(directory));
    std::vector<std::uint64_t> found;
    if (std::ranges::binary_search(names, std::string(snapshots_folder))) {
        JZ_TRY(found, storage::list_snapshots(disk, directory / snapshots_folder));
    }
    for (const std::uint64_t sequence : found) {
        if (cancelled) return Error(ErrorKind::unavailable, "the engine is closing");
        Replica replica(disk, directory);
        const auto start = load_snapshot(disk, directory, sequence, replica.derived());
        if (start.ok()) {
            oldest = Covered{sequence, start->last.position.segment};
        } else {
            log::warn("a snapshot is not good; the journal is kept that it would spare",
                      {{"snapshot", storage::snapshot_name(sequence)}, {"cause", start.error().to_string()}});
        }
    }
    if (oldest) return *oldest;
    return Error(ErrorKind::invalid, "there is no good snapshot in " + (directory / snapshots_folder).string() +
                                         ", without which the whole journal is needed; make one first");
}

// Where archiving goes on: behind what the same archive has, or from the beginning.
Result<storage::Pruned> begin_of(const std::optional<storage::Pruned>& last, const fs::path& journal,
                                 const fs::path& archive) {
    if (archive.empty()) {
        if (last) return *last;
        return Error(ErrorKind::invalid, "name the folder that the journal's older segments are to go to")
            .with_param("archive");
    }
    const fs::path wanted = (fs::absolute(archive).lexically_normal() / "").parent_path();
    if (wanted.string().size() > storage::max_archive_path)
        return Error(ErrorKind::invalid, "its path is too long").with_param("archive");
    if (wanted == (fs::absolute(journal).lexically_normal() / "").parent_path())
        return Error(ErrorKind::invalid, "is the journal itself; name another folder").with_param("archive");
    if (last && last->archive == wanted) return *last;
    return storage::Pruned{wanted, 1, {}};
}

}  // namespace

Result<PruneDone> prune_behind_snapshots(storage::ArchivedDisk& disk, const fs::path& directory,
                                         const fs::path& archive, const std::atomic<bool>& cancelled) {
    const fs::path journal = directory / "journal";
    JZ_TRY(const auto last, storage::read_pruned(disk, journal));
    JZ_TRY(const storage::Pruned begin, begin_of(last, journal, archive));
    JZ_TRY(const Covered covered, oldest_good_snapshot(disk, directory, cancelled));
    PruneDone done;
    done.snapshot_sequence = covered.sequence;
    done.first_kept = std::max(last ? last->first_kept : 1, covered.segment);
    if (done.first_kept == 1) return done;  // all of it is needed
    JZ_TRY(const storage::Pruned reached,
           storage::archive_segments(disk, journal, begin, done.first_kept, done.segments_archived));
    // Whoever looks for a segment from here on knows where to; only then may it go.
    if (begin != reached) JZ_CHECK(storage::write_pruned(disk, journal, reached));
    JZ_TRY(done.segments_removed, storage::remove_archived(disk.below(), journal, reached));
    if (done.segments_removed > 0) {
        log::info("moved the journal's older segments to the archive",
                  {{"archive", reached.archive.string()},
                   {"segments", std::to_string(done.segments_removed)},
                   {"first_kept", std::to_string(done.first_kept)}});
    }
    return done;
}

Result<PruneDone> prune(const fs::path& directory, const fs::path& archive, storage::Disk& below) {
    storage::ArchivedDisk disk(below, directory / "journal");
    JZ_CHECK(prepare_directory(disk, directory));
    JZ_TRY(const auto lock, disk.lock(directory / "journal"));
    const std::atomic<bool> never{false};
    return prune_behind_snapshots(disk, directory, archive, never);
}

}  // namespace jiaozi::engine
