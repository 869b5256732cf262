#include <utility>

#include "one_world.hpp"

namespace jiaozi::sim {

// On this thread, while the engine has nothing to do or stands at the gate: so its operations have their place in the
// order of all.
void World::make_snapshot() {
    in_housekeeping_ = true;
    housekeeping_failed_ = false;
    const auto made = engine_->make_snapshot();
    in_housekeeping_ = false;
    trace_.add(made.ok() ? made->sequence : static_cast<std::uint64_t>(made.error().kind()));
    if (made.ok() && made->bytes > 0) ++report_.snapshots;
    if (made.ok() || struck_ || housekeeping_failed_ || made.error().kind() == ErrorKind::not_found) return;
    complain("a snapshot failed though nothing had happened: " + made.error().to_string());
}

// The trouble planned comes not while it is made, but often right behind: at the sync.
void World::snapshot_before_sync() {
    const std::uint64_t strikes_after = std::exchange(plan_.strikes_after, UINT64_MAX);
    make_snapshot();
    plan_.strikes_after = random_.chance(50) ? 0 : strikes_after;
}

// While the engine has nothing to do.
void World::prune() {
    in_housekeeping_ = true;
    housekeeping_failed_ = false;
    const auto done = engine_->prune("/archive");
    in_housekeeping_ = false;
    trace_.add(done.ok() ? done->first_kept : static_cast<std::uint64_t>(done.error().kind()));
    if (done.ok()) report_.pruned += done->segments_removed;
    if (done.ok() || struck_ || housekeeping_failed_ || done.error().kind() == ErrorKind::invalid) return;
    complain("pruning failed though nothing had happened: " + done.error().to_string());
}

// Now and then, and says whether it did something.
bool World::keep_house() {
    const std::uint64_t kind = random_.below(100);
    if (kind < 4) make_snapshot();
    if (kind == 4) prune();
    return kind <= 4;
}

// False when the power went.
bool World::start_log() {
    if (!log_) return true;
    const auto starts = [this](bool now) {
        const std::lock_guard guard(gate_.mutex());
        log_starts_ = now;
    };
    const Gate::SideOpen open(gate_);
    starts(true);
    const auto said = log_->start(*engine_);
    starts(false);
    return take_from_log(said);
}

// Before anything else happens in the world: its tiles go to the disk too.
void World::let_log_follow() {
    if (!log_ || !log_->runs()) return;
    const Gate::SideOpen open(gate_);
    const auto followed = log_->follow(*engine_);
    if (!followed.ok()) take_from_log(followed.error());
}

void World::show_checkpoint() {
    const Gate::SideOpen open(gate_);
    const auto said = log_->show(*engine_);
    trace_.add(said.ok() ? engine_->last_sequence() : 0);
    take_from_log(said);
}

// A log that cannot go on is left alone until the next life, as a server would. False when the power went.
bool World::take_from_log(const Result<LogBook::Complaint>& said) {
    if (said.ok()) {
        complain(*said);
        return true;
    }
    log_->stop();
    if (!disk_.powered()) return false;
    if (!log_struck_ && !misdirected_)
        complain("the log stands still, and nothing happened to it: " + said.error().to_string());
    return true;
}

}  // namespace jiaozi::sim
