// Account histories on disk (docs/formats/history.md), seen from outside an engine.
#pragma once

#include <cstdint>
#include <filesystem>

#include <jiaozi/base/result.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::engine {

// Reads every run of histories in a data directory, whole; returns how many changes they hold. corrupt names the file
// and says what to do. Changes nothing. Not beside a running engine, which replaces runs.
Result<std::uint64_t> check_histories(const std::filesystem::path& directory,
                                      storage::Disk& disk = storage::system_disk());

}  // namespace jiaozi::engine
