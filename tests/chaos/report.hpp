// The report that a run prints at its end.
#pragma once

#include "auditor.hpp"

namespace jiaozi::chaos {

struct Kills {
    std::uint32_t done = 0;
    std::uint32_t with_payments_under_way = 0;
    std::int64_t slowest_start_ms = 0;
};

void print_report(const Plan& plan, const Diary& diary, const World& world, const Findings& findings,
                  const Kills& kills, Duration elapsed);

}  // namespace jiaozi::chaos
