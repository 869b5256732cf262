// One world of the simulation: an engine over a disk that fails and a clock that jumps, its callers, and who judges
// both. Its life is in world.cpp, what a server does besides (snapshots, pruning, the log) in world_upkeep.cpp.
//
// Threading: one thread; the engine's own threads stand at the gate while it decides what happens to what they ask.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <jiaozi/engine/engine.hpp>
#include <jiaozi/sim/world.hpp>

#include "auditor.hpp"
#include "gate.hpp"
#include "trouble.hpp"
#include "workload.hpp"
#include "world_log.hpp"

namespace jiaozi::sim {

class World {
  public:
    explicit World(const WorldOptions& options);
    WorldReport run();

  private:
    enum class Seen : std::uint8_t { visit, idle, stopped };
    struct Sent {
        engine::Command command;
    };
    struct Answer {
        std::uint64_t number;  // of the command, counted as they are sent
        Result<engine::Outcome> outcome;
    };

    bool well() const { return report_.failure.empty(); }
    bool enough() const { return report_.batches >= batches_; }
    void complain(Auditor::Complaint what) {
        if (what && well()) report_.failure = *std::move(what);
    }

    Fate decide(const Request& request);
    void open();
    void let_due_holds_run_out();
    void live();
    void end_life();
    void expect_stopped();
    void damage_at_rest();
    void end_damaged_world();
    Seen wait();
    void let_log_follow();
    bool start_log();
    void show_checkpoint();
    bool take_from_log(const Result<LogBook::Complaint>& said);
    void take_answers();
    void settle(Sent sent, const Answer& answer);
    void send(std::uint64_t count);
    void move_clock();
    void make_snapshot();
    void snapshot_before_sync();
    void prune();
    bool keep_house();
    bool only_an_audit_finds_it(const engine::Engine& engine);

    const WorldOptions options_;
    Random random_;
    WorldReport report_;
    std::uint64_t batches_;
    engine::Options engine_options_;
    SimulatedDisk disk_;
    TestClock clock_;
    Workload workload_;
    std::optional<WorldLog> log_;  // stopped before the engine is
    Auditor auditor_;
    TraceHash trace_;

    Plan plan_;
    bool struck_ = false;      // the plan's trouble has happened
    bool log_struck_ = false;  // an operation of the log has failed, and nothing else happened
    bool log_starts_ = false;  // whatever this thread asks of the disk is the log's; gate_'s mutex
    bool misdirected_ = false;
    bool in_housekeeping_ = false;
    bool housekeeping_failed_ = false;  // the disk did not let it be done
    bool damages_;                      // in this world there is damage besides trouble

    Gate gate_;
    std::vector<Answer> answers_;    // gate_'s mutex
    std::uint64_t outstanding_ = 0;  // gate_'s mutex

    std::uint64_t sent_count_ = 0;
    std::uint64_t answered_count_ = 0;
    std::uint64_t ticks_to_ = 0;              // the sequence of a tick that the engine is writing
    std::deque<Sent> sent_;                   // not answered yet
    std::deque<engine::Command> unhappy_;     // to be sent again, with the same ids
    std::unique_ptr<engine::Engine> engine_;  // last: its threads use what is above
};

}  // namespace jiaozi::sim
