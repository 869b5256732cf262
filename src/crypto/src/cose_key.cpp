#include <string>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/cose_key.hpp>

namespace jiaozi::crypto {
namespace {

using codec::CborLimits;
using codec::CborMapReader;
using codec::CborReader;
using codec::CborType;
using codec::CborWriter;

constexpr std::uint64_t type_okp = 1;
constexpr std::uint64_t type_ec2 = 2;
constexpr std::int64_t curve_p256 = 1;
constexpr std::int64_t curve_x25519 = 4;
constexpr std::int64_t curve_ed25519 = 6;
constexpr std::int64_t curve_sm2 = -65601;

constexpr std::int64_t label_type = 1;
constexpr std::int64_t label_kid = 2;
constexpr std::int64_t label_curve = -1;
constexpr std::int64_t label_x = -2;
constexpr std::int64_t label_y = -3;

constexpr std::size_t coordinate_size = 32;
constexpr CborLimits limits{.max_bytes = 1024, .max_depth = 2, .max_items = 32};

Error unsupported() {
    return {ErrorKind::invalid,
            "COSE_Key: use OKP (1) with Ed25519 (6) or X25519 (4), or EC2 (2) with P-256 (1) or SM2 (-65601)"};
}

void start(CborWriter& out, std::uint64_t fields, std::uint64_t type, std::optional<ByteView> kid, std::int64_t curve,
           ByteView x) {
    out.map(fields + (kid ? 1 : 0)).integer(label_type).uint(type);
    if (kid) out.integer(label_kid).bytes(*kid);
    out.integer(label_curve).integer(curve).integer(label_x).bytes(x);
}

Bytes encode_okp(std::int64_t curve, ByteView x, std::optional<ByteView> kid) {
    CborWriter out;
    start(out, 3, type_okp, kid, curve, x);
    return out.take();
}

// The point, compressed or not, that x and y stand for.
Result<Bytes> read_point(CborMapReader& map, ByteView x) {
    if (x.size() != coordinate_size)
        return Error(ErrorKind::malformed, "COSE_Key: x must have 32 bytes").with_param("x");
    JZ_CHECK(map.required(label_y, "y"));
    JZ_TRY(const CborType type, map.reader().peek());
    Bytes point;
    if (type == CborType::boolean) {
        JZ_TRY(const bool odd, map.reader().boolean());
        point.push_back(odd ? 3 : 2);
        append(point, x);
        return point;
    }
    JZ_TRY(const ByteView y, map.reader().bytes());
    if (y.size() != coordinate_size)
        return Error(ErrorKind::malformed, "COSE_Key: y must have 32 bytes").with_param("y");
    point.push_back(4);
    append(point, x);
    append(point, y);
    return point;
}

Result<void> read_ec2(CborMapReader& map, std::int64_t curve, ByteView x, CosePublicKey& key) {
    if (curve != curve_p256 && curve != curve_sm2) return unsupported();
    key.suite = curve == curve_p256 ? Suite::p256 : Suite::sm2;
    JZ_TRY(const Bytes point, read_point(map, x));
    JZ_TRY(key.public_key, canonical_public_key(*key.suite, point));
    return {};
}

Result<void> read_okp(std::int64_t curve, ByteView x, CosePublicKey& key) {
    if (curve == curve_ed25519) {
        key.suite = Suite::ed25519;
        JZ_TRY(key.public_key, canonical_public_key(Suite::ed25519, x));
        return {};
    }
    if (curve != curve_x25519) return unsupported();
    if (x.size() != x25519_key_size)
        return Error(ErrorKind::malformed, "COSE_Key: x must have 32 bytes").with_param("x");
    key.public_key = to_bytes(x);
    return {};
}

}  // namespace

Result<Bytes> encode_cose_key(Suite suite, ByteView public_key, std::optional<ByteView> kid) {
    JZ_TRY(const Bytes canonical, canonical_public_key(suite, public_key));
    if (suite == Suite::ed25519) return encode_okp(curve_ed25519, canonical, kid);
    JZ_TRY(const Bytes point, uncompressed_public_key(suite, canonical));
    CborWriter out;
    start(out, 4, type_ec2, kid, suite == Suite::p256 ? curve_p256 : curve_sm2,
          ByteView(point).subspan(1, coordinate_size));
    out.integer(label_y).bytes(ByteView(point).last(coordinate_size));
    return out.take();
}

Bytes encode_cose_key(const X25519PublicKey& public_key, std::optional<ByteView> kid) {
    return encode_okp(curve_x25519, public_key, kid);
}

Result<CosePublicKey> decode_cose_key(ByteView input) {
    CborReader reader(input, limits);
    CosePublicKey key;
    JZ_TRY(auto map, CborMapReader::open(reader));
    JZ_TRY(const std::uint64_t type, map.uint(label_type, "kty"));
    JZ_TRY(const auto kid, map.optional_bytes(label_kid, "kid"));
    if (kid) key.kid = to_bytes(*kid);
    JZ_TRY(const std::int64_t curve, map.integer(label_curve, "crv"));
    JZ_TRY(const ByteView x, map.bytes(label_x, "x"));
    switch (type) {
        case type_okp:
            JZ_CHECK(read_okp(curve, x, key));
            break;
        case type_ec2:
            JZ_CHECK(read_ec2(map, curve, x, key));
            break;
        default:
            return unsupported();
    }
    JZ_CHECK(map.finish());
    JZ_CHECK(reader.finish());
    return key;
}

}  // namespace jiaozi::crypto
