/* The cryptography that a purse of suite 1 (Ed25519) needs of its surroundings, without a heap and without an operating
 * system: the callbacks of jz_platform over the sources of libsodium. The rule of what is a valid signature is the
 * server's, because it is the same function (docs/crypto.md, "One form for each signature"). Suites 2 and 3 and SM3 are
 * refused: an asset that uses them needs other callbacks.
 *
 * C99. No state, so any thread. Sizes in bytes. Functions return 0 for success. */
#ifndef JIAOZI_PORTABLE_H
#define JIAOZI_PORTABLE_H

#include <jiaozi_purse.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sets hash, verify, x25519, seal and open; the other callbacks and the context are left as they are. */
void jz_portable_cryptography(jz_platform* platform);

/* The public key of a 32-byte seed, and `secret` (seed, then public key) as jz_portable_sign wants it. */
void jz_portable_key(const uint8_t seed[32], uint8_t public_key[32], uint8_t secret[64]);
int jz_portable_sign(const uint8_t secret[64], jz_view message, uint8_t signature[64]);

#ifdef __cplusplus
}
#endif

#endif /* JIAOZI_PORTABLE_H */
