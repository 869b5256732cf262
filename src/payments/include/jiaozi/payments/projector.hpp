// The projection of the journal into the registry: rows of payments and refunds, and one event per state change, all
// with the position in the journal in one SQL transaction. What it writes can be dropped and rebuilt.
//
// Two threads: the engine's feed folds commands into changes; a writer puts batches of changes into SQL, many changes
// of one payment as one row. When SQL fails it tries again until stopped; when SQL is slow the feed waits, and the
// engine's feed then reads from the journal, so memory is bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <jiaozi/api/events.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/error.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::payments {

// In the registry's table of how far each has come.
inline constexpr std::string_view projection_name = "payments";

struct ProjectorOptions {
    Duration gather = milliseconds(20);  // real time between two SQL transactions, so that changes gather
    std::size_t max_waiting = 50'000;    // changes folded and not yet written
    Duration retry_after = milliseconds(500);
    int nice = 5;  // the threads yield to those that take payments
};

// Any thread.
class Projector {
  public:
    // Goes on where the registry says it was. Engine, store and signal (which may be null) must outlive it.
    static Result<std::unique_ptr<Projector>> start(engine::Engine& engine, registry::Store& store,
                                                    api::EventSignal* signal, ProjectorOptions options = {});
    ~Projector();
    Projector(const Projector&) = delete;
    Projector& operator=(const Projector&) = delete;

    // Written and committed up to this journal sequence.
    std::uint64_t projected_sequence() const;
    // Commands in the journal that are not projected yet.
    std::uint64_t lag() const;
    // Waits, in real time, until `sequence` is projected. False: patience ran out.
    bool wait_for(std::uint64_t sequence, Duration patience) const;
    // Why it stands still: the newest SQL error, until a write succeeds; or the feed's end. Empty while all is well.
    std::optional<Error> failure() const;

  private:
    class Impl;
    explicit Projector(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Drops the projection and makes it again from the whole journal; returns the sequence reached. For
// `jiaozi projections rebuild`, with no projector running. Events stay as they are (registry/payments.hpp).
Result<std::uint64_t> rebuild_projections(engine::Engine& engine, registry::Store& store);

}  // namespace jiaozi::payments
