// backup.json as bytes, and the hashes of files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "backup.hpp"

namespace jiaozi::backup {

inline constexpr const char* manifest_name = "backup.json";

// The text of backup.json and back. Parsing is safe on hostile input: no path in it leads out of the backup.
// too_large (over 16 MiB), malformed, invalid (another version; a path that leads out).
std::string format_manifest(const Manifest& manifest);
Result<Manifest> parse_manifest(std::string_view text);

Result<FileRecord> record_of(const std::filesystem::path& folder, const std::filesystem::path& file);
Result<> write_manifest(const std::filesystem::path& folder, const Manifest& manifest);
// not_found: the folder has none; else as parse_manifest.
Result<Manifest> read_manifest(const std::filesystem::path& folder);
// Copies bytes to a new file that only its owner can read, and makes it durable. io.
Result<> copy_durably(const std::filesystem::path& from, const std::filesystem::path& to);
// Makes names in a folder durable.
Result<> sync_folder(const std::filesystem::path& folder);

}  // namespace jiaozi::backup
