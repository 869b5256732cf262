// A disk that can be looked at and not changed: reads go to the disk underneath, and everything that would change it is
// accepted and dropped. For opening a journal to check it, with the code that would otherwise repair it.
// A file that is made here is in memory and belongs to its handle. Thread-safe as the disk underneath.
#pragma once

#include <jiaozi/storage/disk.hpp>

namespace jiaozi::storage {

class ReadOnlyDisk final : public Disk {
  public:
    // `below` must outlive this and its files.
    explicit ReadOnlyDisk(Disk& below) : below_(below) {}

    Result<std::unique_ptr<File>> create(const std::filesystem::path& path) override;
    Result<std::unique_ptr<File>> open(const std::filesystem::path& path, Mode mode) override;
    Result<> rename(const std::filesystem::path&, const std::filesystem::path&) override { return {}; }
    Result<> remove(const std::filesystem::path&) override { return {}; }
    Result<> make_directory(const std::filesystem::path&) override { return {}; }
    Result<> sync_directory(const std::filesystem::path&) override { return {}; }
    Result<std::vector<std::string>> list(const std::filesystem::path& path) override { return below_.list(path); }
    // Always granted: whoever must keep a writer out locks the disk underneath.
    Result<std::unique_ptr<DirectoryLock>> lock(const std::filesystem::path& directory) override;

  private:
    Disk& below_;
};

}  // namespace jiaozi::storage
