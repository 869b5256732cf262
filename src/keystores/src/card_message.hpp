// What the card reads of the purse protocol's objects (docs/protocol/offline.md, sections 2 and 3): only what it
// judges, and strictly. Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/signature.hpp>

namespace jiaozi::keystores {

inline constexpr std::string_view purse_aad = "jiaozi/purse/1";
inline constexpr std::size_t max_card_message = 640;
inline constexpr std::uint64_t max_amount = (std::uint64_t{1} << 63) - 1;

using CardId = crypto::Digest;

// The protected header {1: alg} of a suite.
ByteView protected_header(crypto::Suite suite) noexcept;

// H(protected ‖ payload) with the suite's hash: the id of an object, whoever signs it.
CardId object_id(crypto::Suite suite, ByteView payload);

// Sig_structure = ["Signature1", protected, external_aad, payload]: what is signed.
Bytes signed_bytes(crypto::Suite suite, ByteView payload);

enum class CardObject : std::uint8_t {
    certificate = 1,
    request = 2,
    note = 3,
    receipt = 4,
    void_request = 5,
    sync_ack = 7
};

struct CardSource {
    CardId id{};
    std::uint64_t offset = 0;
    std::uint64_t amount = 0;
    std::uint64_t end() const noexcept { return offset + amount; }
};

// A Sig_structure that the card is asked to sign: REQ, NOTE, RCPT or VOID.
struct CardRequest {
    CardObject type = CardObject::request;
    CardId id{};
    std::uint32_t purse = 0;  // who says it
    std::uint32_t seq = 0;    // 0 for a REQ, which has none
    CardId previous{};
    // NOTE alone
    std::uint32_t payee = 0;
    std::vector<CardSource> sources{};
    std::uint64_t amount = 0;  // of all sources
    bool cvm = false;
};
// Error malformed for anything else, and for sums that overflow.
Result<CardRequest> read_card_request(crypto::Suite suite, ByteView sig_structure);

// A certificate (LC) as far as the card uses it.
struct CardCertificate {
    CardId id{};
    std::uint32_t purse = 0;
    Bytes key;
    std::uint8_t suite = 0;
    std::uint64_t amount = 0;
    std::uint32_t not_before = 0;
    std::uint32_t expires = 0;
    std::uint32_t settle_by = 0;
    std::uint64_t per_payment = 0;
    std::uint64_t without_cvm = 0;
    std::uint32_t count = 0;
    std::uint32_t directed = 0;
};

// A sync acknowledgement (SACK). What it says about notes changes nothing here: a range is signed away once.
struct CardSync {
    CardId id{};
    std::uint32_t purse = 0;
    std::uint32_t sync = 0;
    std::uint32_t time = 0;
    std::uint32_t next = 0;
    std::uint32_t flags = 0;
};

// Whole objects that the issuer signed. Errors: malformed; unauthenticated when the signature is not the issuer's.
Result<CardCertificate> read_certificate(const crypto::Verifier& issuer, ByteView object);
Result<CardSync> read_sync(const crypto::Verifier& issuer, ByteView object);

}  // namespace jiaozi::keystores
