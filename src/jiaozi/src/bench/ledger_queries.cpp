#include "ledger_queries.hpp"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include <jiaozi/base/short_turns.hpp>

#include "ledger_stage.hpp"
#include "ledger_workload.hpp"

namespace jiaozi::bench {
namespace {

constexpr std::uint64_t accounts_with_history = 1'000;
constexpr std::uint64_t history_every = 10;  // transfers: one of so many goes to an account that keeps history
constexpr std::size_t page_size = 100;
// A thousand lookups a second, and a statement after ten of them: what people and programs ask, not a load by itself.
constexpr std::chrono::microseconds between_lookups(1'000);
constexpr std::uint64_t lookups_per_statement = 10;

struct Asked {
    Measured lookups;
    Measured statements;
    std::optional<Error> failure;
};

// What the writer has been told is durable: ids[0, known) may be asked for.
struct Written {
    std::vector<uint128> ids;
    std::atomic<std::uint64_t> known{0};
    std::atomic<bool> ended{false};
};

void ask(const engine::Engine& engine, const Written& written, std::uint64_t seed, Asked& asked) {
    const ShortTurns turns;  // as the thread of `serve` that answers such questions
    const auto wrong = [&](const char* what) { asked.failure = Error(ErrorKind::internal, what); };
    auto due = SteadyClock::now();
    for (std::uint64_t n = 1; !written.ended.load(std::memory_order_acquire) && !asked.failure; ++n) {
        std::this_thread::sleep_until(due += between_lookups);
        const std::uint64_t known = written.known.load(std::memory_order_acquire);
        if (known == 0) continue;
        const std::uint64_t random = spread(seed + n);
        const uint128 id = written.ids[random % known];
        auto start = SteadyClock::now();
        const auto transfer = engine.transfer(id);
        asked.lookups.latencies_ns.push_back(nanoseconds_since(start));
        if (!transfer.ok() || !*transfer || (*transfer)->id != id)
            return wrong("a transfer that was answered is not found");
        if (n % lookups_per_statement != 0) continue;
        const uint128 account = workload_account_id(random % accounts_with_history);
        start = SteadyClock::now();
        const auto page = engine.statement(account, {.limit = page_size, .reversed = true});
        asked.statements.latencies_ns.push_back(nanoseconds_since(start));
        if (!page.ok()) asked.failure = page.error();
    }
}

}  // namespace

Result<QueryFigures> run_queries(const QueryLoad& load) {
    const std::uint64_t kept = std::min(accounts_with_history, load.accounts);
    JZ_TRY(const auto stage, Stage::make(load.directory, load.accounts, kept));
    Workload work(load.accounts, load.seed);
    Written written;
    written.ids.resize(load.transfers);
    Asked asked;
    std::atomic<std::uint64_t> refused{0};
    const auto start = SteadyClock::now();
    {
        std::jthread reader([&] { ask(stage->engine(), written, load.seed, asked); });
        for (std::uint64_t first = 0; first < load.transfers; first += ledger::max_batch) {
            const std::uint64_t count = std::min<std::uint64_t>(ledger::max_batch, load.transfers - first);
            engine::Command command;
            for (std::uint64_t i = first; i < first + count; ++i) {
                ledger::Transfer transfer = work.next();
                if (i % history_every == 0) {
                    const std::uint64_t account = i / history_every % kept;
                    transfer.credit_account_id = workload_account_id(account);
                    if (transfer.debit_account_id == transfer.credit_account_id)
                        transfer.debit_account_id = workload_account_id((account + 1) % load.accounts);
                }
                written.ids[i] = transfer.id;
                command.transfers.push_back(transfer);
            }
            std::this_thread::sleep_until(start +
                                          std::chrono::nanoseconds(first * 1'000'000'000 / load.transfers_per_s));
            stage->engine().submit(std::move(command), [&, end = first + count](Result<engine::Outcome> outcome) {
                const bool well = outcome.ok() && std::ranges::all_of(outcome->transfers, [](auto result) {
                                      return result == ledger::CreateTransferResult::ok;
                                  });
                if (!well) ++refused;
                written.known.store(end, std::memory_order_release);
            });
        }
        while (written.known.load(std::memory_order_acquire) < load.transfers)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        written.ended.store(true, std::memory_order_release);
    }
    const std::uint64_t elapsed_ns = nanoseconds_since(start);
    if (asked.failure) return std::move(*asked.failure);
    if (refused != 0) return Error(ErrorKind::internal, std::to_string(refused) + " batches had refusals");
    QueryFigures figures;
    figures.transfers_per_s = rate(load.transfers, elapsed_ns);
    figures.lookup_p50_us = asked.lookups.percentile_us(50);
    figures.lookup_p99_us = asked.lookups.percentile_us(99);
    figures.statement_p50_us = asked.statements.percentile_us(50);
    figures.statement_p99_us = asked.statements.percentile_us(99);
    return figures;
}

}  // namespace jiaozi::bench
