// Numbers in seven bits a byte, the lowest first; the highest bit says that more follow. One way to write each number:
// the last byte is zero only for zero itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/uint128.hpp>

namespace jiaozi::engine {

inline constexpr std::size_t max_varint_bytes = 19;  // of 128 bits

// Writes to memory that the caller has made large enough.
class Writer {
  public:
    explicit Writer(std::uint8_t* to) : at_(to) {}
    template <class Number>
    void varint(Number value) {
        while (value >= 0x80) {
            *at_++ = static_cast<std::uint8_t>(value | 0x80);
            value >>= 7;
        }
        *at_++ = static_cast<std::uint8_t>(value);
    }
    void varint(uint128 value) {
        for (; high64(value) != 0; value >>= 7) *at_++ = static_cast<std::uint8_t>(low64(value) | 0x80);
        varint(low64(value));
    }
    template <class Fixed>
    void fixed(const Fixed& value) {
        std::memcpy(at_, &value, sizeof value);
        at_ += sizeof value;
    }
    void bytes(ByteView view) {
        if (!view.empty()) std::memcpy(at_, view.data(), view.size());
        at_ += view.size();
    }
    std::uint8_t* at() const noexcept { return at_; }

  private:
    std::uint8_t* at_;
};

// Reads hostile bytes. Everything answers zeros after the first failure, which is asked for once at the end of a
// record.
class Cursor {
  public:
    explicit Cursor(ByteView bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    template <class Number>
    Number varint() {
        Number value = 0;
        unsigned shift = 0;
        for (; at_ != end_ && shift < sizeof(Number) * 8; shift += 7) {
            const std::uint8_t byte = *at_++;
            const Number part = byte & 0x7F;
            const auto placed = static_cast<Number>(part << shift);
            if (static_cast<Number>(placed >> shift) != part) break;  // too large
            value = static_cast<Number>(value | placed);
            if ((byte & 0x80) != 0) continue;
            if (byte == 0 && shift != 0) break;  // a longer way to write it
            return value;
        }
        fail();
        return 0;
    }
    template <class Fixed>
    Fixed fixed() {
        Fixed value{};
        if (left() < sizeof value) {
            fail();
            return value;
        }
        std::memcpy(&value, at_, sizeof value);
        at_ += sizeof value;
        return value;
    }
    ByteView bytes(std::size_t count) {
        if (left() < count) {
            fail();
            return {};
        }
        const ByteView taken(at_, count);
        at_ += count;
        return taken;
    }
    std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
    bool failed() const noexcept { return failed_; }
    void fail() noexcept {
        failed_ = true;
        at_ = end_;
    }

  private:
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    bool failed_ = false;
};

}  // namespace jiaozi::engine
