// Bodies of journal records: fixed fields, little-endian, in the order of docs/protocol/offline.md, 10.1.
#pragma once

#include "purse.hpp"

namespace jiaozi::purse {

class BodyWriter {
  public:
    BodyWriter& number(std::uint64_t value, std::size_t size) noexcept {
        Fixed<8> bytes{};
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
        return raw(View(bytes).first(size));
    }
    BodyWriter& u8(std::uint8_t value) noexcept { return number(value, 1); }
    BodyWriter& u16(std::uint16_t value) noexcept { return number(value, 2); }
    BodyWriter& u32(std::uint32_t value) noexcept { return number(value, 4); }
    BodyWriter& raw(View bytes) noexcept {
        ok_ = buffer_.append(bytes) && ok_;
        return *this;
    }
    // An empty view when it does not fit a record: no record has an empty body.
    View view() const noexcept { return ok_ ? buffer_.view() : View{}; }

  private:
    Buffer<record_body> buffer_;
    bool ok_ = true;
};

class BodyReader {
  public:
    explicit BodyReader(View body) noexcept : rest_(body) {}
    std::uint64_t number(std::size_t size) noexcept {
        std::uint64_t value = 0;
        const View bytes = raw(size);
        for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | bytes[i - 1];
        return value;
    }
    std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(number(4)); }
    View raw(std::size_t size) noexcept {
        if (size > rest_.size()) {
            ok_ = false;
            return {};
        }
        const View found = rest_.first(size);
        rest_ = rest_.subspan(size);
        return found;
    }
    template <std::size_t Size>
    void take_to(Fixed<Size>& out) noexcept {
        ok_ = take(raw(Size), out) && ok_;
    }
    View rest() const noexcept { return rest_; }
    bool ok() const noexcept { return ok_; }

  private:
    View rest_;
    bool ok_ = true;
};

}  // namespace jiaozi::purse
