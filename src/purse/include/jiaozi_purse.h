/* The offline purse, C99 interface, version 1. What it does, byte for byte: docs/protocol/offline.md.
 *
 * Rules
 * - Memory. The library allocates nothing. A purse is one block of JZ_PURSE_BYTES, aligned to JZ_PURSE_ALIGN, that the
 *   caller owns and gives to every call; it may be anywhere, must not be copied while in use, and is wiped by
 *   jz_purse_close. The stack needed is stated in src/purse/README.md.
 * - Order of arguments: the purse, what goes in, what comes out. A buffer that comes out is followed by its capacity
 *   and by a pointer to the length written. JZ_MESSAGE_BYTES is room for any message. On any status but JZ_OK a length
 *   written is 0, except where a function says that it answers a refusal.
 * - Input may be anything. Nothing is read beyond the length given; pointers to no bytes may be NULL.
 *   The platform's callbacks are trusted: a callback must fill what it promises, and must not call the purse.
 * - Threads. One call at a time per purse. Two purses share nothing.
 * - Statuses below 60 may travel to the peer, those above stay on the device. The numbers never change.
 * - Version. JZ_PURSE_VERSION counts incompatible changes of this header; jz_purse_version() is that of the library.
 */
#ifndef JIAOZI_PURSE_H
#define JIAOZI_PURSE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JZ_PURSE_VERSION 1u
#define JZ_PURSE_BYTES 30720u
#define JZ_PURSE_ALIGN 8u
#define JZ_MESSAGE_BYTES 4608u
#define JZ_RECORD_BYTES 576u
#define JZ_BUNDLE_BYTES 4300u
#define JZ_LIST_BYTES 16384u
#define JZ_PROOF_BYTES 1024u
#define JZ_DIGEST_BYTES 20u

typedef enum jz_status {
    JZ_OK = 0,
    JZ_TOO_LARGE = 10,
    JZ_MALFORMED = 11,
    JZ_UNKNOWN_REQUEST = 12,
    JZ_ALREADY_VOIDED = 13,
    JZ_WRONG_PAYEE = 14,
    JZ_WRONG_AMOUNT = 15,
    JZ_WRONG_SUITE = 16,
    JZ_WRONG_ASSET = 17,
    JZ_EXPIRED = 18,
    JZ_NOT_YET_VALID = 19,
    JZ_OVER_LIMIT = 20,
    JZ_TOO_MANY_HOPS = 21,
    JZ_PROVENANCE_LIMIT = 22,
    JZ_CVM_REQUIRED = 23,
    JZ_STALE_LIST = 24,
    JZ_UNKNOWN_ISSUER = 25,
    JZ_BLACKLISTED = 26,
    JZ_FORK_PROVEN = 27,
    JZ_BAD_RANGE = 28,
    JZ_DOUBLE_SPEND = 29,
    JZ_BAD_SIGNATURE = 30,
    JZ_WRONG_DIRECTED = 31,
    JZ_WRONG_REQUEST = 32,
    JZ_TWO_LISTS = 33,
    JZ_NEED_CERTIFICATE = 40,
    JZ_INSUFFICIENT = 41,
    JZ_RECEIVE_CAP = 42,
    JZ_COUNT_LIMIT = 43,
    JZ_LOCKED = 44,
    JZ_SUSPECT = 45,
    JZ_FROZEN = 46,
    JZ_DRAINED = 47,
    JZ_LOST = 48,
    JZ_NO_ROOM = 49,
    JZ_UNKNOWN_NOTE = 50,
    JZ_ALREADY_CREDITED = 51,
    JZ_OUTDATED = 52,
    JZ_SETTLE_ONLY = 53,
    JZ_STORAGE_FAILED = 60,
    JZ_SIGNER_REFUSED = 61,
    JZ_CRYPTO_FAILED = 62,
    JZ_HALTED = 63,
    JZ_BUFFER_TOO_SMALL = 64,
    JZ_BAD_ARGUMENT = 65,
    JZ_NOTHING_HERE = 66
} jz_status;

enum { JZ_ED25519 = 1, JZ_P256 = 2, JZ_SM2 = 3 };                /* suites */
enum { JZ_SHA256 = 1, JZ_SM3 = 2 };                              /* hashes */
enum { JZ_AREA_BUNDLE = 0, JZ_AREA_LIST = 1, JZ_AREA_MULE = 2 }; /* storage: 16 bundle, 2 list, 48 mule slots */
enum { JZ_READ_OK = 0, JZ_READ_ABSENT = 1, JZ_READ_FAILED = 2 };

typedef struct jz_view {
    const uint8_t* data;
    size_t size;
} jz_view;

