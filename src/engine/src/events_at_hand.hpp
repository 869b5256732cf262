// The events of a lookup: those in memory, and what the lookup itself has brought. So the ledger is never locked while
// the disk is read: a lookup that misses an event is made again when it is here.
//
// Threading: none; one lookup's own.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "event_log.hpp"

namespace jiaozi::engine {

class EventsAtHand final : public ledger::EventSource {
  public:
    explicit EventsAtHand(const EventLog& log) : log_(log) {}

    bool read(std::uint64_t ordinal, ledger::Transfer& event) const override {
        for (const auto& [number, brought] : brought_) {
            if (number == ordinal) return event = brought, true;
        }
        if (log_.read_from_memory(ordinal, event)) return true;
        missing_ = ordinal;
        return false;
    }

    // Whether the last lookup missed an event.
    bool missed() const noexcept { return missing_.has_value(); }
    // Brings what was missed from the disk.
    Result<> bring() {
        const std::uint64_t ordinal = *std::exchange(missing_, std::nullopt);
        JZ_TRY(const ledger::Transfer event, log_.read(ordinal));
        brought_.emplace_back(ordinal, event);
        return {};
    }

  private:
    const EventLog& log_;
    mutable std::optional<std::uint64_t> missing_;
    std::vector<std::pair<std::uint64_t, ledger::Transfer>> brought_;
};

}  // namespace jiaozi::engine
