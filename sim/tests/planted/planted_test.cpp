// Linked with one source file of the product that has a bug planted in it: simulation must find it within a minute.
#include <chrono>
#include <iostream>

#include <gtest/gtest.h>

#include <jiaozi/base/log.hpp>
#include <jiaozi/sim/world.hpp>

namespace jiaozi::sim {
namespace {

TEST(PlantedBug, IsFoundWithinAMinute) {
    log::set_level(log::Level::off);
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t batches = 0;
    for (std::uint64_t seed = 1; std::chrono::steady_clock::now() - begin < std::chrono::minutes(1); ++seed) {
        const WorldReport report = run_world({.seed = seed});
        batches += report.batches;
        if (report.failure.empty()) continue;
        std::cout << "found in world " << seed << ", after " << batches << " batches: " << report.failure << '\n';
        return;
    }
    FAIL() << batches << " batches in a minute, and nothing found";
}

}  // namespace
}  // namespace jiaozi::sim
