// Seals the secrets that the registry must be able to read again (webhook signing secrets), under a key of the
// keystore.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/keystore.hpp>
#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::serve {

// Thread-safe. Sealed text: "v1." and hexadecimal of 12 bytes nonce and AES-256-GCM's output.
class SecretSealer {
  public:
    // Uses the entry `registry-secrets`, and makes it at the first start.
    static Result<std::shared_ptr<const SecretSealer>> from(crypto::Keystore& keystore);

    std::string seal(std::string_view text) const;
    // Error corrupt: not sealed by this key.
    Result<std::string> open(std::string_view sealed) const;

  private:
    explicit SecretSealer(crypto::SecretBytes key) : key_(std::move(key)) {}
    crypto::SecretBytes key_;
};

}  // namespace jiaozi::serve
