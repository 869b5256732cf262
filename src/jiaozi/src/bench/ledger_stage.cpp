#include "ledger_stage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "ledger_workload.hpp"

namespace jiaozi::bench {
namespace {

Result<std::unique_ptr<engine::Engine>> open_engine(const std::filesystem::path& directory) {
    static const SystemClock clock;
    engine::Options options;
    options.directory = directory;
    options.snapshot_every_bytes = 0;          // recovery is measured without one, and with one made for it
    options.max_queue = std::size_t{1} << 22;  // the open loop shows waiting as latency, not as refusals
    options.max_queue_bytes = std::size_t{4} << 30;
    return engine::Engine::open(std::move(options), clock);
}

// So that a scene is not measured with what the one before left to be done: freeing gigabytes of removed files goes on
// long after they are removed.
void wait_for_the_disk(const std::filesystem::path& directory) {
    const int folder = ::open(directory.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    ::syncfs(folder);
    ::close(folder);
}

Result<> open_accounts(engine::Engine& engine, std::uint64_t count, std::uint64_t with_history) {
    engine::Command funding;
    funding.accounts.push_back({.id = workload_funding_id, .ledger = workload_ledger, .code = 2});
    JZ_CHECK(engine.execute(std::move(funding)));
    for (std::uint64_t first = 0; first < count; first += ledger::max_batch) {
        engine::Command command;
        for (std::uint64_t i = first; i < std::min(count, first + ledger::max_batch); ++i) {
            command.accounts.push_back(workload_account(i));
            if (i < with_history) command.accounts.back().flags |= ledger::account_flags::history;
            command.transfers.push_back(workload_opening(i));
        }
        JZ_CHECK(engine.execute(std::move(command)));
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Stage>> Stage::make(const std::filesystem::path& directory, std::uint64_t accounts,
                                           std::uint64_t with_history) {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
    wait_for_the_disk(directory);
    std::unique_ptr<Stage> stage(new Stage(directory));
    JZ_TRY(stage->engine_, open_engine(directory));
    JZ_CHECK(open_accounts(*stage->engine_, accounts, with_history));
    return stage;
}

Stage::~Stage() {
    engine_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

Result<std::uint64_t> Stage::reopen_us() {
    engine_.reset();
    const auto start = SteadyClock::now();
    JZ_TRY(engine_, open_engine(directory_));
    return nanoseconds_since(start) / 1000;
}

}  // namespace jiaozi::bench
