// FIPS 180-4 examples, RFC 4231, RFC 5869 appendix A, GB/T 32905 (SM3), GB/T 32907 (SM4), GB/T 32918.5 (SM2), RFC 7748.
#include <random>
#include <set>

#include <gtest/gtest.h>

#include <jiaozi/base/id.hpp>
#include <jiaozi/crypto/aead.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/crypto/x25519.hpp>

namespace jiaozi::crypto {
namespace {

Bytes hex(std::string_view text) {
    return from_hex(text).value();
}
Bytes text(std::string_view characters) {
    return to_bytes(as_bytes(characters));
}

TEST(Sha256, Fips180Examples) {
    EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(sha256(text("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha256(text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    const Bytes thousand(1000, 'a');
    Sha256 million;
    for (int i = 0; i < 1000; ++i) million.update(thousand);
    EXPECT_EQ(to_hex(million.finish()), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sm3, GbT32905Examples) {
    EXPECT_EQ(to_hex(sm3(text("abc"))), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    Sm3 parts;
    for (int i = 0; i < 16; ++i) parts.update(text("abcd"));
    EXPECT_EQ(to_hex(parts.finish()), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
}

struct MacRow {
    std::string key;
    std::string data;
    std::string_view tag;
};

TEST(Hmac, Rfc4231) {
    const MacRow rows[] = {
        {to_hex(Bytes(20, 0x0b)), to_hex(text("Hi There")),
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {to_hex(text("Jefe")), to_hex(text("what do ya want for nothing?")),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {to_hex(Bytes(20, 0xaa)), to_hex(Bytes(50, 0xdd)),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {"0102030405060708090a0b0c0d0e0f10111213141516171819", to_hex(Bytes(50, 0xcd)),
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {to_hex(Bytes(20, 0x0c)), to_hex(text("Test With Truncation")), "a3b6167473100ee06e0c796c2955552b"},
        {to_hex(Bytes(131, 0xaa)), to_hex(text("Test Using Larger Than Block-Size Key - Hash Key First")),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {to_hex(Bytes(131, 0xaa)),
         to_hex(text("This is a test using a larger than block-size key and a larger than block-size data. "
                     "The key needs to be hashed before being used by the HMAC algorithm.")),
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };
    for (const MacRow& row : rows) {
        const HmacKey key(hex(row.key));
        const Digest tag = key.mac(hex(row.data));
        EXPECT_EQ(to_hex(tag).substr(0, row.tag.size()), row.tag);
        EXPECT_TRUE(key.verify(hex(row.data), tag));
        EXPECT_FALSE(key.verify(hex(row.data), ByteView(tag).first(31)));
        EXPECT_EQ(hmac_sha256(hex(row.key), hex(row.data)), tag);
    }
}

TEST(Hkdf, Rfc5869) {
    EXPECT_EQ(
        to_hex(hkdf_sha256(Bytes(22, 0x0b), hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"), 42).view()),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    Bytes input;
    Bytes salt;
    Bytes info;
    for (unsigned i = 0; i < 80; ++i) {
        input.push_back(static_cast<std::uint8_t>(i));
        salt.push_back(static_cast<std::uint8_t>(0x60 + i));
        info.push_back(static_cast<std::uint8_t>(0xb0 + i));
    }
    EXPECT_EQ(to_hex(hkdf_sha256(input, salt, info, 82).view()),
              "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
              "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
    EXPECT_EQ(to_hex(hkdf_sha256(Bytes(22, 0x0b), {}, {}, 42).view()),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Sm4, GbT32907Example) {
    // The standard's example is one block; in CTR mode the key stream is the encryption of the counter, so encrypting
    // zeros under the counter gives the block cipher's output.
    const Bytes block = hex("0123456789abcdeffedcba9876543210");
    EXPECT_EQ(to_hex(sm4_ctr(block, block, Bytes(16, 0)).value()), "681edf34d206965e86b3e94f536e4246");
    // draft-ribose-cfrg-sm4, appendix A.2, the first example for CTR.
    const Bytes plain =
        hex("aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
            "eeeeeeeeeeeeeeeeffffffffffffffffaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb");
    const Bytes counter = hex("000102030405060708090a0b0c0d0e0f");
    const Bytes cipher = sm4_ctr(block, counter, plain).value();
    EXPECT_EQ(to_hex(cipher),
              "ac3236cb970cc20791364c395a1342d1a3cbc1878c6f30cd074cce385cdd70c7"
              "f234bc0e24c11980fd1286310ce37b926e02fcd0faa0baf38b2933851d824514");
    EXPECT_EQ(sm4_ctr(block, counter, cipher).value(), plain);
    EXPECT_EQ(sm4_ctr(Bytes(15), counter, plain).error().param(), "key");
    EXPECT_EQ(sm4_ctr(block, Bytes(12), plain).error().param(), "counter");
}

TEST(Sm2, GbT32918Part5Example) {
    const Bytes message = text("message digest");
    const KeyPair key =
        key_from_private(Suite::sm2, hex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")).value();
    const std::string point =
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
    EXPECT_EQ(to_hex(uncompressed_public_key(Suite::sm2, key.public_key).value()), "04" + point);
    const Verifier verifier = make_verifier(Suite::sm2, hex("04" + point)).value();
    EXPECT_TRUE(verifier.verify(message, hex("f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
                                             "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa")));
}

TEST(Aead, SealsAndOpens) {
    const SecretBytes key = SecretBytes::random(aes256_key_size);
    const Bytes nonce(gcm_nonce_size, 1);
    for (const std::size_t size : {0U, 1U, 16U, 1000U}) {
        const Bytes plain(size, 0x5A);
        Bytes sealed = aes256_gcm_seal(key.view(), nonce, text("header"), plain).value();
        EXPECT_EQ(sealed.size(), size + gcm_tag_size);
        EXPECT_TRUE(equal(aes256_gcm_open(key.view(), nonce, text("header"), sealed).value().view(), plain));
        EXPECT_EQ(aes256_gcm_open(key.view(), nonce, {}, sealed).error().kind(), ErrorKind::unauthenticated);
        sealed[size / 2] ^= 1;
        EXPECT_EQ(aes256_gcm_open(key.view(), nonce, text("header"), sealed).error().kind(),
                  ErrorKind::unauthenticated);
    }
    EXPECT_EQ(aes256_gcm_open(key.view(), nonce, {}, Bytes(15)).error().kind(), ErrorKind::unauthenticated);
    EXPECT_EQ(aes256_gcm_seal(Bytes(16), nonce, {}, {}).error().param(), "key");
    EXPECT_EQ(aes256_gcm_seal(key.view(), Bytes(16), {}, {}).error().param(), "nonce");
}

TEST(X25519, Rfc7748AndAgreement) {
    const Bytes alice(32, 0x77);
    const auto pair = x25519_from_private(alice).value();
    const X25519KeyPair other = generate_x25519();
    EXPECT_TRUE(equal(x25519(pair.private_key.view(), other.public_key).value().view(),
                      x25519(other.private_key.view(), pair.public_key).value().view()));
    EXPECT_EQ(to_hex(x25519(hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                            hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"))
                         .value()
                         .view()),
              "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    EXPECT_EQ(x25519(alice, Bytes(32, 0)).error().kind(), ErrorKind::invalid);
    EXPECT_EQ(x25519(alice, Bytes(31, 9)).error().param(), "peer_public_key");
    EXPECT_EQ(x25519(Bytes(33, 9), Bytes(32, 9)).error().param(), "private_key");
}

TEST(Secret, IsWipedMovedAndCompared) {
    SecretBytes secret(text("pin 1234"));
    SecretBytes moved = std::move(secret);
    EXPECT_EQ(as_text(moved.view()), "pin 1234");
    EXPECT_TRUE(secret.empty());  // NOLINT(bugprone-use-after-move): the moved-from state is documented
    Bytes source = text("again");
    const SecretBytes absorbed = SecretBytes::absorb(source);
    EXPECT_TRUE(source.empty());
    EXPECT_TRUE(constant_time_equal(absorbed.view(), text("again")));
    EXPECT_FALSE(constant_time_equal(absorbed.view(), text("agaim")));
    EXPECT_FALSE(constant_time_equal(absorbed.view(), text("agai")));
    EXPECT_TRUE(constant_time_equal({}, {}));
}

struct PaymentTag {
    static constexpr std::string_view prefix = "pay";
};

TEST(NewId, CarriesTheTimeAndDiffersEachTime) {
    TestClock clock(Timestamp{1'700'000'000'123'000'000});
    std::set<Id<PaymentTag>> ids;
    for (int i = 0; i < 1000; ++i) ids.insert(new_id<Id<PaymentTag>>(clock));
    EXPECT_EQ(ids.size(), 1000U);
    EXPECT_TRUE(ids.begin()->to_string().starts_with("pay_"));
    for (const auto& id : ids) EXPECT_EQ(high64(id.value) >> 16, 1'700'000'000'123U);
    clock.advance(milliseconds(1));
    EXPECT_GT(new_id<Id<PaymentTag>>(clock), *ids.rbegin());
}

}  // namespace
}  // namespace jiaozi::crypto
