#include <algorithm>
#include <chrono>
#include <thread>

#include <jiaozi/storage/faulty_disk.hpp>

namespace jiaozi::storage {

class FaultyFile final : public File {
  public:
    FaultyFile(FaultyDisk& disk, std::unique_ptr<File> below) : disk_(disk), below_(std::move(below)) {}

    Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) override {
        if (disk_.fail_reads_) return Error(ErrorKind::io, "read: injected failure");
        return below_->read_at(offset, into);
    }
    Result<> write_at(std::uint64_t offset, std::span<const ByteView> parts) override {
        if (disk_.writes_++ < disk_.fail_writes_) return below_->write_at(offset, parts);
        std::uint64_t left = disk_.torn_bytes_;
        for (const ByteView part : parts) {
            const ByteView torn = part.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, part.size())));
            if (torn.empty()) break;
            JZ_CHECK(below_->write_at(offset, std::span(&torn, 1)));
            offset += torn.size();
            left -= torn.size();
        }
        return Error(ErrorKind::io, "write: injected failure");
    }
    Result<> sync_data() override {
        if (disk_.syncs_++ >= disk_.fail_syncs_) return Error(ErrorKind::io, "fdatasync: injected failure");
        if (const auto delay = disk_.sync_microseconds_.load(); delay > 0) {
            std::this_thread::sleep_for(std::chrono::microseconds(delay));
        }
        return below_->sync_data();
    }
    Result<> sync_all() override { return below_->sync_all(); }
    Result<> preallocate(std::uint64_t size) override {
        if (disk_.preallocations_++ >= disk_.fail_preallocations_) {
            return Error(ErrorKind::io, "reserve space: injected failure: no space left on device");
        }
        return below_->preallocate(size);
    }
    Result<> truncate(std::uint64_t size) override { return below_->truncate(size); }
    void prefer_direct() override { below_->prefer_direct(); }
    Result<std::uint64_t> size() override { return below_->size(); }

  private:
    FaultyDisk& disk_;
    std::unique_ptr<File> below_;
};

Result<std::unique_ptr<File>> FaultyDisk::create(const std::filesystem::path& path) {
    JZ_TRY(auto file, below_.create(path));
    return std::unique_ptr<File>(std::make_unique<FaultyFile>(*this, std::move(file)));
}

Result<std::unique_ptr<File>> FaultyDisk::open(const std::filesystem::path& path, Mode mode) {
    JZ_TRY(auto file, below_.open(path, mode));
    return std::unique_ptr<File>(std::make_unique<FaultyFile>(*this, std::move(file)));
}

}  // namespace jiaozi::storage
