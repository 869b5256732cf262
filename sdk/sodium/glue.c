/* The few calls that the chosen files of libsodium make into the rest of it. Constant time and wiping are written as
 * there: through volatile. Random numbers come from the purse's own callback, so the ones here are never asked for. */
#include <randombytes.h>
#include <stddef.h>
#include <stdint.h>
#include <utils.h>

void sodium_memzero(void* const bytes, const size_t size) {
    volatile unsigned char* out = (volatile unsigned char*)bytes;
    size_t i;
    for (i = 0; i < size; ++i) out[i] = 0;
}

int sodium_memcmp(const void* const left, const void* const right, size_t size) {
    const volatile unsigned char* a = (const volatile unsigned char*)left;
    const volatile unsigned char* b = (const volatile unsigned char*)right;
    unsigned char difference = 0;
    size_t i;
    for (i = 0; i < size; ++i) difference |= (unsigned char)(a[i] ^ b[i]);
    return (1 & ((difference - 1) >> 8)) - 1;
}

int sodium_is_zero(const unsigned char* bytes, const size_t size) {
    const volatile unsigned char* in = bytes;
    unsigned char any = 0;
    size_t i;
    for (i = 0; i < size; ++i) any |= in[i];
    return 1 & ((any - 1) >> 8);
}

void sodium_misuse(void) {
    __builtin_trap();
}

void randombytes_buf(void* const bytes, const size_t size) {
    (void)bytes;
    (void)size;
    __builtin_trap();
}
