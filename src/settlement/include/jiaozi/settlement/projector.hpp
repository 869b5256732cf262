// Writes what settlement changed into the registry: one event per change, with the position in the journal, in one SQL
// transaction. A change that was written before is left as it is, so that a replay from anywhere is harmless.
//
// A thread of its own writes. When SQL fails it tries again until stopped; a follower that is too far behind waits at
// recovery, and only grows its queue otherwise.
#pragma once

#include <memory>

#include <jiaozi/api/events.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/registry/store.hpp>
#include <jiaozi/settlement/changes.hpp>

namespace jiaozi::settlement {

inline constexpr std::string_view projection_name = "purses";

// follow() from one thread at a time; the rest from any.
class Projector final : public Follower {
  public:
    // Store and signal (which may be null) must outlive it.
    static Result<std::unique_ptr<Projector>> start(registry::Store& store, api::EventSignal* signal);
    ~Projector() override;
    Projector(const Projector&) = delete;
    Projector& operator=(const Projector&) = delete;

    void follow(std::vector<Change> changes, bool may_wait) override;
    // Waits, in real time, until all that was told is written. False: patience ran out.
    bool wait_until_written(Duration patience) const;

  private:
    class Impl;
    explicit Projector(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// "purse.loaded", "purse.note_settled", …
std::string_view event_type(ChangeKind kind);
// The event of a change, the `index`th of its command: the same whenever it is made.
Event event_of(const Change& change, std::uint32_t index);

}  // namespace jiaozi::settlement
