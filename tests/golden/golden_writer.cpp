// Writes a golden directory: golden_writer DIR. Every kind of event, refusals, an expiry, two segments, a snapshot and
// runs of histories on the way.
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <jiaozi/storage/journal_copy.hpp>

#include "state_text.hpp"

namespace jiaozi::golden {
namespace {

namespace af = ledger::account_flags;
namespace tf = ledger::transfer_flags;
using ledger::Transfer;

Transfer move(uint128 id, uint128 from, uint128 to, uint128 amount, std::uint16_t flags = 0,
              std::uint32_t timeout_s = 0) {
    return {.id = id,
            .debit_account_id = from,
            .credit_account_id = to,
            .amount = amount,
            .timeout_s = timeout_s,
            .ledger = 1,
            .code = 7,
            .flags = flags};
}

Transfer resolve(uint128 id, uint128 pending_id, uint128 amount, std::uint16_t flags) {
    return {.id = id, .amount = amount, .pending_id = pending_id, .flags = flags};
}

// One command after the other, each an entry of its own.
std::vector<engine::Command> commands() {
    std::vector<engine::Command> all(10);
    all[0].accounts = {{.id = 1, .ledger = 1, .code = 10},
                       {.id = 2, .ledger = 1, .code = 10, .flags = af::history | af::debits_must_not_exceed_credits},
                       {.id = 3, .user_data_128 = 5, .user_data_64 = 6, .user_data_32 = 7, .ledger = 1, .code = 10},
                       {.id = 4, .ledger = 1, .code = 10, .flags = af::credits_must_not_exceed_debits},
                       {.id = 5, .ledger = 2, .code = 10},
                       {.id = 6, .ledger = 1, .code = 0}};                              // refused: no code
    all[1].transfers = {move(1, 1, 2, 1000), move(2, 2, 3, 300), move(3, 2, 3, 5000)};  // the last is refused
    all[2].transfers = {move(4, 2, 3, 100, tf::pending), move(5, 2, 3, 50, tf::pending, 2),
                        move(6, 2, 3, 60, tf::pending)};
    all[3].transfers = {resolve(7, 4, 40, tf::post_pending), resolve(8, 6, 0, tf::void_pending)};
    all[4].transfers = {move(9, 1, 3, 1, tf::linked), move(10, 1, 3, 2),    // together
                        move(11, 1, 3, 1, tf::linked), move(12, 1, 5, 2)};  // broken
    all[5].transfers = {move(13, 2, 1, 100'000, tf::balancing_debit),
                        move(2, 2, 3, 300)};  // all there is; a repetition
    all[6].flag_changes = {{3, af::frozen, 0}};
    all[6].transfers = {move(14, 1, 3, 5)};  // refused: frozen
    all[7].flag_changes = {{3, 0, af::frozen}};
    all[7].transfers = {move(15, 1, 3, 9, tf::pending | tf::closing_credit, 100)};
    all[8].annotation.assign(40'000, 'x');
    all[8].transfers = {move(16, 1, 2, 7)};
    all[9].annotation.assign(40'000, 'y');
    all[9].transfers = {move(17, 1, 2, 8)};
    return all;
}

Result<> write(const std::filesystem::path& directory) {
    const auto scratch = directory.string() + ".scratch";
    TestClock clock;
    engine::Options options;
    options.directory = scratch;
    options.segment_bytes = std::uint64_t{64} * 1024;
    options.snapshot_every_bytes = 0;
    options.history_tail_rows = 3;
    options.history_thread = false;
    std::string text;
    {
        JZ_TRY(const auto engine, engine::Engine::open(options, clock));
        for (engine::Command& command : commands()) {
            clock.advance(milliseconds(900));  // the hold of two seconds runs out on the way
            JZ_CHECK(engine->execute(std::move(command)));
            if (engine->last_sequence() == 8) JZ_CHECK(engine->make_snapshot());
        }
        text = state_text(*engine);
    }
    std::filesystem::create_directories(directory / "journal");
    JZ_CHECK(storage::copy_journal(std::filesystem::path(scratch) / "journal", directory / "journal" / "journal"));
    std::filesystem::copy_file(std::filesystem::path(scratch) / "format", directory / "journal" / "format");
    std::filesystem::copy(std::filesystem::path(scratch) / "snapshots", directory / "journal" / "snapshots");
    std::filesystem::copy(std::filesystem::path(scratch) / "histories", directory / "journal" / "histories");
    std::filesystem::remove_all(scratch);
    std::ofstream(directory / "expected.txt") << text;
    return {};
}

}  // namespace
}  // namespace jiaozi::golden

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: golden_writer DIRECTORY\n";
        return 2;
    }
    const auto written = jiaozi::golden::write(argv[1]);
    if (written.ok()) return 0;
    std::cerr << written.error().to_string() << '\n';
    return 1;
}
