// Secret bytes: kept out of swap where the system allows, zeroed when destroyed, not printable, not copied by accident.
// The one place that hands out randomness is here too. Not thread-safe per object; random_bytes is.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/id.hpp>
#include <jiaozi/base/uint128.hpp>

namespace jiaozi::crypto {

// Zeroes memory in a way the compiler may not remove.
void wipe(ByteSpan memory) noexcept;

// True when both have the same length and content. Time depends on the lengths alone.
bool constant_time_equal(ByteView left, ByteView right) noexcept;

// From the operating system's generator through libsodium. Aborts when there is none: nothing safe can go on.
void random_bytes(ByteSpan out) noexcept;

// Owning, of any length. Copy with clone(), read with view(); there is no way to print one.
class SecretBytes {
  public:
    SecretBytes() = default;
    explicit SecretBytes(std::size_t size);  // zeros
    explicit SecretBytes(ByteView copied);   // the caller still wipes its own copy
    static SecretBytes random(std::size_t size);
    // Takes the content over and wipes the source.
    static SecretBytes absorb(Bytes& source);

    SecretBytes(SecretBytes&& other) noexcept;
    SecretBytes& operator=(SecretBytes&& other) noexcept;
    SecretBytes(const SecretBytes&) = delete;
    SecretBytes& operator=(const SecretBytes&) = delete;
    ~SecretBytes();

    SecretBytes clone() const { return SecretBytes(view()); }
    ByteView view() const noexcept { return {data_.get(), size_}; }
    ByteSpan mutable_view() noexcept { return {data_.get(), size_}; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

  private:
    void clear() noexcept;
    std::unique_ptr<std::uint8_t[]> data_;
    std::size_t size_ = 0;
};

// Fixed size, in place; for keys on hot paths.
template <std::size_t Size>
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::span<const std::uint8_t, Size> copied) {
        std::copy(copied.begin(), copied.end(), bytes_.begin());
    }
    static Secret random() {
        Secret secret;
        random_bytes(secret.bytes_);
        return secret;
    }
    Secret(const Secret&) = default;
    Secret& operator=(const Secret&) = default;
    ~Secret() { wipe(bytes_); }

    ByteView view() const noexcept { return bytes_; }
    std::span<std::uint8_t, Size> mutable_view() noexcept { return bytes_; }

  private:
    std::array<std::uint8_t, Size> bytes_{};
};

// 48 bits of milliseconds since 1970, then 80 random bits (the ULID layout). Never zero.
uint128 new_id_value(const Clock& clock);

template <class SomeId>
SomeId new_id(const Clock& clock) {
    return SomeId(new_id_value(clock));
}

}  // namespace jiaozi::crypto
