// AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags, ChaCha20-Poly1305, and SM4 in CTR mode (GB/T
// 32907, GB/T 17964). SM4-CTR hides but does not authenticate: put an HMAC or a signature over its output. Pure
// functions, thread-safe.
#pragma once

#include <cstddef>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::crypto {

inline constexpr std::size_t aes256_key_size = 32;
inline constexpr std::size_t gcm_nonce_size = 12;
inline constexpr std::size_t gcm_tag_size = 16;

// Returns ciphertext followed by the tag. A nonce must never be used twice with one key; random ones are good for 2^32
// messages. Key or nonce of another size: Error invalid.
Result<Bytes> aes256_gcm_seal(ByteView key, ByteView nonce, ByteView additional_data, ByteView plaintext);

// Error unauthenticated when key, nonce, additional data or content is not what was sealed.
Result<SecretBytes> aes256_gcm_open(ByteView key, ByteView nonce, ByteView additional_data, ByteView sealed);

// ChaCha20-Poly1305 (RFC 8439), 32-byte key, 12-byte nonce, the tag behind the ciphertext; the same rules.
inline constexpr std::size_t chacha20_key_size = 32;
inline constexpr std::size_t chacha20_nonce_size = 12;
inline constexpr std::size_t poly1305_tag_size = 16;
Result<Bytes> chacha20_poly1305_seal(ByteView key, ByteView nonce, ByteView additional_data, ByteView plaintext);
Result<SecretBytes> chacha20_poly1305_open(ByteView key, ByteView nonce, ByteView additional_data, ByteView sealed);

inline constexpr std::size_t sm4_key_size = 16;
inline constexpr std::size_t sm4_block_size = 16;

// Encrypts and decrypts alike. `counter` is the first counter block; key and counter must be 16 bytes (Error invalid).
Result<Bytes> sm4_ctr(ByteView key, ByteView counter, ByteView input);

}  // namespace jiaozi::crypto
