// Byte views, ids and buffers of the device profile: no heap, no exceptions, no other library of the project.
// Views borrow; whatever they point into must outlive them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <jiaozi_purse.h>

namespace jiaozi::purse {

using View = std::span<const std::uint8_t>;
using Span = std::span<std::uint8_t>;

inline View view_of(jz_view view) noexcept {
    return view.data == nullptr ? View{} : View{view.data, view.size};
}
inline jz_view c_view(View view) noexcept {
    return {view.data(), view.size()};
}

inline bool equal(View left, View right) noexcept {
    return left.size() == right.size() && (left.empty() || std::memcmp(left.data(), right.data(), left.size()) == 0);
}

template <std::size_t Size>
using Fixed = std::array<std::uint8_t, Size>;
using Id = Fixed<32>;     // the hash of an object
using Nonce = Fixed<16>;  // of a request
using Kid = Fixed<8>;     // of an issuer's key

template <std::size_t Size>
bool take(View bytes, Fixed<Size>& out) noexcept {
    if (bytes.size() != Size) return false;
    std::memcpy(out.data(), bytes.data(), Size);
    return true;
}

// Secrets are overwritten before their memory is used for something else.
inline void wipe(Span memory) noexcept {
    for (volatile std::uint8_t* byte = memory.data(); byte != memory.data() + memory.size(); ++byte) *byte = 0;
}

// Bytes up to a fixed capacity. append says whether there was room, and changes nothing if not.
template <std::size_t Capacity>
class Buffer {
  public:
    static constexpr std::size_t capacity = Capacity;

    View view() const noexcept { return {bytes_.data(), size_}; }
    Span all() noexcept { return bytes_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    void clear() noexcept { size_ = 0; }
    // What was written through all().
    void resize(std::size_t size) noexcept { size_ = size <= Capacity ? size : Capacity; }
    [[nodiscard]] bool append(View more) noexcept {
        if (more.size() > Capacity - size_) return false;
        if (!more.empty()) std::memcpy(bytes_.data() + size_, more.data(), more.size());
        size_ += more.size();
        return true;
    }
    [[nodiscard]] bool assign(View other) noexcept {
        clear();
        return append(other);
    }

  private:
    std::array<std::uint8_t, Capacity> bytes_{};
    std::size_t size_ = 0;
};

}  // namespace jiaozi::purse
