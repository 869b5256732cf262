// Damage to a disk at rest: what storage does that does not work.
#pragma once

#include <string>

#include <jiaozi/sim/random.hpp>
#include <jiaozi/sim/simulated_disk.hpp>

namespace jiaozi::sim {

// Spoils one thing of what `good` shows, and says what in words. Leaves out the two cases in which a journal alone
// cannot tell damage from a torn tail (docs/formats/journal.md): a byte, or a sector, that becomes zeros.
std::string spoil(SimulatedDisk& disk, const SimulatedDisk::Image& good, Random& random);

}  // namespace jiaozi::sim
