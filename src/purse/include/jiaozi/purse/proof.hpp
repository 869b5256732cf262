// Fork proofs (docs/protocol/offline.md, 3.9): two notes that one purse can't honestly have signed both, and its
// certificate. Whoever has the issuer's key can check one; nobody has to be believed.
#pragma once

#include <jiaozi/purse/bundle.hpp>

namespace jiaozi::purse {

struct IssuerKey {
    Kid kid{};
    Suite suite = Suite::ed25519;
    PublicKey key;
    bool revoked = false;
};

// JZ_BAD_ARGUMENT for a key that can't be one; the kid is computed.
jz_status read_issuer_key(const jz_platform& platform, const jz_issuer_key& input, IssuerKey& out) noexcept;
// The key that an object names and may be signed by: JZ_UNKNOWN_ISSUER, JZ_WRONG_SUITE.
jz_status find_issuer(std::span<const IssuerKey> keys, const Kid& kid, Suite suite, const IssuerKey*& found) noexcept;

// Writes the proof; the notes may come in any order. An empty view when it does not fit.
View write_proof(const Entry<Note>& left, const Entry<Note>& right, const Object& certificate, Span out) noexcept;

struct ForkProof {
    std::array<Entry<Note>, 2> note;
    Entry<Certificate> certificate;
    std::uint32_t guilty() const noexcept { return certificate.value.purse; }
};
// Takes a proof from the front of `sequence`: canonical, nothing verified. JZ_MALFORMED leaves it as it was.
jz_status read_proof(const jz_platform& platform, View& sequence, ForkProof& proof) noexcept;
// JZ_MALFORMED, JZ_UNKNOWN_ISSUER, JZ_BAD_SIGNATURE, or JZ_BAD_RANGE: two notes that may well be honest.
jz_status verify_proof(const jz_platform& platform, std::span<const IssuerKey> keys, View bytes,
                       ForkProof& proof) noexcept;

}  // namespace jiaozi::purse
