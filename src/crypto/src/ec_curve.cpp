#include "ec_curve.hpp"

#include <string>

#include <openssl/core_names.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

namespace jiaozi::crypto {
namespace {

using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, EvpFree<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, EvpFree<OSSL_PARAM_free>>;

Error not_a_point(Suite suite) {
    return Error(ErrorKind::invalid, "not a public key of suite " + std::string(name_of(suite)) +
                                         ": expected 33 or 65 bytes that are a point of the curve")
        .with_param("public_key");
}

Error not_a_scalar(Suite suite) {
    return Error(ErrorKind::invalid, "not a private key of suite " + std::string(name_of(suite)) +
                                         ": expected 32 bytes, a number from 1 to less than the order of the group")
        .with_param("private_key");
}

Result<EcPoint> decode_point(Suite suite, ByteView encoded) {
    const EC_GROUP& group = ec_group(suite);
    // OpenSSL also reads the hybrid form (first byte 6 or 7); one point keeps two forms here.
    const bool compressed = encoded.size() == ec_compressed_size && (encoded[0] == 2 || encoded[0] == 3);
    const bool uncompressed = encoded.size() == ec_uncompressed_size && encoded[0] == 4;
    if (!compressed && !uncompressed) return not_a_point(suite);
    const ErrorMark mark;
    EcPoint point(EC_POINT_new(&group));
    JZ_ASSERT(point);
    // EC_POINT_oct2point checks the coordinates' range and the curve's equation; both curves have cofactor 1.
    if (EC_POINT_oct2point(&group, point.get(), encoded.data(), encoded.size(), nullptr) != 1)
        return not_a_point(suite);
    return point;
}

Bytes encode_point(const EC_GROUP& group, const EC_POINT& point, point_conversion_form_t form) {
    Bytes out(form == POINT_CONVERSION_COMPRESSED ? ec_compressed_size : ec_uncompressed_size);
    JZ_ASSERT(EC_POINT_point2oct(&group, &point, form, out.data(), out.size(), nullptr) == out.size());
    return out;
}

}  // namespace

const EC_GROUP& ec_group(Suite suite) {
    JZ_ASSERT(suite == Suite::p256 || suite == Suite::sm2);
    static const EcGroup p256(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    static const EcGroup sm2(EC_GROUP_new_by_curve_name(NID_sm2));
    const EcGroup& group = suite == Suite::p256 ? p256 : sm2;
    JZ_ASSERT(group);
    return *group;
}

Result<Bytes> ec_convert_point(Suite suite, ByteView encoded, point_conversion_form_t form) {
    JZ_TRY(const EcPoint point, decode_point(suite, encoded));
    return encode_point(ec_group(suite), *point, form);
}

Result<Bytes> ec_public_from_private(Suite suite, ByteView scalar) {
    if (scalar.size() != ec_scalar_size) return not_a_scalar(suite);
    const EC_GROUP& group = ec_group(suite);
    const BigNumber number(BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), nullptr));
    const BigNumber limit(BN_dup(EC_GROUP_get0_order(&group)));
    JZ_ASSERT(number && limit);
    // SM2 divides by 1 + d, so d = n - 1 is out as well.
    if (suite == Suite::sm2) JZ_ASSERT(BN_sub_word(limit.get(), 1) == 1);
    if (BN_is_zero(number.get()) || BN_cmp(number.get(), limit.get()) >= 0) return not_a_scalar(suite);
    BN_set_flags(number.get(), BN_FLG_CONSTTIME);
    const EcPoint point(EC_POINT_new(&group));
    JZ_ASSERT(point && EC_POINT_mul(&group, point.get(), number.get(), nullptr, nullptr, nullptr) == 1);
    return encode_point(group, *point, POINT_CONVERSION_COMPRESSED);
}

Result<PKey> ec_evp_key(Suite suite, ByteView public_key, ByteView private_key) {
    JZ_TRY(const Bytes point, ec_convert_point(suite, public_key, POINT_CONVERSION_UNCOMPRESSED));
    const char* const group = suite == Suite::sm2 ? "SM2" : "P-256";
    const ParamBuilder builder(OSSL_PARAM_BLD_new());
    JZ_ASSERT(builder);
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
    BigNumber scalar;
    if (!private_key.empty()) {
        scalar.reset(BN_secure_new());
        JZ_ASSERT(scalar && BN_bin2bn(private_key.data(), static_cast<int>(private_key.size()), scalar.get()));
        OSSL_PARAM_BLD_push_BN_pad(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get(), ec_scalar_size);
    }
    const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
    const PKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, suite == Suite::sm2 ? "SM2" : "EC", nullptr));
    EVP_PKEY* key = nullptr;
    const int selection = private_key.empty() ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) != 1) {
        return Error(ErrorKind::internal, "OpenSSL refused a checked key of suite " + std::string(name_of(suite)));
    }
    return PKey(key);
}

}  // namespace jiaozi::crypto
