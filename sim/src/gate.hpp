// Where each change of the disk is decided upon. Before each write, and before each new file, the engine's thread waits
// here (and before a sync of the journal, where a world asks for that): meanwhile the harness may queue commands and
// move the clock, and knows that nobody looks. That is what makes a run with real threads repeatable. Other changes
// follow from one of these and pass without waiting, which would cost a switch of threads each.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include <jiaozi/sim/simulated_disk.hpp>

namespace jiaozi::sim {

class Gate {
  public:
    using Decide = std::function<Fate(const Request&)>;

    // `decide` runs on the thread that constructs the gate or on the one that asks, one at a time.
    explicit Gate(Decide decide) : decide_(std::move(decide)), harness_(std::this_thread::get_id()) {}

    // The disk's referee.
    Fate pass(const Request& request) {
        std::unique_lock lock(mutex_);
        const bool begins = request.operation == Operation::write || request.operation == Operation::create ||
                            (stops_before_syncs_ && is_journal_sync(request));
        const bool waits = begins && std::this_thread::get_id() != harness_;
        if (open_ || !waits) return decide_(request);
        Visit visit{&request, std::nullopt};
        visits_.push_back(&visit);
        changed_.notify_one();
        decided_.wait(lock, [&] { return visit.fate.has_value(); });
        return *visit.fate;
    }

    // For threads besides the engine's, which want something of the disk now and then: they wait, whatever they want,
    // until the harness has time for them, and pass then without being looked at one by one.
    Fate pass_aside(const Request& request) {
        std::unique_lock lock(mutex_);
        if (std::this_thread::get_id() != harness_) decided_.wait(lock, [&] { return open_ || side_open_; });
        return decide_(request);
    }
    // While it lives they pass. Only when the engine stands at the gate, or has nothing to do.
    class SideOpen {
      public:
        explicit SideOpen(Gate& gate) : gate_(gate) { set(true); }
        SideOpen(const SideOpen&) = delete;
        SideOpen& operator=(const SideOpen&) = delete;
        ~SideOpen() { set(false); }

      private:
        void set(bool open) {
            {
                const std::lock_guard guard(gate_.mutex_);
                gate_.side_open_ = open;
            }
            gate_.decided_.notify_all();
        }
        Gate& gate_;
    };

    std::mutex& mutex() { return mutex_; }
    // With the mutex held by `lock`: waits for a visit or a call of changed().
    std::cv_status wait(std::unique_lock<std::mutex>& lock, std::chrono::microseconds at_most) {
        return changed_.wait_for(lock, at_most);
    }
    void changed() { changed_.notify_one(); }
    bool occupied() const { return !visits_.empty(); }  // with the mutex held

    // Before anything passes.
    void stop_before_syncs() { stops_before_syncs_ = true; }
    // Whether the oldest visit is that of an entry which is written and not synced.
    bool at_sync() {
        const std::lock_guard guard(mutex_);
        return !visits_.empty() && is_journal_sync(*visits_.front()->request);
    }

    // Harness: decides the oldest visit.
    void let_pass() {
        {
            const std::lock_guard guard(mutex_);
            visits_.front()->fate = decide_(*visits_.front()->request);
            visits_.pop_front();
        }
        decided_.notify_all();
    }

    // While the harness itself waits for the engine's threads, in its constructor or destructor, nobody stops here.
    void set_open(bool open) {
        const std::lock_guard guard(mutex_);
        open_ = open;
        while (open_ && !visits_.empty()) {
            visits_.front()->fate = decide_(*visits_.front()->request);
            visits_.pop_front();
        }
        decided_.notify_all();
    }

  private:
    struct Visit {
        const Request* request;
        std::optional<Fate> fate;
    };

    static bool is_journal_sync(const Request& request) {
        return request.operation == Operation::sync && request.path.starts_with("/data/journal/");
    }

    const Decide decide_;
    bool stops_before_syncs_ = false;
    const std::thread::id harness_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::condition_variable decided_;
    std::deque<Visit*> visits_;  // mutex_
    bool open_ = false;          // mutex_
    bool side_open_ = false;     // mutex_
};

}  // namespace jiaozi::sim
