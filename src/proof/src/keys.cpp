#include <algorithm>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/proof/keys.hpp>

namespace jiaozi::proof {

Result<LogKeys> make_log_keys(crypto::Keystore& keystore) {
    const auto names = keystore.names();
    const auto missing = [&](std::string_view name) { return std::ranges::find(names, name) == names.end(); };
    if (missing(log_salt_name)) {
        const auto salt = crypto::SecretBytes::random(32);
        JZ_CHECK(keystore.add(log_salt_name, crypto::EntryKind::secret, salt.view()));
    }
    if (missing(log_key_name)) JZ_CHECK(keystore.add(log_key_name, crypto::generate_key(crypto::Suite::ed25519)));
    return load_log_keys(keystore);
}

Result<LogKeys> load_log_keys(const crypto::Keystore& keystore) {
    LogKeys keys;
    JZ_TRY(keys.signer, keystore.signer(log_key_name));
    JZ_TRY(keys.salt, keystore.secret(log_salt_name));
    return keys;
}

std::string default_origin(const crypto::Signer& signer) {
    return "jiaozi/" + to_hex(crypto::sha256(signer.public_key())).substr(0, 16);
}

}  // namespace jiaozi::proof
