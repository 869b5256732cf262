#include <algorithm>
#include <array>
#include <string>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/crypto/cose.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/protocol/credential.hpp>

#include "bodies.hpp"

namespace jiaozi::protocol {
namespace {

constexpr std::string_view certificate_aad = "jiaozi/device/1/certificate";
constexpr std::string_view rotation_label = "jiaozi/device/1/rotate";

}  // namespace

KeyId credential_id(crypto::Suite suite, ByteView public_key) {
    const std::array number{static_cast<std::uint8_t>(suite)};
    const crypto::Digest digest = crypto::Sha256().update(number).update(public_key).finish();
    KeyId id{};
    std::copy_n(digest.begin(), id.size(), id.begin());
    return id;
}

Result<KeyId> key_id_from(ByteView bytes) {
    KeyId id{};
    if (bytes.size() != id.size()) return Error(ErrorKind::malformed, "a key id or session id has 8 bytes");
    std::ranges::copy(bytes, id.begin());
    return id;
}

Result<Bytes> make_certificate(const crypto::Signer& server, const Certificate& certificate) {
    codec::CborWriter out;
    Writer::map(out, certificate);
    const KeyId kid = credential_id(server.suite(), server.public_key());
    return crypto::cose_sign1(server, out.view(), kid, as_bytes(certificate_aad));
}

Result<Certificate> verify_certificate(ByteView bytes, const crypto::Verifier& server) {
    JZ_TRY(const auto cose, crypto::decode_cose(bytes, crypto::CoseKind::sign1, {.max_bytes = max_certificate}));
    JZ_CHECK(crypto::verify_cose(cose, server, as_bytes(certificate_aad)));
    codec::CborReader reader(cose.payload(), {.max_bytes = max_certificate, .max_depth = 2, .max_items = 16});
    Certificate certificate;
    JZ_CHECK(Reader::map(reader, certificate));
    JZ_CHECK(reader.finish());
    if (certificate.credential != credential_id(certificate.suite, certificate.public_key)) {
        return Error(ErrorKind::malformed, "the certificate's credential id is not its key's");
    }
    return certificate;
}

Bytes rotation_message(DeviceId device, const KeyId& new_credential) {
    Bytes message = to_bytes(as_bytes(rotation_label));
    append(message, id_bytes(device.value));
    append(message, new_credential);
    return message;
}

Result<crypto::Signature> make_rotation_proof(const crypto::Signer& new_key, DeviceId device) {
    return new_key.sign(rotation_message(device, credential_id(new_key.suite(), new_key.public_key())));
}

bool check_rotation_proof(const crypto::Verifier& new_key, DeviceId device, ByteView proof) {
    return new_key.verify(rotation_message(device, credential_id(new_key.suite(), new_key.public_key())), proof);
}

}  // namespace jiaozi::protocol
