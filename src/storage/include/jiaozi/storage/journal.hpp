// The journal: an append-only sequence of checksummed, hash-chained entries in segment files. It knows bytes, not
// accounts. Bytes on disk, and what counts as a torn tail: docs/formats/journal.md.
//
// Threading: append by one thread at a time; everything else by any thread, while append runs.
// Errors: corrupt names file, offset and cause; nothing is changed on disk then.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/storage/disk.hpp>
#include <jiaozi/storage/format.hpp>

namespace jiaozi::storage {

struct JournalOptions {
    std::filesystem::path directory;                                // made if missing; its parent must exist
    std::uint64_t segment_bytes = std::uint64_t{64} * 1024 * 1024;  // the first one is at most 4 MiB
    Disk* disk = nullptr;                                           // nullptr: system_disk()
    // Makes the next segment on a thread of its own while the current one fills. Without it (a simulation that wants
    // every disk operation on one thread) making one stops the writer.
    bool segments_ahead = true;
};

// Where an entry starts.
struct Position {
    std::uint64_t entry = 1;
    std::uint64_t segment = 1;  // the first entry of the segment it is in
    std::uint64_t offset = sizeof(SegmentHeader);
    bool operator==(const Position&) const = default;
};

// An entry that is known from elsewhere (a snapshot): its hash vouches for all before it, so they need not be read.
struct KnownEntry {
    Position position;
    std::uint64_t extent = 0;  // the bytes it fills
    Hash hash{};
};

// The payload is valid until the reader moves on, or the visitor returns.
struct EntryView {
    Position position;
    Timestamp timestamp;
    ByteView payload;
    std::uint64_t to_come = 0;  // at opening: bytes behind this entry, roughly
};

// What opening found.
struct Recovery {
    std::uint64_t entries = 0;
    std::uint64_t torn_bytes = 0;  // cut from the end, 0 if it was clean
    std::string torn_file;
    std::uint64_t torn_offset = 0;
};

class NextSegment;
class Window;
class Journal;

// Reads entries in order, up to the last durable one, while the writer goes on. Verifies what it reads.
class Reader {
  public:
    Reader(Reader&&) noexcept;
    Reader& operator=(Reader&&) noexcept;
    ~Reader();

    // The next entry, or none when the reader has caught up (ask again later).
    Result<std::optional<EntryView>> next();
    const Position& position() const noexcept { return position_; }
    // The entry that next() returned last, once there is one.
    KnownEntry last() const;

  private:
    friend class Journal;
    Reader(const Journal& journal, Position from);
    Result<> open_segment(std::uint64_t first_entry);
    Result<bool> entry_starts_here();

    const Journal* journal_;
    Position position_;
    Position last_;
    std::optional<Hash> previous_hash_;  // of the entry there
    std::unique_ptr<Window> window_;     // of the segment position_ is in; none before the first read
    std::uint64_t window_durable_ = 0;   // bytes of later entries in the window may be stale
    std::uint64_t segment_size_ = 0;
};

class Journal {
  public:
    // Called for every entry found by open, in order. An Error from it ends the opening.
    using Visitor = std::function<Result<>(const EntryView&)>;

    // Takes the lock (conflict if another has it), verifies every entry, cuts a torn tail. Removes nothing else.
    // With `find_start`, which is asked once the lock is taken, reading begins behind the entry it gives (the caller
    // has held it against the journal: check_known_entry). Earlier segments are not opened then.
    using FindStart = std::function<std::optional<KnownEntry>()>;
    static Result<std::unique_ptr<Journal>> open(const JournalOptions& options, const Visitor& visit,
                                                 const FindStart& find_start = {});
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    // Writes one entry and returns when it is durable. After any Error but too_large the journal is dead: every later
    // append answers unavailable, because after a failed sync nobody knows what is on the disk, and asking again lies.
    //   too_large    payload over max_payload_bytes; nothing happened
    //   unavailable  dead before this entry was begun: it is certainly not in the journal
    //   io           this entry may or may not be in the journal
    Result<Position> append(Timestamp timestamp, ByteView payload);

    Reader read(Position from) const;

    std::uint64_t durable_entry() const noexcept { return durable_entry_.load(std::memory_order_acquire); }
    std::optional<Error> failure() const;
    const Recovery& recovery() const noexcept { return recovery_; }
    // The last entry that opening found (or was given); none in an empty journal.
    const std::optional<KnownEntry>& last_at_open() const noexcept { return last_at_open_; }
    const std::filesystem::path& directory() const noexcept { return directory_; }

  private:
    friend class Reader;
    Journal(const JournalOptions& options, Disk& disk);
    Result<> recover(const Visitor& visit, const FindStart& find_start);
    Result<> cut(const std::filesystem::path& path, std::uint64_t segment_size, std::uint64_t offset);
    Result<> rewrite(std::uint64_t offset, std::uint64_t size);
    Result<> roll(std::uint64_t extent);
    void make_next_segment();
    Error die(Error cause);
    std::filesystem::path segment_path(std::uint64_t first_entry) const;

    const std::filesystem::path directory_;
    const std::uint64_t segment_bytes_;
    const bool segments_ahead_;
    Disk& disk_;
    std::unique_ptr<DirectoryLock> lock_;
    Recovery recovery_;
    std::optional<KnownEntry> last_at_open_;
    std::atomic<std::uint64_t> durable_entry_{0};

    // Owned by the appending thread.
    std::unique_ptr<File> file_;
    std::uint64_t segment_ = 0;
    std::uint64_t segment_size_ = 0;
    std::uint64_t offset_ = 0;
    Hash previous_hash_{};
    std::unique_ptr<NextSegment> next_;  // under the unfinished name

    mutable std::mutex failure_mutex_;
    std::optional<Error> failure_;  // failure_mutex_
};

// One entry by its position: the payload, checked by the entry's own check, number and hash (not against the chain).
// For looking something up; to read on, use a Reader. Any thread.
Result<Bytes> read_entry(Disk& disk, const std::filesystem::path& directory, const Position& position);

// `bytes` of an entry's payload from `offset` on, as they are in the segment's file: not checked, for callers who know
// what they must be. Error corrupt when the file ends before. Any thread.
Result<Bytes> read_payload_part(File& segment, const Position& position, std::uint64_t offset, std::size_t bytes);

// Whether the journal in `directory` has that entry: at its place, whole, with its hash. Error corrupt or not_found.
Result<> check_known_entry(Disk& disk, const std::filesystem::path& directory, const KnownEntry& known);

// The entry at that place, whole, as it can be known from elsewhere. Errors as read_entry's.
Result<KnownEntry> find_entry(Disk& disk, const std::filesystem::path& directory, const Position& position);

// "00000000000000000001.segment" and back (none for any other name).
std::string segment_name(std::uint64_t first_entry);
std::optional<std::uint64_t> parse_segment_name(std::string_view name);

}  // namespace jiaozi::storage
