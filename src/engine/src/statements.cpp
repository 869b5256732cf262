#include "statements.hpp"

#include <algorithm>
#include <utility>

namespace jiaozi::engine {

namespace {

using ledger::HistoryRow;

Result<ledger::Transfer> event_at(const EventLog& events, std::uint64_t ordinal) {
    ledger::Transfer event;
    if (events.read(ordinal, event)) return event;
    return events.failure().value_or(Error(ErrorKind::io, "an earlier event could not be read"));
}

// How many events happened before that time: their timestamps ascend.
Result<std::uint64_t> events_before(const EventLog& events, std::uint64_t at_ns) {
    std::uint64_t low = 0;
    for (std::uint64_t high = events.count(); low < high;) {
        const std::uint64_t middle = low + (high - low) / 2;
        JZ_TRY(const ledger::Transfer event, event_at(events, middle));
        if (event.timestamp < at_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The positions that a query covers. Holds that ran out next to the first or the last event in it may be outside: those
// bear their own time.
struct Bounds {
    std::uint64_t from = 0;
    std::uint64_t end = UINT64_MAX;
};

Result<Bounds> bounds_of(const EventLog& events, const ledger::StatementQuery& query) {
    Bounds bounds;
    if (query.from_ns > 0) {
        JZ_TRY(const std::uint64_t before, events_before(events, query.from_ns));
        bounds.from = ledger::position_of_expiry(before, 0);
    }
    if (query.to_ns < UINT64_MAX) {
        JZ_TRY(const std::uint64_t before, events_before(events, query.to_ns + 1));
        bounds.end = ledger::position_of_event(before);
    }
    if (query.cursor && query.reversed) bounds.end = std::min(bounds.end, *query.cursor);
    if (query.cursor && !query.reversed) bounds.from = std::max(bounds.from, *query.cursor);
    return bounds;
}

bool is_within(const HistoryRow& row, const ledger::StatementQuery& query) {
    return row.expired_ns == 0 || (row.expired_ns >= query.from_ns && row.expired_ns <= query.to_ns);
}

// One row more than the limit, if there is one.
Result<std::vector<HistoryRow>> rows_of(const HistoryStore& histories, std::uint64_t account, Bounds bounds,
                                        const ledger::StatementQuery& query) {
    const std::size_t wanted = query.limit + 1;
    std::vector<HistoryRow> rows;
    while (bounds.from < bounds.end && rows.size() < wanted) {
        const std::size_t asked = wanted - rows.size();
        JZ_TRY(const auto more, histories.read(account, bounds.from, bounds.end, asked, query.reversed));
        std::ranges::copy_if(more, std::back_inserter(rows),
                             [&](const HistoryRow& row) { return is_within(row, query); });
        if (more.size() < asked) break;
        (query.reversed ? bounds.end : bounds.from) = more.back().position + (query.reversed ? 0 : 1);
    }
    return rows;
}

Result<std::vector<ledger::BalanceChange>> changes_of(const EventLog& events, std::span<const HistoryRow> rows) {
    std::vector<std::uint64_t> ordinals;
    for (const HistoryRow& row : rows) ordinals.push_back(row.event);
    JZ_TRY(const auto transfers, events.read(ordinals));
    std::vector<ledger::BalanceChange> changes;
    changes.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const HistoryRow& row = rows[i];
        const ledger::Transfer& event = transfers[i];
        const bool expired = row.expired_ns != 0;
        changes.push_back({.transfer_id = event.id,
                           .debits_pending = row.debits_pending,
                           .debits_posted = row.debits_posted,
                           .credits_pending = row.credits_pending,
                           .credits_posted = row.credits_posted,
                           .timestamp = expired ? row.expired_ns : event.timestamp,
                           .cause = expired ? ledger::ChangeCause::expiry : ledger::ChangeCause::transfer});
    }
    return changes;
}

}  // namespace

Result<ledger::StatementPage> read_statement(const HistoryStore& histories, const EventLog& events,
                                             std::uint64_t account, const ledger::StatementQuery& query) {
    JZ_TRY(const Bounds bounds, bounds_of(events, query));
    JZ_TRY(auto rows, rows_of(histories, account, bounds, query));
    ledger::StatementPage page;
    if (rows.size() > query.limit) {
        page.next = query.reversed ? rows[query.limit - 1].position : rows[query.limit].position;
        rows.resize(query.limit);
    }
    JZ_TRY(page.changes, changes_of(events, rows));
    return page;
}

Result<std::uint64_t> number_of(const ledger::Ledger& ledger, uint128 account_id) {
    const auto* account = ledger.find_account(account_id);
    const auto number = ledger.account_number(account_id);
    if (account == nullptr || !number) return Error(ErrorKind::not_found, "no account " + to_decimal(account_id));
    if ((account->flags & ledger::account_flags::history) == 0) {
        return Error(ErrorKind::invalid, "account " + to_decimal(account_id) +
                                             " keeps no history; only accounts made with the history flag do");
    }
    return *number;
}

void check_histories(const ledger::Ledger& ledger, const HistoryStore& histories,
                     std::vector<ledger::Violation>& violations) {
    for (std::size_t i = 0; i < ledger.account_count(); ++i) {
        const ledger::Account& account = ledger.account_at(i);
        if ((account.flags & ledger::account_flags::history) == 0) continue;
        const auto rows = histories.read(i, 0, UINT64_MAX, 1, true);
        const HistoryRow end = rows.ok() && !rows->empty() ? rows->front() : HistoryRow{};
        const bool same = end.debits_pending == account.debits_pending && end.debits_posted == account.debits_posted &&
                          end.credits_pending == account.credits_pending &&
                          end.credits_posted == account.credits_posted;
        if (rows.ok() && same) continue;
        violations.push_back({"histories_end_in_the_balances",
                              "account " + to_decimal(account.id) + ": " +
                                  (rows.ok() ? "its history does not end in its balances" : rows.error().message())});
    }
}

}  // namespace jiaozi::engine
