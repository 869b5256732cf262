// The log's secrets in the server's keystore: the key that signs, and the salt key that hides.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/keystore.hpp>

namespace jiaozi::proof {

inline constexpr std::string_view log_key_name = "log-ed25519";
inline constexpr std::string_view log_salt_name = "log-salt";

struct LogKeys {
    std::unique_ptr<crypto::Signer> signer;
    crypto::SecretBytes salt;  // lost with the keystore: then the log cannot be made again from the journal
};

// Makes what is missing. Errors: the keystore's.
Result<LogKeys> make_log_keys(crypto::Keystore& keystore);
// Error not_found: this keystore has signed no log.
Result<LogKeys> load_log_keys(const crypto::Keystore& keystore);

// The log's name where none is given: "jiaozi/" and 16 digits of the key's hash, which no two logs share.
std::string default_origin(const crypto::Signer& signer);

}  // namespace jiaozi::proof
