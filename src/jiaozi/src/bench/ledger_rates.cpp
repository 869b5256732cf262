#include "ledger_rates.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <fstream>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <jiaozi/engine/engine.hpp>
#include <jiaozi/storage/disk.hpp>

#include "ledger_workload.hpp"
#include "measure.hpp"

namespace jiaozi::bench {
namespace {

using ledger::CreateTransferResult;
namespace flags = ledger::transfer_flags;

std::uint64_t rate(std::uint64_t count, std::uint64_t elapsed_ns) {
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
                refused_ += static_cast<std::uint64_t>(
                    std::ranges::count_if(outcome->transfers, [](auto r) { return r != CreateTransferResult::ok; }));
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

Result<std::unique_ptr<engine::Engine>> open_engine(const std::filesystem::path& directory) {
    static const SystemClock clock;
    engine::Options options;
    options.directory = directory;
    options.max_queue = std::size_t{1} << 22;  // the open loop shows waiting as latency, not as refusals
    options.max_queue_bytes = std::size_t{4} << 30;
    return engine::Engine::open(std::move(options), clock);
}

Result<> open_accounts(engine::Engine& engine, std::uint64_t count) {
    engine::Command funding;
    funding.accounts.push_back({.id = workload_funding_id, .ledger = workload_ledger, .code = 2});
    JZ_CHECK(engine.execute(std::move(funding)));
    for (std::uint64_t first = 0; first < count; first += ledger::max_batch) {
        engine::Command command;
        for (std::uint64_t i = first; i < std::min(count, first + ledger::max_batch); ++i) {
            command.accounts.push_back(workload_account(i));
            command.transfers.push_back(workload_opening(i));
        }
        JZ_CHECK(engine.execute(std::move(command)));
    }
    return {};
}

std::uint64_t disk_bytes(const std::filesystem::path& directory) {
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        struct stat status;
        if (::stat(entry.path().c_str(), &status) == 0) bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    return bytes;
}

std::uint64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t all = 0;
    std::uint64_t resident = 0;
    statm >> all >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// A new engine with its accounts on a directory that disappears with it.
class Stage {
  public:
    static Result<std::unique_ptr<Stage>> make(const std::filesystem::path& directory, std::uint64_t accounts) {
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
        std::unique_ptr<Stage> stage(new Stage(directory));
        JZ_TRY(stage->engine_, open_engine(directory));
        JZ_CHECK(open_accounts(*stage->engine_, accounts));
        return stage;
    }
    ~Stage() {
        engine_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    engine::Engine& engine() { return *engine_; }
    // The time until the engine answers again.
    Result<std::uint64_t> reopen_us() {
        engine_.reset();
        const auto start = SteadyClock::now();
        JZ_TRY(engine_, open_engine(directory_));
        return nanoseconds_since(start) / 1000;
    }

  private:
    explicit Stage(std::filesystem::path directory) : directory_(std::move(directory)) {}
    const std::filesystem::path directory_;
    std::unique_ptr<engine::Engine> engine_;
};

void run_plain(BatchLoad& load, Workload& work, std::uint64_t transfers) {
    for (std::uint64_t done = 0; done < transfers; done += ledger::max_batch) {
        std::vector<ledger::Transfer> batch(std::min<std::uint64_t>(ledger::max_batch, transfers - done));
        for (ledger::Transfer& transfer : batch) transfer = work.next();
        load.submit(std::move(batch));
    }
}

void run_pairs(BatchLoad& load, Workload& work, std::uint64_t pairs) {
    for (std::uint64_t done = 0; done < pairs; done += ledger::max_batch) {
        std::vector<ledger::Transfer> holds(std::min<std::uint64_t>(ledger::max_batch, pairs - done));
        std::vector<ledger::Transfer> posts(holds.size());
        for (std::size_t i = 0; i < holds.size(); ++i) {
            holds[i] = work.next();
            holds[i].flags = flags::pending;
            holds[i].timeout_s = 3600;
            posts[i].id = work.next_id();
            posts[i].pending_id = holds[i].id;
            posts[i].amount = ledger::everything;
            posts[i].flags = flags::post_pending;
        }
        load.submit(std::move(holds));
        load.submit(std::move(posts));
    }
}

void run_chains(BatchLoad& load, Workload& work, std::uint64_t chains) {
    constexpr std::uint64_t per_batch = ledger::max_batch / 3;
    for (std::uint64_t done = 0; done < chains; done += per_batch) {
        std::vector<ledger::Transfer> batch(std::min(per_batch, chains - done) * 3);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            batch[i] = work.next();
            if (i % 3 != 2) batch[i].flags = flags::linked;
        }
        load.submit(std::move(batch));
    }
}

// What writing and syncing 4 KiB takes, into a file that has its blocks.
Result<std::uint64_t> fdatasync_p99_us(const std::filesystem::path& path) {
    storage::Disk& disk = storage::system_disk();
    constexpr std::uint64_t count = 1000;
    constexpr std::size_t block = 4096;
    const Bytes bytes(block, 1);
    const std::array<ByteView, 1> parts{bytes};
    JZ_TRY(const auto file, disk.create(path));
    for (std::uint64_t i = 0; i < count; ++i) JZ_CHECK(file->write_at(i * block, parts));
    JZ_CHECK(file->sync_all());
    Measured measured;
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto start = SteadyClock::now();
        JZ_CHECK(file->write_at(i * block, parts));
        JZ_CHECK(file->sync_data());
        measured.latencies_ns.push_back(nanoseconds_since(start));
    }
    JZ_CHECK(disk.remove(path));
    return measured.percentile_us(99);
}

// An open loop: arrivals come by the clock whether or not earlier ones have been answered, and latency counts from the
// moment a command should have arrived. A command that finds the queue full has failed.
SinglesFigures run_singles(engine::Engine& engine, Workload& work, const LedgerRatesOptions& options,
                           std::uint64_t& refused) {
    Measured measured;
    measured.latencies_ns.resize(options.singles);
    std::atomic<std::uint64_t> answered{0};
    std::atomic<std::uint64_t> failed{0};
    const auto start = SteadyClock::now();
    for (std::uint64_t i = 0; i < options.singles; ++i) {
        const std::uint64_t arrival = i * 1'000'000'000 / options.singles_per_s;
        engine::Command command;
        command.transfers.push_back(work.next());
        while (nanoseconds_since(start) < arrival) std::this_thread::yield();
        std::uint64_t* const latency = &measured.latencies_ns[i];
        engine.submit(std::move(command), [&, arrival, latency](Result<engine::Outcome> outcome) {
            *latency = nanoseconds_since(start) - arrival;
            if (!outcome.ok() || outcome->transfers.front() != CreateTransferResult::ok)
                failed.fetch_add(1, std::memory_order_relaxed);
            answered.fetch_add(1, std::memory_order_release);
        });
    }
    while (answered.load(std::memory_order_acquire) < options.singles)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    refused += failed;
    SinglesFigures figures;
    figures.rate = rate(options.singles, nanoseconds_since(start));
    figures.p50_us = measured.percentile_us(50);
    figures.p99_us = measured.percentile_us(99);
    return figures;
}

}  // namespace

Result<LedgerFigures> measure_ledger(const LedgerRatesOptions& options, Progress progress) {
    LedgerFigures figures;
    const auto scene = [&](Workload work, auto run) -> Result<std::uint64_t> {
        JZ_TRY(const auto stage, Stage::make(options.directory, options.accounts));
        BatchLoad load(stage->engine(), options.batches_outstanding);
        run(load, work);
        const std::uint64_t elapsed_ns = load.finish();
        figures.refused += load.refused();
        return elapsed_ns;
    };

    progress("transfers between random accounts", "随机账户之间的转账");
    {
        JZ_TRY(const auto stage, Stage::make(options.directory, options.accounts));
        const std::uint64_t before = disk_bytes(options.directory);
        BatchLoad load(stage->engine(), options.batches_outstanding);
        Workload work(options.accounts, options.seed);
        run_plain(load, work, options.transfers);
        figures.transfers_per_s = rate(options.transfers, load.finish());
        figures.worst_stall_us = load.worst_gap_us();
        figures.refused += load.refused();
        figures.rss_bytes = resident_bytes();
        figures.bytes_per_transfer = (disk_bytes(options.directory) - before) / options.transfers;
        progress("recovery of them", "恢复这些转账");
        JZ_TRY(figures.recovery_us, stage->reopen_us());
    }
    progress("holds and their posts", "冻结与入账");
    const std::uint64_t pairs = std::max<std::uint64_t>(1, options.transfers / 5);
    JZ_TRY(const std::uint64_t pairs_ns, scene(Workload(options.accounts, options.seed + 1),
                                               [&](auto& load, auto& work) { run_pairs(load, work, pairs); }));
    figures.pairs_per_s = rate(pairs, pairs_ns);
    progress("linked chains of three", "三笔一组的关联转账");
    const std::uint64_t chains = std::max<std::uint64_t>(1, options.transfers / 5);
    JZ_TRY(const std::uint64_t chains_ns, scene(Workload(options.accounts, options.seed + 2),
                                                [&](auto& load, auto& work) { run_chains(load, work, chains); }));
    figures.chains_per_s = rate(chains, chains_ns);
    progress("transfers between accounts few of which are hot", "热点账户转账");
    const std::uint64_t skewed = std::max<std::uint64_t>(1, options.transfers / 2);
    JZ_TRY(const std::uint64_t zipf_ns, scene(Workload::zipf(options.accounts, options.seed + 3),
                                              [&](auto& load, auto& work) { run_plain(load, work, skewed); }));
    figures.zipf_transfers_per_s = rate(skewed, zipf_ns);

    progress("single transfers from many callers", "多个调用方逐笔转账");
    JZ_TRY(const auto stage, Stage::make(options.directory, options.accounts));
    JZ_TRY(const std::uint64_t sync_us, fdatasync_p99_us(options.directory / "fdatasync.bench"));
    Workload work(options.accounts, options.seed + 4);
    figures.singles = run_singles(stage->engine(), work, options, figures.refused);
    figures.singles.fdatasync_p99_us = sync_us;
    return figures;
}

}  // namespace jiaozi::bench
