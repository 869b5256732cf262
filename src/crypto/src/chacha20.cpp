#include <string>

#include <sodium.h>

#include <jiaozi/crypto/aead.hpp>

#include "sodium_ready.hpp"

namespace jiaozi::crypto {
namespace {

static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == chacha20_key_size);
static_assert(crypto_aead_chacha20poly1305_ietf_NPUBBYTES == chacha20_nonce_size);
static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == poly1305_tag_size);

Result<void> check_sizes(ByteView key, ByteView nonce) {
    if (key.size() == chacha20_key_size && nonce.size() == chacha20_nonce_size) return {};
    return Error(ErrorKind::invalid, "ChaCha20-Poly1305 takes a key of 32 bytes and a nonce of 12").with_param("key");
}

}  // namespace

Result<Bytes> chacha20_poly1305_seal(ByteView key, ByteView nonce, ByteView additional_data, ByteView plaintext) {
    JZ_CHECK(check_sizes(key, nonce));
    require_sodium();
    Bytes sealed(plaintext.size() + poly1305_tag_size);
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plaintext.data(), plaintext.size(),
                                              additional_data.data(), additional_data.size(), nullptr, nonce.data(),
                                              key.data());
    return sealed;
}

Result<SecretBytes> chacha20_poly1305_open(ByteView key, ByteView nonce, ByteView additional_data, ByteView sealed) {
    JZ_CHECK(check_sizes(key, nonce));
    require_sodium();
    const Error refused(ErrorKind::unauthenticated, "sealed data was made with another key or has been changed");
    if (sealed.size() < poly1305_tag_size) return refused;
    SecretBytes plaintext(sealed.size() - poly1305_tag_size);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(plaintext.mutable_view().data(), nullptr, nullptr, sealed.data(),
                                                  sealed.size(), additional_data.data(), additional_data.size(),
                                                  nonce.data(), key.data()) != 0) {
        return refused;
    }
    return plaintext;
}

}  // namespace jiaozi::crypto
