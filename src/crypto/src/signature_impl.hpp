// What the suites implement; signature.cpp chooses.
#pragma once

#include <jiaozi/crypto/signature.hpp>

namespace jiaozi::crypto {

class Verifier::Impl {
  public:
    Impl(Suite suite, Bytes public_key) : suite_(suite), public_key_(std::move(public_key)) {}
    virtual ~Impl() = default;
    virtual bool verify(ByteView message, ByteView signature) const noexcept = 0;

    Suite suite() const noexcept { return suite_; }
    ByteView public_key() const noexcept { return public_key_; }

  private:
    Suite suite_;
    Bytes public_key_;
};

// P-256 and SM2.
Result<std::unique_ptr<Signer>> make_ec_signer(const KeyPair& key);
Result<std::shared_ptr<const Verifier::Impl>> make_ec_verifier(Suite suite, ByteView public_key, HighS high_s);

}  // namespace jiaozi::crypto
