// ECDSA on P-256 with SHA-256 and SM2 with SM3, through OpenSSL's EVP. A context with key, digest and (SM2) user id is
// set up once per key and copied per operation: the set-up, which looks the algorithms up, costs more than the copy.
#include <algorithm>
#include <string>

#include <openssl/core_names.h>

#include "ec_curve.hpp"
#include "signature_impl.hpp"

namespace jiaozi::crypto {
namespace {

constexpr std::string_view sm2_user_id = "1234567812345678";

using Scalar = std::array<std::uint8_t, ec_scalar_size>;

constexpr Scalar p256_order = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
                               0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                               0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

// Big-endian halves and differences on fixed-size numbers; s is public, so nothing here need be constant time.
constexpr Scalar half(const Scalar& value) {
    Scalar result{};
    unsigned carry = 0;
    for (std::size_t i = 0; i < value.size(); ++i) {
        result[i] = static_cast<std::uint8_t>((value[i] >> 1) | (carry << 7));
        carry = value[i] & 1U;
    }
    return result;
}
constexpr Scalar p256_half_order = half(p256_order);

bool is_low(ByteView s) noexcept {
    return !std::ranges::lexicographical_compare(p256_half_order, s);
}

void negate(ByteSpan s) noexcept {
    unsigned borrow = 0;
    for (std::size_t i = s.size(); i-- > 0;) {
        const unsigned difference = 256U + p256_order[i] - s[i] - borrow;
        s[i] = static_cast<std::uint8_t>(difference & 0xFF);
        borrow = difference < 256 ? 1 : 0;
    }
}

// DER: SEQUENCE { INTEGER r, INTEGER s }. EVP wants it; two 33-byte integers with heads are 72 bytes at most.
struct DerSignature {
    std::array<std::uint8_t, 80> bytes{};
    std::size_t size = 0;
};

void put_integer(DerSignature& der, ByteView number) {
    while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
    const bool pad = (number[0] & 0x80) != 0;
    der.bytes[der.size++] = 0x02;
    der.bytes[der.size++] = static_cast<std::uint8_t>(number.size() + (pad ? 1 : 0));
    if (pad) der.bytes[der.size++] = 0;
    std::ranges::copy(number, der.bytes.begin() + static_cast<std::ptrdiff_t>(der.size));
    der.size += number.size();
}

DerSignature to_der(ByteView raw) {
    DerSignature der;
    der.size = 2;
    put_integer(der, raw.first(ec_scalar_size));
    put_integer(der, raw.last(ec_scalar_size));
    der.bytes[0] = 0x30;
    der.bytes[1] = static_cast<std::uint8_t>(der.size - 2);
    return der;
}

// Reads OpenSSL's own output, which is minimal DER of in-range numbers.
Signature from_der(ByteView der) {
    Signature raw{};
    std::size_t position = 2;
    for (const std::size_t end : {ec_scalar_size, 2 * ec_scalar_size}) {
        JZ_ASSERT(position + 2 <= der.size() && der[position] == 0x02);
        const std::size_t length = der[position + 1];
        JZ_ASSERT(position + 2 + length <= der.size());
        ByteView number = der.subspan(position + 2, length);
        position += 2 + length;
        if (number.size() > ec_scalar_size) number = number.last(ec_scalar_size);
        std::ranges::copy(number, raw.begin() + static_cast<std::ptrdiff_t>(end - number.size()));
    }
    return raw;
}

enum class Use { sign, verify };

// A context that is ready but for the message; it keeps its own reference to the key.
Result<DigestContext> prepare(Suite suite, EVP_PKEY* key, Use use) {
    DigestContext context(EVP_MD_CTX_new());
    const char* const digest = suite == Suite::sm2 ? "SM3" : "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
    std::string user_id(sm2_user_id);
    if (suite == Suite::sm2) {
        params[0] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DIST_ID, user_id.data(), user_id.size());
    }
    const auto init = use == Use::sign ? EVP_DigestSignInit_ex : EVP_DigestVerifyInit_ex;
    if (!context || init(context.get(), nullptr, digest, nullptr, nullptr, key, params) != 1) {
        return Error(ErrorKind::internal, "OpenSSL cannot set up suite " + std::string(name_of(suite)));
    }
    return context;
}

// The copy is made in a context that each thread keeps, which saves an allocation.
EVP_MD_CTX* copy_of(const DigestContext& prepared) noexcept {
    thread_local const DigestContext scratch(EVP_MD_CTX_new());
    if (!scratch || EVP_MD_CTX_copy_ex(scratch.get(), prepared.get()) != 1) return nullptr;
    return scratch.get();
}

class EcSigner final : public Signer {
  public:
    EcSigner(Suite suite, Bytes public_key, DigestContext prepared)
        : suite_(suite), public_key_(std::move(public_key)), prepared_(std::move(prepared)) {}
    Suite suite() const noexcept override { return suite_; }
    ByteView public_key() const noexcept override { return public_key_; }
    Result<Signature> sign(ByteView message) const override {
        const ErrorMark mark;
        EVP_MD_CTX* const context = copy_of(prepared_);
        DerSignature der;
        std::size_t size = der.bytes.size();
        if (context == nullptr ||
            EVP_DigestSign(context, der.bytes.data(), &size, message.data(), message.size()) != 1) {
            return Error(ErrorKind::internal, "OpenSSL failed to sign with suite " + std::string(name_of(suite_)));
        }
        Signature raw = from_der(ByteView(der.bytes).first(size));
        if (suite_ == Suite::p256) make_low_s(raw);
        return raw;
    }

