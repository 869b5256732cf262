// What both ends keep of a session: its two MAC keys and the window of sequence numbers seen (docs/protocol/device.md,
// sections 2 and 4). Not thread-safe, except that const SessionKeys may be used by many threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/crypto/x25519.hpp>
#include <jiaozi/protocol/messages.hpp>

namespace jiaozi::protocol {

struct SessionKeys {
    crypto::HmacKey up;
    crypto::HmacKey down;
};

// Both sides call this with their own private key and the other's public one. `kid` is the device's credential id.
// Error invalid for a peer key of low order.
Result<SessionKeys> derive_session_keys(ByteView own_private, const crypto::X25519PublicKey& peer,
                                        const HelloNonce& nonce, const SessionId& session, DeviceId device,
                                        const KeyId& kid);

// Which numbers were seen: exactly for the newest 1,024, "too old" below. Constant memory, constant time but for a jump
// ahead, which clears what it skips.
class SeqWindow {
  public:
    static constexpr std::uint64_t size = 1024;

    enum class Verdict : std::uint8_t { fresh, seen, too_old };

    Verdict look(std::uint64_t seq) const noexcept;
    void mark(std::uint64_t seq) noexcept;  // a number that is too old changes nothing
    std::uint64_t newest() const noexcept { return newest_; }

  private:
    static constexpr std::uint64_t word_bits = 64;
    std::uint64_t newest_ = 0;  // 0: none yet; numbers start from 1
    std::array<std::uint64_t, size / word_bits> seen_{};
};

}  // namespace jiaozi::protocol
