#include <algorithm>
#include <string>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/codec/cbor_value.hpp>
#include <jiaozi/crypto/cose.hpp>

namespace jiaozi::crypto {
namespace {

using codec::CborLimits;
using codec::CborReader;
using codec::CborRules;
using codec::CborType;
using codec::CborValue;
using codec::CborWriter;

constexpr std::int64_t label_alg = 1;
constexpr std::int64_t label_crit = 2;
constexpr std::int64_t label_kid = 4;
constexpr std::uint64_t cwt_tag = 61;
constexpr std::size_t mac_size = 32;
constexpr std::size_t max_depth = 8;

Error malformed(std::string_view what) {
    return {ErrorKind::malformed, "COSE: " + std::string(what)};
}

Error wrong_proof() {
    return {ErrorKind::unauthenticated, "COSE: the signature or tag is not that of this message under this key"};
}

Result<CoseAlgorithm> parse_algorithm(std::int64_t number) {
    const auto algorithm = static_cast<CoseAlgorithm>(number);
    switch (algorithm) {
        case CoseAlgorithm::hmac_256_256:
        case CoseAlgorithm::es256:
        case CoseAlgorithm::eddsa:
        case CoseAlgorithm::sm2_sm3:
            return algorithm;
    }
    return malformed("algorithm " + std::to_string(number) + " is not offered; use -8, -7, -65601 (Sign1) or 5 (Mac0)");
}

CborLimits limits_for(const CoseOptions& options) {
    return {.max_bytes = options.max_bytes, .max_depth = max_depth, .max_items = 256, .allow_floats = true};
}

Bytes to_be_authenticated(CoseKind kind, ByteView protected_header, ByteView external_aad, ByteView payload) {
    CborWriter out(payload.size() + external_aad.size() + protected_header.size() + 32);
    out.array(4).text(kind == CoseKind::sign1 ? "Signature1" : "MAC0");
    out.bytes(protected_header).bytes(external_aad).bytes(payload);
    return out.take();
}

Bytes protected_header_for(CoseAlgorithm algorithm, std::optional<ByteView> kid) {
    CborWriter out;
    out.map(kid ? 2 : 1).integer(label_alg).integer(static_cast<std::int64_t>(algorithm));
    if (kid) out.integer(label_kid).bytes(*kid);
    return out.take();
}

Bytes assemble(CoseKind kind, ByteView protected_header, ByteView payload, ByteView proof) {
    CborWriter out(payload.size() + protected_header.size() + proof.size() + 32);
    out.tag(static_cast<std::uint64_t>(kind)).array(4).bytes(protected_header).map(0).bytes(payload).bytes(proof);
    return out.take();
}

}  // namespace

// Walks tag, array and headers of a deterministic encoding; a tolerant one is first rewritten as a deterministic one,
// of which the message keeps the bytes. What is inside the protected byte string is never rewritten: it is
// authenticated.
class CoseDecoder {
  public:
    CoseDecoder(ByteView input, const CoseOptions& options) : input_(input), options_(options) {}

    Result<CoseMessage> decode(std::optional<CoseKind> expected) {
        if (input_.size() > options_.max_bytes) {
            return Error(ErrorKind::too_large, "COSE: more than " + std::to_string(options_.max_bytes) + " bytes");
        }
        if (!options_.deterministic) {
            JZ_TRY(message_.owned_, normalize(expected));
            input_ = message_.owned_;
        }
        CborReader reader(input_, limits_for(options_));
        JZ_CHECK(envelope(reader, expected));
        JZ_CHECK(reader.finish());
        if (!has_algorithm_) return malformed("the protected header has no algorithm (1)");
        JZ_CHECK(check_proof());
        return std::move(message_);
    }

