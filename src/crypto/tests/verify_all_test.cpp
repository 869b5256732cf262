// Many signatures at once must say of each what its check alone says, and that is libsodium's word: it verifies by the
// same rule, written by others. One exception is ours: keys with a part of small order are refused when they are read.
#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sodium.h>

#include <jiaozi/crypto/signature.hpp>

namespace jiaozi::crypto {
namespace {

using Point = std::array<std::uint8_t, 32>;
using Scalar = std::array<std::uint8_t, 32>;

// Of order 8, and its negative (RFC 8032's curve has eight points of small order).
constexpr std::string_view order_eight = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
constexpr std::string_view minus_order_eight = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa";
constexpr std::string_view order_two = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
constexpr std::string_view group_order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

Point point(std::string_view text) {
    Point out{};
    std::ranges::copy(from_hex(text).value(), out.begin());
    return out;
}

Scalar reduce(const std::array<std::uint8_t, 64>& wide) {
    Scalar out{};
    crypto_core_ed25519_scalar_reduce(out.data(), wide.data());
    return out;
}

// Signs with R + `torsion` in place of R: good by the equation with the cofactor, bad by the one without.
Signature sign_with_torsion(const KeyPair& key, ByteView message, const Point& torsion) {
    std::array<std::uint8_t, 64> hash{};
    crypto_hash_sha512(hash.data(), key.private_key.view().data(), 32);
    std::array<std::uint8_t, 64> wide{};
    std::copy_n(hash.begin(), 32, wide.begin());
    wide[0] &= 248;
    wide[31] = static_cast<std::uint8_t>((wide[31] & 127) | 64);
    const Scalar a = reduce(wide);
    randombytes_buf(wide.data(), wide.size());
    const Scalar r = reduce(wide);
    Point plain{};
    Point big_r{};
    EXPECT_EQ(crypto_scalarmult_ed25519_base_noclamp(plain.data(), r.data()), 0);
    EXPECT_EQ(crypto_core_ed25519_add(big_r.data(), plain.data(), torsion.data()), 0);
    Bytes hashed = to_bytes(ByteView(big_r));
    hashed.insert(hashed.end(), key.public_key.begin(), key.public_key.end());
    hashed.insert(hashed.end(), message.begin(), message.end());
    crypto_hash_sha512(wide.data(), hashed.data(), hashed.size());
    const Scalar k = reduce(wide);
    Scalar s{};
    crypto_core_ed25519_scalar_mul(s.data(), k.data(), a.data());
    crypto_core_ed25519_scalar_add(s.data(), s.data(), r.data());
    Signature signature{};
    std::ranges::copy(big_r, signature.begin());
    std::ranges::copy(s, signature.begin() + 32);
    return signature;
}

bool libsodium_says(ByteView key, ByteView message, ByteView signature) {
    return signature.size() == signature_size &&
           crypto_sign_verify_detached(signature.data(), message.data(), message.size(), key.data()) == 0;
}

struct Signed {
    std::size_t key = 0;
    Bytes message;
    Bytes signature;
};

class Company {
  public:
    Company(std::size_t keys, std::size_t count, std::uint64_t seed) : random_(seed) {
        for (std::size_t i = 0; i < keys; ++i) {
            keys_.push_back(generate_key(Suite::ed25519));
            verifiers_.push_back(make_verifier(Suite::ed25519, keys_.back().public_key).value());
        }
        for (std::size_t i = 0; i < count; ++i) {
            Signed one{i % keys, Bytes(below(300)), {}};
            randombytes_buf(one.message.data(), one.message.size());
            one.signature = to_bytes(make_signer(keys_[one.key]).value()->sign(one.message).value());
            all_.push_back(std::move(one));
        }
    }
    std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
    std::size_t size() const { return all_.size(); }
    Signed& at(std::size_t i) { return all_[i]; }
    const KeyPair& key_of(const Signed& one) const { return keys_[one.key]; }
    std::size_t keys() const { return keys_.size(); }

    // One of the ways in which a signature goes bad, or is made bad on purpose.
    std::string damage(Signed& one) {
        switch (below(10)) {
            case 0:
                one.signature[below(32)] ^= static_cast<std::uint8_t>(1U << below(8));
                return "a bit of R";
            case 1:
                one.signature[32 + below(32)] ^= static_cast<std::uint8_t>(1U << below(8));
                return "a bit of s";
            case 2:
                one.message.push_back(0);
                return "a longer message";
            case 3:
                one.signature.pop_back();
                return "63 bytes";
            case 4:
                add_group_order(one.signature);
                return "s plus the group order";
            case 5:
                one.signature = to_bytes(sign_with_torsion(key_of(one), one.message, point(order_eight)));
                return "R with a part of order 8";
            case 6:
                one.signature = to_bytes(sign_with_torsion(key_of(one), one.message, point(order_two)));
                return "R with a part of order 2";
            case 7:
                std::ranges::copy(point(order_two), one.signature.begin());
                return "R of order 2";
            case 8:
                std::fill_n(one.signature.begin(), 31, std::uint8_t{0xFF});  // y = p + 18
                one.signature[31] = 0x7F;
                return "R not canonical";
            default:
                one.signature.assign(64, 0);
                one.signature[0] = 1;  // R and s zero
                return "R the identity";
        }
    }

