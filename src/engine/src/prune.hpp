// What both ways to prune share.
#pragma once

#include <atomic>
#include <filesystem>

#include <jiaozi/engine/prune.hpp>
#include <jiaozi/storage/archive.hpp>

namespace jiaozi::engine {

// The caller has the journal's lock, and no snapshot is made or removed meanwhile. unavailable when `cancelled` becomes
// true.
Result<PruneDone> prune_behind_snapshots(storage::ArchivedDisk& disk, const std::filesystem::path& directory,
                                         const std::filesystem::path& archive, const std::atomic<bool>& cancelled);

}  // namespace jiaozi::engine
