// Submits the planned commands from two threads and reports every acknowledged key on standard output, until killed.
//
//   crash_writer <directory> <round>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <unistd.h>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/engine/engine.hpp>

#include "plan.hpp"

namespace {

using namespace jiaozi;

void report(std::uint64_t key, bool as_expected) {
    const crash::Report message{key, as_expected ? 1u : 0u};
    if (::write(STDOUT_FILENO, &message, sizeof message) != sizeof message) std::_Exit(3);
}

bool create_accounts(engine::Engine& engine) {
    engine::Command command;
    for (std::uint32_t id = 1; id <= crash::accounts; ++id)
        command.accounts.push_back({.id = id, .ledger = 1, .code = 1});
    return engine.execute(std::move(command)).ok();
}

void submit_all(engine::Engine& engine, std::uint64_t round, std::uint64_t thread) {
    for (std::uint64_t number = 0; number < (1u << 20); ++number) {
        const std::uint64_t key = crash::key_of(round, thread, number);
        crash::Plan plan = crash::plan_of(key);
        engine.submit(std::move(plan.command), [key, accepted = plan.accepted](Result<engine::Outcome> outcome) {
            if (!outcome.ok()) std::_Exit(4);
            const bool all_ok = std::ranges::all_of(
                outcome->transfers, [](auto result) { return result == ledger::CreateTransferResult::ok; });
            report(key, all_ok == accepted);
        });
        // Bursts, so that entries hold one command, several, or a crowd.
        if (crash::mix(key) % 5 == 0) std::this_thread::sleep_for(std::chrono::microseconds(crash::mix(key) % 1500));
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::uint64_t round = std::strtoull(argv[2], nullptr, 10);
    log::set_level(log::Level::off);
    const SystemClock clock;
    auto engine = engine::Engine::open({.directory = argv[1], .segment_bytes = std::uint64_t{256} << 10}, clock);
    if (!engine.ok() || !create_accounts(**engine)) {
        std::fprintf(stderr, "crash_writer: %s\n", engine.ok() ? "no accounts" : engine.error().to_string().c_str());
        return 1;
    }
    report(crash::ready_key, true);
    const std::jthread other([&] { submit_all(**engine, round, 1); });
    submit_all(**engine, round, 0);
    return 0;
}