  private:
    // One deterministic, tagged item from whatever valid CBOR came.
    Result<Bytes> normalize(std::optional<CoseKind> expected) const {
        JZ_TRY(CborValue value, codec::decode_cbor(input_, CborRules::valid, limits_for(options_)));
        if (value.type == CborType::tag && value.number == cwt_tag) value = CborValue(std::move(value.items.at(0)));
        if (value.type == CborType::array && expected) {
            CborValue tagged{.type = CborType::tag, .number = static_cast<std::uint64_t>(*expected)};
            tagged.items.push_back(std::move(value));
            value = std::move(tagged);
        }
        return codec::encode_cbor(value);
    }

    Result<void> envelope(CborReader& reader, std::optional<CoseKind> expected) {
        JZ_TRY(const std::uint64_t tag, reader.tag());
        if (tag != static_cast<std::uint64_t>(CoseKind::sign1) && tag != static_cast<std::uint64_t>(CoseKind::mac0)) {
            return malformed("tag " + std::to_string(tag) + " is neither COSE_Sign1 (18) nor COSE_Mac0 (17)");
        }
        message_.kind_ = static_cast<CoseKind>(tag);
        if (expected && message_.kind_ != *expected) {
            return malformed(*expected == CoseKind::sign1 ? "expected COSE_Sign1 (tag 18), found COSE_Mac0"
                                                          : "expected COSE_Mac0 (tag 17), found COSE_Sign1");
        }
        JZ_CHECK(reader.array_of(4));
        JZ_TRY(message_.protected_, reader.bytes());
        JZ_CHECK(protected_header());
        JZ_CHECK(header(reader, Bucket::unprotected));
        JZ_TRY(const CborType payload, reader.peek());
        if (payload == CborType::null) return malformed("a detached payload is not offered");
        JZ_TRY(message_.payload_, reader.bytes());
        JZ_TRY(message_.proof_, reader.bytes());
        return {};
    }

    enum class Bucket { protected_, unprotected };

    // h'' and h'a0' both mean the empty map (RFC 9052 section 3); either lacks the algorithm and is refused later.
    Result<void> protected_header() {
        if (message_.protected_.empty()) return {};
        if (options_.deterministic) {
            CborReader reader(message_.protected_, limits_for(options_));
            JZ_CHECK(header(reader, Bucket::protected_));
            return reader.finish();
        }
        JZ_TRY(const CborValue map, codec::decode_cbor(message_.protected_, CborRules::valid, limits_for(options_)));
        if (map.type != CborType::map) return malformed("the protected header is not a map");
        return protected_tree(map);
    }

    Result<void> protected_tree(const CborValue& map) {
        if (map.find(label_crit) != nullptr) return malformed("critical header parameters (2) are not offered");
        if (const CborValue* const alg = map.find(label_alg)) {
            const bool fits = alg->number <= static_cast<std::uint64_t>(INT64_MAX);
            if (!fits || (alg->type != CborType::uint && alg->type != CborType::negint)) {
                return malformed("the algorithm is not one that is offered");
            }
            const auto magnitude = static_cast<std::int64_t>(alg->number);
            JZ_CHECK(set_algorithm(alg->type == CborType::uint ? magnitude : -1 - magnitude));
        }
        if (const CborValue* const kid = map.find(label_kid)) {
            if (kid->type != CborType::bytes) return malformed("kid is not a byte string");
            // The tree goes away; the same bytes stand in the protected header, which stays.
            const auto found = std::ranges::search(message_.protected_, kid->bytes);
            if (found.size() != kid->bytes.size()) return malformed("kid is written in pieces");
            message_.kid_ = ByteView(found.begin(), found.end());
        }
        return {};
    }

    Result<void> set_algorithm(std::int64_t number) {
        JZ_TRY(message_.algorithm_, parse_algorithm(number));
        has_algorithm_ = true;
        return {};
    }

    Result<void> header(CborReader& reader, Bucket bucket) {
        JZ_TRY(const std::uint64_t count, reader.map());
        for (std::uint64_t i = 0; i < count; ++i) {
            JZ_TRY(const CborType type, reader.peek());
            if (type != CborType::uint) {
                if (type != CborType::negint && type != CborType::text) {
                    return malformed("a header label is neither an integer nor text");
                }
                JZ_CHECK(reader.skip());
                JZ_CHECK(reader.skip());
                continue;
            }
            JZ_TRY(const std::uint64_t label, reader.uint());
            JZ_CHECK(parameter(reader, bucket, label));
        }
        return {};
    }

