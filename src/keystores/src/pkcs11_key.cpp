#include <algorithm>
#include <mutex>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/keystores/pkcs11_key.hpp>

#include "pkcs11_module.hpp"

namespace jiaozi::keystores {
namespace {

constexpr std::array<std::uint8_t, 10> p256_oid = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr std::array<std::uint8_t, 5> ed25519_oid = {0x06, 0x03, 0x2B, 0x65, 0x70};
// PKCS#11 3.0 lets a token name the curve in words too: PrintableString "edwards25519".
constexpr std::array<std::uint8_t, 14> ed25519_name = {0x13, 0x0C, 'e', 'd', 'w', 'a', 'r',
                                                       'd',  's',  '2', '5', '5', '1', '9'};

struct Mechanisms {
    CK_KEY_TYPE type;
    CK_MECHANISM_TYPE generate;
    CK_MECHANISM_TYPE sign;
    ByteView curve;
};

Result<Mechanisms> mechanisms_of(crypto::Suite suite) {
    switch (suite) {
        case crypto::Suite::p256:
            return Mechanisms{CKK_EC, CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, p256_oid};
        case crypto::Suite::ed25519:
            return Mechanisms{CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EDDSA, ed25519_oid};
        case crypto::Suite::sm2:
            break;
    }
    return Error(ErrorKind::invalid, "PKCS#11 has no mechanism for SM2; use p256 or ed25519").with_param("suite");
}

// CKA_EC_POINT is the point in a DER octet string; some tokens leave the wrapping off.
Result<Bytes> public_key_from(crypto::Suite suite, ByteView point) {
    const std::size_t size = suite == crypto::Suite::ed25519 ? 32 : 65;
    if (point.size() == size + 2 && point[0] == 0x04 && point[1] == size) point = point.subspan(2);
    return crypto::canonical_public_key(suite, point);
}

class Pkcs11Key final : public PurseKey {
  public:
    Pkcs11Key(Pkcs11Location location, crypto::SecretBytes pin)
        : location_(std::move(location)), pin_(std::move(pin)) {}

    Result<void> open() {
        const std::scoped_lock lock(mutex_);
        JZ_CHECK(connect());
        JZ_CHECK(check_key());
        return read_public_key();
    }

    crypto::Suite suite() const noexcept override { return suite_; }
    ByteView public_key() const noexcept override { return public_key_; }
    Assurance assurance() const noexcept override { return Assurance::a1; }
    MonotonicCounter* counter() noexcept override { return nullptr; }

    Result<crypto::Signature> sign(ByteView message) const override {
        const std::scoped_lock lock(mutex_);
        auto signature = sign_once(message);
        if (signature.ok() || signature.error().kind() != ErrorKind::unavailable) return signature;
        session_.reset();
        return sign_once(message);
    }

  private:
    Result<void> connect() const {
        if (session_ != nullptr) return {};
        JZ_TRY(auto session, Pkcs11Session::open(location_.module, location_.token, pin_));
        Attributes wanted;
        wanted.number(CKA_CLASS, CKO_PRIVATE_KEY).bytes(CKA_LABEL, as_bytes(location_.key));
        JZ_TRY(const auto found, session->find(std::move(wanted)));
        if (found.empty()) {
            return Error(ErrorKind::not_found,
                         "the token " + location_.token + " has no key labelled '" + location_.key + "'");
        }
        if (found.size() > 1) {
            return Error(ErrorKind::conflict,
                         "the token has several keys labelled '" + location_.key + "'; rename all but one");
        }
        key_ = found.front();
        session_ = std::move(session);
        return {};
    }

    // A key that was outside once, or can be, is no better than a file.
    Result<void> check_key() const {
        for (const auto& [attribute, wanted] :
             {std::pair(CKA_SENSITIVE, true), std::pair(CKA_ALWAYS_SENSITIVE, true),
              std::pair(CKA_NEVER_EXTRACTABLE, true), std::pair(CKA_LOCAL, true), std::pair(CKA_EXTRACTABLE, false)}) {
            JZ_TRY(const bool is, session_->flag(key_, attribute));
            if (is == wanted) continue;
            return Error(ErrorKind::forbidden,
                         "the key '" + location_.key + "' was imported or can be read out; make a new one in the token")
                .with_code("key_may_leave");
        }
        return {};
    }

