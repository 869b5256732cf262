// How many transfers a second one core applies, in full batches. Run: build/<preset>/bin/ledger_bench
// Ids are random, as those the services make; accounts are drawn at random from a million.
#include <random>

#include <benchmark/benchmark.h>

#include <jiaozi/ledger/ledger.hpp>

namespace jiaozi::ledger {
namespace {

constexpr std::uint64_t account_count = 1'000'000;

class Load {
  public:
    explicit Load(std::uint16_t account_flags) {
        std::vector<CreateAccountResult> created;
        std::vector<Account> batch;
        for (std::uint64_t i = 0; i < account_count; ++i) {
            batch.push_back({.id = account_id(i), .ledger = 156, .code = 1, .flags = account_flags});
            if (batch.size() < max_batch && i + 1 < account_count) continue;
            ledger.create_accounts(batch, now += batch.size(), created);
            batch.clear();
        }
    }

    static uint128 account_id(std::uint64_t i) { return make_uint128(i * 0x9E3779B97F4A7C15ULL, i + 1); }

    Transfer transfer() {
        const std::uint64_t debit = random() % account_count;
        const std::uint64_t credit = (debit + 1 + random() % (account_count - 1)) % account_count;
        return {.id = make_uint128(now, random()),
                .debit_account_id = account_id(debit),
                .credit_account_id = account_id(credit),
                .amount = 1 + random() % 10'000,
                .ledger = 156,
                .code = 1};
    }

    void apply(const std::vector<Transfer>& batch, benchmark::State& bench) {
        ledger.create_transfers(batch, now += batch.size(), results);
        for (const CreateTransferResult result : results) {
            if (result != CreateTransferResult::ok) bench.SkipWithError("a transfer was refused");
        }
    }

    // Whoever keeps histories has to look at them at least.
    class Glance final : public HistorySink {
      public:
        void take(std::span<const HistoryRow> rows) override { benchmark::DoNotOptimize(rows.back()); }
    };
    Glance glance;
    Ledger ledger{glance};
    std::uint64_t now = 1'700'000'000'000'000'000;
    std::mt19937_64 random{42};
    std::vector<CreateTransferResult> results;
};

void simple_transfers(benchmark::State& bench, std::uint16_t flags_of_accounts, std::uint16_t chain) {
    Load load(flags_of_accounts);
    std::vector<Transfer> batch(max_batch);
    for (auto _ : bench) {
        bench.PauseTiming();
        for (std::size_t i = 0; i < batch.size(); ++i) {
            batch[i] = load.transfer();
            if (i % 3 != 2) batch[i].flags |= chain;  // in chains of three, if at all
        }
        bench.ResumeTiming();
        load.apply(batch, bench);
    }
    bench.SetItemsProcessed(bench.iterations() * static_cast<std::int64_t>(max_batch));
}

void hold_and_capture(benchmark::State& bench) {
    Load load(0);
    std::vector<Transfer> holds(max_batch);
    std::vector<Transfer> captures(max_batch);
    for (auto _ : bench) {
        bench.PauseTiming();
        for (std::size_t i = 0; i < max_batch; ++i) {
            holds[i] = load.transfer();
            holds[i].flags = transfer_flags::pending;
            holds[i].timeout_s = 60;
            captures[i] = {.id = make_uint128(load.now + 1, load.random()),
                           .amount = everything,
                           .pending_id = holds[i].id,
                           .flags = transfer_flags::post_pending};
        }
        bench.ResumeTiming();
        load.apply(holds, bench);
        load.apply(captures, bench);
    }
    bench.SetItemsProcessed(bench.iterations() * 2 * static_cast<std::int64_t>(max_batch));
}

BENCHMARK_CAPTURE(simple_transfers, plain, 0, 0)->Iterations(400)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simple_transfers, in_chains_of_three, 0, transfer_flags::linked)
    ->Iterations(400)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simple_transfers, with_history, account_flags::history, 0)
    ->Iterations(200)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(hold_and_capture)->Iterations(200)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace jiaozi::ledger

BENCHMARK_MAIN();
