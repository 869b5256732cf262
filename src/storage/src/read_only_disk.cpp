#include <algorithm>

#include <jiaozi/storage/read_only_disk.hpp>

namespace jiaozi::storage {

namespace {

class ViewedFile final : public File {
  public:
    explicit ViewedFile(std::unique_ptr<File> below) : below_(std::move(below)) {}

    Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) override { return below_->read_at(offset, into); }
    Result<> write_at(std::uint64_t, std::span<const ByteView>) override { return {}; }
    Result<> sync_data() override { return {}; }
    Result<> sync_all() override { return {}; }
    Result<> preallocate(std::uint64_t) override { return {}; }
    Result<> truncate(std::uint64_t) override { return {}; }
    Result<std::uint64_t> size() override { return below_->size(); }

  private:
    std::unique_ptr<File> below_;
};

class MemoryFile final : public File {
  public:
    Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) override {
        if (offset >= bytes_.size()) return std::size_t{0};
        const std::size_t size = std::min(into.size(), bytes_.size() - static_cast<std::size_t>(offset));
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), size, into.begin());
        return size;
    }
    Result<> write_at(std::uint64_t offset, std::span<const ByteView> parts) override {
        for (const ByteView part : parts) {
            const auto end = static_cast<std::size_t>(offset) + part.size();
            if (bytes_.size() < end) bytes_.resize(end);
            std::ranges::copy(part, bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
            offset += part.size();
        }
        return {};
    }
    Result<> sync_data() override { return {}; }
    Result<> sync_all() override { return {}; }
    Result<> preallocate(std::uint64_t) override { return {}; }  // what was never written need not be kept
    Result<> truncate(std::uint64_t size) override {
        bytes_.resize(static_cast<std::size_t>(size));
        return {};
    }
    Result<std::uint64_t> size() override { return bytes_.size(); }

  private:
    Bytes bytes_;
};

}  // namespace

Result<std::unique_ptr<File>> ReadOnlyDisk::create(const std::filesystem::path&) {
    return std::unique_ptr<File>(std::make_unique<MemoryFile>());
}

Result<std::unique_ptr<File>> ReadOnlyDisk::open(const std::filesystem::path& path, Mode) {
    JZ_TRY(auto file, below_.open(path, Mode::read));
    return std::unique_ptr<File>(std::make_unique<ViewedFile>(std::move(file)));
}

Result<std::unique_ptr<DirectoryLock>> ReadOnlyDisk::lock(const std::filesystem::path&) {
    return std::make_unique<DirectoryLock>();
}

}  // namespace jiaozi::storage
