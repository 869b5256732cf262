// OpenSSL 3 marks its SHA256_* functions deprecated in favour of EVP. They are used here on purpose: an EVP context
// lives on the heap and costs more to set up than a device message costs to hash, and the state must be copied for
// HmacKey.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <algorithm>
#include <cstring>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <jiaozi/crypto/hash.hpp>

namespace jiaozi::crypto {
namespace {

constexpr std::size_t block_size = 64;

static_assert(sizeof(SHA256_CTX) == 112 && alignof(SHA256_CTX) <= 8, "Sha256 holds an SHA256_CTX in place");

SHA256_CTX* context(std::array<std::uint8_t, 112>& state) noexcept {
    return reinterpret_cast<SHA256_CTX*>(state.data());
}

}  // namespace

Sha256::Sha256() noexcept : state_{} {
    SHA256_Init(context(state_));
}

Sha256& Sha256::update(ByteView bytes) noexcept {
    SHA256_Update(context(state_), bytes.data(), bytes.size());
    return *this;
}

Digest Sha256::finish() noexcept {
    Digest digest;
    SHA256_Final(digest.data(), context(state_));
    return digest;
}

Digest sha256(ByteView bytes) noexcept {
    return Sha256().update(bytes).finish();
}

struct Sm3::State {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Sm3::Sm3() : state_(std::make_unique<State>()) {
    // Fails only when memory is exhausted or OpenSSL was built without SM3, which the tests would show.
    JZ_ASSERT(state_->context && EVP_DigestInit_ex(state_->context.get(), EVP_sm3(), nullptr) == 1);
}
Sm3::~Sm3() = default;
Sm3::Sm3(Sm3&&) noexcept = default;
Sm3& Sm3::operator=(Sm3&&) noexcept = default;

Sm3& Sm3::update(ByteView bytes) {
    JZ_ASSERT(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
    return *this;
}

Digest Sm3::finish() {
    Digest digest;
    JZ_ASSERT(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) == 1);
    return digest;
}

Digest sm3(ByteView bytes) {
    return Sm3().update(bytes).finish();
}

HmacKey::HmacKey(ByteView key) noexcept {
    std::array<std::uint8_t, block_size> block{};
    if (key.size() > block_size) {
        std::ranges::copy(sha256(key), block.begin());
    } else {
        std::ranges::copy(key, block.begin());
    }
    for (std::uint8_t& byte : block) byte ^= 0x36;
    inner_.update(block);
    for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5C;
    outer_.update(block);
    wipe(block);
}

HmacKey::~HmacKey() {
    wipe(inner_.state_);
    wipe(outer_.state_);
}

Digest HmacKey::mac(ByteView message) const noexcept {
    return mac({message});
}

Digest HmacKey::mac(std::initializer_list<ByteView> parts) const noexcept {
    Sha256 inner = inner_;
    for (const ByteView part : parts) inner.update(part);
    return Sha256(outer_).update(inner.finish()).finish();
}

bool HmacKey::verify(ByteView message, ByteView tag) const noexcept {
    return constant_time_equal(mac(message), tag);
}

Digest hmac_sha256(ByteView key, ByteView message) noexcept {
    return HmacKey(key).mac(message);
}

SecretBytes hkdf_sha256(ByteView input_key, ByteView salt, ByteView info, std::size_t size) {
    JZ_ASSERT(size <= 255 * sizeof(Digest));
    Digest extracted = HmacKey(salt).mac(input_key);
    const HmacKey expand(extracted);
    wipe(extracted);
    SecretBytes out(size);
    Digest block{};
    std::size_t done = 0;
    for (std::uint8_t counter = 1; done < size; ++counter) {
        const ByteView previous = counter == 1 ? ByteView() : ByteView(block);
        block = expand.mac({previous, info, ByteView(&counter, 1)});
        const std::size_t part = std::min(block.size(), size - done);
        std::ranges::copy(ByteView(block).first(part), out.mutable_view().begin() + static_cast<std::ptrdiff_t>(done));
        done += part;
    }
    wipe(block);
    return out;
}

}  // namespace jiaozi::crypto
