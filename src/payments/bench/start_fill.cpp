// A data directory with many payments, as a server leaves it that was killed: for measuring starts
// (docs/benchmarks.md).
//   start_fill DIRECTORY [payments] [behind]
// `behind` of the payments come after the snapshot; all are in the registry.
#include <chrono>
#include <cstdlib>
#include <iostream>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/payments/known_ids.hpp>
#include <jiaozi/payments/projector.hpp>
#include <jiaozi/registry/store.hpp>

#include "../tests/world.hpp"

namespace jiaozi::payments::testing {
namespace {

constexpr int in_flight_max = 512;

template <class T>
T must(Result<T> result) {
    if (result.ok()) return std::move(result).value();
    std::cerr << result.error().to_string() << '\n';
    std::exit(1);
}

void pay(World& w, int count) {
    int begun = 0;
    int ended = 0;
    w.app.run_until([&] {
        while (begun < count && begun - ended < in_flight_max) {
            ++begun;
            w.payments->create(w.pay_ben(1), [&](Result<api::PaymentAnswer> answer) {
                if (!answer.ok() || answer->payment.state != PaymentState::captured) std::exit(1);
                ++ended;
            });
        }
        return ended == count;
    });
}

using SteadyClock = std::chrono::steady_clock;

double ms_since(SteadyClock::time_point start) {
    return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

// What the payment service alone takes to begin, the engine being open: from the journal's first command, then behind
// the projection with and without the ids that are kept.
void measure_starts(World& w, const std::filesystem::path& directory) {
    SteadyClock::time_point start;
    w.before_service = [&] { start = SteadyClock::now(); };
    w.go();
    std::cout << "whole journal: " << ms_since(start) << " ms\n";
    w.stop();
    auto store =
        must(registry::Store::open({.url = "sqlite:" + (directory / "registry.db").string(), .seal = {}, .open = {}}));
    for (const bool kept : {false, true}) {
        std::unique_ptr<Projector> projector;
        std::unique_ptr<RegistryArchive> archive;
        w.before_service = [&] {
            const auto journal = w.directory.path() / "journal";
            projector = must(Projector::start(*w.engine, *store, nullptr));
            auto session = must(store->session());
            const std::atomic<bool> never{false};
            if (kept) must(keep_known_ids(*session, journal, never));
            archive = std::make_unique<RegistryArchive>(std::move(session), *projector, journal);
            w.archive = archive.get();
            start = SteadyClock::now();
        };
        w.go();
        std::cout << (kept ? "behind the projection, ids kept: " : "behind the projection, ids from SQL: ")
                  << ms_since(start) << " ms\n";
        w.payments.reset();
        archive.reset();
        projector.reset();
        w.stop();
    }
}

int fill(const std::filesystem::path& directory, int payments, int behind) {
    World w({.keep_completed = 10'000'000});
    engine::Command command;
    command.transfers.push_back({.id = 99,
                                 .debit_account_id = api::system_account(api::code_funding, assets::CNY.ledger),
                                 .credit_account_id = World::family_cny.value,
                                 .amount = 1'000'000'000'000,
                                 .ledger = assets::CNY.ledger,
                                 .code = api::transfer_deposit});
    must(w.engine->execute(std::move(command)));
    for (int left = payments - behind; left > 0; left -= 10'000) pay(w, std::min(left, 10'000));
    const auto made = must(w.engine->make_snapshot());
    pay(w, behind);
    std::filesystem::create_directories(directory);
    {
        auto store = must(
            registry::Store::open({.url = "sqlite:" + (directory / "registry.db").string(), .seal = {}, .open = {}}));
        const auto projector = must(Projector::start(*w.engine, *store, nullptr, {.gather = {}, .nice = 0}));
        while (!projector->wait_for(w.engine->last_sequence(), seconds(10))) {
            std::cout << projector->projected_sequence() << " projected\n";
        }
    }
    std::cout << "snapshot at " << made.sequence << ", last command " << w.engine->last_sequence() << '\n';
    w.stop();
    measure_starts(w, directory);
    std::filesystem::rename(w.directory.path() / "journal", directory / "journal");
    return 0;
}

}  // namespace
}  // namespace jiaozi::payments::testing

int main(int argc, char** argv) {
    if (argc < 2) {
        std::cerr << "start_fill DIRECTORY [payments] [behind]\n";
        return 2;
    }
    const int payments = argc > 2 ? std::atoi(argv[2]) : 1'000'000;
    const int behind = argc > 3 ? std::atoi(argv[3]) : 10'000;
    return jiaozi::payments::testing::fill(argv[1], payments, behind);
}
