// Project Wycheproof (github.com/C2SP/wycheproof): AES-GCM, HMAC-SHA-256, X25519.
#include <jiaozi/crypto/aead.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/x25519.hpp>

#include "vectors.hpp"

namespace jiaozi::vectors {
namespace {

Bytes joined(const Bytes& left, const Bytes& right) {
    Bytes both = left;
    append(both, right);
    return both;
}

std::string id_of(const boost::json::object& test) {
    return "tcId " + std::to_string(test.at("tcId").as_int64()) + " " + text_of(test, "comment");
}

TEST(Wycheproof, AesGcm) {
    JZ_NEED_VECTORS("wycheproof");
    const auto file = read_json(vectors_folder / "aes_gcm_test.json");
    Count count("wycheproof aes_gcm");
    for (const auto& entry : file.at("testGroups").as_array()) {
        const auto& group = entry.as_object();
        const auto key_bits = group.at("keySize").as_int64();
        const auto nonce_bits = group.at("ivSize").as_int64();
        const auto tag_bits = group.at("tagSize").as_int64();
        const bool offered = key_bits == 256 && nonce_bits == 96 && tag_bits == 128;
        for (const auto& item : group.at("tests").as_array()) {
            const auto& test = item.as_object();
            const Bytes key = hex_of(test, "key");
            const Bytes nonce = hex_of(test, "iv");
            const Bytes sealed = joined(hex_of(test, "ct"), hex_of(test, "tag"));
            const auto opened = crypto::aes256_gcm_open(key, nonce, hex_of(test, "aad"), sealed);
            if (!offered) {
                count.not_offered(key_bits != 256 ? std::to_string(key_bits) + "-bit key"
                                                  : "256-bit key, nonce of another size than 96 bits");
                EXPECT_EQ(opened.error().kind(), ErrorKind::invalid) << id_of(test);
                continue;
            }
            const bool valid = text_of(test, "result") == "valid";
            bool good = opened.ok() == valid;
            if (valid && good) {
                const Bytes plain = hex_of(test, "msg");
                good = equal(opened->view(), plain) &&
                       crypto::aes256_gcm_seal(key, nonce, hex_of(test, "aad"), plain).value() == sealed;
            }
            count.expect(text_of(test, "result"), good, id_of(test));
        }
    }
}

TEST(Wycheproof, HmacSha256) {
    JZ_NEED_VECTORS("wycheproof");
    const auto file = read_json(vectors_folder / "hmac_sha256_test.json");
    Count count("wycheproof hmac_sha256");
    for (const auto& entry : file.at("testGroups").as_array()) {
        const auto& group = entry.as_object();
        const auto tag_size = static_cast<std::size_t>(group.at("tagSize").as_int64()) / 8;
        for (const auto& item : group.at("tests").as_array()) {
            const auto& test = item.as_object();
            const crypto::HmacKey key(hex_of(test, "key"));
            const Bytes message = hex_of(test, "msg");
            const Bytes tag = hex_of(test, "tag");
            const bool valid = text_of(test, "result") == "valid";
            const crypto::Digest computed = key.mac(message);
            const bool equal_tags = crypto::constant_time_equal(ByteView(computed).first(tag_size), tag);
            // verify() takes whole tags alone; a shortened one is refused whatever its bits.
            const bool verified = key.verify(message, tag);
            count.expect(text_of(test, "result") + (tag_size == 32 ? "" : ", tag shortened, refused by verify"),
                         equal_tags == valid && verified == (valid && tag_size == 32), id_of(test));
        }
    }
}

TEST(Wycheproof, X25519) {
    JZ_NEED_VECTORS("wycheproof");
    const auto file = read_json(vectors_folder / "x25519_test.json");
    Count count("wycheproof x25519");
    const Bytes zero(32, 0);
    for (const auto& entry : file.at("testGroups").as_array()) {
        for (const auto& item : entry.at("tests").as_array()) {
            const auto& test = item.as_object();
            const auto shared = crypto::x25519(hex_of(test, "private"), hex_of(test, "public"));
            const Bytes wanted = hex_of(test, "shared");
            // "acceptable" leaves twists and odd encodings to the implementation: RFC 7748 computes them, and an
            // all-zero result is the one that is refused.
            const std::string kind = text_of(test, "result") + (wanted == zero ? ", zero result, refused" : "");
            const bool good = wanted == zero ? !shared.ok() : shared.ok() && equal(shared->view(), wanted);
            count.expect(kind, good, id_of(test));
        }
    }
}

}  // namespace
}  // namespace jiaozi::vectors
