#include <algorithm>
#include <cstring>
#include <string>

#include <jiaozi/engine/payload.hpp>
#include <jiaozi/storage/format.hpp>

namespace jiaozi::engine {

namespace {

template <class Row>
void put(Bytes& bytes, const Row& row) {
    const auto* begin = reinterpret_cast<const std::uint8_t*>(&row);
    bytes.insert(bytes.end(), begin, begin + sizeof row);
}

template <class Row>
void put_all(Bytes& bytes, const std::vector<Row>& rows) {
    if (rows.empty()) return;
    const auto* begin = reinterpret_cast<const std::uint8_t*>(rows.data());
    bytes.insert(bytes.end(), begin, begin + rows.size() * sizeof(Row));
}

std::size_t padding_of(std::size_t size) noexcept {
    return (command_alignment - size % command_alignment) % command_alignment;
}

Error corrupt(std::string cause) {
    return Error(ErrorKind::corrupt, std::move(cause));
}

// Takes rows from the front of a byte string. Rows are copied: journal bytes have no alignment.
class Cursor {
  public:
    explicit Cursor(ByteView bytes) : rest_(bytes) {}

    template <class Row>
    bool take(Row& row) {
        if (rest_.size() < sizeof row) return false;
        std::memcpy(&row, rest_.data(), sizeof row);
        rest_ = rest_.subspan(sizeof row);
        return true;
    }
    template <class Row>
    bool take_all(std::vector<Row>& rows, std::size_t count) {
        if (rest_.size() / sizeof(Row) < count) return false;
        if (count == 0) return true;
        rows.resize(count);
        std::memcpy(rows.data(), rest_.data(), count * sizeof(Row));
        rest_ = rest_.subspan(count * sizeof(Row));
        return true;
    }
    bool take_bytes(ByteView& bytes, std::size_t count) {
        if (rest_.size() < count) return false;
        bytes = rest_.first(count);
        rest_ = rest_.subspan(count);
        return true;
    }
    std::size_t left() const noexcept { return rest_.size(); }

