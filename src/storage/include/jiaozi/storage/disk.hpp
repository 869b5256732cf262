// The seam between the journal and the operating system's files, so that tests and simulations can count, delay and
// break every write. All paths are as the caller gives them; nothing here knows the journal's format.
//
// Threading: one File is used by one thread at a time; Disk may be used by many.
// Errors: io with the system's words, unless said otherwise. not_found and conflict are kept apart where callers need
// it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::storage {

class File {
  public:
    virtual ~File() = default;
    // Reads as much of `into` as the file has from `offset` on; fewer bytes only at the end of the file.
    virtual Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) = 0;
    // Writes all parts, one after the other, at `offset`. On an Error any prefix may have been written.
    virtual Result<> write_at(std::uint64_t offset, std::span<const ByteView> parts) = 0;
    // fdatasync(2). After an Error what is on the disk is unknown, and trying again proves nothing.
    virtual Result<> sync_data() = 0;
    // fsync(2): data, size and other metadata.
    virtual Result<> sync_all() = 0;
    // Reserves blocks so that bytes 0 to size exist and read as zeros where never written. The file may really write
    // zeros behind its old end, so that later writes there change no metadata.
    virtual Result<> preallocate(std::uint64_t size) = 0;
    virtual Result<> truncate(std::uint64_t size) = 0;
    // From now on writes that begin and end on sectors may go around the page cache, which makes their syncs shorter
    // and steadier. A hint: what is written is the same.
    virtual void prefer_direct() {}
    virtual Result<std::uint64_t> size() = 0;
    // This will be read soon: who has many places to read lets the disk look for all of them at once. A hint.
    virtual void will_read(std::uint64_t offset, std::uint64_t size) {
        static_cast<void>(offset);
        static_cast<void>(size);
    }
};

// Held for as long as the object lives.
class DirectoryLock {
  public:
    virtual ~DirectoryLock() = default;
};

class Disk {
  public:
    enum class Mode : std::uint8_t { read, read_write };

    virtual ~Disk() = default;
    // Makes a new file, replacing one of that name.
    virtual Result<std::unique_ptr<File>> create(const std::filesystem::path& path) = 0;
    virtual Result<std::unique_ptr<File>> open(const std::filesystem::path& path, Mode mode) = 0;  // or not_found
    virtual Result<> rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
    virtual Result<> remove(const std::filesystem::path& path) = 0;
    virtual Result<> make_directory(const std::filesystem::path& path) = 0;  // fine if it exists
    // Makes renames, creations and removals in the directory durable.
    virtual Result<> sync_directory(const std::filesystem::path& path) = 0;
    // Names in the directory, sorted, without "." and "..".
    virtual Result<std::vector<std::string>> list(const std::filesystem::path& path) = 0;
    // Exclusive among processes and among openers in one process: conflict names the process that has it.
    virtual Result<std::unique_ptr<DirectoryLock>> lock(const std::filesystem::path& directory) = 0;
};

// The operating system's files. Lives as long as the program.
Disk& system_disk();

}  // namespace jiaozi::storage
