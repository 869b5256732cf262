// A live feed of committed commands, for projections.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include <jiaozi/base/error.hpp>
#include <jiaozi/engine/command.hpp>

namespace jiaozi::engine {

// Called on the subscription's own thread, in sequence order, without gaps or repeats, with at least one command. The
// span is the handler's for the call only. A slow handler slows nobody else: the feed falls back to reading the
// journal, so its memory is bounded.
using FeedHandler = std::move_only_function<void(std::span<const Committed>)>;

// Destroying it unsubscribes: when the destructor returns, the handler is not running and will not run again. It must
// not be destroyed from inside its own handler, and it must be destroyed before its engine.
class Subscription {
  public:
    virtual ~Subscription() = default;
    // The sequence up to which the handler has returned. Any thread.
    virtual std::uint64_t position() const = 0;
    // Why the feed stopped by itself (the journal could not be read); empty while it runs. Any thread.
    virtual std::optional<Error> failure() const = 0;
};

}  // namespace jiaozi::engine
