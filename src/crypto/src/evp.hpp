// Owners for OpenSSL's objects.
#pragma once

#include <memory>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

namespace jiaozi::crypto {

template <auto Free>
struct EvpFree {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, EvpFree<EVP_CIPHER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, EvpFree<EVP_MD_CTX_free>>;
using PKey = std::unique_ptr<EVP_PKEY, EvpFree<EVP_PKEY_free>>;
using PKeyContext = std::unique_ptr<EVP_PKEY_CTX, EvpFree<EVP_PKEY_CTX_free>>;
using BigNumber = std::unique_ptr<BIGNUM, EvpFree<BN_clear_free>>;
using EcGroup = std::unique_ptr<EC_GROUP, EvpFree<EC_GROUP_free>>;
using EcPoint = std::unique_ptr<EC_POINT, EvpFree<EC_POINT_free>>;

// Takes back what OpenSSL puts in this thread's error queue: a refused signature must not look, to the TLS code that
// reads the queue later on the same thread, like a failure of its own.
class ErrorMark {
  public:
    ErrorMark() noexcept { ERR_set_mark(); }
    ~ErrorMark() { ERR_pop_to_mark(); }
    ErrorMark(const ErrorMark&) = delete;
    ErrorMark& operator=(const ErrorMark&) = delete;
};

}  // namespace jiaozi::crypto
