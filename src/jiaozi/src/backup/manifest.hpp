// backup.json as bytes, and the hashes of files.
#pragma once

#include <filesystem>
#include <string>

#include "backup.hpp"

namespace jiaozi::backup {

inline constexpr const char* manifest_name = "backup.json";

Result<FileRecord> record_of(const std::filesystem::path& folder, const std::filesystem::path& file);
Result<> write_manifest(const std::filesystem::path& folder, const Manifest& manifest);
// not_found: the folder has none. malformed, invalid: not a manifest that this version writes.
Result<Manifest> read_manifest(const std::filesystem::path& folder);
// Copies bytes to a new file that only its owner can read, and makes it durable. io.
Result<> copy_durably(const std::filesystem::path& from, const std::filesystem::path& to);
// Makes names in a folder durable.
Result<> sync_folder(const std::filesystem::path& folder);

}  // namespace jiaozi::backup
