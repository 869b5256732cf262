#include "card_message.hpp"

#include <algorithm>

#include <jiaozi/codec/cbor.hpp>

namespace jiaozi::keystores {
namespace {

using codec::CborReader;
using codec::CborWriter;

constexpr codec::CborLimits limits{.max_bytes = max_card_message, .max_depth = 4, .max_items = 96};
constexpr std::uint64_t max_u32 = 0xFFFFFFFF;

constexpr std::array<std::uint8_t, 3> ed25519_header = {0xA1, 0x01, 0x27};
constexpr std::array<std::uint8_t, 3> p256_header = {0xA1, 0x01, 0x26};
constexpr std::array<std::uint8_t, 7> sm2_header = {0xA1, 0x01, 0x3A, 0x00, 0x01, 0x00, 0x40};

Error malformed(std::string_view what) {
    return {ErrorKind::malformed, std::string(what)};
}

Result<std::uint64_t> number(CborReader& reader, std::uint64_t least, std::uint64_t most) {
    JZ_TRY(const std::uint64_t value, reader.uint());
    if (value < least || value > most) return malformed("a number is out of its range");
    return value;
}
Result<std::uint32_t> u32(CborReader& reader, std::uint64_t least = 0) {
    JZ_TRY(const std::uint64_t value, number(reader, least, max_u32));
    return static_cast<std::uint32_t>(value);
}
Result<CardId> id_from(CborReader& reader) {
    CardId id{};
    JZ_TRY(const ByteView bytes, reader.bytes());
    if (bytes.size() != id.size()) return malformed("an id has 32 bytes");
    std::ranges::copy(bytes, id.begin());
    return id;
}
Result<void> skip(CborReader& reader, int count) {
    for (int i = 0; i < count; ++i) JZ_CHECK(reader.skip());
    return {};
}

Result<void> read_sources(CborReader& reader, CardRequest& request) {
    JZ_TRY(const std::uint64_t count, reader.array());
    if (count < 1 || count > 4) return malformed("a note has 1 to 4 sources");
    for (std::uint64_t i = 0; i < count; ++i) {
        CardSource source;
        JZ_CHECK(reader.array_of(3));
        JZ_TRY(source.id, id_from(reader));
        JZ_TRY(source.offset, number(reader, 0, max_amount));
        JZ_TRY(source.amount, number(reader, 1, max_amount));
        if (source.amount > max_amount - source.offset || source.amount > max_amount - request.amount) {
            return malformed("amounts overflow");
        }
        for (const CardSource& other : request.sources) {
            if (other.id == source.id && source.offset < other.end() && other.offset < source.end()) {
                return malformed("a note's sources overlap each other");
            }
        }
        request.amount += source.amount;
        request.sources.push_back(source);
    }
    return {};
}

Result<void> read_note(CborReader& reader, CardRequest& request) {
    JZ_TRY(request.payee, u32(reader, 1));
    JZ_CHECK(id_from(reader));  // request
    JZ_CHECK(read_sources(reader, request));
    JZ_CHECK(u32(reader));  // time
    JZ_TRY(const std::uint64_t cvm, number(reader, 0, 1));
    request.cvm = cvm == 1;
    JZ_CHECK(number(reader, 0, max_amount));  // balance
    JZ_CHECK(number(reader, 1, 5));           // hop
    return {};
}

// After the type number. How many elements each object has is a matter of the format page.
Result<void> read_elements(CborReader& reader, std::uint64_t elements, CardRequest& request) {
    JZ_TRY(request.purse, u32(reader, 1));
    if (request.type == CardObject::request && elements == 9) return skip(reader, 7);
    JZ_TRY(request.seq, u32(reader, 1));
    JZ_TRY(request.previous, id_from(reader));
    if (request.type == CardObject::note && elements == 11) return read_note(reader, request);
    if (request.type == CardObject::receipt && elements == 8) return skip(reader, 4);
    if (request.type == CardObject::void_request && elements == 5) return skip(reader, 1);
    return malformed("this is nothing that a purse says");
}

struct Parts {
    ByteView header;
    ByteView payload;
};

Result<Parts> read_sig_structure(ByteView bytes) {
    CborReader reader(bytes, limits);
    JZ_CHECK(reader.array_of(4));
    JZ_TRY(const std::string_view context, reader.text());
    Parts parts;
    JZ_TRY(parts.header, reader.bytes());
    JZ_TRY(const ByteView aad, reader.bytes());
    JZ_TRY(parts.payload, reader.bytes());
    JZ_CHECK(reader.finish());
    if (context != "Signature1" || as_text(aad) != purse_aad) return malformed("this is no message of a purse");
    return parts;
}

// The payload of [protected, {}, payload, signature], verified.
Result<ByteView> verified_payload(const crypto::Verifier& issuer, ByteView object) {
    CborReader reader(object, limits);
    JZ_CHECK(reader.array_of(4));
    JZ_TRY(const ByteView header, reader.bytes());
    JZ_TRY(const std::uint64_t unprotected, reader.map());
    if (unprotected != 0) return malformed("the unprotected header must be empty");
    JZ_TRY(const ByteView payload, reader.bytes());
    JZ_TRY(const ByteView signature, reader.bytes());
    JZ_CHECK(reader.finish());
    if (!std::ranges::equal(header, protected_header(issuer.suite()))) return malformed("not the issuer's suite");
    if (!issuer.verify(signed_bytes(issuer.suite(), payload), signature)) {
        return Error(ErrorKind::unauthenticated, "the issuer did not sign this");
    }
    return payload;
}

Result<CborReader> open_payload(ByteView payload, CardObject type, std::uint64_t elements) {
    CborReader reader(payload, limits);
    JZ_CHECK(reader.array_of(elements));
    JZ_CHECK(number(reader, static_cast<std::uint64_t>(type), static_cast<std::uint64_t>(type)));
    return reader;
}

}  // namespace

ByteView protected_header(crypto::Suite suite) noexcept {
    switch (suite) {
        case crypto::Suite::ed25519:
            return ed25519_header;
        case crypto::Suite::p256:
            return p256_header;
        case crypto::Suite::sm2:
            break;
    }
    return sm2_header;
}

CardId object_id(crypto::Suite suite, ByteView payload) {
    if (suite == crypto::Suite::sm2) {
        return crypto::Sm3().update(protected_header(suite)).update(payload).finish();
    }
    return crypto::Sha256().update(protected_header(suite)).update(payload).finish();
}

Bytes signed_bytes(crypto::Suite suite, ByteView payload) {
    CborWriter out(payload.size() + 48);
    out.array(4).text("Signature1").bytes(protected_header(suite)).bytes(as_bytes(purse_aad)).bytes(payload);
    return out.take();
}

Result<CardRequest> read_card_request(crypto::Suite suite, ByteView sig_structure) {
    JZ_TRY(const Parts parts, read_sig_structure(sig_structure));
    if (!std::ranges::equal(parts.header, protected_header(suite))) return malformed("not the card's suite");
    CborReader reader(parts.payload, limits);
    JZ_TRY(const std::uint64_t elements, reader.array());
    CardRequest request;
    JZ_TRY(const std::uint64_t type, number(reader, 2, 5));
    request.type = static_cast<CardObject>(type);
    JZ_CHECK(read_elements(reader, elements, request));
    JZ_CHECK(reader.finish());
    request.id = object_id(suite, parts.payload);
    return request;
}

Result<CardCertificate> read_certificate(const crypto::Verifier& issuer, ByteView object) {
    JZ_TRY(const ByteView payload, verified_payload(issuer, object));
    JZ_TRY(CborReader reader, open_payload(payload, CardObject::certificate, 19));
    CardCertificate lot;
    lot.id = object_id(issuer.suite(), payload);
    JZ_CHECK(skip(reader, 2));  // issuer, serial
    JZ_TRY(lot.purse, u32(reader, 1));
    JZ_TRY(const ByteView key, reader.bytes());
    lot.key = to_bytes(key);
    JZ_TRY(const std::uint64_t suite, number(reader, 1, 3));
    lot.suite = static_cast<std::uint8_t>(suite);
    JZ_CHECK(skip(reader, 2));  // class, asset
    JZ_TRY(lot.amount, number(reader, 0, max_amount));
    JZ_TRY(lot.not_before, u32(reader));
    JZ_TRY(lot.expires, u32(reader));
    JZ_TRY(lot.settle_by, u32(reader));
    JZ_TRY(lot.per_payment, number(reader, 0, max_amount));
    JZ_TRY(lot.without_cvm, number(reader, 0, max_amount));
    JZ_TRY(lot.count, u32(reader));
    JZ_CHECK(skip(reader, 2));       // hops, receive_cap
    JZ_CHECK(number(reader, 0, 0));  // flags
    JZ_TRY(lot.directed, u32(reader));
    JZ_CHECK(reader.finish());
    return lot;
}

Result<CardSync> read_sync(const crypto::Verifier& issuer, ByteView object) {
    JZ_TRY(const ByteView payload, verified_payload(issuer, object));
    JZ_TRY(CborReader reader, open_payload(payload, CardObject::sync_ack, 9));
    CardSync sync;
    sync.id = object_id(issuer.suite(), payload);
    JZ_CHECK(skip(reader, 1));  // issuer
    JZ_TRY(sync.purse, u32(reader, 1));
    JZ_TRY(sync.sync, u32(reader, 1));
    JZ_TRY(sync.time, u32(reader));
    JZ_CHECK(u32(reader));  // through
    JZ_TRY(sync.next, u32(reader));
    JZ_TRY(sync.flags, u32(reader));
    JZ_TRY(const std::uint64_t count, reader.array());
    if (count > 8) return malformed("a sync releases at most 8 notes");
    for (std::uint64_t i = 0; i < count; ++i) JZ_CHECK(id_from(reader));
    JZ_CHECK(reader.finish());
    return sync;
}

}  // namespace jiaozi::keystores
