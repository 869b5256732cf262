#include <jiaozi/purse/bundle.hpp>
#include <jiaozi/purse/seal.hpp>
#include <jiaozi/purse_host/platform.hpp>
#include <jiaozi/settlement/mule.hpp>

#include "objects.hpp"

namespace jiaozi::settlement {
namespace {

// The calls that opening needs, and no others.
const jz_platform& opening_platform() {
    static const jz_platform platform = [] {
        jz_platform made = hashing_platform();
        made.x25519 = [](void*, std::uint8_t* out, const std::uint8_t* scalar, const std::uint8_t* point) {
            return purse_host::real_cryptography().x25519(out, {scalar, 32}, {point, 32}) ? 0 : 1;
        };
        made.open = [](void*, const std::uint8_t* key, const std::uint8_t* nonce, jz_view aad, std::uint8_t* data,
                       std::size_t size, const std::uint8_t* tag) {
            const bool good = purse_host::real_cryptography().open({key, 32}, {nonce, 12}, {aad.data, aad.size},
                                                                   {data, size}, {tag, purse::tag_size});
            return good ? 0 : 1;
        };
        return made;
    }();
    return platform;
}

}  // namespace

Result<MuleOpener> MuleOpener::make(ByteView secret) {
    JZ_TRY(auto pair, crypto::x25519_from_private(secret));
    return MuleOpener(std::move(pair));
}

Result<Bytes> MuleOpener::open(ByteView message) const {
    static constexpr std::size_t enc_size = 32;
    static constexpr std::size_t before = 1 + enc_size;
    if (message.size() > JZ_MESSAGE_BYTES) return Error(ErrorKind::too_large, "a MULE message has at most 4,608 bytes");
    if (message.size() < before + purse::tag_size || message[0] != static_cast<std::uint8_t>(purse::Verb::mule)) {
        return Error(ErrorKind::malformed, "not a MULE message; send what the purse gave, unchanged");
    }
    purse::Fixed<enc_size> enc{};
    purse::Fixed<crypto::x25519_key_size> secret{};
    purse::take(message.subspan(1, enc_size), enc);
    purse::take(key_.private_key.view(), secret);
    purse::SealKeys keys;
    jz_status status =
        purse::derive_keys(opening_platform(), secret, enc, enc, key_.public_key, {}, purse::Verb::mule, keys);
    purse::wipe(secret);
    Bytes deposit = to_bytes(message.subspan(before));
    if (status == JZ_OK) status = purse::unseal(opening_platform(), keys.payer, purse::Verb::mule, {}, deposit);
    if (status != JZ_OK) {
        return Error(ErrorKind::unauthenticated, "not sealed for this deposit key, or changed on its way");
    }
    deposit.resize(deposit.size() - purse::tag_size);
    purse::View rest = deposit;
    purse::Object first;
    purse::Object note;
    const bool as_payees = purse::read_object(rest, first) == JZ_OK && first.type == purse::Type::receipt &&
                           purse::read_object(rest, note) == JZ_OK && note.type == purse::Type::note;
    if (!as_payees)
        return Error(ErrorKind::malformed, "a mule carries the payee's receipt and its bundle, nothing else");
    return deposit;
}

}  // namespace jiaozi::settlement
