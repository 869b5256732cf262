// Single-transfer commands per second, durable: each is submitted alone and answered after its entry is synced. Open
// loop: the submitting threads keep a fixed number of commands outstanding and never wait for one answer.
//
//   engine_bench [directory] [threads] [transfers] [outstanding] [subscribers]
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/engine/engine.hpp>

namespace {

using namespace jiaozi;

constexpr std::uint32_t accounts = 10'000;

bool create_accounts(engine::Engine& engine) {
    for (std::uint32_t begin = 1; begin <= accounts; begin += 5'000) {
        engine::Command command;
        for (std::uint32_t id = begin; id < begin + 5'000; ++id)
            command.accounts.push_back({.id = id, .ledger = 1, .code = 1});
        if (!engine.execute(std::move(command)).ok()) return false;
    }
    return true;
}

engine::Command one_transfer(std::uint64_t thread, std::uint64_t number) {
    ledger::Transfer transfer{.id = make_uint128(thread + 1, number + 1)};
    const std::uint64_t mixed = (number + thread * 7'919) * 0x9E3779B97F4A7C15ULL;
    transfer.debit_account_id = mixed % accounts + 1;
    transfer.credit_account_id = (mixed / accounts + 1) % (accounts - 1) + 1;
    if (transfer.credit_account_id == transfer.debit_account_id) transfer.credit_account_id = accounts;
    transfer.amount = number % 100 + 1;
    transfer.ledger = 1;
    transfer.code = 1;
    engine::Command command;
    command.transfers.push_back(transfer);
    return command;
}

unsigned long argument(int count, char** values, int index, unsigned long otherwise) {
    return index < count ? std::strtoul(values[index], nullptr, 10) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
    const std::filesystem::path directory =
        argc > 1 ? argv[1] : (std::filesystem::temp_directory_path() / ("engine_bench." + std::to_string(::getpid())));
    const unsigned long threads = argument(argc, argv, 2, 1);
    const unsigned long transfers = argument(argc, argv, 3, 2'000'000);
    const unsigned long outstanding = argument(argc, argv, 4, 16'384);
    const unsigned long subscribers = argument(argc, argv, 5, 0);

    std::filesystem::remove_all(directory);
    const SystemClock clock;
    auto opened = engine::Engine::open({.directory = directory}, clock);
    if (!opened.ok() || !create_accounts(**opened)) {
        std::fprintf(stderr, "engine_bench: could not open %s\n", directory.c_str());
        return 1;
    }
    engine::Engine& engine = **opened;
    std::vector<std::unique_ptr<engine::Subscription>> feeds;
    std::atomic<std::uint64_t> fed{0};
    for (unsigned long i = 0; i < subscribers; ++i) {
        feeds.push_back(engine.subscribe(engine.last_sequence(),
                                         [&](std::span<const engine::Committed> batch) { fed += batch.size(); }));
    }

    const engine::Counters before = engine.counters();
    std::atomic<std::uint64_t> refused{0};
    const auto start = std::chrono::steady_clock::now();
    {
        std::vector<std::jthread> submitters;
        for (unsigned long thread = 0; thread < threads; ++thread) {
            submitters.emplace_back([&, thread] {
                const std::uint64_t mine = transfers / threads;
                std::counting_semaphore<> room(static_cast<std::ptrdiff_t>(outstanding / threads));
                for (std::uint64_t number = 0; number < mine; ++number) {
                    room.acquire();
                    engine.submit(one_transfer(thread, number), [&room, &refused](Result<engine::Outcome> outcome) {
                        if (!outcome.ok() || outcome->transfers[0] != ledger::CreateTransferResult::ok) ++refused;
                        room.release();
                    });
                }
                for (unsigned long i = 0; i < outstanding / threads; ++i) room.acquire();
            });
        }
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    const engine::Counters after = engine.counters();
    const auto commands = static_cast<double>(after.commands - before.commands);
    std::printf(
        "%.0f single-transfer commands/s durable (%lu threads, %lu outstanding, %.0f commands in %.2f s, "
        "%.0f commands per sync, %llu refused, %lu subscribers fed %llu)\n",
        commands / elapsed.count(), threads, outstanding, commands, elapsed.count(),
        commands / static_cast<double>(after.entries - before.entries), static_cast<unsigned long long>(refused.load()),
        subscribers, static_cast<unsigned long long>(fed.load()));
    const auto reopen = std::chrono::steady_clock::now();
    feeds.clear();
    opened.value().reset();
    auto again = engine::Engine::open({.directory = directory}, clock);
    const std::chrono::duration<double> recovery = std::chrono::steady_clock::now() - reopen;
    std::printf("recovery by replay: %.2f s, %.0f commands/s\n", recovery.count(), commands / recovery.count());
    again.value().reset();
    std::filesystem::remove_all(directory);
    return refused == 0 ? 0 : 1;
}
