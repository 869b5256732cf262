/* The header is C99, and its rules about pointers and lengths hold: a program in C, compiled as C. */
#include <jiaozi_purse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;
#define EXPECT(condition)                                                   \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);         \
            ++failures;                                                     \
        }                                                                   \
    } while (0)

/* A platform with storage for a few records and no cryptography: enough to open and close. */
typedef struct memory {
    uint8_t record[8][JZ_RECORD_BYTES];
    uint64_t records;
    uint32_t counter;
} memory;

static int hash(void* context, int which, const jz_view* parts, size_t count, uint8_t out[32]) {
    uint64_t sum = 14695981039346656037u;
    (void)context;
    (void)which;
    for (size_t i = 0; i < count; ++i) {
        for (size_t j = 0; j < parts[i].size; ++j) sum = (sum ^ parts[i].data[j]) * 1099511628211u;
    }
    for (int i = 0; i < 32; ++i) out[i] = (uint8_t)(sum >> (8 * (i % 8)));
    return 0;
}
static int verify(void* context, int suite, jz_view key, jz_view message, const uint8_t signature[64]) {
    (void)context, (void)suite, (void)key, (void)message, (void)signature;
    return 1;
}
static int x25519(void* context, uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]) {
    (void)context, (void)scalar, (void)point;
    memset(out, 1, 32);
    return 0;
}
static int seal(void* context, const uint8_t key[32], const uint8_t nonce[12], jz_view aad, uint8_t* data, size_t size,
                uint8_t tag[16]) {
    (void)context, (void)key, (void)nonce, (void)aad, (void)data, (void)size;
    memset(tag, 0, 16);
    return 0;
}
static int open_sealed(void* context, const uint8_t key[32], const uint8_t nonce[12], jz_view aad, uint8_t* data,
                       size_t size, const uint8_t tag[16]) {
    (void)context, (void)key, (void)nonce, (void)aad, (void)data, (void)size, (void)tag;
    return 1;
}
static int random_bytes(void* context, uint8_t* out, size_t size) {
    (void)context;
    memset(out, 7, size);
    return 0;
}
static int sign(void* context, jz_view message, uint8_t signature[64]) {
    (void)context, (void)message, (void)signature;
    return 1;
}
static int append(void* context, uint64_t index, const uint8_t record[JZ_RECORD_BYTES]) {
    memory* m = context;
    if (index >= 8) return 1;
    memcpy(m->record[index], record, JZ_RECORD_BYTES);
    m->records = index + 1;
    return 0;
}
static int read_back(void* context, uint64_t index, uint8_t record[JZ_RECORD_BYTES]) {
    memory* m = context;
    if (index >= m->records) return JZ_READ_ABSENT;
    memcpy(record, m->record[index], JZ_RECORD_BYTES);
    return JZ_READ_OK;
}
static int save(void* context, int area, unsigned slot, jz_view content) {
    (void)context, (void)area, (void)slot, (void)content;
    return 1;
}
static int load(void* context, int area, unsigned slot, size_t offset, uint8_t* out, size_t size) {
    (void)context, (void)area, (void)slot, (void)offset, (void)out, (void)size;
    return JZ_READ_ABSENT;
}
static int anchor_read(void* context, uint8_t id[16], uint32_t* counter) {
    memory* m = context;
    memset(id, 3, 16);
    *counter = m->counter;
    return 0;
}
static int anchor_advance(void* context, uint32_t counter) {
    memory* m = context;
    m->counter = counter;
    return 0;
}
static uint32_t now(void* context) {
    (void)context;
    return 1700000000u;
}

int main(void) {
    static memory store;
    static _Alignas(JZ_PURSE_ALIGN) unsigned char block[JZ_PURSE_BYTES];
    jz_purse* purse = (jz_purse*)block;
    jz_platform platform = {&store, hash,   verify,    x25519, seal, open_sealed, random_bytes,   sign,
                            append, read_back, save,      load,   anchor_read, anchor_advance, now};
    jz_identity identity = {.purse = 5, .suite = JZ_ED25519, .assurance = 0, .key_size = 32};
    jz_view nothing = {NULL, 0};
    uint8_t out[JZ_MESSAGE_BYTES];
    uint8_t nonce[16];
    size_t size = 99;
    jz_info info;
    jz_platform without_clock = platform;
    without_clock.now = NULL;

    EXPECT(jz_purse_version() == JZ_PURSE_VERSION);
    EXPECT(strcmp(jz_status_name(JZ_DOUBLE_SPEND), "double_spend") == 0);
    EXPECT(strcmp(jz_status_name((jz_status)59), "unknown") == 0);
    EXPECT(jz_purse_create(NULL, &platform, &identity) == JZ_BAD_ARGUMENT);
    EXPECT(jz_purse_create(purse, &without_clock, &identity) == JZ_BAD_ARGUMENT);
    EXPECT(jz_purse_open(purse, &platform) == JZ_NOTHING_HERE);
    EXPECT(jz_purse_create(purse, &platform, &identity) == JZ_OK);
    EXPECT(jz_purse_info(purse, &info) == JZ_OK && info.purse == 5 && info.state == JZ_ACTIVE);
    EXPECT(jz_purse_load(purse, nothing) == JZ_MALFORMED);
    EXPECT(jz_purse_request(purse, 1, NULL, 1, nonce, out, sizeof out, &size) == JZ_DRAINED && size == 0);
    size = 99;
    EXPECT(jz_purse_receive(purse, nothing, out, 10, &size) == JZ_BUFFER_TOO_SMALL && size == 0);
    EXPECT(jz_purse_receive(purse, nothing, out, sizeof out, NULL) == JZ_BAD_ARGUMENT);
    EXPECT(jz_purse_receive(purse, nothing, out, sizeof out, &size) == JZ_MALFORMED && size == 2 && out[0] == 0x0F);
    EXPECT(jz_purse_resume(purse, 0, out, sizeof out, &size) == JZ_NOTHING_HERE);
    jz_purse_close(purse);
    EXPECT(jz_purse_open(purse, &platform) == JZ_OK);
    EXPECT(jz_purse_create(purse, &platform, &identity) == JZ_BAD_ARGUMENT);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
