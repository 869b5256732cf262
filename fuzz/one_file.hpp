// A file, and a disk with nothing else on it, that can be read and not changed: for decoders that read by way of the
// storage library. Whatever else they ask for is a fault of theirs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <jiaozi/storage/disk.hpp>

namespace jiaozi::fuzz {

class MemoryFile final : public storage::File {
  public:
    // The bytes outlive it.
    explicit MemoryFile(ByteView bytes) : bytes_(bytes) {}
    Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) override {
        if (offset >= bytes_.size()) return std::size_t{0};
        const auto size = std::min(into.size(), bytes_.size() - static_cast<std::size_t>(offset));
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), size, into.begin());
        return size;
    }
    Result<> write_at(std::uint64_t, std::span<const ByteView>) override { std::abort(); }
    Result<> sync_data() override { std::abort(); }
    Result<> sync_all() override { std::abort(); }
    Result<> preallocate(std::uint64_t) override { std::abort(); }
    Result<> truncate(std::uint64_t) override { std::abort(); }
    Result<std::uint64_t> size() override { return bytes_.size(); }

  private:
    ByteView bytes_;
};

class OneFile final : public storage::Disk {
  public:
    explicit OneFile(ByteView bytes) : bytes_(bytes) {}
    Result<std::unique_ptr<storage::File>> open(const std::filesystem::path&, Mode) override {
        return std::unique_ptr<storage::File>(std::make_unique<MemoryFile>(bytes_));
    }
    Result<std::unique_ptr<storage::File>> create(const std::filesystem::path&) override { std::abort(); }
    Result<> rename(const std::filesystem::path&, const std::filesystem::path&) override { std::abort(); }
    Result<> remove(const std::filesystem::path&) override { std::abort(); }
    Result<> make_directory(const std::filesystem::path&) override { std::abort(); }
    Result<> sync_directory(const std::filesystem::path&) override { std::abort(); }
    Result<std::vector<std::string>> list(const std::filesystem::path&) override { std::abort(); }
    Result<std::unique_ptr<storage::DirectoryLock>> lock(const std::filesystem::path&) override { std::abort(); }

  private:
    ByteView bytes_;
};

}  // namespace jiaozi::fuzz
