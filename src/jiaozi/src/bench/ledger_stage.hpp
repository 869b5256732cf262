// Where `bench ledger` plays its scenes: an engine with accounts on a directory that disappears with it, and batches
// sent to it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <semaphore>
#include <utility>
#include <vector>

#include <jiaozi/engine/engine.hpp>

#include "measure.hpp"

namespace jiaozi::bench {

inline std::uint64_t rate(std::uint64_t count, std::uint64_t elapsed_ns) {
    return elapsed_ns == 0 ? 0 : static_cast<std::uint64_t>(uint128{count} * 1'000'000'000 / elapsed_ns);
}

// Submits batches with a fixed number of them under way, and takes the time between answers.
class BatchLoad {
  public:
    BatchLoad(engine::Engine& engine, std::uint64_t outstanding)
        : engine_(engine), outstanding_(outstanding), room_(static_cast<std::ptrdiff_t>(outstanding)) {}

    void submit(std::vector<ledger::Transfer> transfers) {
        room_.acquire();
        if (last_answer_ == 0) last_answer_ = nanoseconds_since(start_);
        engine::Command command;
        command.transfers = std::move(transfers);
        engine_.submit(std::move(command), [this](Result<engine::Outcome> outcome) {
            const std::uint64_t now = nanoseconds_since(start_);
            worst_gap_ns_ = std::max(worst_gap_ns_, now - std::min(now, last_answer_.exchange(now)));
            if (!outcome.ok()) {
                refused_ += ledger::max_batch;
            } else {
                refused_ += static_cast<std::uint64_t>(std::ranges::count_if(
                    outcome->transfers, [](auto r) { return r != ledger::CreateTransferResult::ok; }));
            }
            room_.release();
        });
    }
    // Waits for all answers; the time since construction.
    std::uint64_t finish() {
        for (std::uint64_t i = 0; i < outstanding_; ++i) room_.acquire();
        return nanoseconds_since(start_);
    }
    std::uint64_t worst_gap_us() const { return worst_gap_ns_ / 1000; }
    std::uint64_t refused() const { return refused_; }

  private:
    engine::Engine& engine_;
    const std::uint64_t outstanding_;
    std::counting_semaphore<> room_;
    const SteadyClock::time_point start_ = SteadyClock::now();
    std::atomic<std::uint64_t> last_answer_{0};
    std::uint64_t worst_gap_ns_ = 0;  // these two: the answering thread, read after finish
    std::uint64_t refused_ = 0;
};

class Stage {
  public:
    // `with_history`: so many of the accounts, the first ones, keep one.
    static Result<std::unique_ptr<Stage>> make(const std::filesystem::path& directory, std::uint64_t accounts,
                                               std::uint64_t with_history = 0);
    ~Stage();
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    engine::Engine& engine() { return *engine_; }
    // The time until the engine answers again.
    Result<std::uint64_t> reopen_us();

  private:
    explicit Stage(std::filesystem::path directory) : directory_(std::move(directory)) {}
    const std::filesystem::path directory_;
    std::unique_ptr<engine::Engine> engine_;
};

}  // namespace jiaozi::bench
