// The exact blacklist (docs/protocol/offline.md, 3.7): ascending ordinals, their gaps Rice-coded. One list has one
// body, and reading takes a few words of memory whatever its length. The bytes come through a window, so that a body
// may stay in flash.
#pragma once

#include <jiaozi/purse/bytes.hpp>

namespace jiaozi::purse {

// k of a list: the low bits of each gap that are written as they are.
unsigned rice_parameter(std::uint32_t enrolled, std::uint32_t revoked) noexcept;

// Where a body is read from: contiguous memory, or a list slot of the storage read 64 bytes at a time.
class ListSource {
  public:
    explicit ListSource(View memory) noexcept : memory_(memory), size_(memory.size()) {}
    ListSource(const jz_platform& platform, unsigned slot, std::size_t size) noexcept
        : platform_(&platform), slot_(slot), size_(size) {}
    std::size_t size() const noexcept { return size_; }
    // The byte at `index`, below size(); sets failed() when the storage does not give it.
    std::uint8_t at(std::size_t index) noexcept;
    bool failed() const noexcept { return failed_; }

  private:
    View memory_;
    const jz_platform* platform_ = nullptr;
    unsigned slot_ = 0;
    std::size_t size_ = 0;
    std::array<std::uint8_t, 64> window_{};
    std::size_t window_start_ = SIZE_MAX;
    bool failed_ = false;
};

class ListReader {
  public:
    ListReader(ListSource& source, std::uint32_t enrolled, std::uint32_t revoked) noexcept;

    // The next ordinal, or false at the end or at the first thing that is wrong (see valid).
    bool next(std::uint32_t& ordinal) noexcept;
    // After next has returned false: the whole body was canonical.
    bool valid() const noexcept { return finished_ && !wrong_; }

  private:
    bool bit(bool& value) noexcept;
    bool finish() noexcept;

    ListSource& source_;
    std::uint32_t enrolled_;
    std::uint32_t left_;
    unsigned k_;
    std::uint64_t last_ = 0;
    std::size_t position_ = 0;  // in bits
    bool finished_ = false;
    bool wrong_ = false;
};

class ListWriter {
  public:
    ListWriter(Span out, std::uint32_t enrolled, std::uint32_t revoked) noexcept;
    // Ascending, from 1 to enrolled. False when that is not so, or when there is no room.
    bool add(std::uint32_t ordinal) noexcept;
    // The body, once all `revoked` have been added; empty if not.
    View finish() noexcept;
    bool complete() const noexcept { return ok_ && left_ == 0; }

  private:
    void bit(bool value) noexcept;

    Span out_;
    std::uint32_t enrolled_;
    std::uint32_t left_;
    unsigned k_;
    std::uint32_t last_ = 0;
    std::size_t bits_ = 0;
    bool ok_ = true;
};

}  // namespace jiaozi::purse
