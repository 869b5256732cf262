// A batch of events and its linked chains: the part that accounts and transfers have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "state.hpp"

namespace jiaozi::ledger {

// Rules must have Event, Result (an enum with ok, linked_event_failed and linked_event_chain_open) and
//   Result check_form(event)         what the event says by itself
//   Result check_known(state, event) ok: the id is new; otherwise the answer for a known id
//   Result apply(state, event, ts)   judges against the state and, if ok, changes it
//   void prefetch(state, event)      starts to bring in the memory that judging it will read; no effect otherwise
//   void remember(state, event, r)   keeps a refusal that the state, or a failed chain, was the reason for
template <class Rules>
class Batch {
    using Event = typename Rules::Event;
    using Result = typename Rules::Result;

  public:
    Batch(State& state, std::span<const Event> events, std::vector<Result>& results)
        : state_(state), events_(events), results_(results) {}

    void run(std::uint64_t timestamp_ns) {
        results_.assign(events_.size(), Result::ok);
        if (events_.empty()) return;
        const std::uint64_t first = state_.begin_batch(events_.size(), timestamp_ns);
        for (std::size_t i = 0; i < events_.size(); ++i) {
            if (i + look_ahead < events_.size()) Rules::prefetch(state_, events_[i + look_ahead]);
            const bool linked = (events_[i].flags & Rules::linked) != 0;
            if (linked && !chain_start_) open_chain(i);
            const bool left_open = linked && i + 1 == events_.size();
            results_[i] = left_open ? Result::linked_event_chain_open : judge(events_[i], first + i);
            if (!chain_start_) continue;
            if (results_[i] != Result::ok && !broken_) break_chain(i);
            if (!linked || left_open) close_chain();
        }
    }

  private:
    // How far ahead memory is asked for; what an event needs then arrives while those before it are judged.
    static constexpr std::size_t look_ahead = 8;

    Result judge(const Event& event, std::uint64_t timestamp_ns) {
        if (const Result result = Rules::check_form(event); result != Result::ok) return result;
        if (const Result result = Rules::check_known(state_, event); result != Result::ok) return result;
        const Result result = broken_ ? Result::linked_event_failed : Rules::apply(state_, event, timestamp_ns);
        if (result != Result::ok) Rules::remember(state_, event, result);
        return result;
    }

    void open_chain(std::size_t index) {
        chain_start_ = index;
        state_.open_chain();
    }

    void break_chain(std::size_t index) {
        broken_ = true;
        state_.roll_back_chain();
        for (std::size_t i = *chain_start_; i < index; ++i) {
            results_[i] = Result::linked_event_failed;
            Rules::remember(state_, events_[i], Result::linked_event_failed);
        }
    }

    void close_chain() {
        state_.close_chain();
        chain_start_.reset();
        broken_ = false;
    }

    State& state_;
    std::span<const Event> events_;
    std::vector<Result>& results_;
    std::optional<std::size_t> chain_start_;
    bool broken_ = false;
};

}  // namespace jiaozi::ledger
