#include "ledger_load.hpp"

#include <atomic>
#include <random>
#include <semaphore>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/base/assert.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/money/asset.hpp>

namespace jiaozi::bench {
namespace {

constexpr std::uint64_t opening_balance = 1'000'000'000;

uint128 account_id(std::uint64_t number) {
    return make_uint128(1, number + 1);
}

// Accounts that may not be overdrawn, each with money from one that may.
Result<> open_accounts(engine::Engine& engine, std::uint64_t count) {
    const std::uint32_t ledger = assets::CNY.ledger;
    const uint128 funding = api::system_account(api::code_funding, ledger);
    for (std::uint64_t first = 0; first < count; first += 4000) {
        engine::Command command;
        if (first == 0) {
            ledger::Account source{};
            source.id = funding;
            source.ledger = ledger;
            source.code = api::code_funding;
            command.accounts.push_back(source);
        }
        for (std::uint64_t i = first; i < std::min(count, first + 4000); ++i) {
            ledger::Account account{};
            account.id = account_id(i);
            account.ledger = ledger;
            account.code = api::code_wallet;
            account.flags = ledger::account_flags::debits_must_not_exceed_credits;
            command.accounts.push_back(account);
            ledger::Transfer transfer{};
            transfer.id = make_uint128(2, i + 1);
            transfer.debit_account_id = funding;
            transfer.credit_account_id = account.id;
            transfer.amount = opening_balance;
            transfer.ledger = ledger;
            transfer.code = api::transfer_deposit;
            command.transfers.push_back(transfer);
        }
        JZ_CHECK(engine.execute(std::move(command)));
    }
    return {};
}

}  // namespace

Result<Measured> run_ledger_load(const LedgerLoad& load) {
    SystemClock clock;
    engine::Options options;
    options.directory = load.directory;
    JZ_TRY(auto engine, engine::Engine::open(options, clock));
    JZ_CHECK(open_accounts(*engine, load.accounts));

    std::counting_semaphore<> room(static_cast<std::ptrdiff_t>(load.outstanding));
    Measured measured;
    JZ_ASSERT(load.accounts > 1);
    measured.latencies_ns.resize(load.transfers);
    std::atomic<std::uint64_t> failed{0};
    std::mt19937_64 random(load.seed);
    const auto start = SteadyClock::now();
    for (std::uint64_t i = 0; i < load.transfers; ++i) {
        engine::Command command;
        ledger::Transfer& transfer = command.transfers.emplace_back();
        const std::uint64_t from = random() % load.accounts;
        transfer.id = make_uint128(random() | 4, random());
        transfer.debit_account_id = account_id(from);
        transfer.credit_account_id = account_id((from + 1 + random() % (load.accounts - 1)) % load.accounts);
        transfer.amount = 1 + random() % 1000;
        transfer.ledger = assets::CNY.ledger;
        transfer.code = api::transfer_payment;
        room.acquire();
        const auto sent = SteadyClock::now();
        std::uint64_t* const latency = &measured.latencies_ns[i];
        engine->submit(std::move(command), [&room, &failed, sent, latency](Result<engine::Outcome> outcome) {
            *latency = nanoseconds_since(sent);
            if (!outcome.ok() || outcome->transfers.front() != ledger::CreateTransferResult::ok)
                failed.fetch_add(1, std::memory_order_relaxed);
            room.release();
        });
    }
    for (std::uint64_t i = 0; i < load.outstanding; ++i) room.acquire();
    measured.elapsed_ns = nanoseconds_since(start);
    measured.failed = failed;
    measured.completed = load.transfers - measured.failed;
    return measured;
}

}  // namespace jiaozi::bench