  private:
    Suite suite_;
    Bytes public_key_;
    DigestContext prepared_;
};

class EcVerifier final : public Verifier::Impl {
  public:
    EcVerifier(Suite suite, Bytes public_key, DigestContext prepared, HighS high_s)
        : Impl(suite, std::move(public_key)),
          prepared_(std::move(prepared)),
          low_s_only_(suite == Suite::p256 && high_s == HighS::refuse) {}
    bool verify(ByteView message, ByteView signature) const noexcept override {
        if (signature.size() != signature_size) return false;
        if (low_s_only_ && !is_low(signature.last(ec_scalar_size))) return false;
        const ErrorMark mark;
        EVP_MD_CTX* const context = copy_of(prepared_);
        if (context == nullptr) return false;
        const DerSignature der = to_der(signature);
        return EVP_DigestVerify(context, der.bytes.data(), der.size, message.data(), message.size()) == 1;
    }

  private:
    DigestContext prepared_;
    bool low_s_only_;
};

}  // namespace

void make_low_s(Signature& signature) noexcept {
    const ByteSpan s = std::span(signature).last<ec_scalar_size>();
    if (!is_low(s)) negate(s);
}

Result<std::unique_ptr<Signer>> make_ec_signer(const KeyPair& key) {
    JZ_TRY(const PKey evp, ec_evp_key(key.suite, key.public_key, key.private_key.view()));
    JZ_TRY(DigestContext prepared, prepare(key.suite, evp.get(), Use::sign));
    return std::unique_ptr<Signer>(std::make_unique<EcSigner>(key.suite, key.public_key, std::move(prepared)));
}

Result<std::shared_ptr<const Verifier::Impl>> make_ec_verifier(Suite suite, ByteView public_key, HighS high_s) {
    JZ_TRY(Bytes canonical, canonical_public_key(suite, public_key));
    JZ_TRY(const PKey evp, ec_evp_key(suite, canonical, {}));
    JZ_TRY(DigestContext prepared, prepare(suite, evp.get(), Use::verify));
    return std::shared_ptr<const Verifier::Impl>(
        std::make_shared<const EcVerifier>(suite, std::move(canonical), std::move(prepared), high_s));
}

}  // namespace jiaozi::crypto
