#include "auditor.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "read_back.hpp"

namespace jiaozi::sim {

using engine::Command;
using engine::Committed;
using engine::Outcome;

namespace {

std::string at(std::uint64_t sequence) {
    return "command " + std::to_string(sequence) + ": ";
}

bool same(const Command& a, const Command& b) {
    return a.accounts == b.accounts && a.flag_changes == b.flag_changes && a.transfers == b.transfers &&
           a.annotation == b.annotation;
}

bool is_tick(const Command& command) {
    return command.accounts.empty() && command.flag_changes.empty() && command.transfers.empty() &&
           command.annotation.empty();
}

template <class Result>
std::optional<std::string> differ(const char* kind, std::span<const Result> got, std::span<const Result> wanted) {
    if (got.size() != wanted.size()) {
        return std::to_string(got.size()) + " answers to " + std::to_string(wanted.size()) + " events of kind " + kind;
    }
    for (std::size_t i = 0; i < got.size(); ++i) {
        if (got[i] == wanted[i]) continue;
        return std::string(kind) + " " + std::to_string(i) + " was answered " + std::string(name_of(got[i])) +
               ", but must be " + std::string(name_of(wanted[i]));
    }
    return std::nullopt;
}

}  // namespace

Result<std::vector<Committed>> read_back(engine::Engine& engine, std::uint64_t after) {
    const std::uint64_t last = engine.last_sequence();
    std::vector<Committed> found;
    if (after >= last) return found;
    std::mutex mutex;
    std::condition_variable grown;
    const auto feed = engine.subscribe(after, [&](std::span<const Committed> batch) {
        const std::lock_guard guard(mutex);
        found.insert(found.end(), batch.begin(), batch.end());
        grown.notify_one();
    });
    std::unique_lock lock(mutex);
    const auto begin = std::chrono::steady_clock::now();
    while (found.empty() || found.back().sequence < last) {
        if (std::chrono::steady_clock::now() - begin > std::chrono::minutes(1)) {
            return Error(ErrorKind::timeout, "the feed does not get to command " + std::to_string(last));
        }
        if (grown.wait_for(lock, std::chrono::milliseconds(100)) == std::cv_status::no_timeout) continue;
        if (const auto failure = feed->failure()) return *failure;
    }
    return found;
}

// The answers to a command, against the book's.
Auditor::Complaint Auditor::predict(const Command& command, const Outcome& outcome) {
    const Book::Answers wanted = book_.apply(command, outcome.timestamp);
    auto difference = differ<ledger::CreateAccountResult>("account", outcome.accounts, wanted.accounts);
    if (!difference) {
        difference = differ<ledger::SetAccountFlagsResult>("flag change", outcome.flag_changes, wanted.flag_changes);
    }
    if (!difference) {
        difference = differ<ledger::CreateTransferResult>("transfer", outcome.transfers, wanted.transfers);
    }
    if (difference) return at(outcome.sequence) + *difference;
    for (const auto result : outcome.transfers) refusals_ += result != ledger::CreateTransferResult::ok ? 1 : 0;
    return std::nullopt;
}

Auditor::Complaint Auditor::acknowledged(Command command, const Outcome& outcome) {
    if (outcome.sequence <= last_sequence_) {
        return at(outcome.sequence) + "answered out of order, after " + std::to_string(last_sequence_);
    }
    if (outcome.timestamp <= last_time_) return at(outcome.sequence) + "its time does not follow the one before it";
    last_sequence_ = outcome.sequence;
    last_time_ = outcome.timestamp;
    auto complaint = predict(command, outcome);
    acknowledged_.push_back({std::move(command), outcome});
    return complaint;
}

// One command that was read back: it must be one that was acknowledged, or was in doubt, or a tick.
Auditor::Complaint Auditor::account_for(const Committed& committed) {
    if (committed.sequence != audited_ + 1) return at(committed.sequence) + "is not the next one in the journal";
    audited_ = committed.sequence;
    if (!acknowledged_.empty() && acknowledged_.front().outcome.sequence == committed.sequence) {
        const Acknowledged& mine = acknowledged_.front();
        if (!same(mine.command, committed.command))
            return at(committed.sequence) + "was acknowledged, but says another";
        if (mine.outcome != committed.outcome) {
            return at(committed.sequence) + "was acknowledged with other results than the journal's";
        }
        acknowledged_.pop_front();
        return replay(committed);
    }
    if (is_tick(committed.command)) {
        ++ticks_;
        if (committed.expired.empty()) return at(committed.sequence) + "is a tick for nothing";
        book_.expire(committed.timestamp.ns);
        return replay(committed);
    }
    if (!acknowledged_.empty()) return at(committed.sequence) + "stands among acknowledged ones, but was not answered";
    if (in_doubt_.empty() || !same(in_doubt_.front(), committed.command)) {
        return at(committed.sequence) + "is in the journal, but it was never sent, or certainly refused";
    }
    in_doubt_.pop_front();
    ++survivors_;
    if (auto complaint = predict(committed.command, committed.outcome)) return complaint;
    return replay(committed);
}

// Feeds the second ledger, as docs/formats/journal.md ("Time") says.
Auditor::Complaint Auditor::replay(const Committed& committed) {
    const Command& command = committed.command;
    std::uint64_t event =
        committed.timestamp.ns - command.accounts.size() - command.flag_changes.size() - command.transfers.size();
    std::vector<ledger::Expired> expired;
    replica_.expire(event, expired);
    if (expired != committed.expired) return at(committed.sequence) + "other holds ran out before it than must have";
    Outcome outcome;
    if (!command.accounts.empty()) {
        event += command.accounts.size();
        replica_.create_accounts(command.accounts, event, outcome.accounts);
    }
    for (const engine::FlagChange& change : command.flag_changes) {
        ++event;
        outcome.flag_changes.push_back(replica_.set_account_flags(change.account_id, change.set, change.clear));
    }
    if (!command.transfers.empty()) {
        replica_.create_transfers(command.transfers, event + command.transfers.size(), outcome.transfers);
    }
    if (outcome.accounts != committed.outcome.accounts || outcome.flag_changes != committed.outcome.flag_changes ||
        outcome.transfers != committed.outcome.transfers) {
        return at(committed.sequence) + "replaying it gives other results";
    }
    return std::nullopt;
}

Auditor::Complaint Auditor::after_open(engine::Engine& engine, bool damaged) {
    const std::uint64_t last = engine.last_sequence();
    if (log_ != nullptr) {
        if (auto complaint = log_->covers(last)) return complaint;
    }
    if (last < audited_) {
        return "the journal ends with command " + std::to_string(last) + ", but " + std::to_string(audited_) +
               " had been read back from it";
    }
    auto committed = read_back(engine, audited_);
    if (!committed.ok()) return "the journal cannot be read back: " + committed.error().to_string();
    for (const Committed& one : *committed) {
        if (auto complaint = account_for(one)) return complaint;
        if (log_ != nullptr) log_->add(one);
    }
    if (log_ != nullptr) {
        if (auto complaint = log_->hold()) return complaint;
    }
    if (!acknowledged_.empty()) {
        return "command " + std::to_string(acknowledged_.front().outcome.sequence) +
               " was acknowledged and is lost; the journal ends with " + std::to_string(last);
    }
    vanished_ += in_doubt_.size();
    in_doubt_.clear();
    if (!committed->empty()) {
        last_sequence_ = committed->back().sequence;
        last_time_ = committed->back().timestamp;
    }
    if (engine.state_digest() != replica_.state_digest()) return "the state is not what a full replay gives";
    if (auto complaint = compare_accounts(engine)) return complaint;
    if (auto complaint = compare_transfers(engine)) return complaint;
    if (auto complaint = compare_histories(engine, damaged)) return complaint;
    if (!damaged && random_.chance(10)) {
        const auto violations = engine.check_invariants();
        if (!violations.empty()) return std::string(violations[0].checker) + ": " + violations[0].detail;
    }
    return std::nullopt;
}

bool Auditor::tick_is_due(const engine::Engine& engine, Timestamp now) {
    for (const Book::RunOut& hold : book_.due(now)) {
        const auto status = engine.pending_status(hold.id);
        if (status.ok() && *status == ledger::PendingStatus::pending) return true;
        book_.expire(hold.at_ns);
    }
    return false;
}

Auditor::Complaint Auditor::compare_accounts(const engine::Engine& engine) {
    tick_is_due(engine,
                Timestamp{UINT64_MAX});  // takes over what ticks have voided; the clock may have gone back since
    std::map<std::uint32_t, std::pair<uint128, uint128>> sums;  // by ledger: what all debits and credits come to
    for (const auto& [id, mine] : book_.accounts()) {
        const auto theirs = engine.account(id);
        if (!theirs) return "account " + to_decimal(id) + " is lost";
        if (*theirs != mine) {
            return "account " + to_decimal(id) + " has debits " + to_decimal(theirs->debits_pending) + "+" +
                   to_decimal(theirs->debits_posted) + " credits " + to_decimal(theirs->credits_pending) + "+" +
                   to_decimal(theirs->credits_posted) + " flags " + std::to_string(theirs->flags) + ", but must have " +
                   to_decimal(mine.debits_pending) + "+" + to_decimal(mine.debits_posted) + ", " +
                   to_decimal(mine.credits_pending) + "+" + to_decimal(mine.credits_posted) + ", " +
                   std::to_string(mine.flags);
        }
        auto& [debits, credits] = sums[mine.ledger];
        debits += theirs->debits_pending + theirs->debits_posted;
        credits += theirs->credits_pending + theirs->credits_posted;
    }
    for (const auto& [number, sum] : sums) {
        if (sum.first != sum.second) return "ledger " + std::to_string(number) + " has made or lost money";
    }
    return std::nullopt;
}

Auditor::Complaint Auditor::compare_transfers(const engine::Engine& engine) {
    const auto& stored = book_.stored();
    constexpr std::size_t looked_at = 40;
    for (std::size_t i = 0; i < std::min(looked_at, stored.size()); ++i) {
        // Half of them the newest.
        const std::size_t index = i % 2 == 0 ? stored.size() - 1 - i / 2 : random_.below(stored.size());
        const Book::Known& mine = *book_.find(stored[index]);
        const auto found = engine.transfer(mine.stored.id);
        if (!found.ok())
            return "transfer " + to_decimal(mine.stored.id) + " cannot be looked up: " + found.error().to_string();
        const std::optional<ledger::Transfer>& theirs = *found;
        if (!theirs) return "transfer " + to_decimal(mine.stored.id) + " is lost";
        if (*theirs != mine.stored) return "transfer " + to_decimal(mine.stored.id) + " is not as it was stored";
        const auto status = engine.pending_status(mine.stored.id);
        if (!status.ok() || *status != mine.status) {
            return "transfer " + to_decimal(mine.stored.id) + " has another status than it must have";
        }
    }
    return std::nullopt;
}

Auditor::Complaint Auditor::compare_histories(const engine::Engine& engine, bool damaged) {
    for (const auto& [id, account] : book_.accounts()) {
        if ((account.flags & ledger::account_flags::history) == 0 || !random_.chance(25)) continue;
        if (auto complaint = compare_history(engine, id, damaged)) return complaint;
    }
    return std::nullopt;
}

// All of it, in pages, against what the second ledger told.
Auditor::Complaint Auditor::compare_history(const engine::Engine& engine, uint128 account, bool damaged) {
    const auto number = replica_.account_number(account);
    if (!number) return "account " + to_decimal(account) + " is lost";
    std::vector<ledger::HistoryRow> mine = histories_.by_account[*number];
    ledger::StatementQuery query;
    query.limit = 1 + random_.below(30);
    query.reversed = random_.chance(50);
    if (query.reversed) std::ranges::reverse(mine);
    std::size_t at = 0;
    for (;;) {
        const auto page = engine.statement(account, query);
        if (!page.ok()) {
            const ErrorKind kind = page.error().kind();
            if (damaged && (kind == ErrorKind::corrupt || kind == ErrorKind::io)) return std::nullopt;
            return "the history of account " + to_decimal(account) + " cannot be read: " + page.error().to_string();
        }
        for (const ledger::BalanceChange& theirs : page->changes) {
            if (at == mine.size()) return "the history of account " + to_decimal(account) + " has a change too many";
            const ledger::HistoryRow& row = mine[at++];
            const auto transfer = replica_.stored_transfer(row.event);
            const bool same =
                transfer && theirs.transfer_id == transfer->id &&
                theirs.timestamp == (row.expired_ns != 0 ? row.expired_ns : transfer->timestamp) &&
                (theirs.cause == ledger::ChangeCause::expiry) == (row.expired_ns != 0) &&
                theirs.debits_pending == row.debits_pending && theirs.debits_posted == row.debits_posted &&
                theirs.credits_pending == row.credits_pending && theirs.credits_posted == row.credits_posted;
            if (!same) {
                return "change " + std::to_string(at) + " in the history of account " + to_decimal(account) +
                       " is another";
            }
        }
        if (!page->next) break;
        query.cursor = page->next;
    }
    if (at != mine.size()) return "the history of account " + to_decimal(account) + " has lost changes";
    return std::nullopt;
}

}  // namespace jiaozi::sim