    Result<void> read_public_key() {
        JZ_TRY(const Bytes curve, session_->value(key_, CKA_EC_PARAMS));
        if (std::ranges::equal(curve, p256_oid)) {
            suite_ = crypto::Suite::p256;
        } else if (std::ranges::equal(curve, ed25519_oid) || std::ranges::equal(curve, ed25519_name)) {
            suite_ = crypto::Suite::ed25519;
        } else {
            return Error(ErrorKind::invalid, "the key '" + location_.key + "' is neither P-256 nor Ed25519");
        }
        JZ_TRY(const Bytes id, session_->value(key_, CKA_ID));
        Attributes wanted;
        wanted.number(CKA_CLASS, CKO_PUBLIC_KEY).bytes(CKA_ID, id);
        JZ_TRY(const auto found, session_->find(std::move(wanted)));
        if (found.size() != 1) {
            return Error(ErrorKind::not_found, "the token has no public key with the id of '" + location_.key + "'");
        }
        JZ_TRY(const Bytes point, session_->value(found.front(), CKA_EC_POINT));
        JZ_TRY(public_key_, public_key_from(suite_, point));
        return {};
    }

    Result<crypto::Signature> sign_once(ByteView message) const {
        JZ_CHECK(connect());
        JZ_TRY(const Mechanisms mechanisms, mechanisms_of(suite_));
        CK_MECHANISM mechanism{mechanisms.sign, nullptr, 0};
        JZ_CHECK(pkcs11_check(session_->api().C_SignInit(session_->handle(), &mechanism, key_), "sign in the token"));
        const bool hash_first = suite_ == crypto::Suite::p256;
        Bytes input = hash_first ? Bytes{} : to_bytes(message);
        if (hash_first) append(input, crypto::sha256(message));
        crypto::Signature signature{};
        CK_ULONG size = signature.size();
        JZ_CHECK(pkcs11_check(
            session_->api().C_Sign(session_->handle(), input.data(), input.size(), signature.data(), &size),
            "sign in the token"));
        if (size != signature.size()) return Error(ErrorKind::io, "the token made a signature of the wrong size");
        if (hash_first) crypto::make_low_s(signature);
        return signature;
    }

    const Pkcs11Location location_;
    const crypto::SecretBytes pin_;
    crypto::Suite suite_ = crypto::Suite::p256;
    Bytes public_key_;
    mutable std::mutex mutex_;  // the rest
    mutable std::unique_ptr<Pkcs11Session> session_;
    mutable CK_OBJECT_HANDLE key_ = 0;
};

}  // namespace

Result<void> create_pkcs11_key(const Pkcs11Location& location, const crypto::SecretBytes& pin, crypto::Suite suite) {
    JZ_TRY(const Mechanisms mechanisms, mechanisms_of(suite));
    JZ_TRY(const auto session, Pkcs11Session::open(location.module, location.token, pin));
    if (!session->offers(mechanisms.sign)) {
        return Error(ErrorKind::invalid, "the token cannot sign with " + std::string(crypto::name_of(suite)))
            .with_param("suite");
    }
    Attributes same_label;
    same_label.number(CKA_CLASS, CKO_PRIVATE_KEY).bytes(CKA_LABEL, as_bytes(location.key));
    JZ_TRY(const auto existing, session->find(std::move(same_label)));
    if (!existing.empty()) {
        return Error(ErrorKind::conflict, "the token has a key labelled '" + location.key + "'; choose another label");
    }
    const crypto::SecretBytes id = crypto::SecretBytes::random(16);
    Attributes public_part;
    public_part.number(CKA_KEY_TYPE, mechanisms.type).bytes(CKA_EC_PARAMS, mechanisms.curve).flag(CKA_TOKEN, true);
    public_part.flag(CKA_VERIFY, true).bytes(CKA_LABEL, as_bytes(location.key)).bytes(CKA_ID, id.view());
    Attributes private_part;
    private_part.number(CKA_KEY_TYPE, mechanisms.type)
        .flag(CKA_TOKEN, true)
        .flag(CKA_PRIVATE, true)
        .flag(CKA_SIGN, true);
    private_part.flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false);
    private_part.bytes(CKA_LABEL, as_bytes(location.key)).bytes(CKA_ID, id.view());
    std::vector<CK_ATTRIBUTE> public_list = public_part.list();
    std::vector<CK_ATTRIBUTE> private_list = private_part.list();
    CK_MECHANISM generate{mechanisms.generate, nullptr, 0};
    CK_OBJECT_HANDLE public_key = 0;
    CK_OBJECT_HANDLE private_key = 0;
    return pkcs11_check(
        session->api().C_GenerateKeyPair(session->handle(), &generate, public_list.data(), public_list.size(),
                                         private_list.data(), private_list.size(), &public_key, &private_key),
        "make a key in the token");
}

Result<std::unique_ptr<PurseKey>> open_pkcs11_key(Pkcs11Location location, crypto::SecretBytes pin) {
    auto key = std::make_unique<Pkcs11Key>(std::move(location), std::move(pin));
    JZ_CHECK(key->open());
    return std::unique_ptr<PurseKey>(std::move(key));
}

}  // namespace jiaozi::keystores
