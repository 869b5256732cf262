#include <climits>
#include <string>

#include <jiaozi/crypto/aead.hpp>

#include "evp.hpp"

namespace jiaozi::crypto {
namespace {

Error failed(std::string_view what) {
    return {ErrorKind::internal, "OpenSSL: " + std::string(what) + " failed"};
}

Result<void> require_size(ByteView value, std::size_t size, std::string_view name) {
    if (value.size() == size) return {};
    return Error(ErrorKind::invalid, std::string(name) + " must have " + std::to_string(size) + " bytes")
        .with_param(name);
}

// EVP counts in int.
Result<int> length_of(ByteView bytes) {
    if (bytes.size() > static_cast<std::size_t>(INT_MAX) - 64) {
        return Error(ErrorKind::too_large, "more than 2 GiB in one message");
    }
    return static_cast<int>(bytes.size());
}

}  // namespace

Result<Bytes> aes256_gcm_seal(ByteView key, ByteView nonce, ByteView additional_data, ByteView plaintext) {
    JZ_CHECK(require_size(key, aes256_key_size, "key"));
    JZ_CHECK(require_size(nonce, gcm_nonce_size, "nonce"));
    JZ_TRY(const int aad_length, length_of(additional_data));
    JZ_TRY(const int plain_length, length_of(plaintext));

    const ErrorMark mark;
    const CipherContext context(EVP_CIPHER_CTX_new());
    int length = 0;
    if (!context || EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) != 1 ||
        (aad_length > 0 &&
         EVP_EncryptUpdate(context.get(), nullptr, &length, additional_data.data(), aad_length) != 1)) {
        return failed("AES-256-GCM");
    }
    Bytes sealed(plaintext.size() + gcm_tag_size);
    if ((plain_length > 0 &&
         EVP_EncryptUpdate(context.get(), sealed.data(), &length, plaintext.data(), plain_length) != 1) ||
        EVP_EncryptFinal_ex(context.get(), sealed.data() + plaintext.size(), &length) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(gcm_tag_size),
                            sealed.data() + plaintext.size()) != 1) {
        return failed("AES-256-GCM");
    }
    return sealed;
}

Result<SecretBytes> aes256_gcm_open(ByteView key, ByteView nonce, ByteView additional_data, ByteView sealed) {
    JZ_CHECK(require_size(key, aes256_key_size, "key"));
    JZ_CHECK(require_size(nonce, gcm_nonce_size, "nonce"));
    const Error refused(ErrorKind::unauthenticated, "sealed data was made with another key or has been changed");
    if (sealed.size() < gcm_tag_size) return refused;
    const ByteView body = sealed.first(sealed.size() - gcm_tag_size);
    Bytes tag = to_bytes(sealed.last(gcm_tag_size));
    JZ_TRY(const int aad_length, length_of(additional_data));
    JZ_TRY(const int body_length, length_of(body));

    const ErrorMark mark;
    const CipherContext context(EVP_CIPHER_CTX_new());
    int length = 0;
    if (!context || EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) != 1 ||
        (aad_length > 0 &&
         EVP_DecryptUpdate(context.get(), nullptr, &length, additional_data.data(), aad_length) != 1)) {
        return failed("AES-256-GCM");
    }
    // The plaintext is released only after the tag was found right; until then it is a secret that gets wiped.
    SecretBytes plain(body.size());
    std::uint8_t end = 0;
    if ((body_length > 0 &&
         EVP_DecryptUpdate(context.get(), plain.mutable_view().data(), &length, body.data(), body_length) != 1) ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(gcm_tag_size), tag.data()) != 1) {
        return failed("AES-256-GCM");
    }
    if (EVP_DecryptFinal_ex(context.get(), &end, &length) != 1) return refused;
    return plain;
}

Result<Bytes> sm4_ctr(ByteView key, ByteView counter, ByteView input) {
    JZ_CHECK(require_size(key, sm4_key_size, "key"));
    JZ_CHECK(require_size(counter, sm4_block_size, "counter"));
    JZ_TRY(const int input_length, length_of(input));
    const ErrorMark mark;
    const CipherContext context(EVP_CIPHER_CTX_new());
    Bytes out(input.size());
    int length = 0;
    if (!context || EVP_EncryptInit_ex(context.get(), EVP_sm4_ctr(), nullptr, key.data(), counter.data()) != 1 ||
        (input_length > 0 && EVP_EncryptUpdate(context.get(), out.data(), &length, input.data(), input_length) != 1)) {
        return failed("SM4-CTR");
    }
    return out;
}

}  // namespace jiaozi::crypto
