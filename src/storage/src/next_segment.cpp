#include "next_segment.hpp"

#include <algorithm>
#include <utility>

namespace jiaozi::storage {

namespace {

// Some 50 to 100 microseconds of the disk's time.
constexpr std::uint64_t piece_bytes = std::uint64_t{128} * 1024;
constexpr std::uint64_t given_up = UINT64_MAX;

}  // namespace

Result<std::unique_ptr<File>> make_zeros(Disk& disk, const std::filesystem::path& path, std::uint64_t size) {
    JZ_TRY(auto file, disk.create(path));
    JZ_CHECK(file->preallocate(size));
    JZ_CHECK(file->sync_all());
    return file;
}

NextSegment::NextSegment(Disk& disk, std::filesystem::path path, std::uint64_t size)
    : disk_(disk),
      path_(std::move(path)),
      size_(size),
      made_(std::async(std::launch::async, [this] { return make(); })) {}

NextSegment::~NextSegment() {
    if (!made_.valid()) return;
    allow(given_up);
    made_.wait();
    ignore_error(disk_.remove(path_), "the next opening removes it");
}

void NextSegment::allow(std::uint64_t bytes) noexcept {
    if (bytes <= allowed_.load(std::memory_order_relaxed)) return;
    allowed_.store(bytes, std::memory_order_release);
    allowed_.notify_one();
}

Result<std::unique_ptr<File>> NextSegment::take() {
    allow(size_);
    return made_.get();
}

std::uint64_t NextSegment::wait_beyond(std::uint64_t made) const noexcept {
    const std::uint64_t wanted = std::min(made + piece_bytes, size_);
    for (;;) {
        const std::uint64_t allowed = allowed_.load(std::memory_order_acquire);
        if (allowed >= wanted) return allowed;
        allowed_.wait(allowed, std::memory_order_acquire);
    }
}

Result<std::unique_ptr<File>> NextSegment::make() {
    JZ_TRY(auto file, disk_.create(path_));
    for (std::uint64_t made = 0; made < size_;) {
        if (wait_beyond(made) == given_up) return Error(ErrorKind::unavailable, "the journal was closed");
        made = std::min(made + piece_bytes, size_);
        JZ_CHECK(file->preallocate(made));
    }
    JZ_CHECK(file->sync_all());
    return file;
}

}  // namespace jiaozi::storage
