// The objects of docs/protocol/offline.md, section 3: what they hold, and their payloads in deterministic CBOR.
//
// Reading an object has two steps, as its checking has: read_object takes one COSE_Sign1 from the front of a sequence
// (canonical, known suite, nothing verified), parse reads its payload into plain values. Sizes are fixed.
#pragma once

#include <jiaozi/purse/bytes.hpp>

namespace jiaozi::purse {

enum class Suite : std::uint8_t { ed25519 = JZ_ED25519, p256 = JZ_P256, sm2 = JZ_SM2 };
enum class Type : std::uint8_t {
    certificate = 1,
    request = 2,
    note = 3,
    receipt = 4,
    void_request = 5,
    list_head = 6,
    sync_ack = 7,
    fork_proof = 8
};

inline constexpr std::uint64_t highest_amount = (std::uint64_t{1} << 63) - 1;
inline constexpr std::uint64_t highest_u32 = 0xFFFFFFFF;
inline constexpr std::size_t max_sources = 4;
inline constexpr std::size_t max_released = 8;
inline constexpr unsigned max_hops = 5;
inline constexpr std::size_t signature_size = 64;
// The longest payload is a SACK that releases eight notes.
inline constexpr std::size_t max_payload = 352;
inline constexpr std::size_t max_object = max_payload + 79;
inline constexpr std::size_t max_certificate = 232;

struct PublicKey {
    std::uint8_t size = 0;
    Fixed<33> bytes{};
    View view() const noexcept { return View(bytes).first(size); }
    bool operator==(const PublicKey&) const = default;
};

struct Asset {
    std::uint8_t size = 0;
    Fixed<11> text{};
    View view() const noexcept { return View(text).first(size); }
    bool operator==(const Asset&) const = default;
};

// An object as it came: views into the input.
struct Object {
    Suite suite = Suite::ed25519;
    Type type = Type::certificate;
    View bytes;   // all of it
    View header;  // the content of the protected header
    View payload;
    View signature;  // 64 bytes
};

struct Certificate {
    Kid issuer{};
    std::uint64_t serial = 0;
    std::uint32_t purse = 0;
    PublicKey key;
    Suite suite = Suite::ed25519;
    std::uint8_t assurance = 0;  // "class": 0 to 3, A0 to A3
    Asset asset;
    std::uint64_t amount = 0;
    std::uint32_t not_before = 0;
    std::uint32_t expires = 0;
    std::uint32_t settle_by = 0;
    std::uint64_t per_payment = 0;
    std::uint64_t without_cvm = 0;
    std::uint16_t count = 0;
    std::uint8_t hops = 0;
    std::uint64_t receive_cap = 0;
    std::uint32_t directed = 0;
};

struct Request {
    std::uint32_t payee = 0;
    Nonce nonce{};
    std::uint64_t amount = 0;
    Asset asset;
    Id ephemeral{};
    std::uint32_t t_low = 0;
    std::uint32_t list = 0;
    Fixed<8> invoice{};
};

// Units [offset, offset + amount) of a lot or of a note.
struct Source {
    Id id{};
    std::uint64_t offset = 0;
    std::uint64_t amount = 0;
    std::uint64_t end() const noexcept { return offset + amount; }
    bool overlaps(const Source& other) const noexcept {
        return id == other.id && offset < other.end() && other.offset < end();
    }
};

struct Note {
    std::uint32_t payer = 0;
    std::uint32_t seq = 0;
    Id previous{};
    std::uint32_t payee = 0;
    Id request{};
    std::array<Source, max_sources> source{};
    std::uint8_t sources = 0;
    std::uint32_t time = 0;
    bool cvm = false;
    std::uint64_t balance = 0;
    std::uint8_t hop = 0;

    std::span<const Source> all_sources() const noexcept { return std::span(source).first(sources); }
    std::uint64_t total() const noexcept;  // no overflow: parse has refused it
};

struct Receipt {
    std::uint32_t payee = 0;
    std::uint32_t seq = 0;
    Id previous{};
    Id note{};
    std::uint64_t amount = 0;
    std::uint32_t time = 0;
};

struct Void {
    std::uint32_t payee = 0;
    std::uint32_t seq = 0;
    Id previous{};
    Id request{};
};

struct ListHead {
    Kid issuer{};
    std::uint32_t version = 0;
    std::uint32_t time = 0;
    std::uint32_t enrolled = 0;
    std::uint32_t revoked = 0;
    Id root{};
};

enum SyncFlags : std::uint8_t { sync_limits = 1, sync_restart = 2, sync_freeze = 4 };

struct SyncAck {
    Kid issuer{};
    std::uint32_t purse = 0;
    std::uint32_t sync = 0;
    std::uint32_t time = 0;
    std::uint32_t through = 0;
    std::uint32_t next = 0;
    std::uint8_t flags = 0;
    std::uint8_t released = 0;
    std::array<Id, max_released> release{};
};

// Takes one object from the front of `sequence`. JZ_MALFORMED leaves it as it was.
jz_status read_object(View& sequence, Object& object) noexcept;
// The one object that `bytes` is.
jz_status read_whole(View bytes, Type expected, Object& object) noexcept;

// JZ_MALFORMED unless the payload is canonical, of that type and within its ranges; JZ_BAD_RANGE for a note whose
// sources overflow or overlap each other.
jz_status parse(const Object& object, Certificate& out) noexcept;
jz_status parse(const Object& object, Request& out) noexcept;
jz_status parse(const Object& object, Note& out) noexcept;
jz_status parse(const Object& object, Receipt& out) noexcept;
jz_status parse(const Object& object, Void& out) noexcept;
jz_status parse(const Object& object, ListHead& out) noexcept;
jz_status parse(const Object& object, SyncAck& out) noexcept;

// The payload's bytes in `out`; an empty view if there is no room.
View write_payload(const Certificate& value, Span out) noexcept;
View write_payload(const Request& value, Span out) noexcept;
View write_payload(const Note& value, Span out) noexcept;
View write_payload(const Receipt& value, Span out) noexcept;
View write_payload(const Void& value, Span out) noexcept;
View write_payload(const ListHead& value, Span out) noexcept;
View write_payload(const SyncAck& value, Span out) noexcept;

}  // namespace jiaozi::purse
