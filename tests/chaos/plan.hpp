// What one run does: how many of everything, and the seed from which all chance comes.
#pragma once

#include <cstdint>
#include <random>

#include <jiaozi/base/clock.hpp>

namespace jiaozi::chaos {

struct Plan {
    std::uint64_t seed = 1;
    std::uint32_t payments = 1000;
    std::uint32_t kills = 20;
    std::uint32_t machines = 12;
    std::uint32_t cars = 4;
    std::uint32_t customers = 6;
    std::uint32_t hold_s = 20;
    // The payments are asked for over this time. What a device may be silent, dark or gone is at most 3 s at a time,
    // and a server is back within one: far less than the 13 s between a command's end and the end of its hold.
    Duration lasting = seconds(50);

    // A device asks for this many of the payments: by itself, or for a code that it scanned.
    std::uint32_t by_cars() const { return payments * 3 / 10; }
    std::uint32_t by_customers() const { return payments - by_cars(); }
};

// JIAOZI_SEED (else from the clock), JIAOZI_CHAOS_PAYMENTS, JIAOZI_CHAOS_KILLS; fewer payments take less time.
Plan plan_from_environment();

// One for each actor, so that what one draws does not depend on what another does.
class Random {
  public:
    Random(std::uint64_t seed, std::uint64_t actor) : engine_(seed * 1'000'003 + actor) {}
    std::uint64_t number() { return engine_(); }
    std::uint32_t between(std::uint32_t least, std::uint32_t most) {
        return least + static_cast<std::uint32_t>(engine_() % (most - least + 1));
    }
    bool percent(std::uint32_t chance) { return engine_() % 100 < chance; }

  private:
    std::mt19937_64 engine_;
};

}  // namespace jiaozi::chaos
