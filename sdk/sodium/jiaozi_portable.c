#include "jiaozi_portable.h"

#include <crypto_aead_chacha20poly1305.h>
#include <crypto_core_ed25519.h>
#include <crypto_hash_sha256.h>
#include <crypto_scalarmult_curve25519.h>
#include <crypto_sign_ed25519.h>

static int hash(void* context, int hash, const jz_view* parts, size_t count, uint8_t out[32]) {
    crypto_hash_sha256_state state;
    size_t i;
    (void)context;
    if (hash != JZ_SHA256) return 1;
    crypto_hash_sha256_init(&state);
    for (i = 0; i < count; ++i) crypto_hash_sha256_update(&state, parts[i].data, parts[i].size);
    crypto_hash_sha256_final(&state, out);
    return 0;
}

static int verify(void* context, int suite, jz_view public_key, jz_view message, const uint8_t signature[64]) {
    (void)context;
    if (suite != JZ_ED25519 || public_key.size != crypto_sign_ed25519_PUBLICKEYBYTES) return 1;
    /* Canonical, on the curve, in the main subgroup: what the server asks of every key. */
    if (crypto_core_ed25519_is_valid_point(public_key.data) != 1) return 1;
    return crypto_sign_ed25519_verify_detached(signature, message.data, message.size, public_key.data);
}

/* Refuses points of small order: their product is zero whatever the scalar. */
static int x25519(void* context, uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]) {
    (void)context;
    return crypto_scalarmult_curve25519(out, scalar, point);
}

static int seal(void* context, const uint8_t key[32], const uint8_t nonce[12], jz_view aad, uint8_t* data, size_t size,
                uint8_t tag[16]) {
    (void)context;
    return crypto_aead_chacha20poly1305_ietf_encrypt_detached(data, tag, NULL, data, size, aad.data, aad.size, NULL,
                                                              nonce, key);
}

static int open(void* context, const uint8_t key[32], const uint8_t nonce[12], jz_view aad, uint8_t* data, size_t size,
                const uint8_t tag[16]) {
    (void)context;
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(data, NULL, data, size, tag, aad.data, aad.size, nonce,
                                                              key);
}

void jz_portable_cryptography(jz_platform* platform) {
    platform->hash = hash;
    platform->verify = verify;
    platform->x25519 = x25519;
    platform->seal = seal;
    platform->open = open;
}

void jz_portable_key(const uint8_t seed[32], uint8_t public_key[32], uint8_t secret[64]) {
    crypto_sign_ed25519_seed_keypair(public_key, secret, seed);
}

int jz_portable_sign(const uint8_t secret[64], jz_view message, uint8_t signature[64]) {
    return crypto_sign_ed25519_detached(signature, NULL, message.data, message.size, secret);
}
