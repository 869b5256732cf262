// Snapshot files: a header that says of which moment of the journal, and sections of bytes, each with a checksum. Bytes
// on disk: docs/formats/snapshot.md, part 1; names are the page's names. What the sections mean is the caller's
// business.
//
// Threading: one writer per directory at a time (the journal's lock); a reader or writer is one thread's.
// Errors: corrupt names the file and the cause; io. Reading is safe on hostile bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/storage/disk.hpp>
#include <jiaozi/storage/format.hpp>

namespace jiaozi::storage {

inline constexpr std::array<std::uint8_t, 8> snapshot_magic = {'J', 'Z', 'S', 'N', 'A', 'P', '\r', '\n'};
inline constexpr std::uint32_t snapshot_version = 2;
inline constexpr std::size_t max_snapshot_sections = 16;

struct SnapshotSection {
    std::uint32_t kind = 0;
    std::uint32_t reserved_4 = 0;
    std::uint64_t length = 0;
    Hash checksum{};
    bool operator==(const SnapshotSection&) const = default;
};

// The moment: the last command, and the entry it is in.
struct SnapshotTip {
    std::uint64_t sequence = 0;
    std::uint64_t timestamp = 0;
    std::uint64_t entry = 0;
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
    std::uint64_t extent = 0;
    Hash entry_hash{};
    std::uint64_t state_digest = 0;
};

struct SnapshotHeader {
    std::array<std::uint8_t, 8> magic = snapshot_magic;
    std::uint32_t version = snapshot_version;
    std::uint32_t header_size = 1024;
    SnapshotTip tip;
    std::uint32_t section_count = 0;
    std::uint32_t reserved_108 = 0;
    std::array<SnapshotSection, max_snapshot_sections> sections{};
    std::array<std::uint8_t, 136> reserved_880{};
    std::uint64_t check = 0;
};
static_assert(sizeof(SnapshotSection) == 48 && sizeof(SnapshotTip) == 88 && sizeof(SnapshotHeader) == 1024);
static_assert(std::is_trivially_copyable_v<SnapshotHeader> && std::has_unique_object_representations_v<SnapshotHeader>);
static_assert(offsetof(SnapshotHeader, tip) == 16 && offsetof(SnapshotTip, entry_hash) == 48 &&
              offsetof(SnapshotHeader, sections) == 112 && offsetof(SnapshotHeader, check) == 1016);

std::uint64_t check_of(const SnapshotHeader& header);
// corrupt with the cause; the caller adds the file.
Result<SnapshotHeader> decode_snapshot_header(ByteView bytes);

// "00000000000000000001.snapshot" and back (none for any other name).
std::string snapshot_name(std::uint64_t sequence);
std::optional<std::uint64_t> parse_snapshot_name(std::string_view name);
// One that is being written.
inline constexpr std::string_view unfinished_snapshot = "next.tmp";
// By sequence, the newest first.
Result<std::vector<std::uint64_t>> list_snapshots(Disk& disk, const std::filesystem::path& directory);

// Writes one. Nothing bears its name before finish; without it, or after an Error, nothing is left.
class SnapshotWriter {
  public:
    // `directory` is made if missing.
    static Result<SnapshotWriter> create(Disk& disk, const std::filesystem::path& directory);
    ~SnapshotWriter();
    SnapshotWriter(SnapshotWriter&&) noexcept = default;
    SnapshotWriter& operator=(SnapshotWriter&&) = delete;

    Result<> begin(std::uint32_t kind);  // ends the section before
    Result<> write(ByteView bytes);
    // Durable, under its name. Returns the size of the file.
    Result<std::uint64_t> finish(const SnapshotTip& tip);

  private:
    SnapshotWriter(Disk& disk, std::filesystem::path directory) : disk_(&disk), directory_(std::move(directory)) {}
    void end_section();
    Result<> flush();

    Disk* disk_;
    std::filesystem::path directory_;
    std::unique_ptr<File> file_;  // none once finished
    SnapshotHeader header_;
    crypto::Sha256 hash_;  // of the section
    Bytes buffer_;
    std::uint64_t offset_ = sizeof(SnapshotHeader);
    std::uint64_t unsynced_ = 0;
};

class SnapshotReader {
  public:
    // Checks the header, and that the sections are what the file has.
    static Result<std::unique_ptr<SnapshotReader>> open(Disk& disk, const std::filesystem::path& path);
    SnapshotReader(const SnapshotReader&) = delete;
    SnapshotReader& operator=(const SnapshotReader&) = delete;

    const SnapshotHeader& header() const noexcept { return header_; }
    // The next section, which must be of that kind: its length. Error corrupt if the one before was not read to its end
    // or fails its checksum.
    Result<std::uint64_t> begin(std::uint32_t kind);
    Result<> read(ByteSpan into);
    // After the last section; checks that one too, and that there are no more.
    Result<> finish();

  private:
    explicit SnapshotReader(std::filesystem::path path) : path_(std::move(path)) {}
    Error damaged(const std::string& cause) const;
    Result<> end_section();
    Result<> fill();
    Result<Bytes> fetch();

    std::filesystem::path path_;
    SnapshotHeader header_;
    std::size_t next_section_ = 0;
    Bytes buffer_;
    std::size_t taken_ = 0;  // of the buffer
    // Of whoever fetches: while ahead_ is valid, its thread.
    std::unique_ptr<File> file_;
    std::uint64_t offset_ = sizeof(SnapshotHeader);  // of what is read from the file next
    std::uint64_t unread_ = 0;                       // of the section, in the file
    crypto::Sha256 hash_;
    std::future<Result<Bytes>> ahead_;  // the next block, read and hashed while this one is used; last
};

}  // namespace jiaozi::storage
