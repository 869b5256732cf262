#include <algorithm>

#include <jiaozi/protocol/session.hpp>

#include "id_bytes.hpp"

namespace jiaozi::protocol {
namespace {

constexpr std::string_view key_info = "jiaozi/device/1/session";
constexpr std::size_t key_size = 32;

}  // namespace

Result<SessionKeys> derive_session_keys(ByteView own_private, const crypto::X25519PublicKey& peer,
                                        const HelloNonce& nonce, const SessionId& session, DeviceId device,
                                        const KeyId& kid) {
    JZ_TRY(const auto shared, crypto::x25519(own_private, peer));
    Bytes salt = to_bytes(nonce);
    append(salt, session);
    Bytes info = to_bytes(as_bytes(key_info));
    append(info, id_bytes(device.value));
    append(info, kid);
    const crypto::SecretBytes keys = crypto::hkdf_sha256(shared.view(), salt, info, 2 * key_size);
    return SessionKeys{crypto::HmacKey(keys.view().first(key_size)), crypto::HmacKey(keys.view().last(key_size))};
}

SeqWindow::Verdict SeqWindow::look(std::uint64_t seq) const noexcept {
    if (seq > newest_) return Verdict::fresh;
    if (newest_ - seq >= size) return Verdict::too_old;
    const std::uint64_t bit = seq % size;
    return ((seen_[bit / word_bits] >> (bit % word_bits)) & 1) != 0 ? Verdict::seen : Verdict::fresh;
}

void SeqWindow::mark(std::uint64_t seq) noexcept {
    if (seq > newest_) {
        if (seq - newest_ >= size) {
            seen_.fill(0);
        } else {
            for (std::uint64_t skipped = newest_ + 1; skipped < seq; ++skipped) {
                const std::uint64_t bit = skipped % size;
                seen_[bit / word_bits] &= ~(std::uint64_t{1} << (bit % word_bits));
            }
        }
        newest_ = seq;
    } else if (newest_ - seq >= size) {
        return;
    }
    const std::uint64_t bit = seq % size;
    seen_[bit / word_bits] |= std::uint64_t{1} << (bit % word_bits);
}

}  // namespace jiaozi::protocol
