// COSE_Sign1 and COSE_Mac0 (RFC 9052, RFC 9053): the envelope of device messages, receipts and offers.
//
//   protected header   { 1: alg, ? 4: kid }, as a byte string
//   unprotected        empty when we write; when we read, kid is taken from there if the protected header has none
//   payload            present (not detached)
//   tag                18 (Sign1) or 17 (Mac0), always written
//
// alg: -8 EdDSA, -7 ES256, -65601 SM2 with SM3 (private use), 5 HMAC 256/256. Reading never trusts alg to choose the
// key's algorithm: verify() refuses a message whose alg is not the key's. Header parameters that we do not know are
// ignored, except crit (2), which is refused. Decoding and verifying are separate, so that a caller finds the key by
// kid.
//
// Errors: malformed and too_large from decoding, unauthenticated from verifying. Functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/signature.hpp>

namespace jiaozi::crypto {

enum class CoseAlgorithm : std::int64_t { hmac_256_256 = 5, es256 = -7, eddsa = -8, sm2_sm3 = -65601 };

CoseAlgorithm cose_algorithm(Suite suite) noexcept;

enum class CoseKind : std::uint8_t { mac0 = 17, sign1 = 18 };  // the numbers are the CBOR tags

struct CoseOptions {
    std::size_t max_bytes = std::size_t{16} * 1024;
    // False accepts what other libraries may produce: headers in another order, longer integers, indefinite lengths, a
    // missing tag, the Mac0 or Sign1 inside a CWT tag (61). Our own messages are read with true.
    bool deterministic = true;
};

// A decoded, NOT yet verified message. The views point into the decoded input (deterministic), which must outlive this,
// or into memory of the message itself (not deterministic).
class CoseMessage {
  public:
    CoseMessage(CoseMessage&&) noexcept = default;
    CoseMessage& operator=(CoseMessage&&) noexcept = default;

    CoseKind kind() const noexcept { return kind_; }
    CoseAlgorithm algorithm() const noexcept { return algorithm_; }
    std::optional<ByteView> kid() const noexcept { return kid_; }
    ByteView payload() const noexcept { return payload_; }
    ByteView protected_header() const noexcept { return protected_; }  // the content of the byte string
    ByteView proof() const noexcept { return proof_; }                 // the signature or the tag

  private:
    friend class CoseDecoder;
    CoseMessage() = default;

    CoseKind kind_ = CoseKind::sign1;
    CoseAlgorithm algorithm_ = CoseAlgorithm::eddsa;
    std::optional<ByteView> kid_;
    ByteView payload_;
    ByteView protected_;
    ByteView proof_;
    Bytes owned_;
};

Result<CoseMessage> decode_cose(ByteView input, CoseKind expected, CoseOptions options = {});
// Either kind: look at kind().
Result<CoseMessage> decode_cose(ByteView input, CoseOptions options = {});

// The bytes that are signed or authenticated: Sig_structure ("Signature1") or MAC_structure ("MAC0") of RFC 9052.
Bytes cose_to_be_authenticated(const CoseMessage& message, ByteView external_aad = {});

Result<Bytes> cose_sign1(const Signer& signer, ByteView payload, std::optional<ByteView> kid,
                         ByteView external_aad = {});
Bytes cose_mac0(const HmacKey& key, ByteView payload, std::optional<ByteView> kid, ByteView external_aad = {});

Result<void> verify_cose(const CoseMessage& message, const Verifier& verifier, ByteView external_aad = {});
Result<void> verify_cose(const CoseMessage& message, const HmacKey& key, ByteView external_aad = {});

}  // namespace jiaozi::crypto
