#include "ledger_rates.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <fstream>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jiaozi/engine/engine.hpp>
#include <jiaozi/storage/disk.hpp>

#include "ledger_stage.hpp"
#include "ledger_workload.hpp"
#include "measure.hpp"

namespace jiaozi::bench {
namespace {

using ledger::CreateTransferResult;
namespace flags = ledger::transfer_flags;

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

constexpr std::chrono::microseconds generator_sleep{20};

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
// moment a command should have arrived. A command that finds the queue full has failed. What is due is submitted, then
// the generator sleeps: spinning, it would keep one of few processors from what is measured.
SinglesFigures run_singles(engine::Engine& engine, Workload& work, const LedgerRatesOptions& options,
                           std::uint64_t& refused) {
    Measured measured;
    measured.latencies_ns.resize(options.singles);
    ::prctl(PR_SET_TIMERSLACK, 1UL);  // the system otherwise adds 50 microseconds to every sleep
    std::atomic<std::uint64_t> answered{0};
    std::atomic<std::uint64_t> failed{0};
    const auto start = SteadyClock::now();
    for (std::uint64_t i = 0; i < options.singles; ++i) {
        const std::uint64_t arrival = i * 1'000'000'000 / options.singles_per_s;
        engine::Command command;
        command.transfers.push_back(work.next());
        while (nanoseconds_since(start) < arrival) std::this_thread::sleep_for(generator_sleep);
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

Result<> run_one_caller(engine::Engine& engine, Workload& work, std::uint64_t transfers, SinglesFigures& figures) {
    Measured measured;
    for (std::uint64_t i = 0; i < transfers; ++i) {
        engine::Command command;
        command.transfers.push_back(work.next());
        const auto start = SteadyClock::now();
        JZ_CHECK(engine.execute(std::move(command)));
        measured.latencies_ns.push_back(nanoseconds_since(start));
    }
    figures.one_caller_p50_us = measured.percentile_us(50);
    figures.one_caller_p99_us = measured.percentile_us(99);
    return {};
}

// The bound below which all writes between the two were; of those beyond all bounds, the last one.
std::uint64_t longest_write_us(const DurationHistogram& before, const DurationHistogram& after) {
    constexpr auto& bounds = DurationHistogram::bounds_us;
    for (std::size_t bound = 0; bound < bounds.size(); ++bound) {
        if (after.above(bound) == before.above(bound)) return bounds[bound];
    }
    return bounds.back();
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
        const DurationHistogram writes = stage->engine().counters().writes;
        BatchLoad load(stage->engine(), options.batches_outstanding);
        Workload work(options.accounts, options.seed);
        run_plain(load, work, options.transfers);
        figures.transfers_per_s = rate(options.transfers, load.finish());
        figures.worst_stall_us = load.worst_gap_us();
        figures.longest_write_us = longest_write_us(writes, stage->engine().counters().writes);
        figures.refused += load.refused();
        figures.rss_bytes = resident_bytes();
        figures.bytes_per_transfer = (disk_bytes(options.directory) - before) / options.transfers;
        progress("recovery of them", "恢复这些转账");
        JZ_TRY(figures.recovery_us, stage->reopen_us());
        JZ_CHECK(stage->engine().make_snapshot());
        JZ_TRY(figures.recovery_snapshot_us, stage->reopen_us());
    }
    progress("transfers while a snapshot is made", "生成快照期间的转账");
    {
        JZ_TRY(const auto stage, Stage::make(options.directory, options.accounts));
        BatchLoad load(stage->engine(), options.batches_outstanding);
        Workload work(options.accounts, options.seed + 6);
        const DurationHistogram writes = stage->engine().counters().writes;
        Result<engine::SnapshotMade> made = Error(ErrorKind::internal, "no snapshot was made");
        {
            const std::jthread maker([&] {
                // As the engine's own thread that makes them.
                static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10));
                made = stage->engine().make_snapshot();
            });
            run_plain(load, work, std::max<std::uint64_t>(1, options.transfers / 5));
            static_cast<void>(load.finish());
        }
        if (!made.ok()) return std::move(made).error();
        figures.snapshot_stall_us = load.worst_gap_us();
        figures.worst_stall_us = std::max(figures.worst_stall_us, figures.snapshot_stall_us);
        figures.longest_write_us =
            std::max(figures.longest_write_us, longest_write_us(writes, stage->engine().counters().writes));
        figures.refused += load.refused();
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

    progress("lookups and statements while transfers are written at half that rate", "以一半速率写入时的查询与对账单");
    QueryLoad queries;
    queries.directory = options.directory;
    queries.accounts = options.accounts;
    queries.transfers = std::max<std::uint64_t>(1, options.transfers / 5);
    queries.transfers_per_s = std::max<std::uint64_t>(1, figures.transfers_per_s / 2);
    queries.seed = options.seed + 5;
    JZ_TRY(figures.queries, run_queries(queries));

    progress("single transfers from many callers", "多个调用方逐笔转账");
    JZ_TRY(const auto stage, Stage::make(options.directory, options.accounts));
    JZ_TRY(const std::uint64_t sync_us, fdatasync_p99_us(options.directory / "fdatasync.bench"));
    Workload work(options.accounts, options.seed + 4);
    figures.singles = run_singles(stage->engine(), work, options, figures.refused);
    figures.singles.fdatasync_p99_us = sync_us;
    progress("single transfers of one caller", "单个调用方逐笔转账");
    JZ_CHECK(run_one_caller(stage->engine(), work, options.one_by_one, figures.singles));
    return figures;
}

}  // namespace jiaozi::bench
