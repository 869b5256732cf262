// What applying an entry gave: refusals and expiries, in one block for each entry. docs/formats/journal.md, part 2.
#include <string>
#include <utility>

#include <jiaozi/engine/payload.hpp>

#include "varint.hpp"

namespace jiaozi::engine {

namespace {

template <class Row>
void put(Bytes& bytes, const Row& row) {
    const auto* begin = reinterpret_cast<const std::uint8_t*>(&row);
    bytes.insert(bytes.end(), begin, begin + sizeof row);
}

template <class Row>
void put_all(Bytes& bytes, const std::vector<Row>& rows) {
    for (const Row& row : rows) put(bytes, row);
}

Error corrupt(std::string cause) {
    return Error(ErrorKind::corrupt, std::move(cause));
}

std::size_t rows_size(const OutcomesHeader& header) {
    return std::size_t{header.exception_count} * sizeof(ExceptionRow) +
           std::size_t{header.expired_count} * sizeof(ExpiredRow);
}

// Writes one refusal into the outcome it belongs to.
template <class Results>
bool set_result(Results& results, std::uint32_t event, std::uint32_t result, std::uint32_t result_count) {
    if (event >= results.size() || result == 0 || result >= result_count) return false;
    results[event] = static_cast<typename Results::value_type>(result);
    return true;
}

bool set_exception(Outcome& outcome, const ExceptionRow& row) {
    switch (row.kind) {
        case EventKind::account:
            return set_result(outcome.accounts, row.event, row.result, ledger::create_account_result_count);
        case EventKind::flag_change:
            return set_result(outcome.flag_changes, row.event, row.result, ledger::set_account_flags_result_count);
        case EventKind::transfer:
            return set_result(outcome.transfers, row.event, row.result, ledger::create_transfer_result_count);
    }
    return false;
}

template <class Results>
void add_exceptions(std::vector<ExceptionRow>& rows, std::uint32_t command, EventKind kind, const Results& results) {
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i] == Results::value_type::ok) continue;
        rows.push_back({command, kind, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(results[i])});
    }
}

}  // namespace

void OutcomeRecorder::begin() {
    exceptions_.clear();
    expired_.clear();
}

void OutcomeRecorder::add(std::uint32_t command, const Outcome& outcome, const std::vector<ledger::Expired>& expired) {
    add_exceptions(exceptions_, command, EventKind::account, outcome.accounts);
    add_exceptions(exceptions_, command, EventKind::flag_change, outcome.flag_changes);
    add_exceptions(exceptions_, command, EventKind::transfer, outcome.transfers);
    for (const ledger::Expired& one : expired) expired_.push_back({one.pending_id, one.timestamp, command});
}

void OutcomeRecorder::finish(Bytes& out) const {
    put(out,
        OutcomesHeader{static_cast<std::uint32_t>(exceptions_.size()), static_cast<std::uint32_t>(expired_.size())});
    put_all(out, exceptions_);
    put_all(out, expired_);
}

Result<std::vector<ByteView>> split_outcomes(const CarriedOutcomes& outcomes) {
    std::vector<ByteView> blocks;
    Cursor in(outcomes.blocks);
    for (std::uint32_t i = 0; i < outcomes.count; ++i) {
        const std::size_t start = outcomes.blocks.size() - in.left();
        const auto header = in.fixed<OutcomesHeader>();
        in.bytes(rows_size(header));
        if (in.failed() || header.reserved_8 != 0) return corrupt("outcomes: sizes do not fit");
        blocks.push_back(outcomes.blocks.subspan(start, sizeof header + rows_size(header)));
    }
    if (in.left() != 0) return corrupt("outcomes: bytes that belong to nothing");
    return blocks;
}

Result<std::vector<Committed>> with_outcomes(std::uint64_t first_sequence, std::vector<TimedCommand> commands,
                                             ByteView outcomes) {
    Cursor in(outcomes);
    const auto header = in.fixed<OutcomesHeader>();
    if (in.failed() || header.reserved_8 != 0 || in.left() != rows_size(header))
        return corrupt("outcomes: sizes do not fit");
    std::vector<Committed> committed;
    committed.reserve(commands.size());
    for (TimedCommand& timed : commands) {
        Committed& one = committed.emplace_back();
        one.sequence = first_sequence + committed.size() - 1;
        one.timestamp = timed.timestamp;
        one.outcome.sequence = one.sequence;
        one.outcome.timestamp = timed.timestamp;
        one.outcome.accounts.resize(timed.command.accounts.size());
        one.outcome.flag_changes.resize(timed.command.flag_changes.size());
        one.outcome.transfers.resize(timed.command.transfers.size());
        one.command = std::move(timed.command);
    }
    for (std::uint32_t i = 0; i < header.exception_count; ++i) {
        const auto row = in.fixed<ExceptionRow>();
        if (row.command >= committed.size() || !set_exception(committed[row.command].outcome, row)) {
            return corrupt("outcomes: a result that no event can have");
        }
    }
    for (std::uint32_t i = 0; i < header.expired_count; ++i) {
        const auto row = in.fixed<ExpiredRow>();
        if (row.command >= committed.size() || row.reserved_28 != 0)
            return corrupt("outcomes: an expiry before no command");
        committed[row.command].expired.push_back({row.pending_id, row.timestamp});
    }
    return committed;
}

}  // namespace jiaozi::engine
