#include <algorithm>
#include <string>
#include <vector>

#include <sodium.h>

#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/ed25519/ed25519.h>

#include "ec_curve.hpp"
#include "signature_impl.hpp"
#include "sodium_ready.hpp"

namespace jiaozi::crypto {
namespace {

constexpr std::size_t seed_size = 32;

Error not_ed25519(std::string_view which) {
    return Error(ErrorKind::invalid, "not an Ed25519 " + std::string(which) + ": expected 32 bytes that are one")
        .with_param(which);
}

class Ed25519Signer final : public Signer {
  public:
    explicit Ed25519Signer(const KeyPair& key) {
        std::ranges::copy(key.private_key.view(), expanded_.mutable_view().begin());
        std::ranges::copy(key.public_key, expanded_.mutable_view().begin() + seed_size);
    }
    Suite suite() const noexcept override { return Suite::ed25519; }
    ByteView public_key() const noexcept override { return expanded_.view().last(crypto_sign_PUBLICKEYBYTES); }
    Result<Signature> sign(ByteView message) const override {
        Signature signature;
        crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), expanded_.view().data());
        return signature;
    }

  private:
    Secret<crypto_sign_SECRETKEYBYTES> expanded_;  // seed || public key, as libsodium has it
};

struct FreeKey {
    void operator()(jz_ed25519_key* key) const noexcept { jz_ed25519_key_free(key); }
};
using Ed25519Key = std::unique_ptr<jz_ed25519_key, FreeKey>;

class Ed25519Verifier final : public Verifier::Impl {
  public:
    Ed25519Verifier(Bytes public_key, Ed25519Key key)
        : Impl(Suite::ed25519, std::move(public_key)), key_(std::move(key)) {}
    bool verify(ByteView message, ByteView signature) const noexcept override {
        jz_ed25519_check one = check(message, signature);
        jz_ed25519_verify(&one);
        return one.good;
    }
    jz_ed25519_check check(ByteView message, ByteView signature) const noexcept {
        return {key_.get(), message.data(), message.size(), signature.data(), signature.size(), false};
    }

  private:
    Ed25519Key key_;
};

Result<Ed25519Key> check_ed25519_public(ByteView public_key) {
    if (public_key.size() != crypto_sign_PUBLICKEYBYTES) return not_ed25519("public_key");
    Ed25519Key key(jz_ed25519_key_new(public_key.data()));
    if (!key) return not_ed25519("public_key");
    return key;
}

}  // namespace

std::string_view name_of(Suite suite) noexcept {
    switch (suite) {
        case Suite::ed25519:
            return "ed25519";
        case Suite::p256:
            return "p256";
        case Suite::sm2:
            return "sm2";
    }
    return "unknown";
}

Result<Suite> parse_suite(std::string_view name) {
    for (const Suite suite : {Suite::ed25519, Suite::p256, Suite::sm2}) {
        if (name_of(suite) == name) return suite;
    }
    return Error(ErrorKind::invalid, "unknown signature suite; choose ed25519, p256 or sm2").with_param("suite");
}

Result<Suite> suite_from_number(std::uint64_t number) {
    if (number < 1 || number > 3) {
        return Error(ErrorKind::invalid, "unknown signature suite; 1 is ed25519, 2 p256, 3 sm2").with_param("suite");
    }
    return static_cast<Suite>(number);
}

KeyPair generate_key(Suite suite) {
    while (true) {
        const SecretBytes candidate = SecretBytes::random(seed_size);
        // A random scalar is out of range once in 2^32 for P-256 and SM2: then another is drawn.
        auto key = key_from_private(suite, candidate.view());
        if (key.ok()) return std::move(key).value();
    }
}

Result<KeyPair> key_from_private(Suite suite, ByteView private_key) {
    KeyPair key{.suite = suite, .private_key = SecretBytes(private_key), .public_key = {}};
    if (suite != Suite::ed25519) {
        JZ_TRY(key.public_key, ec_public_from_private(suite, private_key));
        return key;
    }
    if (private_key.size() != seed_size) return not_ed25519("private_key");
    require_sodium();
    Secret<crypto_sign_SECRETKEYBYTES> expanded;
    key.public_key.resize(crypto_sign_PUBLICKEYBYTES);
    crypto_sign_seed_keypair(key.public_key.data(), expanded.mutable_view().data(), private_key.data());
    return key;
}

Result<Bytes> canonical_public_key(Suite suite, ByteView public_key) {
    if (suite == Suite::ed25519) {
        JZ_CHECK(check_ed25519_public(public_key));
        return to_bytes(public_key);
    }
    return ec_convert_point(suite, public_key, POINT_CONVERSION_COMPRESSED);
}

Result<Bytes> uncompressed_public_key(Suite suite, ByteView public_key) {
    if (suite == Suite::ed25519) return Error(ErrorKind::invalid, "Ed25519 keys have one form").with_param("suite");
    return ec_convert_point(suite, public_key, POINT_CONVERSION_UNCOMPRESSED);
}

Result<std::unique_ptr<Signer>> make_signer(const KeyPair& key) {
    JZ_TRY(const KeyPair derived, key_from_private(key.suite, key.private_key.view()));
    JZ_TRY(const Bytes claimed, canonical_public_key(key.suite, key.public_key));
    // Signing with a public key that is not the private key's can reveal the private key (Ed25519).
    if (derived.public_key != claimed) {
        return Error(ErrorKind::invalid, "the public key does not belong to the private key").with_param("public_key");
    }
    if (key.suite != Suite::ed25519) return make_ec_signer(derived);
    return std::unique_ptr<Signer>(std::make_unique<Ed25519Signer>(derived));
}

Suite Verifier::suite() const noexcept {
    return impl_->suite();
}
ByteView Verifier::public_key() const noexcept {
    return impl_->public_key();
}
bool Verifier::verify(ByteView message, ByteView signature) const noexcept {
    return impl_->verify(message, signature);
}

Result<Verifier> make_verifier(Suite suite, ByteView public_key, HighS high_s) {
    if (suite != Suite::ed25519) {
        JZ_TRY(auto impl, make_ec_verifier(suite, public_key, high_s));
        return Verifier(std::move(impl));
    }
    JZ_TRY(Ed25519Key key, check_ed25519_public(public_key));
    return Verifier(std::make_shared<const Ed25519Verifier>(to_bytes(public_key), std::move(key)));
}

void verify_all(std::span<SignatureCheck> checks) {
    std::vector<jz_ed25519_check> together;
    together.reserve(checks.size());
    for (SignatureCheck& check : checks) {
        if (check.verifier->suite() == Suite::ed25519) {
            const auto& impl = static_cast<const Ed25519Verifier&>(*check.verifier->impl_);
            together.push_back(impl.check(check.message, check.signature));
        } else {
            check.good = check.verifier->verify(check.message, check.signature);
        }
    }
    jz_ed25519_verify_many(together.data(), together.size());
    auto answer = together.begin();
    for (SignatureCheck& check : checks) {
        if (check.verifier->suite() == Suite::ed25519) check.good = (answer++)->good;
    }
}

}  // namespace jiaozi::crypto
