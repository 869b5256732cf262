// Class A1: a key inside a PKCS#11 token (security module, USB token, smart card with a driver of its own). Made there,
// never readable; P-256 (CKM_ECDSA) or Ed25519 (CKM_EDDSA) where the token has it. PKCS#11 has no counter that the
// tokens of the market implement, so an old purse file put back goes unnoticed.
//
// The PIN is kept in memory while a key is open: a session that was lost (token pulled and put back, another part of
// the program called C_Finalize) is opened again without asking. How many wrong PINs a token takes is the token's rule;
// SoftHSM takes any number.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/keystores/purse_key.hpp>

namespace jiaozi::keystores {

struct Pkcs11Location {
    std::filesystem::path module;  // the vendor's library, e.g. /usr/lib/softhsm/libsofthsm2.so
    std::string token;             // the token's label
    std::string key;               // the key's label
};

// Errors besides PurseKey's: conflict (a key of that label exists), invalid (SM2, or a suite that the token lacks).
Result<void> create_pkcs11_key(const Pkcs11Location& location, const crypto::SecretBytes& pin, crypto::Suite suite);

// Error forbidden with code "key_may_leave" when the token says that the key was imported or could be read out.
Result<std::unique_ptr<PurseKey>> open_pkcs11_key(Pkcs11Location location, crypto::SecretBytes pin);

}  // namespace jiaozi::keystores
