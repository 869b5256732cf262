#include <algorithm>
#include <mutex>

#include <sodium.h>

#include <jiaozi/crypto/secret.hpp>

#include "sodium_ready.hpp"

namespace jiaozi::crypto {

void require_sodium() noexcept {
    // sodium_init is idempotent and thread-safe; it fails only where the system has no randomness to give.
    static const int status = sodium_init();
    JZ_ASSERT(status >= 0);
}

void wipe(ByteSpan memory) noexcept {
    sodium_memzero(memory.data(), memory.size());
}

bool constant_time_equal(ByteView left, ByteView right) noexcept {
    return left.size() == right.size() && sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

void random_bytes(ByteSpan out) noexcept {
    require_sodium();
    randombytes_buf(out.data(), out.size());
}

SecretBytes::SecretBytes(std::size_t size) : data_(size == 0 ? nullptr : new std::uint8_t[size]()), size_(size) {
    // Best effort: the limit on locked memory is small on many systems, and a service must start all the same.
    if (size != 0) sodium_mlock(data_.get(), size);
}

SecretBytes::SecretBytes(ByteView copied) : SecretBytes(copied.size()) {
    std::ranges::copy(copied, data_.get());
}

SecretBytes SecretBytes::random(std::size_t size) {
    SecretBytes secret(size);
    random_bytes(secret.mutable_view());
    return secret;
}

SecretBytes SecretBytes::absorb(Bytes& source) {
    SecretBytes secret{ByteView(source)};
    wipe(source);
    source.clear();
    return secret;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
        clear();
        data_ = std::move(other.data_);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

SecretBytes::~SecretBytes() {
    clear();
}

void SecretBytes::clear() noexcept {
    if (data_) wipe(mutable_view());
    data_.reset();
    size_ = 0;
}

uint128 new_id_value(const Clock& clock) {
    std::array<std::uint8_t, 10> random{};
    uint128 tail = 0;
    do {
        random_bytes(random);
        tail = 0;
        for (const std::uint8_t byte : random) tail = (tail << 8) | byte;
    } while (tail == 0);
    return (static_cast<uint128>(clock.now().ms() & 0xFFFF'FFFF'FFFFULL) << 80) | tail;
}

}  // namespace jiaozi::crypto
