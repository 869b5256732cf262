#include "secrets.hpp"

#include <array>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/base/bytes.hpp>
#include <jiaozi/crypto/aead.hpp>

namespace jiaozi::serve {
namespace {

constexpr std::string_view entry_name = "registry-secrets";
constexpr std::string_view version = "v1.";
constexpr std::size_t nonce_size = 12;

Error unreadable() {
    return {ErrorKind::corrupt,
            "a stored secret was not sealed by this keystore: registry and keystore do not belong together"};
}

}  // namespace

Result<std::shared_ptr<const SecretSealer>> SecretSealer::from(crypto::Keystore& keystore) {
    JZ_TRY(auto key, keystore.secret_or_new(entry_name, crypto::aes256_key_size));
    return std::shared_ptr<const SecretSealer>(new SecretSealer(std::move(key)));
}

std::string SecretSealer::seal(std::string_view text) const {
    Bytes nonce(nonce_size);
    crypto::random_bytes(nonce);
    const auto sealed = crypto::aes256_gcm_seal(key_.view(), nonce, as_bytes(version), as_bytes(text));
    JZ_ASSERT(sealed.ok());  // key and nonce have the sizes it wants
    return std::string(version) + to_hex(nonce) + to_hex(*sealed);
}

Result<std::string> SecretSealer::open(std::string_view sealed) const {
    if (!sealed.starts_with(version)) return unreadable();
    const auto bytes = from_hex(sealed.substr(version.size()));
    if (!bytes.ok() || bytes->size() < nonce_size) return unreadable();
    const ByteView view = *bytes;
    const auto text =
        crypto::aes256_gcm_open(key_.view(), view.first(nonce_size), as_bytes(version), view.subspan(nonce_size));
    if (!text.ok()) return unreadable();
    return std::string(as_text(text->view()));
}

}  // namespace jiaozi::serve
