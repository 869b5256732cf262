// Our own vectors of the strict verification rule (tests/vectors/strict, docs/crypto.md): every verifier of the project
// gives the answers that stand in the file. Others' vectors are in wycheproof_signature_test.cpp.
#include <jiaozi/crypto/signature.hpp>

#include "vectors.hpp"

namespace jiaozi::vectors {
namespace {

TEST(StrictSignatures, TheVerifiersOfCryptoFollowTheRule) {
    const auto file = read_json(std::filesystem::path(JIAOZI_SOURCE_DIR) / "tests/vectors/strict/signatures.json");
    std::cout << "strict vectors: seed " << file.at("seed").as_int64() << '\n';
    for (const auto& entry : file.at("groups").as_array()) {
        const auto& group = entry.as_object();
        const auto suite = crypto::parse_suite(text_of(group, "suite"));
        ASSERT_TRUE(suite.ok());
        Count count("strict " + text_of(group, "suite"));
        for (const auto& item : group.at("tests").as_array()) {
            const auto& test = item.as_object();
            const std::string id = std::to_string(test.at("id").as_int64()) + " " + text_of(test, "comment");
            const auto verifier = crypto::make_verifier(*suite, hex_of(test, "key"));
            count.expect("keys", verifier.ok() == test.at("key_valid").as_bool(), id);
            const bool accepted = verifier.ok() && verifier->verify(hex_of(test, "message"), hex_of(test, "signature"));
            const bool valid = test.at("valid").as_bool();
            count.expect(valid ? "valid" : "to be refused", accepted == valid, id);
        }
    }
}

}  // namespace
}  // namespace jiaozi::vectors
