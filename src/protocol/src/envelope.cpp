#include <string>
#include <utility>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/protocol/envelope.hpp>

namespace jiaozi::protocol {
namespace {

ByteView aad(Direction direction) noexcept {
    return as_bytes(direction == Direction::up ? "jiaozi/device/1/up" : "jiaozi/device/1/down");
}

Error malformed(std::string_view what) {
    return {ErrorKind::malformed, "envelope: " + std::string(what)};
}

Result<void> check_size(std::size_t size, Direction direction) {
    if (size <= max_envelope(direction)) return {};
    return Error(ErrorKind::too_large, "envelope: " + std::to_string(size) + " bytes, at most " +
                                           std::to_string(max_envelope(direction)) + " are allowed in this direction");
}

// Bytes of a CBOR byte string of this size, head included.
constexpr std::size_t encoded_size(std::size_t size) {
    if (size < 24) return size + 1;
    return size + (size < 256 ? 2 : 3);
}

// COSE lets headers carry what nobody asked for; this protocol's are exactly {1: alg, 4: kid} and empty. The encoding
// is deterministic, so lengths decide: a protected header of alg and kid alone, an unprotected one of a single byte.
Result<void> check_headers(ByteView bytes, const crypto::CoseMessage& cose) {
    if (!cose.kid()) return malformed("the protected header has no kid (4)");
    codec::CborWriter expected;
    expected.map(2).uint(1).integer(static_cast<std::int64_t>(cose.algorithm())).uint(4).bytes(*cose.kid());
    if (!equal(expected.view(), cose.protected_header()))
        return malformed("the protected header is not {1: alg, 4: kid}");
    const std::size_t fixed = 1 + 1 + 1;  // tag, array of four, empty map
    const std::size_t size = fixed + encoded_size(cose.protected_header().size()) +
                             encoded_size(cose.payload().size()) + encoded_size(cose.proof().size());
    if (size != bytes.size()) return malformed("the unprotected header is not empty");
    return {};
}

}  // namespace

Result<Envelope> peek(ByteView bytes, Direction direction) {
    JZ_CHECK(check_size(bytes.size(), direction));
    auto cose = crypto::decode_cose(bytes, {.max_bytes = max_envelope(direction), .deterministic = true});
    if (!cose.ok()) return malformed(cose.error().message());
    JZ_CHECK(check_headers(bytes, *cose));
    const std::size_t kid_size = cose->kid()->size();
    const bool may_lack_kid = direction == Direction::up && cose->kind() == crypto::CoseKind::sign1;
    if (kid_size != KeyId{}.size() && !(kid_size == 0 && may_lack_kid)) return malformed("kid must have 8 bytes");
    return Envelope(std::move(cose).value(), direction);
}

Result<void> verify(const Envelope& envelope, const crypto::Verifier& key) {
    return crypto::verify_cose(envelope.cose(), key, aad(envelope.direction()));
}

Result<void> verify(const Envelope& envelope, const crypto::HmacKey& key) {
    return crypto::verify_cose(envelope.cose(), key, aad(envelope.direction()));
}

Result<Message> open(const Envelope& envelope) {
    JZ_TRY(Message message, decode(envelope.payload()));
    const MessageType type = type_of(message.body);
    const std::string name(name_of(type));
    if (direction_of(type) != envelope.direction()) return malformed(name + " does not go in this direction");
    if (always_signed(type) && !envelope.is_signed()) return malformed(name + " must be signed");
    if (!envelope.is_signed() && !equal(envelope.kid(), *message.session))
        return malformed("kid is not the payload's session");
    if ((type == MessageType::claim) != envelope.kid().empty())
        return malformed("kid is empty in a claim and only there");
    return message;
}

Result<Bytes> seal(const Message& message, const crypto::Signer& signer, ByteView kid) {
    const Direction direction = direction_of(type_of(message.body));
    JZ_TRY(Bytes sealed, crypto::cose_sign1(signer, encode(message), kid, aad(direction)));
    JZ_CHECK(check_size(sealed.size(), direction));
    return sealed;
}

Result<Bytes> seal(const Message& message, const crypto::HmacKey& key) {
    JZ_ASSERT(message.session.has_value());
    const Direction direction = direction_of(type_of(message.body));
    Bytes sealed = crypto::cose_mac0(key, encode(message), *message.session, aad(direction));
    JZ_CHECK(check_size(sealed.size(), direction));
    return sealed;
}

}  // namespace jiaozi::protocol
