// Brings the engine's answers from its writer thread to the application thread: many with one post, because a group
// commit answers many commands at once.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/engine/engine.hpp>

namespace jiaozi::payments {

class Completions : public std::enable_shared_from_this<Completions> {
  public:
    using Done = engine::Engine::Done;

    explicit Completions(api::AppThread& app) : app_(app) {}

    // `done` runs on the application thread, never before this returns.
    void submit(engine::Engine& engine, engine::Command command, Done done) {
        engine.submit(std::move(command),
                      [self = shared_from_this(), done = std::move(done)](Result<engine::Outcome> outcome) mutable {
                          self->put({std::move(done), std::move(outcome)});
                      });
    }

    // From now on nothing runs any more, and the application thread is not posted to.
    void close() {
        std::vector<Answered> dropped;
        const std::lock_guard guard(mutex_);
        closed_ = true;
        dropped.swap(waiting_);
    }

  private:
    struct Answered {
        Done done;
        Result<engine::Outcome> outcome;
    };

    void put(Answered answered) {
        const std::lock_guard guard(mutex_);
        if (closed_) return;
        waiting_.push_back(std::move(answered));
        // Posted under the lock, so that close() cannot fall between.
        if (waiting_.size() == 1) app_.post([self = shared_from_this()] { self->drain(); });
    }

    void drain() {
        std::vector<Answered> batch;
        {
            const std::lock_guard guard(mutex_);
            batch.swap(waiting_);
        }
        for (Answered& answered : batch) {
            // One of them may have ended the service.
            {
                const std::lock_guard guard(mutex_);
                if (closed_) return;
            }
            answered.done(std::move(answered.outcome));
        }
    }

    api::AppThread& app_;
    std::mutex mutex_;
    std::vector<Answered> waiting_;  // guarded by mutex_
    bool closed_ = false;            // guarded by mutex_
};

}  // namespace jiaozi::payments
