#include <thread>

#include <gtest/gtest.h>

#include <jiaozi/crypto/cose_key.hpp>
#include <jiaozi/crypto/signature.hpp>

namespace jiaozi::crypto {
namespace {

Bytes hex(std::string_view text) {
    return from_hex(text).value();
}

class EverySuite : public testing::TestWithParam<Suite> {};
INSTANTIATE_TEST_SUITE_P(Suites, EverySuite, testing::Values(Suite::ed25519, Suite::p256, Suite::sm2),
                         [](const auto& suite) { return std::string(name_of(suite.param)); });

TEST_P(EverySuite, SignsAndVerifies) {
    const KeyPair key = generate_key(GetParam());
    const auto signer = make_signer(key).value();
    const Verifier verifier = make_verifier(GetParam(), key.public_key).value();
    const Bytes message = to_bytes(as_bytes("two dumplings, please"));
    const Signature signature = signer->sign(message).value();
    EXPECT_TRUE(verifier.verify(message, signature));
    EXPECT_TRUE(equal(signer->public_key(), verifier.public_key()));
    EXPECT_EQ(verifier.suite(), GetParam());

    // Every flipped bit, of the message and of the signature, is noticed.
    for (std::size_t bit = 0; bit < message.size() * 8; bit += 7) {
        Bytes changed = message;
        changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
        EXPECT_FALSE(verifier.verify(changed, signature)) << "message bit " << bit;
    }
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
        Signature changed = signature;
        changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
        EXPECT_FALSE(verifier.verify(message, changed)) << "signature bit " << bit;
    }
}

TEST_P(EverySuite, SignaturesOfOtherSizesAndOtherKeysAreRefused) {
    const KeyPair key = generate_key(GetParam());
    const Verifier verifier = make_verifier(GetParam(), key.public_key).value();
    const Signature signature = make_signer(key).value()->sign({}).value();
    Bytes longer = to_bytes(signature);
    longer.push_back(0);
    EXPECT_TRUE(verifier.verify({}, signature));
    EXPECT_FALSE(verifier.verify({}, longer));
    EXPECT_FALSE(verifier.verify({}, ByteView(signature).first(63)));
    EXPECT_FALSE(verifier.verify({}, {}));
    EXPECT_FALSE(verifier.verify({}, Bytes(64, 0)));
    EXPECT_FALSE(verifier.verify({}, Bytes(64, 0xFF)));
    EXPECT_FALSE(make_verifier(GetParam(), generate_key(GetParam()).public_key).value().verify({}, signature));
}

TEST_P(EverySuite, AKeySurvivesExportAndImport) {
    const KeyPair key = generate_key(GetParam());
    const KeyPair again = key_from_private(GetParam(), key.private_key.view()).value();
    EXPECT_EQ(again.public_key, key.public_key);
    const Bytes encoded = encode_cose_key(GetParam(), key.public_key, as_bytes("kid-1")).value();
    const CosePublicKey decoded = decode_cose_key(encoded).value();
    EXPECT_EQ(decoded.suite, GetParam());
    EXPECT_EQ(decoded.public_key, key.public_key);
    EXPECT_EQ(as_text(*decoded.kid), "kid-1");
}

TEST_P(EverySuite, APublicKeyMustBeThePrivateKeys) {
    KeyPair key = generate_key(GetParam());
    key.public_key = generate_key(GetParam()).public_key;
    EXPECT_EQ(make_signer(key).error().kind(), ErrorKind::invalid);
}

TEST_P(EverySuite, OneVerifierServesManyThreads) {
    const KeyPair key = generate_key(GetParam());
    const auto signer = make_signer(key).value();
    const Verifier verifier = make_verifier(GetParam(), key.public_key).value();
    std::vector<std::thread> threads;
    std::array<int, 4> good{};
    for (std::size_t t = 0; t < good.size(); ++t) {
        threads.emplace_back([&, t] {
            for (std::uint8_t i = 0; i < 25; ++i) {
                const Bytes message(t * 50 + i, i);
                good[t] += verifier.verify(message, signer->sign(message).value()) ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, (std::array<int, 4>{25, 25, 25, 25}));
}

TEST(Signature, P256AcceptsBothPointFormsAndOnlyLowS) {
    const KeyPair key = generate_key(Suite::p256);
    const Bytes uncompressed = uncompressed_public_key(Suite::p256, key.public_key).value();
    ASSERT_EQ(uncompressed.size(), 65U);
    const Verifier verifier = make_verifier(Suite::p256, uncompressed).value();
    const Verifier foreign = make_verifier(Suite::p256, key.public_key, HighS::accept).value();
    EXPECT_TRUE(equal(verifier.public_key(), key.public_key));
    // n - s signs the same message in textbook ECDSA; here a signature has one form.
    const Bytes order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    const auto signer = make_signer(key).value();
    for (std::uint8_t i = 0; i < 40; ++i) {
        const Bytes message(1, i);
        Signature signature = signer->sign(message).value();
        EXPECT_TRUE(verifier.verify(message, signature));
        int borrow = 0;
        for (std::size_t at = 32; at-- > 0;) {
            const int difference = order[at] - signature[32 + at] - borrow;
            borrow = difference < 0 ? 1 : 0;
            signature[32 + at] = static_cast<std::uint8_t>(difference & 0xFF);
        }
        EXPECT_FALSE(verifier.verify(message, signature)) << "high s";
        EXPECT_TRUE(foreign.verify(message, signature));
    }
}

TEST(Signature, WhatIsNotAPublicKeyIsRefused) {
    struct Case {
        Suite suite;
        std::string_view key;
        std::string_view why;
    };
    const Case cases[] = {
        {Suite::ed25519, "", "empty"},
        {Suite::ed25519, "0100000000000000000000000000000000000000000000000000000000000000", "the neutral point"},
        {Suite::ed25519, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "order two"},
        {Suite::ed25519, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "y not below p"},
        {Suite::p256, "00", "the point at infinity"},
        {Suite::p256, "020000000000000000000000000000000000000000000000000000000000000001", "x of no point"},
        {Suite::p256,
         "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
         "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f6",
         "y off by one"},
        {Suite::p256,
         "076b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
         "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
         "the hybrid form"},
        {Suite::sm2, "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296ff", "34 bytes"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(make_verifier(c.suite, hex(c.key)).error().kind(), ErrorKind::invalid)
            << name_of(c.suite) << ": " << c.why;
    }
}

TEST(Signature, WhatIsNotAPrivateKeyIsRefused) {
    const std::string_view p256_order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    const std::string_view sm2_order_minus_one = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54122";
    EXPECT_FALSE(key_from_private(Suite::p256, hex(p256_order)).ok());
    EXPECT_FALSE(key_from_private(Suite::p256, Bytes(32, 0)).ok());
    EXPECT_FALSE(key_from_private(Suite::sm2, hex(sm2_order_minus_one)).ok());
    EXPECT_FALSE(key_from_private(Suite::ed25519, Bytes(31, 1)).ok());
}

TEST(Signature, SuitesHaveNamesAndNumbers) {
    for (const Suite suite : {Suite::ed25519, Suite::p256, Suite::sm2}) {
        EXPECT_EQ(parse_suite(name_of(suite)).value(), suite);
        EXPECT_EQ(suite_from_number(static_cast<std::uint64_t>(suite)).value(), suite);
    }
    EXPECT_FALSE(parse_suite("rsa").ok());
    EXPECT_FALSE(suite_from_number(0).ok());
    EXPECT_FALSE(suite_from_number(4).ok());
}

TEST(CoseKey, OtherTypesPrivatePartsAndStrayParametersAreRefused) {
    const std::string point = "5820d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    EXPECT_TRUE(decode_cose_key(hex("a301012006"
                                    "21" +
                                    point))
                    .ok());
    EXPECT_FALSE(decode_cose_key(hex("a301042006"
                                     "21" +
                                     point))
                     .ok())
        << "kty 4, symmetric";
    EXPECT_FALSE(decode_cose_key(hex("a301012007"
                                     "21" +
                                     point))
                     .ok())
        << "Ed448";
    EXPECT_FALSE(decode_cose_key(hex("a401012006"
                                     "21" +
                                     point + "23" + point))
                     .ok())
        << "a private part";
    EXPECT_FALSE(decode_cose_key(hex("a401010326"
                                     "2006"
                                     "21" +
                                     point))
                     .ok())
        << "alg";
    EXPECT_FALSE(decode_cose_key(hex("a301012006"
                                     "21" +
                                     point + "00"))
                     .ok())
        << "trailing bytes";
}

TEST(CoseKey, X25519) {
    const X25519KeyPair pair = generate_x25519();
    const CosePublicKey key = decode_cose_key(encode_cose_key(pair.public_key)).value();
    EXPECT_FALSE(key.suite.has_value());
    EXPECT_TRUE(equal(key.public_key, pair.public_key));
}

}  // namespace
}  // namespace jiaozi::crypto
