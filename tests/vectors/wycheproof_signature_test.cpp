// Project Wycheproof: Ed25519, and ECDSA on P-256 with SHA-256.
//
// Wycheproof's ECDSA signatures are DER; ours are r || s. The adapter below reads strict DER (X.690: shortest lengths
// and integers, nothing after the end) of two integers from 0 to 2^256 - 1 into r || s and refuses everything else, so
// a vector that is invalid because of its encoding is refused here, and all others by the verifier itself. Vectors that
// are valid but have a high s must be refused by our low-s rule; their mirror image (n - s) must be accepted.
#include <jiaozi/crypto/signature.hpp>

#include "vectors.hpp"

namespace jiaozi::vectors {
namespace {

constexpr std::size_t scalar_size = 32;

std::string id_of(const boost::json::object& test) {
    return "tcId " + std::to_string(test.at("tcId").as_int64()) + " " + text_of(test, "comment");
}

std::optional<ByteView> take_integer(ByteView& der) {
    if (der.size() < 3 || der[0] != 0x02 || der[1] == 0 || der[1] > 33 || der.size() < 2U + der[1]) return std::nullopt;
    ByteView number = der.subspan(2, der[1]);
    der = der.subspan(2U + number.size());
    if ((number[0] & 0x80) != 0) return std::nullopt;  // negative
    if (number.size() > 1 && number[0] == 0) {
        if ((number[1] & 0x80) == 0) return std::nullopt;  // a zero too many
        number = number.subspan(1);
    }
    if (number.size() > scalar_size) return std::nullopt;
    return number;
}

std::optional<Bytes> raw_from_strict_der(ByteView der) {
    if (der.size() < 2 || der[0] != 0x30 || der[1] >= 0x80 || der.size() != 2U + der[1]) return std::nullopt;
    der = der.subspan(2);
    Bytes raw;
    for (int i = 0; i < 2; ++i) {
        const auto number = take_integer(der);
        if (!number) return std::nullopt;
        raw.insert(raw.end(), scalar_size - number->size(), 0);
        append(raw, *number);
    }
    if (!der.empty()) return std::nullopt;
    return raw;
}

const Bytes& order() {
    static const Bytes n = from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").value();
    return n;
}

Bytes mirrored(Bytes raw) {
    int borrow = 0;
    for (std::size_t i = scalar_size; i-- > 0;) {
        const int difference = order()[i] - raw[scalar_size + i] - borrow;
        borrow = difference < 0 ? 1 : 0;
        raw[scalar_size + i] = static_cast<std::uint8_t>(difference & 0xFF);
    }
    return raw;
}

bool has_high_s(const Bytes& raw) {
    const Bytes other = mirrored(raw);
    return std::lexicographical_compare(other.begin() + scalar_size, other.end(), raw.begin() + scalar_size, raw.end());
}

TEST(Wycheproof, Ed25519) {
    JZ_NEED_VECTORS("wycheproof");
    const auto file = read_json(vectors_folder / "ed25519_test.json");
    Count count("wycheproof ed25519");
    for (const auto& entry : file.at("testGroups").as_array()) {
        const auto& group = entry.as_object();
        const auto verifier =
            crypto::make_verifier(crypto::Suite::ed25519, hex_of(group.at("publicKey").as_object(), "pk"));
        ASSERT_TRUE(verifier.ok()) << verifier.error().to_string();
        for (const auto& item : group.at("tests").as_array()) {
            const auto& test = item.as_object();
            const bool valid = text_of(test, "result") == "valid";
            count.expect(text_of(test, "result"), verifier->verify(hex_of(test, "msg"), hex_of(test, "sig")) == valid,
                         id_of(test));
        }
    }
}

TEST(Wycheproof, EcdsaP256Sha256) {
    JZ_NEED_VECTORS("wycheproof");
    const auto file = read_json(vectors_folder / "ecdsa_secp256r1_sha256_test.json");
    Count count("wycheproof ecdsa_secp256r1_sha256");
    for (const auto& entry : file.at("testGroups").as_array()) {
        const auto& group = entry.as_object();
        const auto verifier =
            crypto::make_verifier(crypto::Suite::p256, hex_of(group.at("publicKey").as_object(), "uncompressed"));
        ASSERT_TRUE(verifier.ok()) << verifier.error().to_string();
        for (const auto& item : group.at("tests").as_array()) {
            const auto& test = item.as_object();
            const Bytes message = hex_of(test, "msg");
            const bool valid = text_of(test, "result") == "valid";
            const auto raw = raw_from_strict_der(hex_of(test, "sig"));
            if (!raw) {
                count.expect(valid ? "valid" : "invalid, refused as DER", !valid, id_of(test));
            } else if (!valid) {
                const bool refused = !verifier->verify(message, *raw) && !verifier->verify(message, mirrored(*raw));
                count.expect("invalid, refused by the verifier", refused, id_of(test));
            } else if (has_high_s(*raw)) {
                const bool good = !verifier->verify(message, *raw) && verifier->verify(message, mirrored(*raw));
                count.expect("valid with high s: refused as it is, accepted as n - s", good, id_of(test));
            } else {
                count.expect("valid with low s", verifier->verify(message, *raw), id_of(test));
            }
        }
    }
}

}  // namespace
}  // namespace jiaozi::vectors
