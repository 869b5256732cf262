// Deterministic CBOR (RFC 8949 section 4.2.1) over fixed buffers: unsigned integers, -1 - n, byte and text strings,
// arrays and the two maps that COSE needs. Anything longer than necessary, indefinite, nested deeper than the caller
// asks for or cut off is refused. Both sides remember the first failure, so that a parser is a straight line that asks
// once at its end; after a failure the reader yields zeros and empty views. Constant memory, no recursion.
#pragma once

#include <jiaozi/purse/bytes.hpp>

namespace jiaozi::purse {

class CborReader {
  public:
    explicit CborReader(View input) noexcept : rest_(input) {}

    std::uint64_t uint() noexcept { return head(0); }
    // At most `highest`.
    std::uint64_t uint(std::uint64_t highest) noexcept;
    std::uint64_t negative() noexcept { return head(1); }  // n of -1 - n
    View bytes() noexcept { return string(2); }
    View text() noexcept { return string(3); }
    std::size_t array(std::size_t highest) noexcept;
    void array_of(std::size_t count) noexcept;
    void map_of(std::size_t count) noexcept;
    // The given number of bytes as they stand.
    void literal(View expected) noexcept;

    void fail() noexcept { ok_ = false; }
    bool ok() const noexcept { return ok_; }
    bool done() const noexcept { return ok_ && rest_.empty(); }
    View rest() const noexcept { return rest_; }

  private:
    std::uint64_t head(unsigned major) noexcept;
    View string(unsigned major) noexcept;

    View rest_;
    bool ok_ = true;
};

class CborWriter {
  public:
    explicit CborWriter(Span out) noexcept : out_(out) {}

    CborWriter& uint(std::uint64_t value) noexcept { return head(0, value); }
    CborWriter& negative(std::uint64_t n) noexcept { return head(1, n); }
    CborWriter& bytes(View value) noexcept { return head(2, value.size()).raw(value); }
    CborWriter& text(View value) noexcept { return head(3, value.size()).raw(value); }
    CborWriter& array(std::size_t count) noexcept { return head(4, count); }
    CborWriter& map(std::size_t count) noexcept { return head(5, count); }
    CborWriter& raw(View value) noexcept;

    bool ok() const noexcept { return ok_; }
    View written() const noexcept { return View(out_.data(), size_); }
    std::size_t size() const noexcept { return size_; }

  private:
    CborWriter& head(unsigned major, std::uint64_t value) noexcept;

    Span out_;
    std::size_t size_ = 0;
    bool ok_ = true;
};

}  // namespace jiaozi::purse
