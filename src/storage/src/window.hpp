// A read-ahead buffer over one file.
#pragma once

#include <algorithm>
#include <memory>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::storage {

class Window {
  public:
    // With `ahead` the file is read from its beginning to its end: the disk is told of the next bytes while these are
    // looked at. Not for a file that is being written around the cache.
    explicit Window(std::unique_ptr<File> file, std::uint64_t ahead = 0) : file_(std::move(file)), ahead_(ahead) {}

    // Exactly `size` bytes from `offset`, zeros past the end of the file; valid until the next call.
    Result<ByteView> at(std::uint64_t offset, std::size_t size) {
        if (offset < start_ || offset + size > start_ + filled_) JZ_CHECK(move_to(offset, size));
        return ByteView(bytes_).subspan(static_cast<std::size_t>(offset - start_), size);
    }
    void forget() noexcept { filled_ = 0; }
    File& file() noexcept { return *file_; }
    std::unique_ptr<File> release() && { return std::move(file_); }

  private:
    static constexpr std::size_t read_ahead_bytes = std::size_t{256} * 1024;

    // What is here already is not read again: an entry's header comes before the rest of it.
    Result<> move_to(std::uint64_t offset, std::size_t size) {
        const std::size_t wanted = std::max(size, read_ahead_bytes);
        const bool inside = offset >= start_ && offset < start_ + filled_;
        const std::size_t kept = inside ? static_cast<std::size_t>(start_ + filled_ - offset) : 0;
        if (kept > 0) std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(filled_ - kept), kept, bytes_.begin());
        filled_ = 0;
        if (bytes_.size() < wanted) bytes_.resize(wanted);
        if (ahead_ > 0) file_->will_read(offset + wanted, ahead_);
        JZ_TRY(const std::size_t got, file_->read_at(offset + kept, ByteSpan(bytes_).subspan(kept, wanted - kept)));
        if (got < wanted - kept) {
            // What a read leaves out must be past the end: taken for zeros, it would look like the journal's end.
            JZ_TRY(const std::uint64_t file_size, file_->size());
            if (offset + kept + got < file_size)
                return Error(ErrorKind::io, "a read of the journal came back short; check the storage under it");
        }
        std::fill(bytes_.begin() + static_cast<std::ptrdiff_t>(kept + got), bytes_.end(), std::uint8_t{0});
        start_ = offset;
        filled_ = wanted;
        return {};
    }

    std::unique_ptr<File> file_;
    const std::uint64_t ahead_;
    Bytes bytes_;
    std::uint64_t start_ = 0;
    std::size_t filled_ = 0;
};

}  // namespace jiaozi::storage
