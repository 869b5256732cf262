// Points and scalars of P-256 and SM2, on OpenSSL's EC_GROUP.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>

#include "evp.hpp"

namespace jiaozi::crypto {

inline constexpr std::size_t ec_scalar_size = 32;
inline constexpr std::size_t ec_compressed_size = 33;
inline constexpr std::size_t ec_uncompressed_size = 65;

// The process-wide group; read only.
const EC_GROUP& ec_group(Suite suite);

// Converts between the two encodings, checking that the point is on the curve and not at infinity (Error invalid).
Result<Bytes> ec_convert_point(Suite suite, ByteView encoded, point_conversion_form_t form);

// The compressed public key of a scalar in 1..n-1 (SM2: 1..n-2); Error invalid otherwise.
Result<Bytes> ec_public_from_private(Suite suite, ByteView scalar);

// An EVP key from a compressed or uncompressed point, with the private scalar when it is not empty.
Result<PKey> ec_evp_key(Suite suite, ByteView public_key, ByteView private_key);

}  // namespace jiaozi::crypto
