// Small files read and written whole, through the Disk seam.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::storage {

// At most `max` bytes of it. Error not_found when there is no such file.
Result<Bytes> read_whole(Disk& disk, const std::filesystem::path& path, std::size_t max);

enum class Durable : std::uint8_t {
    now,    // synced, and so is the renaming
    later,  // whole or absent to this and other processes; after a loss of power perhaps empty
};

// Writes beside and renames. Directories between `root` (which exists) and the file are made.
Result<> write_whole(Disk& disk, const std::filesystem::path& root, const std::filesystem::path& path, ByteView content,
                     Durable durable);

}  // namespace jiaozi::storage