/* What a purse needs of its surroundings. Callbacks return 0 for success unless said otherwise. */
typedef struct jz_platform {
    void* context;

    /* The hash of the parts one after the other. */
    int (*hash)(void* context, int hash, const jz_view* parts, size_t count, uint8_t out[32]);
    /* 0 when valid. One strict rule per suite: docs/crypto.md, "One form for each signature". */
    int (*verify)(void* context, int suite, jz_view public_key, jz_view message, const uint8_t signature[64]);
    int (*x25519)(void* context, uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]);
    /* ChaCha20-Poly1305 (RFC 8439), in place; open returns 0 only if the tag is right. */
    int (*seal)(void* context, const uint8_t key[32], const uint8_t nonce[12], jz_view aad, uint8_t* data, size_t size,
                uint8_t tag[16]);
    int (*open)(void* context, const uint8_t key[32], const uint8_t nonce[12], jz_view aad, uint8_t* data, size_t size,
                const uint8_t tag[16]);
    int (*random)(void* context, uint8_t* out, size_t size);

    /* Signs a COSE Sig_structure with the purse's key; what it refuses, the purse does not say (A3). */
    int (*sign)(void* context, jz_view message, uint8_t signature[64]);

    /* Record `index` (a new one, or again the last) is on the medium when append returns. read: JZ_READ_*. */
    int (*append)(void* context, uint64_t index, const uint8_t record[JZ_RECORD_BYTES]);
    int (*read)(void* context, uint64_t index, uint8_t record[JZ_RECORD_BYTES]);
    /* A slot is written whole and is on the medium when save returns; load reads a part, JZ_READ_*. A device with
     * room for fewer mule slots, or none, fails to save the others and has nothing there to load. */
    int (*save)(void* context, int area, unsigned slot, jz_view content);
    int (*load)(void* context, int area, unsigned slot, size_t offset, uint8_t* out, size_t size);

    /* A counter outside of the storage, which a restored backup does not bring back (spec 10.3). advance: up to that
     * value, by as many steps as it takes; after a failure read says how far it came. */
    int (*anchor_read)(void* context, uint8_t id[16], uint32_t* counter);
    int (*anchor_advance)(void* context, uint32_t counter);

    /* Seconds since 1970; may be wrong or zero: the purse has its own lower bound. */
    uint32_t (*now)(void* context);
} jz_platform;

typedef struct jz_issuer_key {
    int suite;
    int revoked; /* not 0: certificates by this key are refused */
    uint8_t size;
    uint8_t public_key[33];
} jz_issuer_key;

typedef struct jz_identity {
    uint32_t purse;
    int suite;
    int assurance; /* 0 to 3: A0 to A3 */
    uint8_t key_size;
    uint8_t public_key[33];
} jz_identity;

typedef enum jz_state { JZ_ACTIVE = 1, JZ_STATE_SUSPECT = 2, JZ_STATE_FROZEN = 3, JZ_STATE_LOST = 4 } jz_state;

typedef struct jz_info {
    jz_state state;
    uint32_t purse;
    uint32_t seq;          /* of the last object signed */
    uint32_t t_low;        /* seconds since 1970 */
    uint32_t list_version; /* 0: none */
    uint64_t spendable;    /* now, without what is locked */
    uint64_t unknown;      /* SENT: what became of it is not known */
    uint64_t void_held;    /* voided by the payee, locked until a sync */
    uint64_t received;     /* received and not settled, spent on or not */
    uint32_t payments_unknown;
    uint32_t requests_open;
    uint32_t notes_held;
    uint32_t wrong_pins;
} jz_info;

/* What a purse has heard from others, and what its owner should bring to the issuer's notice at the next sync. */
typedef struct jz_trust_info {
    uint32_t list_version;   /* 0: none */
    uint32_t list_time;      /* seconds since 1970 */
    uint32_t proofs;         /* fork proofs that can be handed on */
    uint32_t contradictions; /* digests that contradict a note this purse holds */
    uint32_t carried;        /* deposits of others */
    int two_lists;           /* not 0: the issuer has signed two lists with one version */
} jz_trust_info;

/* What a request asks for, verified, to be shown to the payer before it pays. */
typedef struct jz_offer {
    uint32_t payee;
    uint64_t amount;
    char asset[12];
    uint8_t invoice[8];
    int cvm_required;
} jz_offer;

typedef struct jz_purse jz_purse;

uint32_t jz_purse_version(void);
const char* jz_status_name(jz_status status); /* the names of the specification; "unknown" */

/* A new purse on empty storage. Refused (JZ_BAD_ARGUMENT) if there is a journal. */
jz_status jz_purse_create(jz_purse* purse, const jz_platform* platform, const jz_identity* identity);
/* Reads the journal. JZ_OK also for a purse that is SUSPECT: ask jz_purse_info. JZ_NOTHING_HERE without a journal. */
jz_status jz_purse_open(jz_purse* purse, const jz_platform* platform);
void jz_purse_close(jz_purse* purse);
/* The issuer's keys, at most 4, after each create and open; the caller has verified where they come from. */
jz_status jz_purse_trust(jz_purse* purse, const jz_issuer_key* keys, size_t count);
jz_status jz_purse_info(const jz_purse* purse, jz_info* info);

