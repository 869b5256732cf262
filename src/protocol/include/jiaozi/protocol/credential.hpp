// Keys of devices and of the server: their ids, the certificate by which others can check a device's key, and the proof
// that comes with a new one. docs/protocol/device.md, sections 1.2 and 3. Pure functions, thread-safe.
#pragma once

#include <cstdint>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/protocol/messages.hpp>

namespace jiaozi::protocol {

// The first 8 bytes of SHA-256(suite number || canonical public key). The server's key id is made the same way.
KeyId credential_id(crypto::Suite suite, ByteView public_key);

// Where a key id or a session id comes as bytes: Error malformed unless it has 8.
Result<KeyId> key_id_from(ByteView bytes);

// What the server says of a device's key: COSE_Sign1 over { 1: device, 2: suite, 3: public key, 4: credential id,
// 5: issued ms }, external AAD "jiaozi/device/1/certificate", kid the server's key id.
struct Certificate {
    DeviceId device;
    crypto::Suite suite = crypto::Suite::ed25519;
    Bytes public_key;
    KeyId credential{};
    std::uint64_t issued_ms = 0;
    bool operator==(const Certificate&) const = default;
};

Result<Bytes> make_certificate(const crypto::Signer& server, const Certificate& certificate);
// Error malformed, too_large, unauthenticated. Also checks that the credential id is the key's.
Result<Certificate> verify_certificate(ByteView bytes, const crypto::Verifier& server);

// What the new key signs in `rotate`: "jiaozi/device/1/rotate" || device || new credential id.
Bytes rotation_message(DeviceId device, const KeyId& new_credential);
Result<crypto::Signature> make_rotation_proof(const crypto::Signer& new_key, DeviceId device);
bool check_rotation_proof(const crypto::Verifier& new_key, DeviceId device, ByteView proof);

}  // namespace jiaozi::protocol
