#include "plan.hpp"

#include <algorithm>
#include <cstdlib>

namespace jiaozi::chaos {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

Plan plan_from_environment() {
    Plan plan;
    plan.seed = number_from("JIAOZI_SEED", SystemClock().now().ms());
    const std::uint32_t usual = plan.payments;
    plan.payments =
        std::clamp<std::uint32_t>(static_cast<std::uint32_t>(number_from("JIAOZI_CHAOS_PAYMENTS", usual)), 10, 100'000);
    plan.kills = static_cast<std::uint32_t>(number_from("JIAOZI_CHAOS_KILLS", plan.kills));
    plan.lasting.ns = plan.lasting.ns / usual * plan.payments;
    return plan;
}

}  // namespace jiaozi::chaos
