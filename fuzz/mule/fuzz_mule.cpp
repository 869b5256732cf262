// What mules bring (docs/protocol/offline.md, 9.2). The first byte chooses: the rest as a whole message, or sealed well
// to the ledger's key, as anybody can, so that what is inside is hostile too. A message that was not sealed here never
// opens; one that was opens to exactly what was sealed, and only if it is a receipt and a note.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/crypto/x25519.hpp>
#include <jiaozi/purse/objects.hpp>
#include <jiaozi/purse/seal.hpp>
#include <jiaozi/purse_host/memory.hpp>
#include <jiaozi/settlement/mule.hpp>

using namespace jiaozi;

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

// A purse that is never opened: for the calls of its platform.
struct Surroundings {
    TestClock clock;
    purse_host::FastSigner signer{1};
    purse_host::MemoryStorage storage;
    purse_host::MemoryAnchor anchor;
    purse_host::HostPurse purse{purse_host::real_cryptography(), signer, storage, anchor, clock};
};

const settlement::MuleOpener& opener() {
    static const auto made = settlement::MuleOpener::make(Bytes(32, 7)).value();
    return made;
}

Bytes sealed(ByteView plain) {
    static Surroundings around;
    static const crypto::X25519KeyPair pair = crypto::x25519_from_private(Bytes(32, 9)).value();
    purse::Fixed<32> secret{};
    purse::Fixed<32> enc{};
    purse::Fixed<32> deposit_key{};
    std::ranges::copy(pair.private_key.view(), secret.begin());
    std::ranges::copy(pair.public_key, enc.begin());
    std::ranges::copy(opener().deposit_key(), deposit_key.begin());
    const jz_platform& platform = around.purse.platform();
    purse::SealKeys keys;
    require(purse::derive_keys(platform, secret, deposit_key, enc, deposit_key, {}, purse::Verb::mule, keys) == JZ_OK);
    Bytes message(1 + enc.size(), static_cast<std::uint8_t>(purse::Verb::mule));
    std::ranges::copy(enc, message.begin() + 1);
    const std::size_t before = message.size();
    append(message, plain);
    message.resize(message.size() + purse::tag_size);
    require(purse::seal(platform, keys.payer, purse::Verb::mule, {}, std::span(message).subspan(before),
                        plain.size()) == JZ_OK);
    return message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes(data + 1, size - 1);
    if (data[0] % 2 == 0) {
        require(!opener().open(bytes).ok());
        return 0;
    }
    const auto opened = opener().open(sealed(bytes));
    if (!opened.ok()) return 0;
    require(equal(*opened, bytes));
    purse::View rest = *opened;
    purse::Object receipt;
    purse::Object note;
    require(purse::read_object(rest, receipt) == JZ_OK && receipt.type == purse::Type::receipt);
    require(purse::read_object(rest, note) == JZ_OK && note.type == purse::Type::note);
    return 0;
}
