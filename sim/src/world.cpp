#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include <jiaozi/engine/engine.hpp>
#include <jiaozi/storage/journal_copy.hpp>

#include "damage.hpp"
#include "one_world.hpp"

namespace jiaozi::sim {

namespace {

using engine::Engine;
using engine::Health;
using engine::Outcome;

constexpr std::chrono::seconds hanging(30);

bool is_crash(Fate fate) {
    return fate == Fate::crash_before || fate == Fate::crash_during || fate == Fate::crash_after;
}

// With chance of its own: the rest of a world is as it would be without a log.
std::optional<WorldLog> log_of(const WorldOptions& options, SimulatedDisk& disk) {
    if (!options.has_log.value_or(options.seed % 8 == 0)) return std::nullopt;
    return std::optional<WorldLog>(std::in_place, disk, Random(~options.seed));
}

}  // namespace

World::World(const WorldOptions& options)
    : options_(options),
      random_(options.seed),
      batches_(options.batches != 0 ? options.batches : 200 + random_.below(800)),
      disk_(random_.next()),
      workload_(random_.fork()),
      log_(log_of(options, disk_)),
      auditor_(random_.fork(), log_ ? &log_->book() : nullptr),
      damages_(!options.only_accident && !options.syncs_pretend && random_.chance(40)),
      gate_([this](const Request& request) { return decide(request); }) {
    engine_options_.directory = "/data";
    engine_options_.disk = &disk_;
    engine_options_.tick = microseconds(100);
    engine_options_.segments_ahead = false;    // a thread of its own that writes would make the order chance
    engine_options_.snapshot_every_bytes = 0;  // likewise; they are made on this thread, when the engine is idle
    engine_options_.history_thread = false;    // likewise
    engine_options_.history_tail_rows = 4 + options.seed % 60;
    engine_options_.recent_bytes = options.seed % 3 * 16'384;  // in a third of the worlds all old events are read
    engine_options_.segment_bytes = std::uint64_t{64} * 1024 * (1 + random_.below(3));
    // At most 32 KiB: larger groups may be applied by another thread than the one that writes.
    engine_options_.max_entry_bytes = std::size_t{4096} << random_.below(4);
    if (random_.chance(25)) gate_.stop_before_syncs();
    disk_.set_referee([this](const Request& request) {
        return WorldLog::owns(request.path) ? gate_.pass_aside(request) : gate_.pass(request);
    });
}

// What becomes of an operation. Every one of them passes here, one at a time, with the gate's mutex held.
Fate World::decide(const Request& request) {
    // The power went while this one stood at the gate: whether it stood there yet is chance.
    if (!disk_.powered()) return Fate::crash_before;
    ++report_.operations;
    const bool of_log = log_starts_ || WorldLog::owns(request.path);
    Fate fate = Fate::proceed;
    if (options_.only_accident) {
        const bool now = report_.operations == options_.only_accident->operation;
        fate = now ? options_.only_accident->fate : Fate::proceed;
    } else if (plan_.strikes_after > 0) {
        --plan_.strikes_after;
    } else if (!struck_ && !log_struck_ && plan_.concerns(request) &&
               (plan_.fate != Fate::misdirect || (engine_ && !of_log))) {
        fate = plan_.fate;
    }
    // A disk that fails while a snapshot is written, or the journal pruned, costs that and nothing else.
    // So does one that fails while histories are written: it is tried again. (At its opening an engine insists.)
    const bool of_histories = engine_ && (request.path.starts_with("/data/histories") || request.path == "/data");
    const bool only_housekeeping =
        (in_housekeeping_ || of_histories) && !of_log && (fate == Fate::fail || fate == Fate::no_space);
    if (only_housekeeping) housekeeping_failed_ = true;
    // What fails the log is nothing to the engine, but there is one power for both.
    if (fate != Fate::proceed && !only_housekeeping) (of_log && !is_crash(fate) ? log_struck_ : struck_) = true;
    if (fate == Fate::misdirect) misdirected_ = true;
    const bool entry_sync = request.operation == Operation::sync && request.path.starts_with("/data/journal/");
    if (fate == Fate::proceed && options_.syncs_pretend && entry_sync && random_.chance(20)) fate = Fate::pretend;
    trace_.add(static_cast<std::uint64_t>(request.operation) << 8 | static_cast<std::uint64_t>(fate));
    trace_.add(request.bytes);
    return fate;
}

// ---------------------------------------------------------------- the engine's answers

void World::settle(Sent sent, const Answer& answer) {
    if (answer.number != answered_count_++) return complain("commands were answered in another order than sent");
    if (answer.outcome.ok()) {
        ++report_.batches;
        report_.events +=
            sent.command.accounts.size() + sent.command.flag_changes.size() + sent.command.transfers.size();
        trace_.add(answer.outcome->sequence);
        trace_.add(answer.outcome->timestamp.ns);
        workload_.learn(sent.command, *answer.outcome);
        return complain(auditor_.acknowledged(std::move(sent.command), *answer.outcome));
    }
    const ErrorKind kind = answer.outcome.error().kind();
    trace_.add(static_cast<std::uint64_t>(kind));
    if (!struck_) complain("a command failed though nothing had happened: " + answer.outcome.error().to_string());
    if (kind != ErrorKind::timeout && kind != ErrorKind::unavailable) {
        complain("a command failed with " + answer.outcome.error().to_string());
    }
    // A careful client asks again, with the same ids, and so learns what became of it.
    if (random_.chance(90)) unhappy_.push_back(sent.command);
    if (kind == ErrorKind::timeout) auditor_.in_doubt(std::move(sent.command));
}

void World::take_answers() {
    std::vector<Answer> answers;
    {
        const std::lock_guard guard(gate_.mutex());
        answers.swap(answers_);
    }
    for (const Answer& answer : answers) {
        if (sent_.empty()) return complain("a command was answered twice");
        Sent sent = std::move(sent_.front());
        sent_.pop_front();
        settle(std::move(sent), answer);
    }
}

void World::send(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        engine::Command command;
        if (!unhappy_.empty() && random_.chance(50)) {
            command = std::move(unhappy_.front());
            unhappy_.pop_front();
        } else {
            command = sent_count_ == 0 ? workload_.opening() : workload_.next();
        }
        sent_.push_back({command});
        {
            const std::lock_guard guard(gate_.mutex());
            ++outstanding_;
        }
        engine_->submit(std::move(command), [this, number = sent_count_++](Result<Outcome> outcome) {
            const std::lock_guard guard(gate_.mutex());
            answers_.push_back({number, std::move(outcome)});
            if (--outstanding_ == 0) gate_.changed();
        });
    }
}

