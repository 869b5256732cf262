// Enrolment, the device's side: one envelope to POST /device/v1/messages and its answer (docs/protocol/device.md, §3).
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/model/records.hpp>
#include <jiaozi/protocol/protocol.hpp>

namespace jiaozi::device {

// What the server tells a device that claimed; the device keeps it.
struct Enrolment {
    protocol::KeyId credential{};
    crypto::Suite server_suite = crypto::Suite::ed25519;
    Bytes server_key;
    std::string mqtt_password;
    Bytes certificate;
};

Result<Bytes> make_claim(DeviceId device, const crypto::Signer& key, std::string_view code, const SimIdentity& sim,
                         Timestamp now);

// `answer` is the body of the HTTPS answer: a CBOR sequence whose first item is `claimed`. Checks that it is signed by
// the key it names (which HTTPS vouches for), and that the certificate is of this device and key.
// Error declined with the server's code and words when it is an `error`.
Result<Enrolment> read_claimed(ByteView answer, DeviceId device, const crypto::Signer& key);

}  // namespace jiaozi::device
