// Damaged signatures in good company, and bytes as keys. Input: 32 bytes as a public key, then changes, each a byte
// that says which of the signatures, a byte where (0 to 31 in R, 32 to 63 in s; above, all of R or s from the 32 bytes
// that follow) and a byte to put there. Verified together, alone, and by libsodium: three times the same answers.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <sodium.h>

#include <jiaozi/crypto/signature.hpp>

using namespace jiaozi;
using namespace jiaozi::crypto;

namespace {

constexpr std::size_t company = 100;  // enough to be verified together
constexpr std::size_t keys = 10;

struct Good {
    std::vector<Verifier> verifiers;
    std::vector<Signature> signatures;
};

Bytes message_of(std::size_t i) {
    return Bytes(i, static_cast<std::uint8_t>(i));
}

const Good& good() {
    static const Good made = [] {
        Good all;
        for (std::size_t i = 0; i < keys; ++i) {
            const KeyPair key = key_from_private(Suite::ed25519, Bytes(32, static_cast<std::uint8_t>(i + 1))).value();
            all.verifiers.push_back(make_verifier(Suite::ed25519, key.public_key).value());
            const auto signer = make_signer(key).value();
            for (std::size_t n = i; n < company; n += keys) {
                all.signatures.resize(company);
                all.signatures[n] = signer->sign(message_of(n)).value();
            }
        }
        return all;
    }();
    return made;
}

bool libsodium_says(const SignatureCheck& check) {
    return crypto_sign_verify_detached(check.signature.data(), check.message.data(), check.message.size(),
                                       check.verifier->public_key().data()) == 0;
}

void same_key_or_none(ByteView bytes) {
    const bool is_key = make_verifier(Suite::ed25519, bytes).ok();
    if (is_key != (crypto_core_ed25519_is_valid_point(bytes.data()) == 1)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool ready = sodium_init() >= 0;
    if (!ready || size < 32) return 0;
    same_key_or_none({data, 32});
    ByteView rest = ByteView(data, size).subspan(32);
    std::vector<Signature> signatures = good().signatures;
    std::vector<std::size_t> changed;
    while (rest.size() >= 3 && changed.size() < 8) {
        const std::size_t which = rest[0] % company;
        Signature& signature = signatures[which];
        if (rest[1] < signature_size) {
            signature[rest[1]] = rest[2];
            rest = rest.subspan(3);
        } else {
            if (rest.size() < 34) break;
            std::ranges::copy(rest.subspan(2, 32), signature.begin() + (rest[1] % 2 == 0 ? 0 : 32));
            rest = rest.subspan(34);
        }
        changed.push_back(which);
    }
    std::vector<Bytes> messages;
    for (std::size_t i = 0; i < company; ++i) messages.push_back(message_of(i));
    std::vector<SignatureCheck> checks;
    for (std::size_t i = 0; i < company; ++i) {
        checks.push_back({&good().verifiers[i % keys], messages[i], signatures[i]});
    }
    verify_all(checks);
    for (std::size_t i = 0; i < company; ++i) {
        const bool untouched = std::ranges::find(changed, i) == changed.end();
        if (untouched && !checks[i].good) std::abort();
        if (untouched) continue;
        if (checks[i].good != libsodium_says(checks[i])) std::abort();
        if (checks[i].good != checks[i].verifier->verify(checks[i].message, checks[i].signature)) std::abort();
    }
    return 0;
}
