// COSE_Key (RFC 9052 section 7, RFC 9053 section 7) for public keys, in deterministic CBOR:
//
//   OKP   { 1: 1, ? 2: kid, -1: 6 (Ed25519) or 4 (X25519), -2: x }
//   EC2   { 1: 2, ? 2: kid, -1: 1 (P-256) or -65601 (SM2, private use), -2: x, -3: y }
//
// Private keys never take this form. y may also be a boolean (the sign of a compressed point) when read; written as
// bytes. Thread-safe.
#pragma once

#include <optional>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/crypto/x25519.hpp>

namespace jiaozi::crypto {

struct CosePublicKey {
    std::optional<Suite> suite;  // none: an X25519 key
    Bytes public_key;            // canonical form
    std::optional<Bytes> kid;
};

// Error invalid when the key is not one of its curve.
Result<Bytes> encode_cose_key(Suite suite, ByteView public_key, std::optional<ByteView> kid = std::nullopt);
Bytes encode_cose_key(const X25519PublicKey& public_key, std::optional<ByteView> kid = std::nullopt);

// At most 1 KiB. A private part (-4), another type or curve, or any unknown parameter is refused.
Result<CosePublicKey> decode_cose_key(ByteView input);

}  // namespace jiaozi::crypto
