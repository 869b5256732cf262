// Writes what settlement changed into the registry: one event per change, the rows of the payments that notes are, and
// the position in the journal, in one SQL transaction. A change that was written before is left as it is, so that a
// replay from anywhere is harmless.
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

// Earlier commits wrote events only, under the name "purses".
inline constexpr std::string_view projection_name = "purse_payments";

// follow() from one thread at a time; the rest from any.
class Projector final : public Follower {
  public:
    // Store and signal (which may be null) must outlive it.
    static Result<std::unique_ptr<Projector>> start(registry::Store& store, api::EventSignal* signal);
    ~Projector() override;
    Projector(const Projector&) = delete;
    Projector& operator=(const Projector&) = delete;

    void follow(std::vector<Change> changes, bool may_wait) override;
    std::uint64_t followed() const override;
    // The sequence of the newest change that was told; 0: none since the start.
    std::uint64_t told() const;
    // Waits, in real time, until changes up to this sequence are written. False: patience ran out.
    bool wait_for(std::uint64_t sequence, Duration patience) const;
    // Waits, in real time, until all that was told is written. False: patience ran out.
    bool wait_until_written(Duration patience) const;

  private:
    class Impl;
    explicit Projector(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// "purse.loaded", "payment.captured", …
std::string_view event_type(ChangeKind kind);
// The event of a change, the `index`th of its command: the same whenever it is made.
Event event_of(const Change& change, std::uint32_t index);
// The payment that a note is after a change of it; of those kinds only.
Payment payment_of(const Change& change);

}  // namespace jiaozi::settlement