// ---------------------------------------------------------------- stepping

// Waits until the engine wants something of the disk, or has nothing to do, or has stopped.
World::Seen World::wait() {
    const auto begin = std::chrono::steady_clock::now();
    for (;;) {
        bool visited = false;
        bool quiet = false;
        {
            std::unique_lock lock(gate_.mutex());
            while (!gate_.occupied() && outstanding_ > 0) {
                gate_.wait(lock, std::chrono::milliseconds(100));
                if (std::chrono::steady_clock::now() - begin > hanging) break;
            }
            visited = gate_.occupied();
            quiet = outstanding_ == 0;
        }
        if (visited) {
            // Nobody is answered when a tick is done: it will have the next sequence.
            let_log_follow();
            ticks_to_ = quiet ? engine_->last_sequence() + 1 : 0;
            return Seen::visit;
        }
        if (quiet) {
            take_answers();
            if (!well()) return Seen::stopped;
            if (engine_->health().state == Health::State::stopped) {
                let_log_follow();
                return Seen::stopped;
            }
            // While there is no traffic, holds that run out make the engine write by itself.
            const bool ticking = engine_->last_sequence() < ticks_to_ || auditor_.tick_is_due(*engine_, clock_.now());
            if (!ticking) {
                let_log_follow();
                return Seen::idle;
            }
            std::unique_lock lock(gate_.mutex());
            if (!gate_.occupied()) gate_.wait(lock, std::chrono::microseconds(50));
        }
        if (std::chrono::steady_clock::now() - begin > hanging) {
            complain("the engine hangs: nothing asked of the disk, nothing answered");
            return Seen::stopped;
        }
    }
}

