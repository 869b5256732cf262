// Backups of a data directory: made while the server runs, brought up to date, verified, restored, also to a point in
// time. What is in one and what is not: docs/backup.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::backup {

struct FileRecord {
    std::string path;  // below the backup's folder
    std::uint64_t bytes = 0;
    std::string sha256;
};

// backup.json, which is written last: a folder without it is not a finished backup.
struct Manifest {
    Timestamp made_at{};
    std::uint64_t entries = 0;  // of the journal
    Timestamp last_entry_at{};
    std::string last_hash;  // of the journal's last entry: commits to all of them
    bool registry = false;  // whether registry.db is in it
    std::vector<FileRecord> files;
};

struct Made {
    Manifest manifest;
    std::uint64_t segments_copied = 0;
    std::uint64_t segments_kept = 0;
};
// `database` as given to serve; empty: SQLite in the data directory. PostgreSQL is left to its own tools.
// conflict: `to` holds something else, or another backup into it is running.
Result<Made> make(const std::filesystem::path& data, const std::string& database, const std::filesystem::path& to);

// What a check from nothing found: every file by its hash, every journal entry, and a full replay with its invariants.
struct Verified {
    std::uint64_t entries = 0;
    std::uint64_t sequence = 0;  // the last command
    Timestamp last_entry_at{};
    std::string last_hash;
    std::string state_digest;
    std::uint64_t files = 0;  // checked against the manifest; 0 for a data directory, which has none
};
// `directory` is a backup, or the data directory of a server that is stopped (conflict if it is not). Changes nothing.
Result<Verified> verify(const std::filesystem::path& directory);

struct Until {
    std::optional<Timestamp> time{};
    std::optional<std::uint64_t> sequence{};
};
// Makes `data`, which must not exist or be empty, from a backup. With a point in time the journal ends with the last
// entry that is wholly at or before it, and payments and refunds in the registry are made again from the journal.
Result<Verified> restore(const std::filesystem::path& from, const std::filesystem::path& data, const Until& until);

}  // namespace jiaozi::backup
