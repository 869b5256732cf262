// Device messages: the payload alone, and the envelope with and without a known key (docs/protocol/device.md).
//
// The first byte chooses: bit 0 the direction, bits 1-2 what the rest is.
//   0  a payload                 decode; what is accepted is written as the same bytes, and cannot be written otherwise
//   1  an envelope               peek, verify with fixed keys, open
//   2  a payload, well sealed    sealed here with the fixed session key, so that what comes after verifying is reached
//   3  a certificate
#include <algorithm>
#include <array>
#include <cstdlib>

#include <jiaozi/protocol/protocol.hpp>

namespace {

using namespace jiaozi;
using namespace jiaozi::protocol;

void check(bool holds) {
    if (!holds) std::abort();
}

struct Keys {
    std::array<std::uint8_t, 32> seed{};
    crypto::HmacKey mac{seed};
    crypto::KeyPair pair = crypto::key_from_private(crypto::Suite::ed25519, Bytes(32, 1)).value();
    crypto::Verifier verifier = crypto::make_verifier(pair.suite, pair.public_key).value();
};

void payload(ByteView bytes) {
    const auto message = decode(bytes);
    if (!message.ok()) {
        check(message.error().kind() == ErrorKind::malformed || message.error().kind() == ErrorKind::too_large);
        return;
    }
    check(equal(encode(*message), bytes));
    check(message->session.has_value() == needs_session(type_of(message->body)));
    check(message->device && message->seq != 0);
}

void envelope(const Keys& keys, ByteView bytes, Direction direction) {
    const auto peeked = peek(bytes, direction);
    if (!peeked.ok()) return;
    const bool verified = peeked->is_signed() ? verify(*peeked, keys.verifier).ok() : verify(*peeked, keys.mac).ok();
    const auto opened = open(*peeked);
    if (!verified || !opened.ok()) return;
    check(direction_of(type_of(opened->body)) == direction);
    check(peeked->is_signed() || !always_signed(type_of(opened->body)));
}

void sealed(const Keys& keys, ByteView bytes, Direction direction) {
    const std::string_view aad = direction == Direction::up ? "jiaozi/device/1/up" : "jiaozi/device/1/down";
    const auto message = decode(bytes);
    const SessionId session = message.ok() && message->session ? *message->session : SessionId{};
    const Bytes whole = crypto::cose_mac0(keys.mac, bytes, ByteView(session), as_bytes(aad));
    const auto peeked = peek(whole, direction);
    check(peeked.ok() == (whole.size() <= max_envelope(direction)));
    if (!peeked.ok()) return;
    check(verify(*peeked, keys.mac).ok());
    const auto opened = open(*peeked);
    if (!opened.ok()) return;
    check(message.ok() && *opened == *message);
    check(seal(*opened, keys.mac).value() == whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Keys keys;
    if (size == 0) return 0;
    const ByteView rest(data + 1, size - 1);
    const Direction direction = (data[0] & 1) == 0 ? Direction::up : Direction::down;
    switch ((data[0] >> 1) & 3) {
        case 0:
            payload(rest);
            break;
        case 1:
            envelope(keys, rest, direction);
            break;
        case 2:
            sealed(keys, rest, direction);
            break;
        default:
            ignore_error(verify_certificate(rest, keys.verifier), "only that it ends well");
            break;
    }
    return 0;
}