// Mostly a little forward; sometimes far, so that holds run out; sometimes back, as clocks do.
void World::move_clock() {
    const std::uint64_t kind = random_.below(100);
    if (kind < 70) {
        clock_.advance(nanoseconds(static_cast<std::int64_t>(random_.below(2'000'000))));
    } else if (kind < 92) {
        clock_.advance(milliseconds(static_cast<std::int64_t>(random_.below(3'000))));
    } else if (kind < 96) {
        clock_.advance(seconds(static_cast<std::int64_t>(random_.below(100))));
    } else {
        clock_.advance(milliseconds(-static_cast<std::int64_t>(random_.below(20'000))));
    }
}

// What a snapshot spares reading may be damaged, and opening does not see it. A check of the whole journal does.
bool World::only_an_audit_finds_it(const Engine& engine) {
    return engine.opening().snapshot_sequence != 0 && !storage::check_journal("/data/journal", disk_).ok();
}

// Whether an engine that is closed at once gets to the holds that ran out before it was opened would be chance.
void World::let_due_holds_run_out() {
    while (well() && engine_ && wait() == Seen::visit) gate_.let_pass();
}

void World::live() {
    const bool ends_in_order = options_.only_accident.has_value() || plan_.trouble == Trouble::none;
    std::uint64_t steps_left = options_.only_accident ? UINT64_MAX : 20 + random_.below(60);
    // While the engine stands at the gate, any number of commands may queue up behind it. When it is idle only one is
    // sent, because it would be taken at once, and whether alone or with the next would be chance.
    while (well()) {
        const Seen seen = wait();
        if (seen == Seen::stopped) return;
        take_answers();
        if (log_ && log_->runs() && random_.chance(10)) show_checkpoint();
        const bool ending = enough() || ((ends_in_order || log_struck_) && steps_left == 0);
        if (steps_left > 0) --steps_left;
        if (seen == Seen::idle) {
            if (ending) return;
            if (keep_house()) {
                if (struck_) return;
                continue;
            }
            if (random_.chance(50)) {
                move_clock();
                continue;
            }
            send(1);
        } else {
            // What is written and not synced may be gone tomorrow: no snapshot may have it.
            if (gate_.at_sync() && random_.chance(10)) snapshot_before_sync();
            if (struck_) return;
            if (!ending && random_.chance(60)) send(random_.below(24));
            // If nothing is sent, the engine is writing a tick: with the clock put back, nobody could tell when it is
            // done.
            if (!sent_.empty() && random_.chance(30)) move_clock();
            gate_.let_pass();
        }
    }
}

// ---------------------------------------------------------------- lives

// Opens the engine, whatever it takes: reads may fail, and the power may go while it recovers.
void World::open() {
    if (!options_.only_accident && random_.chance(4)) {
        disk_.fail_reads(true);
        ++report_.read_errors;
        const auto opened = Engine::open(engine_options_, clock_);
        if (opened.ok()) return complain("opened from a disk that could not be read");
        if (struck_) {
            end_life();
        } else {
            disk_.end_process();
        }
    }
    std::string last_cause = "the log did not start";
    for (unsigned attempts = 0; attempts < 30 && well(); ++attempts) {
        ++report_.opens;
        engine_options_.use_snapshots = random_.chance(80);
        // Recovery runs on this thread and passes the gate; the writer that it starts stops there.
        auto opened = Engine::open(engine_options_, clock_);
        if (opened.ok()) {
            engine_ = std::move(opened).value();
            ticks_to_ = 0;
            if (engine_->opening().snapshot_sequence != 0) ++report_.from_snapshots;
            // Whole before they have their names, and of nothing that the journal could lose.
            if (engine_->opening().snapshots_skipped != 0 && !misdirected_)
                return complain("a snapshot cannot be used though nothing was damaged");
            auto complaint = auditor_.after_open(*engine_, misdirected_);
            if (complaint && misdirected_ && only_an_audit_finds_it(*engine_)) {
                ++report_.damage_refused;
                gate_.set_open(true);
                engine_.reset();
                gate_.set_open(false);
                return;
            }
            complain(std::move(complaint));
            if (!well() || start_log()) return;
            end_life();
            continue;
        }
        if (misdirected_) {
            ++report_.damage_refused;
            return;
        }
        if (!struck_) return complain("does not open: " + opened.error().to_string());
        last_cause = opened.error().to_string();
        end_life();
    }
    complain("does not open in thirty attempts, the last time because of " + last_cause);
}

// The engine stopped because of the disk: it says why, takes nothing more, and still answers questions.
void World::expect_stopped() {
    if (engine_->health().cause.empty()) complain("the engine stopped and does not say why");
    complain(auditor_.compare_accounts(*engine_));
    const std::uint64_t before = engine_->last_sequence();
    send(1);
    take_answers();
    if (!sent_.empty()) complain("a stopped engine did not answer at once");
    if (engine_->last_sequence() != before) complain("a stopped engine took a command");
}

void World::end_life() {
    if (engine_ && well() && struck_ && disk_.powered() && !misdirected_) expect_stopped();
    gate_.set_open(true);
    if (log_) log_->stop();
    if (engine_) report_.entries += engine_->counters().entries;
    if (engine_) report_.history_runs += engine_->counters().history_runs;
    engine_.reset();
    gate_.set_open(false);
    take_answers();
    outstanding_ = 0;
    const bool crashed = !disk_.powered();
    bool power_fails = plan_.trouble == Trouble::power_failure || options_.only_accident.has_value();
    if (plan_.trouble == Trouble::write_error || plan_.trouble == Trouble::sync_error ||
        plan_.trouble == Trouble::disk_full) {
        power_fails = plan_.aftermath == Aftermath::power_failure;
        if (struck_) ++(plan_.trouble == Trouble::disk_full ? report_.disk_full : report_.disk_errors);
    }
    if (!struck_) {
        ++report_.clean_ends;
        power_fails = random_.chance(50);  // what a process that ended in order has acknowledged is on the platter
    } else if (crashed) {
        ++(power_fails ? report_.power_failures : report_.kills);
    }
    if (power_fails) {
        disk_.power_off();
        const std::uint64_t how = random_.below(10);
        using Survival = SimulatedDisk::Survival;
        disk_.power_on(how == 0 ? Survival::all : how < 3 ? Survival::none : Survival::any);
    } else {
        disk_.end_process();
    }
    if (log_struck_ && !struck_) ++report_.log_stops;
    struck_ = log_struck_ = false;
    const bool last = damages_ && report_.batches + 100 > batches_ && random_.chance(30);
    plan_ = options_.only_accident ? Plan{} : Plan::draw(random_, last);
}

// With the process ended in order and everything synced: the platter changes under it. It must refuse, or show exactly
// what it showed before; and after a refusal not a byte may be other than it was, so that it can be repaired.
void World::damage_at_rest() {
    // Some files are never synced, as the log's tiles: time has passed, and they are on the platter too.
    disk_.power_off();
    disk_.power_on(SimulatedDisk::Survival::all);
    const auto good = disk_.image();
    const std::string what = spoil(disk_, good, random_);
    const auto damaged = disk_.image();
    plan_ = Plan{};
    ++report_.opens;
    auto opened = Engine::open(engine_options_, clock_);
    disk_.short_reads(false);
    if (opened.ok()) {
        ++report_.damage_harmless;
        auto served = auditor_.after_open(**opened, true);
        if (served && !only_an_audit_finds_it(**opened)) {
            complain("served wrong data after " + what + ": " + *served);
        }
        if (log_ && well() && !served) {
            const Gate::SideOpen open(gate_);
            if (auto shown = log_->show_damaged(**opened)) complain("after " + what + ": " + *shown);
        }
        gate_.set_open(true);
        opened->reset();
        gate_.set_open(false);
    } else {
        ++report_.damage_refused;
        const ErrorKind kind = opened.error().kind();
        if (kind != ErrorKind::corrupt && kind != ErrorKind::invalid && kind != ErrorKind::io) {
            complain("refused damage with the wrong kind of error: " + opened.error().to_string());
        }
        if (disk_.image() != damaged) complain("changed the disk though it refused to open it, after " + what);
    }
    disk_.end_process();
    disk_.restore(good);
}

// Nothing can be repaired after a misdirected write: either it is refused, or it hurt nothing.
void World::end_damaged_world() {
    end_life();
    plan_ = Plan{};
    const std::uint64_t refused = report_.damage_refused;
    open();
    if (well() && report_.damage_refused == refused) ++report_.damage_harmless;
}

WorldReport World::run() {
    plan_ = options_.only_accident ? Plan{} : Plan::draw(random_, false);
    while (well() && !(enough() && sent_.empty())) {
        open();
        if (well() && engine_) live();
        if (misdirected_) break;
        end_life();
        if (well() && damages_ && random_.chance(15)) {
            plan_ = Plan{};
            open();
            let_due_holds_run_out();
            end_life();
            if (well()) damage_at_rest();
            plan_ = Plan::draw(random_, false);
        }
    }
    if (misdirected_ && well()) {
        end_damaged_world();
    } else if (well()) {
        plan_ = Plan{};
        open();
    }
    let_due_holds_run_out();
    if (log_) {
        if (well() && log_->runs() && !misdirected_) complain(log_->audit(*engine_));
        report_.checkpoints = log_->book().checkpoints();
    }
    gate_.set_open(true);
    if (log_) log_->stop();
    engine_.reset();
    report_.survivors = auditor_.survivors();
    report_.vanished = auditor_.vanished();
    report_.ticks = auditor_.ticks();
    report_.refusals = auditor_.refusals();
    report_.expired = auditor_.book().expired();
    report_.trace = trace_.value();
    return report_;
}

WorldReport run_world(const WorldOptions& options) {
    World world(options);
    return world.run();
}

}  // namespace jiaozi::sim
