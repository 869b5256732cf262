// Digital signatures behind one interface, by suite.
//
//   suite    algorithm                            public key                     private key    signature
//   ed25519  Ed25519 (RFC 8032)                   32 bytes                       32-byte seed   64 bytes
//   p256     ECDSA on P-256 with SHA-256          33 compressed, 65 uncompressed 32-byte scalar r || s, 64 bytes, low s
//   sm2      SM2 with SM3 (GB/T 32918.2)          33 compressed, 65 uncompressed 32-byte scalar r || s, 64 bytes
//
// One rule per suite, so that a signature has one accepted form: Ed25519 strictly (canonical s, canonical points of the
// prime order); ECDSA with s at most half the group order, made and accepted; SM2 with the user id
// 1234567812345678. Public keys are checked to lie on their curve. See docs/crypto.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/secret.hpp>

namespace jiaozi::crypto {

// The numbers are stored in keystores and device records: never renumber.
enum class Suite : std::uint8_t { ed25519 = 1, p256 = 2, sm2 = 3 };

// "ed25519", "p256", "sm2".
std::string_view name_of(Suite suite) noexcept;
Result<Suite> parse_suite(std::string_view name);  // Error invalid, names the choices
Result<Suite> suite_from_number(std::uint64_t number);

inline constexpr std::size_t signature_size = 64;
using Signature = std::array<std::uint8_t, signature_size>;

// For P-256 signatures that other machines made (security modules, TPMs): a high s becomes n - s, which is as valid.
void make_low_s(Signature& signature) noexcept;

// A private key and its public key in canonical form.
struct KeyPair {
    Suite suite = Suite::ed25519;
    SecretBytes private_key;  // 32 bytes
    Bytes public_key;         // Ed25519: 32 bytes; P-256 and SM2: 33, compressed
};

KeyPair generate_key(Suite suite);
// Error invalid when the scalar is not in the range of its group.
Result<KeyPair> key_from_private(Suite suite, ByteView private_key);

// The canonical form of a public key; Error invalid when it is not one (wrong size, not on the curve, small order).
Result<Bytes> canonical_public_key(Suite suite, ByteView public_key);
// 65 bytes, 0x04 || x || y, as other people's libraries want it. P-256 and SM2 only.
Result<Bytes> uncompressed_public_key(Suite suite, ByteView public_key);

// Signs with a key that may live elsewhere (a file today; a security module behind the same interface). Thread-safe.
class Signer {
  public:
    virtual ~Signer() = default;
    virtual Suite suite() const noexcept = 0;
    virtual ByteView public_key() const noexcept = 0;  // canonical form
    virtual Result<Signature> sign(ByteView message) const = 0;
};

Result<std::unique_ptr<Signer>> make_signer(const KeyPair& key);

struct SignatureCheck;

// A checked public key, ready to verify. Cheap to copy; verify may be called from many threads.
class Verifier {
  public:
    class Impl;
    explicit Verifier(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

    Suite suite() const noexcept;
    ByteView public_key() const noexcept;  // canonical form
    // False for everything that is not a signature of `message` in the one accepted form, whatever its size.
    bool verify(ByteView message, ByteView signature) const noexcept;

  private:
    friend void verify_all(std::span<SignatureCheck> checks);

    std::shared_ptr<const Impl> impl_;
};

// For P-256 alone: `accept` takes signatures of other people's libraries as they are (passkeys, COSE and JOSE tools),
// where half of all signatures have a high s. Never where a signature must have one form, such as our own messages.
// Others ignore it.
enum class HighS : std::uint8_t { refuse, accept };

Result<Verifier> make_verifier(Suite suite, ByteView public_key, HighS high_s = HighS::refuse);

// A signature to check beside others; `good` is the answer.
struct SignatureCheck {
    const Verifier* verifier = nullptr;
    ByteView message;
    ByteView signature;
    bool good = false;
};

// What Verifier::verify says of each. Ed25519 ones are checked many at once, which from a hundred on is faster: 500 at
// a time take about half the time. Thread-safe; several threads with a share each are best.
void verify_all(std::span<SignatureCheck> checks);

}  // namespace jiaozi::crypto
