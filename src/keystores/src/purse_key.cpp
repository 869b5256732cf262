#include <algorithm>
#include <string>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/keystores/purse_key.hpp>

namespace jiaozi::keystores {

std::array<std::uint8_t, 16> anchor_id(const PurseKey& key) {
    const crypto::Digest digest = crypto::Sha256().update(as_bytes("jiaozi anchor")).update(key.public_key()).finish();
    std::array<std::uint8_t, 16> id{};
    std::copy_n(digest.begin(), id.size(), id.begin());
    return id;
}

Result<void> advance_to(MonotonicCounter& counter, std::uint64_t target) {
    JZ_TRY(std::uint64_t now, counter.read());
    if (now > target) {
        return Error(ErrorKind::conflict, "the counter is at " + std::to_string(now) + " already, above " +
                                              std::to_string(target) + "; it never goes back");
    }
    if (target - now > max_steps) {
        return Error(ErrorKind::too_large, "the counter is at " + std::to_string(now) + ", too far from " +
                                               std::to_string(target) + "; at most 1024 steps at once");
    }
    while (now < target) {
        JZ_TRY(now, counter.increment());
    }
    return {};
}

}  // namespace jiaozi::keystores
