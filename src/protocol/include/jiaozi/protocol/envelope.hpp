// The COSE envelope of a message (docs/protocol/device.md, section 1.2).
//
// Reading goes in steps, because the key is found by what the envelope says before anything in it can be believed:
//
//   JZ_TRY(const auto envelope, peek(bytes, Direction::up));  // form, alg, kid; nothing is verified
//   ... find the Verifier or the session's HmacKey by envelope.kid() ...
//   JZ_CHECK(verify(envelope, key));                          // Error unauthenticated
//   JZ_TRY(const Message message, open(envelope));            // decode, and what must agree with the envelope
//
// Errors: malformed, too_large, unauthenticated. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/cose.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/protocol/messages.hpp>

namespace jiaozi::protocol {

inline constexpr std::size_t max_envelope_up = 4096;
inline constexpr std::size_t max_envelope_down = std::size_t{16} * 1024;
constexpr std::size_t max_envelope(Direction direction) noexcept {
    return direction == Direction::up ? max_envelope_up : max_envelope_down;
}

// A decoded, NOT verified envelope; its views point into the bytes given to peek().
class Envelope {
  public:
    bool is_signed() const noexcept { return cose_.kind() == crypto::CoseKind::sign1; }
    crypto::CoseAlgorithm algorithm() const noexcept { return cose_.algorithm(); }
    // 8 bytes: credential id, server key id, or (Mac0) session id; empty in a claim.
    ByteView kid() const noexcept { return *cose_.kid(); }
    ByteView payload() const noexcept { return cose_.payload(); }
    Direction direction() const noexcept { return direction_; }
    const crypto::CoseMessage& cose() const noexcept { return cose_; }

  private:
    friend Result<Envelope> peek(ByteView bytes, Direction direction);
    Envelope(crypto::CoseMessage cose, Direction direction) : cose_(std::move(cose)), direction_(direction) {}
    crypto::CoseMessage cose_;
    Direction direction_;
};

Result<Envelope> peek(ByteView bytes, Direction direction);

// Error unauthenticated: does not verify, or the alg is not the key's.
Result<void> verify(const Envelope& envelope, const crypto::Verifier& key);
Result<void> verify(const Envelope& envelope, const crypto::HmacKey& key);

// Decodes the payload and holds it against the envelope: the type belongs to the direction; a type that is always
// signed came signed; a Mac0's kid is the payload's session; the kid is empty in `claim` and only there. Does not
// verify: for the claim that is the point, since its key stands in the body.
Result<Message> open(const Envelope& envelope);

// Error too_large, or the signer's. The direction is the type's. kid: the signer's key id (empty for a claim).
Result<Bytes> seal(const Message& message, const crypto::Signer& signer, ByteView kid);
// The kid is the message's session, which must be set (JZ_ASSERT).
Result<Bytes> seal(const Message& message, const crypto::HmacKey& key);

}  // namespace jiaozi::protocol
