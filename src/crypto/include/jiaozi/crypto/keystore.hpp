// A file of named private keys and secrets, encrypted at rest; format: docs/formats/keystore.md.
// Unlocked by a passphrase (Argon2id) or by a 32-byte key file that only its owner can read (services).
//
// Errors: not_found (no such file or entry), unauthenticated (wrong passphrase or key file), corrupt (the file fails
// its checks), forbidden (permissions wider than 0600), conflict (exists already), io. Every change is written to a
// temporary file, synced and renamed over the old one before the call returns. Not thread-safe; one process at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/crypto/signature.hpp>

namespace jiaozi::crypto {

// How much work a guess at the passphrase costs (libsodium's classes); stored in the file.
enum class KdfStrength : std::uint8_t {
    interactive,  // 64 MiB, 2 passes: tests
    moderate,     // 256 MiB, 3 passes: people's files
};

// The numbers are stored: never renumber. The first three are Suite's.
enum class EntryKind : std::uint8_t { ed25519 = 1, p256 = 2, sm2 = 3, x25519 = 4, secret = 5 };

struct KeystoreEntry {
    EntryKind kind = EntryKind::secret;
    SecretBytes value;  // 32 bytes, for `secret` 1..4096
};

// What unlocks a keystore.
class KeystoreUnlock {
  public:
    static KeystoreUnlock passphrase(SecretBytes text, KdfStrength strength = KdfStrength::moderate);
    // Reads the key file: exactly 32 bytes, a regular file, mode 0600 or 0400, owned by this user.
    static Result<KeystoreUnlock> key_file(const std::filesystem::path& path);
    // Makes such a file with random content; conflict when it exists.
    static Result<void> create_key_file(const std::filesystem::path& path);

  private:
    friend class Keystore;
    enum class Kind : std::uint8_t { passphrase = 1, key_file = 2 };
    KeystoreUnlock(Kind kind, SecretBytes value, KdfStrength strength)
        : kind_(kind), value_(std::move(value)), strength_(strength) {}
    Kind kind_;
    SecretBytes value_;
    KdfStrength strength_;
};

class Keystore {
  public:
    // A new, empty keystore on disk.
    static Result<Keystore> create(const std::filesystem::path& path, const KeystoreUnlock& unlock);
    static Result<Keystore> open(const std::filesystem::path& path, const KeystoreUnlock& unlock);

    Keystore(Keystore&&) noexcept;
    Keystore& operator=(Keystore&&) noexcept;
    ~Keystore();

    std::vector<std::string> names() const;  // sorted
    // Names: 1..64 of a-z 0-9 . _ -
    Result<void> add(std::string_view name, const KeyPair& key);
    Result<void> add(std::string_view name, EntryKind kind, ByteView value);
    Result<void> remove(std::string_view name);

    Result<KeyPair> key(std::string_view name) const;  // a signature key
    Result<std::unique_ptr<Signer>> signer(std::string_view name) const;
    Result<SecretBytes> secret(std::string_view name) const;  // the value of any entry that is not a signature key
    // The secret of that name, made of `size` random bytes if there is none. corrupt: the one there has another size.
    Result<SecretBytes> secret_or_new(std::string_view name, std::size_t size);

  private:
    struct State;
    explicit Keystore(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace jiaozi::crypto
