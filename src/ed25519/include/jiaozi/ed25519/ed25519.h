/* Ed25519 verification (RFC 8032) by the one strict rule of docs/crypto.md: canonical encodings, s below the group
 * order, key and R of the prime order, the equation without the cofactor. C99; every function may be called from any
 * thread. The implementation is Rust (../../../src): a panic in it, which is a bug, ends the process. */
#ifndef JIAOZI_ED25519_ED25519_H
#define JIAOZI_ED25519_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A public key that was checked, kept as a point of the curve. */
typedef struct jz_ed25519_key jz_ed25519_key;

/* `bytes` is 32 bytes. NULL when they are no key: not canonical, not on the curve, or not of the prime order. */
jz_ed25519_key* jz_ed25519_key_new(const uint8_t* bytes);
void jz_ed25519_key_free(jz_ed25519_key* key);

/* One signature to check. A signature of another size than 64 is a bad one. `good` is the answer. */
typedef struct jz_ed25519_check {
    const jz_ed25519_key* key;
    const uint8_t* message;
    size_t message_size;
    const uint8_t* signature;
    size_t signature_size;
    bool good;
} jz_ed25519_check;

void jz_ed25519_verify(jz_ed25519_check* check);

/* The same answers for `count` of them, faster from about a hundred on: 250 to 600 at a time are best, less than
 * a kilobyte of heap each. A bad one is found by halving; each costs about two more checks of the whole. */
void jz_ed25519_verify_many(jz_ed25519_check* checks, size_t count);

#ifdef __cplusplus
}
#endif

#endif
