// COSE_Sign1 as the offline objects use it (docs/protocol/offline.md, 2.1 and 2.2): untagged, protected header exactly
// { 1: alg }, external_aad "jiaozi/purse/1", ids over protected and payload without the signature.
#pragma once

#include <jiaozi/purse/objects.hpp>

namespace jiaozi::purse {

// False for every header but the three of the specification.
bool suite_of_header(View header, Suite& suite) noexcept;
View header_of(Suite suite) noexcept;
int hash_of(Suite suite) noexcept;  // JZ_SHA256 or JZ_SM3

// The two calls of the platform that objects need; either may be the purse's or a verifier's own.
jz_status id_of(const jz_platform& platform, const Object& object, Id& id) noexcept;
// JZ_OK, JZ_BAD_SIGNATURE, or JZ_WRONG_SUITE when the object's suite is not `suite`.
jz_status verify(const jz_platform& platform, const Object& object, Suite suite, const PublicKey& key) noexcept;

// Signs the payload with the platform's key. The object is written to `out`; JZ_SIGNER_REFUSED, JZ_BUFFER_TOO_SMALL.
jz_status sign(const jz_platform& platform, Suite suite, View payload, Span out, Object& object) noexcept;

// The bytes that a signature is over, in `out` (at least max_payload + 48).
View sig_structure(View header, View payload, Span out) noexcept;

}  // namespace jiaozi::purse
