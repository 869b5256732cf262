// X25519 key agreement (RFC 7748). The raw shared value goes through hkdf_sha256 before use. Pure functions,
// thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::crypto {

inline constexpr std::size_t x25519_key_size = 32;
using X25519PublicKey = std::array<std::uint8_t, x25519_key_size>;

struct X25519KeyPair {
    Secret<x25519_key_size> private_key;
    X25519PublicKey public_key{};
};

X25519KeyPair generate_x25519();
Result<X25519KeyPair> x25519_from_private(ByteView private_key);

// Error invalid for keys of another size and for peers whose point has low order (an all-zero result).
Result<Secret<x25519_key_size>> x25519(ByteView private_key, ByteView peer_public_key);

}  // namespace jiaozi::crypto
