// What a payment costs the application thread, and how many a second pass through service, engine and disk.
//   payments_bench [count]
// Processor time is that of the application thread alone; the engine's writer and feed have theirs.
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>

#include <fmt/format.h>

#include <jiaozi/api/accounts.hpp>

#include "../tests/world.hpp"

namespace jiaozi::payments::testing {
namespace {

constexpr int in_flight_max = 512;

double thread_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

struct Run {
    std::string name;
    std::function<void(World&, std::function<void()>)> one;  // begins one, and calls back at its end
};

// Enough for any number of colas.
void enrich(World& w) {
    engine::Command command;
    command.transfers.push_back({.id = 99,
                                 .debit_account_id = api::system_account(api::code_funding, assets::CNY.ledger),
                                 .credit_account_id = World::family_cny.value,
                                 .amount = 1'000'000'000'000,
                                 .ledger = assets::CNY.ledger,
                                 .code = api::transfer_deposit});
    if (!w.engine->execute(std::move(command)).ok()) std::abort();
}

void measure(const Run& run, int count, bool limited) {
    World w({.keep_completed = 10'000'000});
    enrich(w);
    if (limited) {
        w.limit(World::ana, LimitKind::per_payment, 1'000'000'000);
        w.limit(World::ana, LimitKind::per_day, 1'000'000'000'000);
        w.limit(World::ana, LimitKind::per_category, 1'000'000'000'000, 1, "drinks");
    }
    int begun = 0;
    int ended = 0;
    const auto started = std::chrono::steady_clock::now();
    const double cpu = thread_seconds();
    w.app.run_until([&] {
        while (begun < count && begun - ended < in_flight_max) {
            ++begun;
            run.one(w, [&] { ++ended; });
        }
        return ended == count;
    });
    const double used = thread_seconds() - cpu;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started;
    std::cout << fmt::format("{:<28} {:>8.0f} payments/s {:>7.2f} us of the application thread each\n",
                             run.name + (limited ? ", three limits" : ""), count / passed.count(), used * 1e6 / count);
}

void person(World& w, std::function<void()> ended) {
    auto request = w.pay_ben(1);
    // Back and forth, so that the money does not run out.
    if (low64(request.id.value) % 2 == 0) {
        request.payer_wallet = World::friend_cny;
        request.payer_member = World::ben;
        request.payee_wallet = World::family_cny;
    }
    w.payments->create(std::move(request), [ended = std::move(ended)](Result<api::PaymentAnswer> answer) {
        if (!answer.ok() || answer->payment.state != PaymentState::captured) std::abort();
        ended();
    });
}

void saga(World& w, std::function<void()> ended) {
    auto request = w.buy();
    const PaymentId id = request.id;
    w.payments->create(
        std::move(request), [&w, id, ended = std::move(ended)](Result<api::PaymentAnswer> answer) mutable {
            if (!answer.ok() || answer->payment.state != PaymentState::authorized) std::abort();
            w.payments->command_acknowledged(World::vending, id, true);
            w.payments->delivery_reported(World::vending, id, DeliveryResult::delivered, 1,
                                          [ended = std::move(ended)](Result<api::ReportOutcome> outcome) {
                                              if (outcome->state != PaymentState::captured) std::abort();
                                              ended();
                                          });
        });
}

}  // namespace
}  // namespace jiaozi::payments::testing

int main(int argc, char** argv) {
    using namespace jiaozi::payments::testing;
    const int count = argc > 1 ? std::atoi(argv[1]) : 50'000;
    for (const bool limited : {false, true}) {
        measure({"person to person", person}, count, limited);
        measure({"whole saga at a machine", saga}, count, limited);
    }
}
