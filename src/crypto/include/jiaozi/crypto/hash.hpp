// SHA-256 (FIPS 180-4), SM3 (GB/T 32905), HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869).
// Sha256 and HmacKey hold their state in place and allocate nothing. Objects are not thread-safe, except that a const
// HmacKey may be used by many threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::crypto {

using Digest = std::array<std::uint8_t, 32>;

class Sha256 {
  public:
    Sha256() noexcept;
    Sha256& update(ByteView bytes) noexcept;
    // The object is spent afterwards.
    Digest finish() noexcept;

  private:
    friend class HmacKey;
    // The state of OpenSSL's SHA-256, whose size hash.cpp checks.
    alignas(8) std::array<std::uint8_t, 112> state_;
};

Digest sha256(ByteView bytes) noexcept;

class Sm3 {
  public:
    Sm3();
    ~Sm3();
    Sm3(Sm3&&) noexcept;
    Sm3& operator=(Sm3&&) noexcept;
    Sm3& update(ByteView bytes);
    Digest finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

Digest sm3(ByteView bytes);

// A key for HMAC-SHA-256 with both padded key blocks already absorbed, so that a message costs its own blocks and two
// more.
class HmacKey {
  public:
    explicit HmacKey(ByteView key) noexcept;  // any length; 32 bytes is usual
    HmacKey(const HmacKey&) = default;
    HmacKey& operator=(const HmacKey&) = default;
    ~HmacKey();

    Digest mac(ByteView message) const noexcept;
    // The parts are authenticated as if written one after the other.
    Digest mac(std::initializer_list<ByteView> parts) const noexcept;
    // Constant time; the tag must have all 32 bytes.
    bool verify(ByteView message, ByteView tag) const noexcept;

  private:
    Sha256 inner_;
    Sha256 outer_;
};

Digest hmac_sha256(ByteView key, ByteView message) noexcept;

// `size` at most 255 × 32 bytes (JZ_ASSERT). An empty salt stands for 32 zero bytes.
SecretBytes hkdf_sha256(ByteView input_key, ByteView salt, ByteView info, std::size_t size);

}  // namespace jiaozi::crypto
