// Sealing of PAY, RESUME, RECEIPT, GOSSIP and MULE (docs/protocol/offline.md, 5.1 and 9): X25519, HKDF-SHA-256,
// ChaCha20-Poly1305. Keys are wiped with the object that holds them.
#pragma once

#include <jiaozi/purse/bytes.hpp>

namespace jiaozi::purse {

inline constexpr std::size_t tag_size = 16;

enum class Verb : std::uint8_t {
    request = 0x01,
    pay = 0x02,
    receipt = 0x03,
    voided = 0x04,
    resume = 0x05,
    cancel = 0x06,
    gossip = 0x07,
    mule = 0x08,
    status = 0x0F
};

struct SealKey {
    Fixed<32> key{};
    Fixed<12> nonce{};
};

// Both directions' keys of one PAY or RESUME.
struct SealKeys {
    SealKey payer;  // seals the message
    SealKey payee;  // seals the RECEIPT that answers it: the exported key
    SealKeys() = default;
    SealKeys(const SealKeys&) = delete;
    SealKeys& operator=(const SealKeys&) = delete;
    ~SealKeys();
};

// An X25519 pair from the platform's random numbers.
jz_status new_ephemeral(const jz_platform& platform, Fixed<32>& secret, Fixed<32>& open) noexcept;

// `own` is this side's private key, `peer` the other's public one; enc and ephemeral are the payer's and the payee's
// public keys in the order of the specification. A MULE has no request: an empty view. JZ_CRYPTO_FAILED for a peer's
// key of low order.
jz_status derive_keys(const jz_platform& platform, const Fixed<32>& own, const Fixed<32>& peer, const Fixed<32>& enc,
                      const Fixed<32>& ephemeral, View request_id, Verb verb, SealKeys& keys) noexcept;

// In place: `data` holds the plaintext, and has room for the tag behind it.
jz_status seal(const jz_platform& platform, const SealKey& key, Verb verb, View request_id, Span data,
               std::size_t size) noexcept;
// In place: ciphertext and tag become plaintext of size - tag_size. JZ_BAD_SIGNATURE when it was not sealed so.
jz_status unseal(const jz_platform& platform, const SealKey& key, Verb verb, View request_id, Span sealed) noexcept;

// HKDF-SHA-256 (RFC 5869) for up to 128 bytes of output, info up to 128 bytes.
jz_status hkdf_sha256(const jz_platform& platform, View key, View salt, View info, Span out) noexcept;

}  // namespace jiaozi::purse
