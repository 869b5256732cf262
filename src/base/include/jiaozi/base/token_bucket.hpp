// Token buckets by the generic cell rate algorithm, which keeps the time at which a bucket was, or will be, full.
// One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include <jiaozi/base/clock.hpp>

namespace jiaozi {

class TokenBucket {
  public:
    // False: not so many tokens left, and none is taken. More than a burst at once are never refused for being more:
    // a full bucket gives them, and owes. per_s and burst are at least 1. Where `now` goes back, because the clock was
    // set, the bucket is full again rather than empty until then.
    bool take(Timestamp now, std::uint32_t per_s, std::uint32_t burst, std::uint32_t count = 1) noexcept {
        const std::uint64_t interval = 1'000'000'000 / per_s;
        if (now < last_) full_at_ = now;
        last_ = now;
        const std::uint64_t from = std::max(full_at_.ns, now.ns);
        if (from - now.ns > interval * (burst - std::min(burst, count))) return false;
        full_at_.ns = from + interval * count;
        return true;
    }

  private:
    Timestamp full_at_;
    Timestamp last_;
};

// One for each of many keys. Grows by an entry a key: for keys that exist, not for what strangers make up.
template <class Key>
class RateLimit {
  public:
    // 0 per second: no limit.
    RateLimit(std::uint32_t per_second, std::uint32_t burst)
        : per_second_(per_second), burst_(std::max<std::uint32_t>(burst, 1)) {}

    bool allow(Key key, Timestamp now, std::uint32_t count = 1) {
        return per_second_ == 0 || buckets_[key].take(now, per_second_, burst_, count);
    }

  private:
    std::uint32_t per_second_;
    std::uint32_t burst_;
    std::unordered_map<Key, TokenBucket> buckets_;
};

}  // namespace jiaozi
