#include <gtest/gtest.h>

#include <jiaozi/crypto/aead.hpp>

namespace jiaozi::crypto {
namespace {

Bytes hex(std::string_view text) {
    return from_hex(text).value();
}

// RFC 8439, section 2.8.2.
TEST(ChaCha20Poly1305, SealsAsTheRfcsExample) {
    const Bytes key = hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    const Bytes nonce = hex("070000004041424344454647");
    const Bytes aad = hex("50515253c0c1c2c3c4c5c6c7");
    const std::string_view text =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would "
        "be "
        "it.";
    const Bytes sealed = chacha20_poly1305_seal(key, nonce, aad, as_bytes(text)).value();
    EXPECT_EQ(to_hex(sealed),
              "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a"
              "9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9d"
              "e576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691");
    EXPECT_EQ(as_text(chacha20_poly1305_open(key, nonce, aad, sealed)->view()), text);
}

TEST(ChaCha20Poly1305, RefusesWhatWasChanged) {
    const Bytes key(32, 1);
    const Bytes nonce(12, 2);
    Bytes sealed = chacha20_poly1305_seal(key, nonce, {}, as_bytes("note")).value();
    EXPECT_FALSE(chacha20_poly1305_open(key, nonce, as_bytes("other"), sealed).ok());
    EXPECT_FALSE(chacha20_poly1305_open(key, nonce, {}, ByteView(sealed).first(3)).ok());
    EXPECT_FALSE(chacha20_poly1305_seal(ByteView(key).first(16), nonce, {}, {}).ok());
    sealed[0] ^= 1;
    EXPECT_FALSE(chacha20_poly1305_open(key, nonce, {}, sealed).ok());
}

}  // namespace
}  // namespace jiaozi::crypto
