// The journal's next segment, made of zeros on a thread of its own while the one before it fills, so that starting it
// costs the writer one small write, a rename and two syncs. In small pieces, as far as the writer allows: written in
// one go it would keep the disk from the writer's syncs, which then take ten times as long until it is done.
//
// Threading: one thread, the writer's.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>

#include <jiaozi/storage/disk.hpp>

namespace jiaozi::storage {

// At once, on the calling thread: `size` bytes of zeros, synced. Replaces a file of that name.
Result<std::unique_ptr<File>> make_zeros(Disk& disk, const std::filesystem::path& path, std::uint64_t size);

class NextSegment {
  public:
    NextSegment(Disk& disk, std::filesystem::path path, std::uint64_t size);
    // Gives up what is not finished, and removes the file, unless it was taken.
    ~NextSegment();
    NextSegment(const NextSegment&) = delete;
    NextSegment& operator=(const NextSegment&) = delete;

    // From now on so many bytes may be there. Never less than before.
    void allow(std::uint64_t bytes) noexcept;
    // Waits for what is missing. Once.
    Result<std::unique_ptr<File>> take();

  private:
    Result<std::unique_ptr<File>> make();
    std::uint64_t wait_beyond(std::uint64_t made) const noexcept;

    Disk& disk_;
    const std::filesystem::path path_;
    const std::uint64_t size_;
    std::atomic<std::uint64_t> allowed_{0};
    std::future<Result<std::unique_ptr<File>>> made_;
};

}  // namespace jiaozi::storage
