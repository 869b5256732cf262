// What account histories cost: rate and disk of transfers when some, all or no accounts keep one, and how long the
// newest hundred changes of an account take to read, from memory of the system and from the disk.
//
//   history_bench DIRECTORY [transfers] [accounts] [keeping: one account of so many; 0: none]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/engine/engine.hpp>

namespace {

using namespace jiaozi;
using SteadyClock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::uint64_t batch = ledger::max_batch;

std::uint64_t argument(int count, char** values, int index, std::uint64_t otherwise) {
    return index < count ? std::strtoull(values[index], nullptr, 10) : otherwise;
}

double ms_since(SteadyClock::time_point start) {
    return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

std::uint64_t bytes_in(const fs::path& folder) {
    std::uint64_t bytes = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) bytes += entry.file_size(ignored);
    return bytes;
}

// The system forgets what it has of the files, so that the next read is the disk's.
void forget(const fs::path& folder) {
    for (const auto& entry : fs::directory_iterator(folder)) {
        const int file = ::open(entry.path().c_str(), O_RDONLY);
        if (file < 0) continue;
        static_cast<void>(::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED));
        static_cast<void>(::close(file));
    }
}

struct Load {
    engine::Engine& engine;
    const std::uint64_t accounts;
    std::mt19937_64 random{42};
    std::counting_semaphore<> room{4};
    std::atomic<std::uint64_t> refused{0};
    SteadyClock::time_point last = SteadyClock::now();
    double worst_gap_ms = 0;

    ledger::Transfer transfer() {
        const std::uint64_t from = random() % accounts;
        const std::uint64_t to = (from + 1 + random() % (accounts - 1)) % accounts;
        return {.id = make_uint128(random(), random() | 1),
                .debit_account_id = from + 1,
                .credit_account_id = to + 1,
                .amount = 1 + random() % 10'000,
                .ledger = 1,
                .code = 1};
    }
    void send() {
        engine::Command command;
        for (std::uint64_t i = 0; i < batch; ++i) command.transfers.push_back(transfer());
        room.acquire();
        engine.submit(std::move(command), [this](Result<engine::Outcome> outcome) {
            const bool well = outcome.ok() && std::ranges::all_of(outcome->transfers, [](auto result) {
                                  return result == ledger::CreateTransferResult::ok;
                              });
            if (!well) ++refused;
            worst_gap_ms = std::max(worst_gap_ms, ms_since(last));
            last = SteadyClock::now();
            room.release();
        });
    }
    void finish() {
        for (int i = 0; i < 4; ++i) room.acquire();
    }
};

void read_statements(const engine::Engine& engine, std::uint64_t accounts, std::uint64_t keeping, const char* what) {
    std::mt19937_64 random(7);
    std::vector<double> times;
    std::size_t changes = 0;
    for (int i = 0; i < 500; ++i) {
        const std::uint64_t account = random() % (accounts / keeping) * keeping + 1;
        const auto start = SteadyClock::now();
        const auto page = engine.statement(account, {.limit = 100, .reversed = true});
        times.push_back(ms_since(start));
        if (!page.ok()) {
            std::printf("%s\n", page.error().to_string().c_str());
            return;
        }
        changes += page->changes.size();
    }
    std::ranges::sort(times);
    std::printf("statements, %s: p50 %.2f ms, p99 %.2f ms, worst %.2f ms, %.1f changes each\n", what, times[250],
                times[495], times.back(), static_cast<double>(changes) / 500);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const fs::path directory = argv[1];
    const std::uint64_t transfers = argument(argc, argv, 2, 10'000'000);
    const std::uint64_t accounts = argument(argc, argv, 3, 1'000'000);
    const std::uint64_t keeping = argument(argc, argv, 4, 10);
    const SystemClock clock;
    engine::Options options;
    options.directory = directory;
    options.snapshot_every_bytes = 0;
    auto opened = engine::Engine::open(options, clock);
    if (!opened.ok()) return std::printf("%s\n", opened.error().to_string().c_str()), 1;
    auto engine = std::move(opened).value();
    for (std::uint64_t first = 0; first < accounts; first += batch) {
        engine::Command command;
        for (std::uint64_t i = first; i < std::min(accounts, first + batch); ++i) {
            const bool keeps = keeping != 0 && i % keeping == 0;
            const std::uint16_t flags = keeps ? ledger::account_flags::history : 0;
            command.accounts.push_back({.id = i + 1, .ledger = 1, .code = 1, .flags = flags});
        }
        if (!engine->execute(std::move(command)).ok()) return 1;
    }
    const std::uint64_t journal_before = bytes_in(directory / "journal");
    const auto start = SteadyClock::now();
    Load load{*engine, accounts};
    for (std::uint64_t sent = 0; sent < transfers; sent += batch) load.send();
    load.finish();
    const double elapsed_ms = ms_since(start);
    const auto count = static_cast<double>((transfers + batch - 1) / batch * batch);
    std::printf("%.0f transfers/s, worst gap between answers %.1f ms, %llu refused batches\n",
                count / elapsed_ms * 1000, load.worst_gap_ms, static_cast<unsigned long long>(load.refused.load()));
    // Merging goes on for a while.
    for (std::uint64_t before = UINT64_MAX, now = 0; now != before; before = now) {
        std::this_thread::sleep_for(std::chrono::seconds(3));
        now = bytes_in(directory / "histories");
        if (before == UINT64_MAX) before = 0;
    }
    std::printf("disk a transfer: journal %.1f bytes (space made ahead included), histories %.2f\n",
                static_cast<double>(bytes_in(directory / "journal") - journal_before) / count,
                static_cast<double>(bytes_in(directory / "histories")) / count);
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS")) std::printf("%s\n", line.c_str());
    }
    if (keeping != 0) {
        read_statements(*engine, accounts, keeping, "as it comes");
        forget(directory / "histories");
        forget(directory / "journal");
        read_statements(*engine, accounts, keeping, "from the disk at first");
    }
    return 0;
}
