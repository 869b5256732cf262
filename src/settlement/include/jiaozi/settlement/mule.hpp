// Deposits that a mule brought (docs/protocol/offline.md, 9.2): sealed to the issuer's deposit key, so that only the
// ledger reads them. What comes out is the payee's deposit, its receipt first, and goes to Settlement::settle() with
// depositor 0: the receipt is the payee's word, so who brings it makes no difference.
//
//   JZ_TRY(const auto opener, MuleOpener::make(secret));
//   JZ_TRY(Bytes deposit, opener.open(message));
//
// Threading: const and without state besides the key; any thread. The key is wiped with the object.
// Errors: malformed (not a MULE, or no receipt and bundle inside), unauthenticated (not sealed for this key, or changed
// on its way), too_large.
#pragma once

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/x25519.hpp>

namespace jiaozi::settlement {

class MuleOpener {
  public:
    // `secret`: 32 bytes, an X25519 private key; invalid otherwise.
    static Result<MuleOpener> make(ByteView secret);

    // What purses are given with the issuer's keys: 32 bytes.
    ByteView deposit_key() const noexcept { return key_.public_key; }
    // A whole MULE message, its verb included.
    Result<Bytes> open(ByteView message) const;

  private:
    explicit MuleOpener(crypto::X25519KeyPair key) : key_(std::move(key)) {}
    crypto::X25519KeyPair key_;
};

}  // namespace jiaozi::settlement
