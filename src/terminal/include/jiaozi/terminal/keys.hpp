// A keystore's key (docs/keystores.md) as a purse's signer and anchor. Each key lives in one place:
//
//   file      an encrypted file in the purse's folder (A0)             anchor: a small file outside of it
//   pkcs11    a token (A1)                                             anchor: the same
//   tpm       a TPM 2.0 (A2)                                           anchor: its NV counter
//   card      a card that judges (A3)                                  anchor: its counter
//
// One thread at a time per purse.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/keystores/card_key.hpp>
#include <jiaozi/keystores/purse_key.hpp>
#include <jiaozi/purse_host/platform.hpp>

namespace jiaozi::terminal {

enum class KeyPlace : std::uint8_t { file, pkcs11, tpm, card };
std::string_view name_of(KeyPlace place) noexcept;
Result<KeyPlace> parse_key_place(std::string_view name);  // Error invalid, names the choices

struct KeyChoice {
    KeyPlace place = KeyPlace::file;
    crypto::Suite suite = crypto::Suite::ed25519;  // file, pkcs11; a TPM's is P-256, a card's its own
    std::string module{};                          // pkcs11: the vendor's library
    std::string token{};                           // pkcs11
    std::string label = "purse";                   // pkcs11
    std::string tcti = "device:/dev/tpmrm0";       // tpm
    std::string reader{};                          // card: a part of the reader's name
};

// Makes the key (a card has one already) and opens it as open_key does. `secret`: passphrase or PIN.
Result<std::unique_ptr<keystores::PurseKey>> create_key(const KeyChoice& choice, const std::filesystem::path& folder,
                                                        const crypto::SecretBytes& secret);
Result<std::unique_ptr<keystores::PurseKey>> open_key(const KeyChoice& choice, const std::filesystem::path& folder,
                                                      const crypto::SecretBytes& secret);

// The key must outlive both.
class KeystoreSigner final : public purse_host::PurseSigner {
  public:
    explicit KeystoreSigner(keystores::PurseKey& key) : key_(key) {}
    crypto::Suite suite() const override { return key_.suite(); }
    Bytes public_key() const override { return to_bytes(key_.public_key()); }
    bool sign(ByteView message, std::uint8_t* signature) override;
    // Why the last signature was refused; empty if it was not.
    const std::string& refusal() const noexcept { return refusal_; }

  private:
    keystores::PurseKey& key_;
    std::string refusal_;
};

class KeystoreAnchor final : public purse_host::PurseAnchor {
  public:
    // For keys with a counter (JZ_ASSERT).
    explicit KeystoreAnchor(keystores::PurseKey& key);
    bool read(std::uint8_t* id, std::uint32_t& counter) override;
    bool advance(std::uint32_t counter) override;
    const std::string& last_error() const noexcept { return error_; }

  private:
    keystores::PurseKey& key_;
    std::string error_;
};

// What a card signed last, as the object that the purse would have journalled; empty if it has signed nothing.
Result<Bytes> last_object_of(const keystores::CardKey& card);

}  // namespace jiaozi::terminal
