// A disk that is wholly in memory and may do, from a seed, everything that a real one may: lose, reorder and tear what
// was not synced, fail, fill up, lose its power between any two sectors. It also does on order what no disk may:
// misdirect a write, rot, read short, say "synced" when it did not.
//
// What is kept apart:
// - the cache: what reads see, as the kernel's page cache shows it;
// - the platter: what a power failure leaves;
// - the log of changes between them, a sector of 512 bytes (which is written whole or not at all) or a size at a time.
// Names are kept the same way: a create, rename or removal is lost unless its directory was synced.
//
// After a failed sync the changes that did not reach the platter are no longer waiting for it, but the cache goes on
// showing them: that is what Linux does (docs/simulation.md).
//
// Threading: any thread. The referee is called before an operation takes place, on the thread that asked for it, with
// nothing locked: it may block.
// Determinism: the outcome depends on the seed and on the order of the operations.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/sim/random.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::sim {

inline constexpr std::size_t sector_bytes = 512;

// Operations that change something. Reads are not asked about.
enum class Operation : std::uint8_t {
    write,
    sync,
    preallocate,
    truncate,
    create,
    rename,
    remove,
    make_directory,
    sync_directory,
};
std::string_view name_of(Operation operation) noexcept;

struct Request {
    Operation operation = Operation::write;
    const std::string& path;
    std::uint64_t bytes = 0;  // of a write
};

// What becomes of an operation. A failed write leaves any of its sectors in the cache; a failed sync brings any of the
// waiting changes to the platter and forgets the others; any other operation that fails has no effect.
enum class Fate : std::uint8_t {
    proceed,
    fail,          // EIO
    no_space,      // ENOSPC; else as fail
    crash_before,  // the power goes, and nothing of it was done
    crash_during,  // the power goes halfway
    crash_after,   // it was done, but the caller never learnt it
    // Not allowed to a disk that works:
    misdirect,  // a write lands elsewhere, and success is reported
    pretend,    // a sync does nothing, and success is reported
};

class SimulatedDisk final : public storage::Disk {
  public:
    using Referee = std::function<Fate(const Request&)>;
    // How a power failure treats changes that were not synced.
    enum class Survival : std::uint8_t { none, all, any };

    explicit SimulatedDisk(std::uint64_t seed) : random_(seed) {}

    // Everything proceeds if there is none.
    void set_referee(Referee referee) { referee_ = std::move(referee); }

    bool powered() const;
    void power_off();
    // Back after a power failure: each change that was not synced is on the platter or lost. Files that were open stay
    // unusable.
    void power_on(Survival survival);
    // It was only the process that ended: the cache is as it was, but files that were open are unusable.
    void end_process();

    // The disk has trouble reading from now on (or no longer).
    void fail_reads(bool fail);
    // Some reads return less than there is: damage, no correct File does that.
    void short_reads(bool cut);

    // The platter and the names as they are now, to put back: as a copy of the disk. Only while nothing waits to be
    // synced (after power_on), because what waits is not in it.
    using Image = std::map<std::string, Bytes>;
    Image image() const;
    // Changes bytes on the platter and in the cache behind the file's back.
    void overwrite(const std::string& path, std::uint64_t offset, ByteView bytes);
    void restore(const Image& image);

    // storage::Disk
    Result<std::unique_ptr<storage::File>> create(const std::filesystem::path& path) override;
    Result<std::unique_ptr<storage::File>> open(const std::filesystem::path& path, Mode mode) override;
    Result<> rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
    Result<> remove(const std::filesystem::path& path) override;
    Result<> make_directory(const std::filesystem::path& path) override;
    Result<> sync_directory(const std::filesystem::path& path) override;
    Result<std::vector<std::string>> list(const std::filesystem::path& path) override;
    Result<std::unique_ptr<storage::DirectoryLock>> lock(const std::filesystem::path& directory) override;

  private:
    friend class SimulatedFile;
    friend class SimulatedLock;

    // A change of a file that waits to reach the platter: one sector's bytes, or a new size.
    struct Change {
        bool is_size = false;
        std::uint64_t where = 0;  // the sector's number, or the size
        std::size_t bytes = 0;    // offset of the sector's content in Inode::waiting_bytes
    };
    struct Inode {
        bool directory = false;
        Bytes cache;
        Bytes platter;
        std::vector<Change> waiting;
        Bytes waiting_bytes;
    };
    using InodePtr = std::shared_ptr<Inode>;
    using Names = std::map<std::string, InodePtr>;
    // A change of a directory that waits to reach the platter: names taken away and given at once.
    struct NameChange {
        std::string directory;
        std::string erased;
        std::string given;
        InodePtr inode;
    };
    struct Passage {
        Fate fate = Fate::proceed;
        bool done_in_part = false;
    };

    Fate ask(Operation operation, const std::string& path, std::uint64_t bytes = 0);
    Result<> verdict(Fate fate, const std::string& doing);
    Result<> change_names(Operation operation, const std::string& path, NameChange change);
    void apply(Names& names, const NameChange& change);
    void write_into(Inode& inode, std::uint64_t offset, ByteView bytes);
    void resize(Inode& inode, std::uint64_t size);
    void settle(Inode& inode, Survival survival, bool sync_failed = false);
    std::uint64_t elsewhere(InodePtr& inode, const std::string& path, std::uint64_t offset, std::uint64_t size);
    bool directory_exists(const std::string& path) const;

    Result<std::size_t> read(std::uint64_t epoch, const Inode& inode, std::uint64_t offset, ByteSpan into);
    Result<> write(std::uint64_t epoch, InodePtr inode, const std::string& path, std::uint64_t offset,
                   std::span<const ByteView> parts);
    Result<> sync(std::uint64_t epoch, Inode& inode, const std::string& path);
    Result<> set_size(std::uint64_t epoch, Inode& inode, const std::string& path, Operation operation,
                      std::uint64_t size);

    Referee referee_;

    mutable std::mutex mutex_;  // guards from here
    Random random_;
    bool powered_ = true;
    bool fail_reads_ = false;
    bool short_reads_ = false;
    std::uint64_t epoch_ = 0;  // handles of an earlier one are dead
    Names names_;
    Names names_on_platter_;
    std::vector<NameChange> waiting_names_;
    std::map<std::string, std::uint64_t> locks_;  // by directory: the epoch that holds it
};

}  // namespace jiaozi::sim
