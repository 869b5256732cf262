// Follows the stored events and delivers them, on a thread of its own with its own session.
//
//   1. fan-out   new events × enabled endpoints that want them → deliveries; the position is stored in the same
//                transaction, so that a crash loses and doubles nothing
//   2. claim     what is due goes into a short queue for its endpoint; what does not fit is put off a few seconds, so
//   that
//                the backlog of one endpoint never stands before another's deliveries
//   3. post      a few at a time for each endpoint; 2xx is delivered, anything else is tried again: after 10 s, 1 min,
//                six times 10 min, then every hour until the event is three days old
//
// An endpoint gets events that happened after it was created. Delivery is at least once; the event's id tells repeats.
// No redirects, no proxies, 10 seconds for each attempt. Time is the Clock's: a test clock moves the schedule.
// Threading: the public members may be called from any thread. Lifetime: store and clock must outlive it; the
// destructor ends the attempts under way (they are made again later).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <jiaozi/api/events.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/registry/store.hpp>

namespace jiaozi::webhooks {

struct SenderOptions {
    // Whether connections to loopback, private, link-local and other special addresses are made. Sandboxes need them; a
    // server on the internet must not let its users reach what stands behind it. Checked on the address of the socket.
    bool allow_private = false;
    Duration timeout = seconds(10);  // of one attempt; real time
    std::size_t per_endpoint = 4;    // attempts at once to one endpoint
    std::size_t at_once = 64;        // in all
    std::size_t queue_per_endpoint = 1024;
};

struct SenderCounters {
    std::uint64_t fanned_out = 0;  // deliveries made from events
    std::uint64_t delivered = 0;
    std::uint64_t failed = 0;  // attempts
    std::uint64_t given_up = 0;
};

// When to try again after attempt number `attempt` (1-based) failed at `now`; nullopt: give up.
std::optional<Timestamp> next_attempt(std::uint32_t attempt, Timestamp created, Timestamp now);

class Sender final : public api::EventSignal {
  public:
    static Result<std::unique_ptr<Sender>> start(registry::Store& store, const Clock& clock,
                                                 SenderOptions options = {});
    ~Sender() override;
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

    void stored_up_to(std::uint64_t position) override;
    // Look again: endpoints changed, a redelivery was asked for, the test clock moved.
    void wake();
    SenderCounters counters() const;

  private:
    class Impl;
    explicit Sender(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace jiaozi::webhooks
