// Makes one run of several neighbours, a piece at a time, so that whoever does it can do something more urgent between.
// One thread's.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "history_run.hpp"

namespace jiaozi::engine {

using RunPtr = std::shared_ptr<const HistoryRun>;

class RunMerge {
  public:
    // `runs` follow each other without a gap; at least one.
    static Result<RunMerge> begin(storage::Disk& disk, const std::filesystem::path& directory,
                                  std::string_view temporary, std::vector<RunPtr> runs);
    // About so many changes more; true when there are none left.
    Result<bool> step(std::size_t rows);
    // The run that takes the place of `inputs`, durable. They are not removed.
    Result<RunPtr> finish() { return writer_.finish(inputs_.back()->last_entry()); }

    const std::vector<RunPtr>& inputs() const noexcept { return inputs_; }

  private:
    struct Source {
        const HistoryRun* run = nullptr;
        std::size_t next_chunk = 0;
        std::vector<ledger::HistoryRow> rows;
        std::size_t at = 0;  // rows.size(): all is taken
    };
    RunMerge(std::vector<RunPtr> inputs, RunWriter writer) : inputs_(std::move(inputs)), writer_(std::move(writer)) {}
    static Result<> fill(Source& source);

    std::vector<RunPtr> inputs_;
    RunWriter writer_;
    std::vector<Source> sources_;
};

}  // namespace jiaozi::engine
