// Holds what the engine answers, and what is left after every crash, against the book; and against a second ledger that
// is fed with nothing but the committed commands. Every complaint is a sentence; the first one ends the world.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <jiaozi/engine/engine.hpp>
#include <jiaozi/sim/book.hpp>
#include <jiaozi/sim/random.hpp>

#include "log_book.hpp"

namespace jiaozi::sim {

class Auditor {
  public:
    // The log's book, if the world has a log, outlives the auditor.
    Auditor(Random random, LogBook* log) : random_(random), log_(log) {}

    using Complaint = std::optional<std::string>;

    // The engine answered `command`, the next one of those submitted.
    Complaint acknowledged(engine::Command command, const engine::Outcome& outcome);
    // The engine said `timeout`: whether the command is durable shows after the restart.
    void in_doubt(engine::Command command) { in_doubt_.push_back(std::move(command)); }

    // After opening: nothing acknowledged is missing, nothing is there that nobody asked for, and all balances are
    // right.
    // With `damaged` a statement may be refused because of what it would have to read; it may not be wrong.
    Complaint after_open(engine::Engine& engine, bool damaged = false);
    // What lookups show is what was acknowledged, and holds that ran out by a tick.
    Complaint compare_accounts(const engine::Engine& engine);
    // A hold has run out that the engine still shows as pending: as long as it runs, it will write a tick.
    bool tick_is_due(const engine::Engine& engine, Timestamp now);

    const Book& book() const { return book_; }
    std::uint64_t survivors() const { return survivors_; }
    std::uint64_t vanished() const { return vanished_; }
    std::uint64_t ticks() const { return ticks_; }
    std::uint64_t refusals() const { return refusals_; }

  private:
    struct Acknowledged {
        engine::Command command;
        engine::Outcome outcome;
    };
    Complaint predict(const engine::Command& command, const engine::Outcome& outcome);
    Complaint account_for(const engine::Committed& committed);
    Complaint replay(const engine::Committed& committed);
    Complaint compare_transfers(const engine::Engine& engine);
    Complaint compare_histories(const engine::Engine& engine, bool damaged);
    Complaint compare_history(const engine::Engine& engine, uint128 account, bool damaged);

    // What the second ledger tells.
    class Histories final : public ledger::HistorySink {
      public:
        void take(std::span<const ledger::HistoryRow> rows) override {
            for (const ledger::HistoryRow& row : rows) by_account[row.account].push_back(row);
        }
        std::map<std::uint64_t, std::vector<ledger::HistoryRow>> by_account;
    };

    Random random_;
    LogBook* const log_;
    Book book_;
    Histories histories_;
    ledger::Ledger replica_{histories_};
    std::uint64_t audited_ = 0;  // sequence up to which the journal was read back
    Timestamp last_time_{};
    std::uint64_t last_sequence_ = 0;
    std::deque<Acknowledged> acknowledged_;  // since `audited_`
    std::deque<engine::Command> in_doubt_;
    std::uint64_t survivors_ = 0, vanished_ = 0, ticks_ = 0, refusals_ = 0;
};

}  // namespace jiaozi::sim