    Result<void> parameter(CborReader& reader, Bucket bucket, std::uint64_t label) {
        switch (label) {
            case label_alg: {
                // An unprotected algorithm is not authenticated; it may repeat nothing and decide nothing.
                if (bucket == Bucket::unprotected)
                    return malformed("the algorithm (1) must be in the protected header");
                JZ_TRY(const std::int64_t number, reader.integer());
                return set_algorithm(number);
            }
            case label_crit:
                return malformed("critical header parameters (2) are not offered");
            case label_kid: {
                if (message_.kid_) return malformed("kid (4) is in both headers");
                JZ_TRY(message_.kid_, reader.bytes());
                return {};
            }
            default:
                return reader.skip();
        }
    }

    Result<void> check_proof() const {
        const bool is_mac = message_.algorithm_ == CoseAlgorithm::hmac_256_256;
        if (is_mac != (message_.kind_ == CoseKind::mac0))
            return malformed("the algorithm does not fit the message's type");
        if (message_.proof_.size() != (is_mac ? mac_size : signature_size)) {
            return malformed("the signature or tag has the wrong length");
        }
        return {};
    }

    ByteView input_;
    CoseOptions options_;
    CoseMessage message_;
    bool has_algorithm_ = false;
};

CoseAlgorithm cose_algorithm(Suite suite) noexcept {
    switch (suite) {
        case Suite::ed25519:
            return CoseAlgorithm::eddsa;
        case Suite::p256:
            return CoseAlgorithm::es256;
        case Suite::sm2:
            return CoseAlgorithm::sm2_sm3;
    }
    return CoseAlgorithm::eddsa;
}

Result<CoseMessage> decode_cose(ByteView input, CoseKind expected, CoseOptions options) {
    return CoseDecoder(input, options).decode(expected);
}

Result<CoseMessage> decode_cose(ByteView input, CoseOptions options) {
    return CoseDecoder(input, options).decode(std::nullopt);
}

Bytes cose_to_be_authenticated(const CoseMessage& message, ByteView external_aad) {
    return to_be_authenticated(message.kind(), message.protected_header(), external_aad, message.payload());
}

Result<Bytes> cose_sign1(const Signer& signer, ByteView payload, std::optional<ByteView> kid, ByteView external_aad) {
    const Bytes header = protected_header_for(cose_algorithm(signer.suite()), kid);
    JZ_TRY(const Signature signature, signer.sign(to_be_authenticated(CoseKind::sign1, header, external_aad, payload)));
    return assemble(CoseKind::sign1, header, payload, signature);
}

Bytes cose_mac0(const HmacKey& key, ByteView payload, std::optional<ByteView> kid, ByteView external_aad) {
    const Bytes header = protected_header_for(CoseAlgorithm::hmac_256_256, kid);
    return assemble(CoseKind::mac0, header, payload,
                    key.mac(to_be_authenticated(CoseKind::mac0, header, external_aad, payload)));
}

Result<void> verify_cose(const CoseMessage& message, const Verifier& verifier, ByteView external_aad) {
    const bool fits = message.kind() == CoseKind::sign1 && message.algorithm() == cose_algorithm(verifier.suite());
    if (!fits || !verifier.verify(cose_to_be_authenticated(message, external_aad), message.proof()))
        return wrong_proof();
    return {};
}

Result<void> verify_cose(const CoseMessage& message, const HmacKey& key, ByteView external_aad) {
    const bool fits = message.kind() == CoseKind::mac0 && message.algorithm() == CoseAlgorithm::hmac_256_256;
    if (!fits || !key.verify(cose_to_be_authenticated(message, external_aad), message.proof())) return wrong_proof();
    return {};
}

}  // namespace jiaozi::crypto