/* Sync with the issuer. */
jz_status jz_purse_load(jz_purse* purse, jz_view certificate);
jz_status jz_purse_sync(jz_purse* purse, jz_view acknowledgement);
jz_status jz_purse_install_list(jz_purse* purse, jz_view head, jz_view body);
jz_status jz_purse_update_list(jz_purse* purse, jz_view head_and_delta);
/* Deposit number `index` (0 ..): receipt and bundle. JZ_NOTHING_HERE after the last. */
jz_status jz_purse_deposit(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size);
/* Journal record `index` as evidence (notes, receipts, voids): its kind and object; kind 0 for records that hold none.
 * JZ_NOTHING_HERE after the last. */
jz_status jz_purse_evidence(jz_purse* purse, uint64_t index, unsigned* kind, uint8_t* out, size_t capacity,
                            size_t* size);
jz_status jz_purse_declare_lost(jz_purse* purse);
/* A NOTE, RCPT or VOID that the key signed and the journal lacks, because power went between the two (a card remembers
 * its last; ask it after each open). It was never sent; its number and ranges are used up. JZ_OUTDATED: it is there. */
jz_status jz_purse_adopt(jz_purse* purse, jz_view object);

/* The payee. */
jz_status jz_purse_request(jz_purse* purse, uint64_t amount, const uint8_t invoice[8], int with_certificate,
                           uint8_t nonce[16], uint8_t* out, size_t capacity, size_t* size);
/* VOIDED for an open (or voided) request; JZ_ALREADY_CREDITED otherwise. */
jz_status jz_purse_void(jz_purse* purse, const uint8_t nonce[16], uint8_t* out, size_t capacity, size_t* size);

/* The payer. look changes nothing; pay answers a REQUEST with PAY. cvm: the holder was verified for this payment. */
jz_status jz_purse_look(jz_purse* purse, jz_view request, jz_offer* offer);
jz_status jz_purse_pay(jz_purse* purse, jz_view request, int cvm, uint8_t* out, size_t capacity, size_t* size);
/* RESUME, and the PAY again, for the payment of unknown outcome number `index` (0 ..). */
jz_status jz_purse_resume(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size);
jz_status jz_purse_pay_again(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size);
jz_status jz_purse_cancel(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size);
jz_status jz_purse_wrong_pin(jz_purse* purse);

/* Either: takes PAY, RECEIPT, VOIDED, RESUME, CANCEL, GOSSIP, MULE and STATUS, and writes the answer to be sent, if any
 * (length 0: none). A refusal is returned and also written as the answer. */
jz_status jz_purse_receive(jz_purse* purse, jz_view message, uint8_t* out, size_t capacity, size_t* size);

/* Trust data that travels (spec 9). gossip: for the payee of the payment that was last sent or resumed, after its
 * RECEIPT; its answer comes to receive. contradiction: digest number `index` (0 ..) that contradicts a note held here,
 * for the ledger. alarm: two HEADs with one version that the issuer has signed. JZ_NOTHING_HERE when there is none. */
jz_status jz_purse_gossip(jz_purse* purse, uint8_t* out, size_t capacity, size_t* size);
jz_status jz_purse_contradiction(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size);
jz_status jz_purse_alarm(jz_purse* purse, uint8_t* out, size_t capacity, size_t* size);
jz_status jz_purse_trust_info(const jz_purse* purse, jz_trust_info* info);
/* mule: deposit number `index` (0 ..) as a MULE message that anybody may carry; only the holder of the deposit key
 * reads it. carried: message number `index` of what this purse carries for others; unload: all of it was handed over.
 */
jz_status jz_purse_mule(jz_purse* purse, unsigned index, const uint8_t deposit_key[32], uint8_t* out, size_t capacity,
                        size_t* size);
jz_status jz_purse_carried(jz_purse* purse, unsigned index, uint8_t* out, size_t capacity, size_t* size);
jz_status jz_purse_unload(jz_purse* purse);

/* Fork proofs. last_proof: what this purse has found (JZ_NOTHING_HERE); learn: one from elsewhere. */
jz_status jz_purse_last_proof(const jz_purse* purse, uint8_t* out, size_t capacity, size_t* size);
jz_status jz_purse_learn_proof(jz_purse* purse, jz_view proof);
/* Needs no purse: on JZ_OK `guilty` signed both notes. */
jz_status jz_verify_proof(const jz_platform* platform, const jz_issuer_key* keys, size_t count, jz_view proof,
                          uint32_t* guilty);

#ifdef __cplusplus
}
#endif

#endif /* JIAOZI_PURSE_H */
