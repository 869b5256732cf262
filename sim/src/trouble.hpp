// What goes wrong in one life of the process, and when.
#pragma once

#include <cstdint>

#include <jiaozi/sim/random.hpp>
#include <jiaozi/sim/simulated_disk.hpp>

namespace jiaozi::sim {

enum class Trouble : std::uint8_t {
    none,           // the process is ended in good order
    kill,           // kill -9: what was written stays
    power_failure,  // what was not synced may be lost
    write_error,
    sync_error,
    disk_full,
    misdirected_write,
};

// How a life that ended with an error of the disk is followed.
enum class Aftermath : std::uint8_t { restart_process, power_failure };

struct Plan {
    Trouble trouble = Trouble::none;
    std::uint64_t strikes_after = 0;  // operations
    Fate fate = Fate::proceed;        // of the operation it strikes
    Aftermath aftermath = Aftermath::restart_process;

    // `may_misdirect`: the last life of a world, because nothing can be repaired after that.
    static Plan draw(Random& random, bool may_misdirect) {
        Plan plan;
        plan.strikes_after = 1 + random.below(random.chance(30) ? 6 : 60);
        plan.aftermath = random.chance(50) ? Aftermath::restart_process : Aftermath::power_failure;
        const std::uint64_t kind = random.below(100);
        constexpr Fate crashes[] = {Fate::crash_before, Fate::crash_during, Fate::crash_after};
        plan.fate = crashes[random.below(3)];
        if (may_misdirect) {
            plan.trouble = Trouble::misdirected_write;
            plan.fate = Fate::misdirect;
        } else if (kind < 12) {
            plan.trouble = Trouble::none;
        } else if (kind < 30) {
            plan.trouble = Trouble::kill;
        } else if (kind < 72) {
            plan.trouble = Trouble::power_failure;
        } else if (kind < 80) {
            plan.trouble = Trouble::write_error;
            plan.fate = Fate::fail;
        } else if (kind < 90) {
            plan.trouble = Trouble::sync_error;
            plan.fate = Fate::fail;
        } else {
            plan.trouble = Trouble::disk_full;
            plan.fate = Fate::no_space;
        }
        return plan;
    }

    // Whether an operation is of the kind that it strikes.
    bool concerns(const Request& request) const {
        switch (trouble) {
            case Trouble::none:
                return false;
            case Trouble::kill:
            case Trouble::power_failure:
                return true;
            case Trouble::write_error:
            case Trouble::misdirected_write:
                return request.operation == Operation::write;
            case Trouble::sync_error:
                return request.operation == Operation::sync || request.operation == Operation::sync_directory;
            case Trouble::disk_full:
                return request.operation == Operation::preallocate || request.operation == Operation::write ||
                       request.operation == Operation::create;
        }
        return false;
    }
};

}  // namespace jiaozi::sim
