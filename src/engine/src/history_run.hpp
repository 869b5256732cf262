// A run: changes of balances on disk, sorted by account. Bytes: docs/formats/history.md; names are the page's names.
// Reading is safe on hostile bytes.
//
// Threading: a writer is one thread's; a HistoryRun may be read by many.
// Errors: corrupt names the file and what to do; io.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/payload.hpp>
#include <jiaozi/ledger/history.hpp>
#include <jiaozi/storage/disk.hpp>
#include <jiaozi/storage/journal.hpp>

namespace jiaozi::engine {

inline constexpr std::array<std::uint8_t, 8> run_magic = {'J', 'Z', 'H', 'I', 'S', 'T', '\r', '\n'};
inline constexpr std::uint32_t run_version = 1;
inline constexpr std::size_t run_chunk_bytes = 4096;  // a chunk ends when it has reached so many,
inline constexpr std::size_t max_run_chunk_bytes = 8192;

struct RunHeader {
    std::array<std::uint8_t, 8> magic = run_magic;
    std::uint32_t version = run_version;
    std::uint32_t header_size = 256;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t rows = 0;
    std::uint64_t chunks = 0;
    std::uint64_t index_offset = 0;
    std::uint64_t index_check = 0;
    std::uint64_t entry = 0;
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
    std::uint64_t extent = 0;
    storage::Hash entry_hash{};
    std::array<std::uint8_t, 120> reserved_128{};
    std::uint64_t check = 0;
};
struct RunIndexRow {
    std::uint64_t account = 0;
    std::uint64_t position = 0;
    std::uint64_t offset = 0;
    std::uint64_t check = 0;
};
static_assert(frozen<RunHeader, 256> && frozen<RunIndexRow, 32>);
static_assert(offsetof(RunHeader, begin) == 16 && offsetof(RunHeader, index_check) == 56 &&
              offsetof(RunHeader, entry) == 64 && offsetof(RunHeader, entry_hash) == 96 &&
              offsetof(RunHeader, check) == 248);

std::uint64_t check_of(const RunHeader& header);

// "0000000000000000-0000001fffe00000.history" and back (none for any other name).
struct RunName {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    bool operator==(const RunName&) const = default;
};
std::string run_name(RunName name);
std::optional<RunName> parse_run_name(std::string_view name);

// Appends the changes in a chunk of a run that begins there; of one account only, if it is given. Error corrupt.
Result<> decode_chunk(ByteView chunk, const RunName& run, std::optional<std::uint64_t> account,
                      std::vector<ledger::HistoryRow>& rows);

class HistoryRun {
  public:
    // Checks name, header and index.
    static Result<std::shared_ptr<const HistoryRun>> open(storage::Disk& disk, const std::filesystem::path& path);

    RunName name() const noexcept { return {header_.begin, header_.end}; }
    const RunHeader& header() const noexcept { return header_; }
    storage::KnownEntry last_entry() const noexcept {
        return {{header_.entry, header_.segment, header_.offset}, header_.extent, header_.entry_hash};
    }
    std::size_t chunk_count() const noexcept { return index_.size(); }

    // Appends changes of the account with from <= position < end, at most `limit`, oldest first or newest first.
    Result<> read(std::uint64_t account, std::uint64_t from, std::uint64_t end, std::size_t limit, bool reversed,
                  std::vector<ledger::HistoryRow>& rows) const;
    // Appends all that is in chunks [first, last).
    Result<> read_chunks(std::size_t first, std::size_t last, std::vector<ledger::HistoryRow>& rows) const;

  private:
    friend class RunWriter;
    explicit HistoryRun(std::filesystem::path path) : path_(std::move(path)) {}
    Error damaged(const std::string& cause) const;
    Result<> load();
    std::uint64_t end_of(std::size_t chunk) const noexcept {
        return chunk + 1 < index_.size() ? index_[chunk + 1].offset : header_.index_offset;
    }
    Result<> read_chunks(std::size_t first, std::size_t last, std::optional<std::uint64_t> account,
                         std::vector<ledger::HistoryRow>& rows) const;

    const std::filesystem::path path_;
    RunHeader header_;
    std::vector<RunIndexRow> index_;
    mutable std::mutex reading_;
    std::unique_ptr<storage::File> file_;  // reading_; stays good when the name is gone
};

// Writes one under a name of its own first. After an Error, or without finish, nothing but that may be left.
class RunWriter {
  public:
    static Result<RunWriter> create(storage::Disk& disk, std::filesystem::path directory, std::string_view temporary,
                                    RunName name);
    // In order of account, then position.
    Result<> add(const ledger::HistoryRow& row);
    // Durable, under its name; `last` is the entry that its last changes follow from. At least one row was added.
    Result<std::shared_ptr<const HistoryRun>> finish(const storage::KnownEntry& last);

  private:
    RunWriter(storage::Disk& disk, std::filesystem::path directory, std::filesystem::path temporary, RunName name)
        : disk_(&disk), directory_(std::move(directory)), temporary_(std::move(temporary)), name_(name) {}
    void open_group(const ledger::HistoryRow& row);
    void close_group();
    Result<> close_chunk();
    Result<> flush();

    storage::Disk* disk_;
    std::filesystem::path directory_;
    std::filesystem::path temporary_;
    RunName name_;
    std::unique_ptr<storage::File> file_;
    std::vector<RunIndexRow> index_;
    std::uint64_t rows_ = 0;

    Bytes chunk_;
    std::uint64_t chunk_account_ = 0;  // of its last closed group
    Bytes group_;                      // the rows of the open one,
    std::uint64_t group_rows_ = 0;     // none: no group is open
    ledger::HistoryRow before_;        // and the last of them

    Bytes buffer_;  // whole chunks
    std::uint64_t written_ = sizeof(RunHeader);
    std::uint64_t unsynced_ = 0;
};

}  // namespace jiaozi::engine
