// A batch of events and its linked chains: the part that accounts and transfers have in common.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <jiaozi/ledger/ledger.hpp>

#include "state.hpp"

namespace jiaozi::ledger {

// Rules must have Event, Result (an enum with ok, linked_event_failed and linked_event_chain_open) and
//   begin(state, events, ts), end(state)     around the batch
//   prepare(state, stage, events, prepared)  starts to bring in the memory that judging some events will read; in
//                                            `stages` steps, each of which reads what the one before has asked for
//   look_up(state, events, prepared)         what all the stages find out, without asking for memory
//   Result check_form(event)                 what the event says by itself
//   Result check_known(state, event, p)      ok: the id is new; otherwise the answer for a known id
//   Result apply(state, event, p, place)     judges against the state and, if ok, changes it
//   void remember(state, event, hash, ordinal, r) keeps a refusal that the state, or a failed chain, was the reason for
struct Place {
    std::uint64_t timestamp_ns = 0;
    std::uint64_t ordinal = 0;  // of a transfer event
};

template <class Rules>
class Batch {
    using Event = typename Rules::Event;
    using Result = typename Rules::Result;

  public:
    // `places`: one for each event, or none.
    Batch(State& state, std::span<const Event> events, std::vector<Result>& results,
          std::span<const AccountPlaces> places = {})
        : state_(state), events_(events), results_(results), places_(places) {
        JZ_ASSERT(places.empty() || places.size() == events.size());
    }

    void run(std::uint64_t timestamp_ns) {
        results_.assign(events_.size(), Result::ok);
        if (events_.empty() || state_.stopped()) return;
        first_ = {state_.begin_batch(events_.size(), timestamp_ns), state_.event_count()};
        Rules::begin(state_, events_, first_.timestamp_ns);
        if (events_.size() <= few) {
            take_places(0, events_.size());
            Rules::look_up(state_, events_, std::span(prepared_).first(events_.size()));
            judge_window(0);
            return end();
        }
        const std::size_t windows = (events_.size() + window - 1) / window;
        for (std::size_t step = 0; step < windows + Rules::stages && !state_.stopped(); ++step) {
            for (unsigned stage = 0; stage < Rules::stages; ++stage) {
                if (step >= stage && step - stage < windows) prepare(stage, (step - stage) * window);
            }
            if (step >= Rules::stages) judge_window((step - Rules::stages) * window);
        }
        end();
    }

  private:
    // So few have been asked for already (Ledger::bring_in), or wait no longer for their memory than for the asking.
    static constexpr std::size_t few = 4;
    // Memory is asked for this many events at once: what they need arrives together instead of one after the other.
    // Each window goes through its stages while those before it are judged, so that nobody waits for what was asked for
    // last.
    static constexpr std::size_t window = 8;
    static constexpr std::size_t in_flight = std::bit_ceil((Rules::stages + 1) * window);

    static_assert(few <= window);

    void end() {
        if (chain_start_) {
            state_.roll_back_chain();  // only when stopped
            close_chain();
        }
        Rules::end(state_);
    }

    void prepare(unsigned stage, std::size_t begin) {
        const std::size_t count = std::min(window, events_.size() - begin);
        if (stage == 0) take_places(begin, count);
        Rules::prepare(state_, stage, events_.subspan(begin, count),
                       std::span(prepared_).subspan(begin % in_flight, count));
    }

    void take_places(std::size_t begin, std::size_t count) {
        for (std::size_t i = begin; i < begin + count; ++i)
            prepared_[i % in_flight].places = places_.empty() ? AccountPlaces{} : places_[i];
    }

    void judge_window(std::size_t begin) {
        const std::size_t end = std::min(begin + window, events_.size());
        for (std::size_t i = begin; i < end && !state_.stopped(); ++i) {
            const bool linked = (events_[i].flags & Rules::linked) != 0;
            if (linked && !chain_start_) open_chain(i);
            const bool left_open = linked && i + 1 == events_.size();
            results_[i] = left_open ? Result::linked_event_chain_open : judge(i);
            if (!chain_start_) continue;
            if (results_[i] != Result::ok && !broken_) break_chain(i);
            if (!linked || left_open) close_chain();
        }
    }

    Place place_of(std::size_t i) const { return {first_.timestamp_ns + i, first_.ordinal + i}; }

    Result judge(std::size_t i) {
        const Event& event = events_[i];
        const Prepared& prepared = prepared_[i % in_flight];
        if (const Result result = Rules::check_form(event); result != Result::ok) return result;
        if (const Result result = Rules::check_known(state_, event, prepared); result != Result::ok) return result;
        const Result result =
            broken_ ? Result::linked_event_failed : Rules::apply(state_, event, prepared, place_of(i));
        if (result != Result::ok && !state_.stopped())
            Rules::remember(state_, event, prepared.id_hash, place_of(i).ordinal, result);
        return result;
    }

    void open_chain(std::size_t index) {
        chain_start_ = index;
        state_.open_chain();
    }

    void break_chain(std::size_t index) {
        broken_ = true;
        state_.roll_back_chain();
        if (state_.stopped()) return;
        for (std::size_t i = *chain_start_; i < index; ++i) {
            results_[i] = Result::linked_event_failed;
            Rules::remember(state_, events_[i], IdHash{}(events_[i].id), place_of(i).ordinal,
                            Result::linked_event_failed);
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
    std::span<const AccountPlaces> places_;
    Place first_;
    std::array<Prepared, in_flight> prepared_;
    std::optional<std::size_t> chain_start_;
    bool broken_ = false;
};

}  // namespace jiaozi::ledger
