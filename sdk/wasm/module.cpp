// The purse as a WebAssembly module: one instance is one purse, in fixed memory. What the module exports is the C
// interface as it is (jiaozi_purse.h) and the addresses of the blocks below; what it imports is what a purse needs of
// its surroundings, the callbacks of jz_platform, and nothing else. src/*.ts is its other half: the static_asserts hold
// the layouts that are read and written there.
#include <cstddef>

#include <jiaozi_purse.h>

#define JZ_IMPORT(name) __attribute__((import_module("jiaozi"), import_name(#name)))

extern "C" {

JZ_IMPORT(hash) int host_hash(void*, int, const jz_view*, size_t, uint8_t*);
JZ_IMPORT(verify) int host_verify(void*, int, jz_view, jz_view, const uint8_t*);
JZ_IMPORT(x25519) int host_x25519(void*, uint8_t*, const uint8_t*, const uint8_t*);
JZ_IMPORT(seal) int host_seal(void*, const uint8_t*, const uint8_t*, jz_view, uint8_t*, size_t, uint8_t*);
JZ_IMPORT(open) int host_open(void*, const uint8_t*, const uint8_t*, jz_view, uint8_t*, size_t, const uint8_t*);
JZ_IMPORT(random) int host_random(void*, uint8_t*, size_t);
JZ_IMPORT(sign) int host_sign(void*, jz_view, uint8_t*);
JZ_IMPORT(append) int host_append(void*, uint64_t, const uint8_t*);
JZ_IMPORT(read) int host_read(void*, uint64_t, uint8_t*);
JZ_IMPORT(save) int host_save(void*, int, unsigned, jz_view);
JZ_IMPORT(load) int host_load(void*, int, unsigned, size_t, uint8_t*, size_t);
JZ_IMPORT(anchor_read) int host_anchor_read(void*, uint8_t*, uint32_t*);
JZ_IMPORT(anchor_advance) int host_anchor_advance(void*, uint32_t);
JZ_IMPORT(now) uint32_t host_now(void*);

// The callbacks of this instance; constant, and read by the purse.
extern const jz_platform jz_wasm_platform;
const jz_platform jz_wasm_platform = {nullptr,   host_hash,   host_verify,      host_x25519,         host_seal,
                                      host_open, host_random, host_sign,        host_append,         host_read,
                                      host_save, host_load,   host_anchor_read, host_anchor_advance, host_now};

// The purse.
alignas(JZ_PURSE_ALIGN) unsigned char jz_wasm_purse[JZ_PURSE_BYTES];

// What goes in (at most a list head and its body) and what comes out (at most a message) of one call, and the small
// structures of the interface.
unsigned char jz_wasm_in[JZ_LIST_BYTES + JZ_PROOF_BYTES];
unsigned char jz_wasm_out[JZ_MESSAGE_BYTES];
alignas(8) unsigned char jz_wasm_struct[224];

}  // extern "C"

static_assert(sizeof(void*) == 4 && sizeof(size_t) == 4 && sizeof(int) == 4);
static_assert(sizeof(jz_view) == 8 && offsetof(jz_view, size) == 4);
static_assert(sizeof(jz_issuer_key) == 44 && offsetof(jz_issuer_key, revoked) == 4 &&
              offsetof(jz_issuer_key, size) == 8 && offsetof(jz_issuer_key, public_key) == 9);
static_assert(sizeof(jz_identity) == 48 && offsetof(jz_identity, suite) == 4 && offsetof(jz_identity, assurance) == 8 &&
              offsetof(jz_identity, key_size) == 12 && offsetof(jz_identity, public_key) == 13);
static_assert(sizeof(jz_offer) == 40 && offsetof(jz_offer, amount) == 8 && offsetof(jz_offer, asset) == 16 &&
              offsetof(jz_offer, invoice) == 28 && offsetof(jz_offer, cvm_required) == 36);
static_assert(sizeof(jz_info) == 72 && offsetof(jz_info, purse) == 4 && offsetof(jz_info, seq) == 8 &&
              offsetof(jz_info, t_low) == 12 && offsetof(jz_info, list_version) == 16 &&
              offsetof(jz_info, spendable) == 24 && offsetof(jz_info, unknown) == 32 &&
              offsetof(jz_info, void_held) == 40 && offsetof(jz_info, received) == 48 &&
              offsetof(jz_info, payments_unknown) == 56 && offsetof(jz_info, requests_open) == 60 &&
              offsetof(jz_info, notes_held) == 64 && offsetof(jz_info, wrong_pins) == 68);
static_assert(sizeof(jz_trust_info) == 24 && offsetof(jz_trust_info, list_time) == 4 &&
              offsetof(jz_trust_info, proofs) == 8 && offsetof(jz_trust_info, contradictions) == 12 &&
              offsetof(jz_trust_info, carried) == 16 && offsetof(jz_trust_info, two_lists) == 20);
static_assert(4 * sizeof(jz_issuer_key) == 176 && JZ_PURSE_VERSION == 1);