  private:
    ByteView rest_;
};

Result<> take_flag_changes(Cursor& cursor, std::size_t count, std::vector<FlagChange>& out) {
    std::vector<FlagChangeRow> rows;
    if (!cursor.take_all(rows, count)) return corrupt("the payload ends inside flag changes");
    out.reserve(rows.size());
    for (const FlagChangeRow& row : rows) {
        if (row.reserved_20 != 0 || row.reserved_24 != 0) return corrupt("a flag change has unknown fields");
        out.push_back({row.account_id, row.set, row.clear});
    }
    return {};
}

Result<TimedCommand> take_command(Cursor& cursor) {
    CommandHeader header;
    if (!cursor.take(header)) return corrupt("the payload ends inside a command header");
    if (header.reserved_24 != 0) return corrupt("a command header has unknown fields");
    if (header.account_count > max_events || header.flag_change_count > max_events ||
        header.transfer_count > max_events || header.annotation_size > max_annotation_bytes) {
        return corrupt("a command is larger than any that can be submitted");
    }
    TimedCommand timed;
    timed.timestamp = {header.timestamp};
    if (!cursor.take_all(timed.command.accounts, header.account_count))
        return corrupt("the payload ends inside accounts");
    JZ_CHECK(take_flag_changes(cursor, header.flag_change_count, timed.command.flag_changes));
    if (!cursor.take_all(timed.command.transfers, header.transfer_count))
        return corrupt("the payload ends inside transfers");
    ByteView annotation;
    ByteView padding;
    if (!cursor.take_bytes(annotation, header.annotation_size) ||
        !cursor.take_bytes(padding, padding_of(header.annotation_size))) {
        return corrupt("the payload ends inside an annotation");
    }
    if (!storage::all_zero(padding)) return corrupt("a command's padding is not zero");
    timed.command.annotation.assign(annotation.begin(), annotation.end());
    return timed;
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

std::uint64_t event_count(const Command& command) noexcept {
    return command.accounts.size() + command.flag_changes.size() + command.transfers.size();
}

std::size_t encoded_size(const Command& command) noexcept {
    return sizeof(CommandHeader) + command.accounts.size() * sizeof(ledger::Account) +
           command.flag_changes.size() * sizeof(FlagChangeRow) + command.transfers.size() * sizeof(ledger::Transfer) +
           command.annotation.size() + padding_of(command.annotation.size());
}

void PayloadEncoder::begin(std::uint64_t first_sequence) {
    header_ = {};
    header_.first_sequence = first_sequence;
    bytes_.clear();
    put(bytes_, header_);
}

void PayloadEncoder::add(const Command& command, Timestamp timestamp) {
    CommandHeader header;
    header.timestamp = timestamp.ns;
    header.account_count = static_cast<std::uint32_t>(command.accounts.size());
    header.flag_change_count = static_cast<std::uint32_t>(command.flag_changes.size());
    header.transfer_count = static_cast<std::uint32_t>(command.transfers.size());
    header.annotation_size = static_cast<std::uint32_t>(command.annotation.size());
    put(bytes_, header);
    put_all(bytes_, command.accounts);
    for (const FlagChange& change : command.flag_changes) {
        put(bytes_, FlagChangeRow{change.account_id, change.set, change.clear});
    }
    put_all(bytes_, command.transfers);
    append(bytes_, command.annotation);
    bytes_.resize(bytes_.size() + padding_of(command.annotation.size()));
    ++header_.command_count;
}

ByteView PayloadEncoder::finish(ByteView outcomes) {
    header_.outcomes_size = static_cast<std::uint32_t>(outcomes.size());
    append(bytes_, outcomes);
    std::memcpy(bytes_.data(), &header_, sizeof header_);
    return bytes_;
}

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

Result<Payload> decode_payload(ByteView bytes) {
    Cursor cursor(bytes);
    PayloadHeader header;
    if (!cursor.take(header)) return corrupt("the payload ends inside its header");
    if (header.reserved_16 != 0 || header.reserved_24 != 0) return corrupt("the payload header has unknown fields");
    if (header.first_sequence == 0 || header.command_count == 0)
        return corrupt("the payload header's counts are impossible");
    if (header.outcomes_size > cursor.left()) return corrupt("the payload ends inside its outcomes");
    const std::size_t commands_size = cursor.left() - header.outcomes_size;
    if (header.command_count > commands_size / sizeof(CommandHeader))
        return corrupt("the payload has fewer commands than it says");
    Payload payload;
    payload.first_sequence = header.first_sequence;
    payload.outcomes = bytes.last(header.outcomes_size);
    payload.commands.reserve(header.command_count);
    Cursor commands(bytes.subspan(sizeof header, commands_size));
    std::uint64_t previous = 0;
    for (std::uint32_t i = 0; i < header.command_count; ++i) {
        auto command = take_command(commands);
        if (!command.ok()) return std::move(command).error().in("command " + std::to_string(i));
        const std::uint64_t needed = event_count(command->command) + 1;
        if (command->timestamp.ns < needed || command->timestamp.ns - needed < previous) {
            return corrupt("command " + std::to_string(i) + ": its timestamp does not follow the one before");
        }
        previous = command->timestamp.ns;
        payload.commands.push_back(std::move(command).value());
    }
    if (commands.left() != 0) return corrupt("the payload has bytes that belong to nothing");
    return payload;
}

Result<std::vector<Committed>> with_outcomes(std::uint64_t first_sequence, std::vector<TimedCommand> commands,
                                             ByteView outcomes) {
    Cursor cursor(outcomes);
    OutcomesHeader header;
    std::vector<ExceptionRow> exceptions;
    std::vector<ExpiredRow> expired;
    if (!cursor.take(header) || header.reserved_8 != 0 || !cursor.take_all(exceptions, header.exception_count) ||
        !cursor.take_all(expired, header.expired_count) || cursor.left() != 0) {
        return corrupt("outcomes: sizes do not fit");
    }
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
    for (const ExceptionRow& row : exceptions) {
        if (row.command >= committed.size() || !set_exception(committed[row.command].outcome, row)) {
            return corrupt("outcomes: a result that no event can have");
        }
    }
    for (const ExpiredRow& row : expired) {
        if (row.command >= committed.size() || row.reserved_28 != 0)
            return corrupt("outcomes: an expiry before no command");
        committed[row.command].expired.push_back({row.pending_id, row.timestamp});
    }
    return committed;
}

}  // namespace jiaozi::engine
