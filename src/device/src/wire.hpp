// The last step of sending and the first of hearing, where faults to order act.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/device/client.hpp>
#include <jiaozi/device/faults.hpp>

namespace jiaozi::device {

class Wire {
  public:
    Wire(std::function<void(Bytes)> put, Counters& counters) : put_(std::move(put)), counters_(&counters) {}

    void set(const Faults& faults) {
        if (faults.seed != faults_.seed) random_ = faults.seed;
        faults_ = faults;
    }
    const Faults& faults() const noexcept { return faults_; }

    void send(Bytes envelope) {
        if (lost()) return;
        if (faults_.reorder && !held_) {
            held_ = std::move(envelope);
            return;
        }
        put(std::move(envelope));
        flush();
    }
    // What reorder holds and nothing came after.
    void flush() {
        if (held_) put(*std::exchange(held_, std::nullopt));
    }
    bool holds() const noexcept { return held_.has_value(); }

    // One decision for one message of either direction.
    bool lost() {
        if (!faults_.silent && !(faults_.drop_percent > 0 && next() % 100 < faults_.drop_percent)) return false;
        ++counters_->lost_by_fault;
        return true;
    }

  private:
    void put(Bytes envelope) {
        if (faults_.duplicate) {
            ++counters_->sent;
            put_(envelope);
        }
        ++counters_->sent;
        put_(std::move(envelope));
    }
    // SplitMix64: the same seed loses the same messages.
    std::uint64_t next() noexcept {
        std::uint64_t z = (random_ += 0x9E3779B97F4A7C15ULL);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }

    std::function<void(Bytes)> put_;
    Counters* counters_;
    Faults faults_;
    std::uint64_t random_ = Faults{}.seed;
    std::optional<Bytes> held_;
};

}  // namespace jiaozi::device
