// A disk that counts what is asked of it and breaks on order: for tests and whole-system simulation. Everything else
// goes to the disk underneath. Counts and orders hold over all its files. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include <jiaozi/storage/disk.hpp>

namespace jiaozi::storage {

class FaultyDisk final : public Disk {
  public:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    explicit FaultyDisk(Disk& below) : below_(below) {}

    // The operation with this number (counted from 0, see the counters) and every later one of its kind fails with io,
    // as a disk that has gone away does. A failing write leaves `torn_bytes` of its bytes behind.
    void fail_writes_from(std::uint64_t number, std::uint64_t torn_bytes = 0) {
        torn_bytes_ = torn_bytes;
        fail_writes_ = number;
    }
    void fail_syncs_from(std::uint64_t number) { fail_syncs_ = number; }
    void fail_preallocations_from(std::uint64_t number) { fail_preallocations_ = number; }
    void fail_reads(bool fail) { fail_reads_ = fail; }
    // Every data sync takes at least this long: a slow disk, so that commands queue behind it.
    void slow_syncs(std::uint64_t microseconds) { sync_microseconds_ = microseconds; }

    std::uint64_t writes() const { return writes_; }
    std::uint64_t syncs() const { return syncs_; }  // sync_data only
    std::uint64_t preallocations() const { return preallocations_; }

    Result<std::unique_ptr<File>> create(const std::filesystem::path& path) override;
    Result<std::unique_ptr<File>> open(const std::filesystem::path& path, Mode mode) override;
    Result<> rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
        return below_.rename(from, to);
    }
    Result<> remove(const std::filesystem::path& path) override { return below_.remove(path); }
    Result<> make_directory(const std::filesystem::path& path) override { return below_.make_directory(path); }
    Result<> sync_directory(const std::filesystem::path& path) override { return below_.sync_directory(path); }
    Result<std::vector<std::string>> list(const std::filesystem::path& path) override { return below_.list(path); }
    Result<std::unique_ptr<DirectoryLock>> lock(const std::filesystem::path& directory) override {
        return below_.lock(directory);
    }

  private:
    friend class FaultyFile;
    Disk& below_;
    std::atomic<std::uint64_t> writes_{0}, syncs_{0}, preallocations_{0};
    std::atomic<std::uint64_t> fail_writes_{never}, fail_syncs_{never}, fail_preallocations_{never};
    std::atomic<std::uint64_t> torn_bytes_{0}, sync_microseconds_{0};
    std::atomic<bool> fail_reads_{false};
};

}  // namespace jiaozi::storage
