#include <sodium.h>

#include <jiaozi/crypto/x25519.hpp>

#include "sodium_ready.hpp"

namespace jiaozi::crypto {
namespace {

Error wrong_size(std::string_view which) {
    return Error(ErrorKind::invalid, "an X25519 key has 32 bytes").with_param(which);
}

}  // namespace

X25519KeyPair generate_x25519() {
    X25519KeyPair pair;
    pair.private_key = Secret<x25519_key_size>::random();
    require_sodium();
    crypto_scalarmult_base(pair.public_key.data(), pair.private_key.view().data());
    return pair;
}

Result<X25519KeyPair> x25519_from_private(ByteView private_key) {
    if (private_key.size() != x25519_key_size) return wrong_size("private_key");
    require_sodium();
    X25519KeyPair pair;
    pair.private_key = Secret<x25519_key_size>(private_key.first<x25519_key_size>());
    crypto_scalarmult_base(pair.public_key.data(), private_key.data());
    return pair;
}

Result<Secret<x25519_key_size>> x25519(ByteView private_key, ByteView peer_public_key) {
    if (private_key.size() != x25519_key_size) return wrong_size("private_key");
    if (peer_public_key.size() != x25519_key_size) return wrong_size("peer_public_key");
    require_sodium();
    Secret<x25519_key_size> shared;
    // libsodium refuses small-order points, whose result is zero whatever the private key.
    if (crypto_scalarmult(shared.mutable_view().data(), private_key.data(), peer_public_key.data()) != 0) {
        return Error(ErrorKind::invalid, "the peer's X25519 key is a point of low order").with_param("peer_public_key");
    }
    return shared;
}

}  // namespace jiaozi::crypto