    void expect_same_answers(const std::string& what) {
        std::vector<SignatureCheck> checks;
        for (const Signed& one : all_) checks.push_back({&verifiers_[one.key], one.message, one.signature, true});
        verify_all(checks);
        for (std::size_t i = 0; i < all_.size(); ++i) {
            const Signed& one = all_[i];
            const bool expected = libsodium_says(key_of(one).public_key, one.message, one.signature);
            EXPECT_EQ(checks[i].good, expected) << what << ", number " << i;
            EXPECT_EQ(verifiers_[one.key].verify(one.message, one.signature), expected) << what << ", number " << i;
        }
    }

  private:
    static void add_group_order(Bytes& signature) {
        unsigned carry = 0;
        for (std::size_t i = 0; i < 32; ++i) {
            carry += signature[32 + i] + static_cast<unsigned>(point(group_order)[i]);
            signature[32 + i] = static_cast<std::uint8_t>(carry);
            carry >>= 8;
        }
    }
    std::mt19937_64 random_;
    std::vector<KeyPair> keys_;
    std::vector<Verifier> verifiers_;
    std::vector<Signed> all_;
};

std::uint64_t seed_of_this_run() {
    static const std::uint64_t seed = std::random_device{}();
    testing::Test::RecordProperty("seed", std::to_string(seed));
    return seed;
}

struct Case {
    std::size_t signatures;
    std::size_t keys;
    std::size_t bad;
};

class ManySignatures : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Sizes, ManySignatures,
                         testing::Values(Case{0, 1, 0}, Case{1, 1, 0}, Case{1, 1, 1}, Case{95, 95, 3}, Case{96, 96, 0},
                                         Case{96, 1, 1}, Case{97, 97, 97}, Case{300, 300, 0}, Case{300, 20, 1},
                                         Case{500, 50, 5}, Case{700, 700, 40}, Case{512, 64, 512}),
                         [](const auto& one) {
                             return std::to_string(one.param.signatures) + "Of" + std::to_string(one.param.keys) +
                                    "KeysWith" + std::to_string(one.param.bad) + "Bad";
                         });

TEST_P(ManySignatures, AreJudgedAsEachAlone) {
    const std::uint64_t seed = seed_of_this_run();
    Company company(GetParam().keys, GetParam().signatures, seed);
    std::string what = "seed " + std::to_string(seed);
    for (std::size_t i = 0; i < GetParam().bad; ++i) {
        const std::size_t at = company.below(company.size());
        what += ", " + company.damage(company.at(at)) + " at " + std::to_string(at);
    }
    company.expect_same_answers(what);
}

// The batch equation alone would take a pair of these: the parts of small order add up to nothing.
TEST(ManySignatures, PartsOfSmallOrderThatCancelAreFound) {
    for (int attempt = 0; attempt < 20; ++attempt) {
        Company company(128, 128, seed_of_this_run() + static_cast<std::uint64_t>(attempt));
        Signed& one = company.at(17);
        Signed& other = company.at(90);
        one.signature = to_bytes(sign_with_torsion(company.key_of(one), one.message, point(order_eight)));
        other.signature = to_bytes(sign_with_torsion(company.key_of(other), other.message, point(minus_order_eight)));
        ASSERT_FALSE(libsodium_says(company.key_of(one).public_key, one.message, one.signature));
        company.expect_same_answers("attempt " + std::to_string(attempt));
    }
}

// The helper signs well when there is nothing of small order in it: what the tests above refuse is the torsion.
TEST(ManySignatures, TheHelperSignsWellWithoutTorsion) {
    Point identity{};
    identity[0] = 1;
    const KeyPair key = generate_key(Suite::ed25519);
    const Signature signature = sign_with_torsion(key, as_bytes("noodles"), identity);
    EXPECT_TRUE(make_verifier(Suite::ed25519, key.public_key).value().verify(as_bytes("noodles"), signature));
}

TEST(ManySignatures, SuitesMayBeMixed) {
    std::vector<Verifier> verifiers;
    std::vector<Signature> signatures;
    const ByteView message = as_bytes("one bao, one tea");
    for (int i = 0; i < 120; ++i) {
        const auto suite = static_cast<Suite>(1 + i % 3);
        const KeyPair key = generate_key(suite);
        verifiers.push_back(make_verifier(suite, key.public_key).value());
        signatures.push_back(make_signer(key).value()->sign(message).value());
    }
    signatures[3][50] ^= 1;
    signatures[4][50] ^= 1;
    std::vector<SignatureCheck> checks;
    for (std::size_t i = 0; i < verifiers.size(); ++i) checks.push_back({&verifiers[i], message, signatures[i]});
    verify_all(checks);
    for (std::size_t i = 0; i < checks.size(); ++i) EXPECT_EQ(checks[i].good, i != 3 && i != 4) << i;
}

}  // namespace
}  // namespace jiaozi::crypto
