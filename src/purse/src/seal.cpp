#include <jiaozi/purse/seal.hpp>

namespace jiaozi::purse {
namespace {

constexpr Fixed<19> label{'j', 'i', 'a', 'o', 'z', 'i', '/', 'p', 'u', 'r',
                          's', 'e', '/', '1', '/', 's', 'e', 'a', 'l'};
constexpr std::size_t hash_block = 64;

// HMAC (RFC 2104) over the parts; keys here never exceed a block.
jz_status hmac(const jz_platform& platform, View key, std::span<const jz_view> parts, Id& out) noexcept {
    constexpr std::size_t most_parts = 3;
    Fixed<hash_block> pad{};
    if (key.size() > pad.size() || parts.size() > most_parts) return JZ_BAD_ARGUMENT;
    if (!key.empty()) std::memcpy(pad.data(), key.data(), key.size());
    for (std::uint8_t& byte : pad) byte ^= 0x36;
    std::array<jz_view, most_parts + 1> inner{c_view(pad)};
    for (std::size_t i = 0; i < parts.size(); ++i) inner[i + 1] = parts[i];
    Id digest{};
    int failed = platform.hash(platform.context, JZ_SHA256, inner.data(), parts.size() + 1, digest.data());
    for (std::uint8_t& byte : pad) byte ^= 0x36 ^ 0x5C;
    const std::array<jz_view, 2> outer{c_view(pad), c_view(digest)};
    failed |= platform.hash(platform.context, JZ_SHA256, outer.data(), outer.size(), out.data());
    wipe(pad);
    wipe(digest);
    return failed == 0 ? JZ_OK : JZ_CRYPTO_FAILED;
}

// verb ‖ REQ id; a MULE has no request, and the verb alone.
class AdditionalData {
  public:
    AdditionalData(Verb verb, View request_id) noexcept : bytes_{static_cast<std::uint8_t>(verb)} {
        if (request_id.size() != 32) return;
        std::memcpy(bytes_.data() + 1, request_id.data(), 32);
        size_ = bytes_.size();
    }
    jz_view view() const noexcept { return {bytes_.data(), size_}; }

  private:
    Fixed<33> bytes_;
    std::size_t size_ = 1;
};

}  // namespace

SealKeys::~SealKeys() {
    for (SealKey* key : {&payer, &payee}) {
        wipe(key->key);
        wipe(key->nonce);
    }
}

jz_status hkdf_sha256(const jz_platform& platform, View key, View salt, View info, Span out) noexcept {
    Id extracted{};
    const jz_view input = c_view(key);
    jz_status status = hmac(platform, salt, std::span(&input, 1), extracted);
    Id block{};
    std::size_t made = 0;
    for (std::uint8_t counter = 1; status == JZ_OK && made < out.size(); ++counter) {
        const std::array<jz_view, 3> parts{c_view(counter == 1 ? View{} : View(block)), c_view(info), {&counter, 1}};
        Id next{};
        status = hmac(platform, extracted, parts, next);
        block = next;
        const std::size_t size = out.size() - made < block.size() ? out.size() - made : block.size();
        std::memcpy(out.data() + made, block.data(), size);
        made += size;
    }
    wipe(extracted);
    wipe(block);
    return status;
}

jz_status new_ephemeral(const jz_platform& platform, Fixed<32>& secret, Fixed<32>& open) noexcept {
    constexpr Fixed<32> base_point{9};
    if (platform.random(platform.context, secret.data(), secret.size()) != 0) return JZ_CRYPTO_FAILED;
    const int failed = platform.x25519(platform.context, open.data(), secret.data(), base_point.data());
    return failed == 0 ? JZ_OK : JZ_CRYPTO_FAILED;
}

jz_status derive_keys(const jz_platform& platform, const Fixed<32>& own, const Fixed<32>& peer, const Fixed<32>& enc,
                      const Fixed<32>& ephemeral, View request_id, Verb verb, SealKeys& keys) noexcept {
    Fixed<32> shared{};
    std::uint8_t any = 0;
    if (platform.x25519(platform.context, shared.data(), own.data(), peer.data()) == 0) {
        for (const std::uint8_t byte : shared) any |= byte;
    }
    if (any == 0) return JZ_CRYPTO_FAILED;

    Buffer<label.size() + 1 + 64> info;
    const auto verb_byte = static_cast<std::uint8_t>(verb);
    const bool fits =
        info.append(label) && info.append(View(&verb_byte, 1)) && info.append(enc) && info.append(ephemeral);
    Fixed<88> output{};
    const jz_status status = fits ? hkdf_sha256(platform, shared, request_id, info.view(), output) : JZ_BAD_ARGUMENT;
    const View made(output);
    if (status == JZ_OK) {
        take(made.subspan(0, 32), keys.payer.key);
        take(made.subspan(32, 12), keys.payer.nonce);
        take(made.subspan(44, 32), keys.payee.key);
        take(made.subspan(76, 12), keys.payee.nonce);
    }
    wipe(shared);
    wipe(output);
    return status;
}

jz_status seal(const jz_platform& platform, const SealKey& key, Verb verb, View request_id, Span data,
               std::size_t size) noexcept {
    if (data.size() < size + tag_size) return JZ_BUFFER_TOO_SMALL;
    const AdditionalData aad(verb, request_id);
    const int failed = platform.seal(platform.context, key.key.data(), key.nonce.data(), aad.view(), data.data(), size,
                                     data.data() + size);
    return failed == 0 ? JZ_OK : JZ_CRYPTO_FAILED;
}

jz_status unseal(const jz_platform& platform, const SealKey& key, Verb verb, View request_id, Span sealed) noexcept {
    if (sealed.size() < tag_size) return JZ_MALFORMED;
    const std::size_t size = sealed.size() - tag_size;
    const AdditionalData aad(verb, request_id);
    const int failed = platform.open(platform.context, key.key.data(), key.nonce.data(), aad.view(), sealed.data(),
                                     size, sealed.data() + size);
    return failed == 0 ? JZ_OK : JZ_BAD_SIGNATURE;
}

}  // namespace jiaozi::purse
