#include <array>

#include <jiaozi/sim/world.hpp>

namespace jiaozi::sim {

void WorldReport::add(const WorldReport& other) {
    static constexpr std::array counts = {
        &WorldReport::batches,        &WorldReport::events,          &WorldReport::refusals,
        &WorldReport::entries,        &WorldReport::operations,      &WorldReport::opens,
        &WorldReport::power_failures, &WorldReport::kills,           &WorldReport::clean_ends,
        &WorldReport::disk_errors,    &WorldReport::disk_full,       &WorldReport::read_errors,
        &WorldReport::survivors,      &WorldReport::vanished,        &WorldReport::expired,
        &WorldReport::ticks,          &WorldReport::checkpoints,     &WorldReport::log_stops,
        &WorldReport::damage_refused, &WorldReport::damage_harmless, &WorldReport::snapshots,
        &WorldReport::from_snapshots, &WorldReport::pruned,          &WorldReport::history_runs};
    for (const auto count : counts) this->*count += other.*count;
    if (failure.empty()) failure = other.failure;
}

}  // namespace jiaozi::sim
