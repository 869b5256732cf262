// A read-ahead buffer over one file.
#pragma once

#include <algorithm>
#include <memory>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::storage {

class Window {
  public:
    explicit Window(std::unique_ptr<File> file) : file_(std::move(file)) {}

    // Exactly `size` bytes from `offset`, zeros past the end of the file; valid until the next call.
    Result<ByteView> at(std::uint64_t offset, std::size_t size) {
        if (offset < start_ || offset + size > start_ + filled_) {
            const std::size_t wanted = std::max(size, read_ahead_bytes);
            if (bytes_.size() < wanted) bytes_.resize(wanted);
            filled_ = 0;
            JZ_TRY(const std::size_t got, file_->read_at(offset, ByteSpan(bytes_).first(wanted)));
            if (got < wanted) {
                // What a read leaves out must be past the end: taken for zeros, it would look like the journal's end.
                JZ_TRY(const std::uint64_t file_size, file_->size());
                if (offset + got < file_size) {
                    return Error(ErrorKind::io, "a read of the journal came back short; check the storage under it");
                }
            }
            std::fill(bytes_.begin() + static_cast<std::ptrdiff_t>(got), bytes_.end(), std::uint8_t{0});
            start_ = offset;
            filled_ = wanted;
        }
        return ByteView(bytes_).subspan(static_cast<std::size_t>(offset - start_), size);
    }
    void forget() noexcept { filled_ = 0; }
    File& file() noexcept { return *file_; }
    std::unique_ptr<File> release() && { return std::move(file_); }

  private:
    static constexpr std::size_t read_ahead_bytes = std::size_t{256} * 1024;
    std::unique_ptr<File> file_;
    Bytes bytes_;
    std::uint64_t start_ = 0;
    std::size_t filled_ = 0;
};

}  // namespace jiaozi::storage
