#include <gtest/gtest.h>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/cose.hpp>

namespace jiaozi::crypto {
namespace {

const Bytes payload = to_bytes(as_bytes("drop bottle 7"));
const Bytes kid = to_bytes(as_bytes("gate-1"));
const Bytes context = to_bytes(as_bytes("jz/dev/1/up"));

class CoseSign1 : public testing::TestWithParam<Suite> {};
INSTANTIATE_TEST_SUITE_P(Suites, CoseSign1, testing::Values(Suite::ed25519, Suite::p256, Suite::sm2),
                         [](const auto& suite) { return std::string(name_of(suite.param)); });

TEST_P(CoseSign1, Sign1ComesBackAsItWasWritten) {
    const KeyPair key = generate_key(GetParam());
    const auto signer = make_signer(key).value();
    const Verifier verifier = make_verifier(GetParam(), key.public_key).value();
    const Bytes message = cose_sign1(*signer, payload, kid, context).value();
    const CoseMessage decoded = decode_cose(message, CoseKind::sign1).value();
    EXPECT_EQ(decoded.algorithm(), cose_algorithm(GetParam()));
    EXPECT_TRUE(equal(*decoded.kid(), kid));
    EXPECT_TRUE(equal(decoded.payload(), payload));
    EXPECT_TRUE(verify_cose(decoded, verifier, context).ok());
    EXPECT_EQ(verify_cose(decoded, verifier).error().kind(), ErrorKind::unauthenticated) << "other external data";
    for (std::size_t at = 0; at < message.size(); ++at) {
        Bytes changed = message;
        changed[at] ^= 1;
        const auto other = decode_cose(changed, CoseKind::sign1);
        EXPECT_FALSE(other.ok() && verify_cose(*other, verifier, context).ok()) << "byte " << at;
    }
}

TEST_P(CoseSign1, AMessageOfOneSuiteIsNotTakenForAnother) {
    const auto signer = make_signer(generate_key(GetParam())).value();
    const Bytes message = cose_sign1(*signer, payload, std::nullopt).value();
    const CoseMessage decoded = decode_cose(message).value();
    EXPECT_FALSE(decoded.kid().has_value());
    for (const Suite other : {Suite::ed25519, Suite::p256, Suite::sm2}) {
        const Verifier verifier = make_verifier(other, generate_key(other).public_key).value();
        EXPECT_EQ(verify_cose(decoded, verifier).error().kind(), ErrorKind::unauthenticated);
    }
    EXPECT_EQ(verify_cose(decoded, HmacKey(payload)).error().kind(), ErrorKind::unauthenticated);
}

TEST(CoseMac0, ComesBackAsItWasWritten) {
    const HmacKey key(Bytes(32, 7));
    const Bytes message = cose_mac0(key, payload, kid, context);
    const CoseMessage decoded = decode_cose(message, CoseKind::mac0).value();
    EXPECT_EQ(decoded.algorithm(), CoseAlgorithm::hmac_256_256);
    EXPECT_TRUE(verify_cose(decoded, key, context).ok());
    EXPECT_FALSE(verify_cose(decoded, HmacKey(Bytes(32, 8)), context).ok());
    EXPECT_FALSE(verify_cose(decoded, key).ok());
    for (std::size_t at = 0; at < message.size(); ++at) {
        Bytes changed = message;
        changed[at] ^= 1;
        const auto other = decode_cose(changed, CoseKind::mac0);
        EXPECT_FALSE(other.ok() && verify_cose(*other, key, context).ok()) << "byte " << at;
    }
    EXPECT_EQ(decode_cose(message, CoseKind::sign1).error().kind(), ErrorKind::malformed);
    EXPECT_EQ(decode_cose(message, {.max_bytes = message.size() - 1}).error().kind(), ErrorKind::too_large);
    EXPECT_TRUE(decode_cose(message, {.max_bytes = message.size()}).ok());
}

// Messages assembled by hand, part by part, to see which are refused and why.
struct Parts {
    std::string tag = "d1";
    std::string protected_header = "43a10105";
    std::string unprotected = "a0";
    std::string payload = "41ff";
    std::string proof = "5820" + std::string(64, '0');
    std::string head = "84";
};

struct Case {
    const char* what;
    Parts parts;
    bool strict;
    bool tolerant;
};

TEST(Cose, WhatIsAcceptedAndWhatIsNot) {
    const Case cases[] = {
        {"the plain form", {}, true, true},
        {"no tag", {.tag = ""}, false, true},
        {"inside a CWT tag", {.tag = "d83dd1"}, false, true},
        {"another tag", {.tag = "d2"}, false, false},
        {"an empty protected header h''", {.protected_header = "40"}, false, false},
        {"an empty protected header h'a0'", {.protected_header = "41a0"}, false, false},
        {"the protected header is an array", {.protected_header = "4180"}, false, false},
        {"algorithm only in the unprotected header", {.protected_header = "40", .unprotected = "a10105"}, false, false},
        {"algorithm in both headers", {.unprotected = "a10105"}, false, false},
        {"an algorithm that is not offered", {.protected_header = "43a10104"}, false, false},
        {"a signature's algorithm in a Mac0", {.protected_header = "43a10127"}, false, false},
        {"kid in the unprotected header", {.unprotected = "a1044101"}, true, true},
        {"kid in both", {.protected_header = "46a20105044101", .unprotected = "a1044101"}, false, false},
        {"kid is an integer", {.protected_header = "45a201050407"}, false, false},
        {"content type, ignored", {.protected_header = "45a201050300"}, true, true},
        {"a text label, ignored", {.unprotected = "a1616101"}, true, true},
        {"crit",
         {.protected_header = "47a3010502810103"
                              "00"},
         false,
         false},
        {"crit in the unprotected header", {.unprotected = "a1028101"}, false, false},
        {"headers in another order", {.protected_header = "46a20441010105"}, false, true},
        {"the algorithm in two bytes", {.protected_header = "44a1011805"}, false, true},
        {"an indefinite array", {.head = "9f"}, false, false},
        {"a detached payload", {.payload = "f6"}, false, false},
        {"a text payload", {.payload = "6161"}, false, false},
        {"a short tag", {.proof = "48" + std::string(16, '0')}, false, false},
        {"five elements", {.proof = "5820" + std::string(64, '0') + "00", .head = "85"}, false, false},
        {"a byte after the end", {.proof = "5820" + std::string(64, '0') + "00"}, false, false},
    };
    for (const Case& c : cases) {
        const Parts& p = c.parts;
        const Bytes bytes = from_hex(p.tag + p.head + p.protected_header + p.unprotected + p.payload + p.proof).value();
        EXPECT_EQ(decode_cose(bytes, CoseKind::mac0).ok(), c.strict) << c.what;
        EXPECT_EQ(decode_cose(bytes, CoseKind::mac0, {.deterministic = false}).ok(), c.tolerant)
            << c.what << ", tolerant";
    }
}

TEST(Cose, AToleratedEncodingStillVerifiesOverItsOwnHeaderBytes) {
    const HmacKey key(Bytes(32, 9));
    // kid before alg: not deterministic, and authenticated exactly as it came.
    const Bytes header = from_hex("a20441010105").value();
    codec::CborWriter structure;
    structure.array(4).text("MAC0").bytes(header).bytes({}).bytes(payload);
    const Digest tag = key.mac(structure.view());
    codec::CborWriter out;
    out.tag(17).array(4).bytes(header).map(0).bytes(payload).bytes(tag);
    Bytes message = out.take();
    EXPECT_FALSE(decode_cose(message).ok());
    auto decoded = decode_cose(message, {.deterministic = false});
    message.clear();
    ASSERT_TRUE(decoded.ok());
    const CoseMessage moved = std::move(*decoded);
    EXPECT_TRUE(verify_cose(moved, key).ok());
    EXPECT_TRUE(equal(*moved.kid(), Bytes{1}));
}

}  // namespace
}  // namespace jiaozi::crypto
