// Reading a payload: docs/formats/journal.md, part 2. Safe on hostile bytes; whatever decodes has been written in the
// one way there is.
#include <algorithm>
#include <string>
#include <utility>

#include <jiaozi/engine/payload.hpp>

#include "before.hpp"
#include "varint.hpp"

namespace jiaozi::engine {

namespace {

Error corrupt(std::string cause) {
    return Error(ErrorKind::corrupt, std::move(cause));
}

uint128 take_id(Cursor& in, unsigned form, uint128 repeated) {
    switch (static_cast<IdForm>(form & 3)) {
        case IdForm::zero:
            return 0;
        case IdForm::small: {
            const std::uint64_t id = in.varint<std::uint64_t>();
            if (id == 0 || uint128{id} == repeated) in.fail();
            return id;
        }
        case IdForm::whole: {
            const auto id = in.fixed<uint128>();
            if (high64(id) == 0 || id == repeated) in.fail();
            return id;
        }
        case IdForm::repeated:
            if (repeated == 0) in.fail();
            return repeated;
    }
    return 0;
}

// A field that is written only if it is not zero.
template <class Number>
void take_if(Cursor& in, bool present, Number& value) {
    value = present ? in.varint<Number>() : Number{0};
    if (present && value == 0) in.fail();
}

template <class Before, class Record>
void take_kind(Cursor& in, bool same, const Before& before, Record& record) {
    record.ledger = same ? before.ledger : in.varint<std::uint32_t>();
    record.code = same ? before.code : in.varint<std::uint16_t>();
    if (!same && record.ledger == before.ledger && record.code == before.code) in.fail();
}

template <class Before>
void take_transfer(Cursor& in, const Before& before, ledger::Transfer& t) {
    using namespace transfer_bits;
    const auto head = in.fixed<std::uint8_t>();
    const unsigned forms = in.fixed<std::uint8_t>();
    if ((head & 0xC0) != 0) in.fail();
    t.id = take_id(in, forms, before.id + 1);
    t.debit_account_id = take_id(in, forms >> 2, before.debit_account_id);
    t.credit_account_id = take_id(in, forms >> 4, before.credit_account_id);
    t.pending_id = take_id(in, forms >> 6, before.pending_id);
    take_kind(in, (head & same_kind) != 0, before, t);
    const bool all = (head & transfer_bits::everything) != 0;
    t.amount = all ? ledger::everything : in.varint<uint128>();
    if (!all && t.amount == ledger::everything) in.fail();
    take_if(in, (head & flags) != 0, t.flags);
    if ((head & user_data) != 0) {
        t.user_data_128 = in.varint<uint128>();
        t.user_data_64 = in.varint<std::uint64_t>();
        t.user_data_32 = in.varint<std::uint32_t>();
        if (t.user_data_128 == 0 && t.user_data_64 == 0 && t.user_data_32 == 0) in.fail();
    }
    take_if(in, (head & timeout) != 0, t.timeout_s);
    take_if(in, (head & timestamp) != 0, t.timestamp);
}

void take_account(Cursor& in, const AccountBefore& before, ledger::Account& a) {
    using namespace account_bits;
    const auto head = in.fixed<std::uint16_t>();
    if ((head & unknown) != 0) in.fail();
    a.id = take_id(in, static_cast<unsigned>(head) >> id_form_shift, before.id + 1);
    take_kind(in, (head & same_kind) != 0, before, a);
    take_if(in, (head & debits_pending) != 0, a.debits_pending);
    take_if(in, (head & debits_posted) != 0, a.debits_posted);
    take_if(in, (head & credits_pending) != 0, a.credits_pending);
    take_if(in, (head & credits_posted) != 0, a.credits_posted);
    take_if(in, (head & user_data_128) != 0, a.user_data_128);
    take_if(in, (head & user_data_64) != 0, a.user_data_64);
    take_if(in, (head & user_data_32) != 0, a.user_data_32);
    take_if(in, (head & flags) != 0, a.flags);
    take_if(in, (head & reserved) != 0, a.reserved);
    take_if(in, (head & timestamp) != 0, a.timestamp);
}

struct Counts {
    std::uint32_t accounts = 0;
    std::uint32_t flag_changes = 0;
    std::uint32_t transfers = 0;
    std::uint32_t annotation = 0;
};

Result<Counts> take_counts(Cursor& in) {
    using namespace command_bits;
    Counts counts;
    const auto head = in.fixed<std::uint8_t>();
    if ((head & 0xE0) != 0 || ((head & transfers) != 0 && (head & one_transfer) != 0)) in.fail();
    take_if(in, (head & accounts) != 0, counts.accounts);
    take_if(in, (head & flag_changes) != 0, counts.flag_changes);
    take_if(in, (head & transfers) != 0, counts.transfers);
    take_if(in, (head & annotation) != 0, counts.annotation);
    if (counts.transfers == 1) in.fail();
    if ((head & one_transfer) != 0) counts.transfers = 1;
    if (counts.accounts > max_events || counts.flag_changes > max_events || counts.transfers > max_events ||
        counts.annotation > max_annotation_bytes) {
        return corrupt("a command is larger than any that can be submitted");
    }
    if (in.failed()) return corrupt("a command's counts do not decode");
    return counts;
}

// Of one payload, or one stretch of it.
struct Reading {
    Cursor in;
    Neighbours before = {};
    std::size_t left_at_start = 0;  // bytes behind the payload's own first
    StretchKeeper stretches = {};
};

void take_transfers(Reading& reading, TimedCommand& timed, std::uint32_t annotation) {
    std::vector<ledger::Transfer>& transfers = timed.command.transfers;
    for (std::size_t i = 0; i < transfers.size(); ++i) {
        if (reading.stretches.due()) {
            if (i > 0) reading.before.transfer = before_of(transfers[i - 1]);
            reading.stretches.start({.offset = static_cast<std::uint32_t>(reading.left_at_start - reading.in.left()),
                                     .left = static_cast<std::uint32_t>(transfers.size() - i),
                                     .annotation = annotation,
                                     .last_ns = timed.timestamp.ns,
                                     .before = reading.before});
        }
        if (i == 0)
            take_transfer(reading.in, reading.before.transfer, transfers[i]);
        else
            take_transfer(reading.in, transfers[i - 1], transfers[i]);
    }
    if (!transfers.empty()) reading.before.transfer = before_of(transfers.back());
}

// A command up to its transfers, which are its last events. `timed` comes with the timestamp of the command before.
Result<Counts> take_start(Reading& reading, TimedCommand& timed) {
    Cursor& in = reading.in;
    JZ_TRY(const Counts counts, take_counts(in));
    const std::uint64_t events = std::uint64_t{counts.accounts} + counts.flag_changes + counts.transfers;
    const auto later = in.varint<std::uint64_t>();
    const std::uint64_t earliest = timed.timestamp.ns + events + 1;
    if (earliest < timed.timestamp.ns || later > UINT64_MAX - earliest)
        return corrupt("its timestamp is beyond all time");
    timed.timestamp.ns = earliest + later;
    // No record takes less than two bytes, so a short payload cannot ask for much memory.
    if ((std::uint64_t{counts.accounts} + counts.flag_changes) * 2 > in.left())
        return corrupt("the payload ends inside a command");
    timed.command.accounts.resize(counts.accounts);
    for (ledger::Account& account : timed.command.accounts) {
        take_account(in, reading.before.account, account);
        reading.before.account = before_of(account);
    }
    timed.command.flag_changes.resize(counts.flag_changes);
    for (FlagChange& change : timed.command.flag_changes) {
        change.account_id = in.fixed<uint128>();
        change.set = in.fixed<std::uint16_t>();
        change.clear = in.fixed<std::uint16_t>();
    }
    return counts;
}

Result<> take_command(Reading& reading, TimedCommand& timed) {
    JZ_TRY(const Counts counts, take_start(reading, timed));
    if (std::uint64_t{counts.transfers} * 2 + counts.annotation > reading.in.left())
        return corrupt("the payload ends inside a command");
    timed.command.transfers.resize(counts.transfers);
    take_transfers(reading, timed, counts.annotation);
    const ByteView annotation = reading.in.bytes(counts.annotation);
    timed.command.annotation.assign(annotation.begin(), annotation.end());
    if (reading.in.failed()) return corrupt("an event does not decode, or the payload ends inside it");
    return {};
}

}  // namespace

Result<Payload> decode_payload(ByteView bytes) {
    Cursor whole(bytes);
    const auto header = whole.fixed<PayloadHeader>();
    if (whole.failed()) return corrupt("the payload ends inside its header");
    if (header.reserved_28 != 0) return corrupt("the payload header has unknown fields");
    if (header.first_sequence == 0 || header.command_count == 0)
        return corrupt("the payload header's counts are impossible");
    if ((header.outcomes_first_entry == 0) != (header.outcomes_count == 0) ||
        (header.outcomes_count == 0) != (header.outcomes_size == 0)) {
        return corrupt("the payload header's outcomes are impossible");
    }
    if (header.outcomes_size > whole.left()) return corrupt("the payload ends inside its outcomes");
    const std::size_t commands_size = whole.left() - header.outcomes_size;
    if (header.command_count > max_entry_commands || header.command_count > commands_size / 2)
        return corrupt("the payload has fewer commands than it says");
    Payload payload;
    payload.first_sequence = header.first_sequence;
    payload.outcomes = {header.outcomes_first_entry, header.outcomes_count, bytes.last(header.outcomes_size)};
    payload.commands.resize(header.command_count);
    const ByteView commands = bytes.first(sizeof header + commands_size);
    Reading reading{.in = Cursor(commands.subspan(sizeof header)), .left_at_start = commands.size()};
    Timestamp timestamp;
    std::uint64_t events = 0;
    for (std::uint32_t i = 0; i < header.command_count; ++i) {
        payload.commands[i].timestamp = timestamp;
        if (auto taken = take_command(reading, payload.commands[i]); !taken.ok())
            return std::move(taken).error().in("command " + std::to_string(i));
        timestamp = payload.commands[i].timestamp;
        events += event_count(payload.commands[i].command);
        if (events > max_entry_events) return corrupt("the payload has more events than an entry can hold");
    }
    if (reading.in.left() != 0) return corrupt("the payload has bytes that belong to nothing");
    payload.stretches = reading.stretches.finish(commands);
    return payload;
}

Result<std::vector<ledger::Transfer>> decode_stretch(const Stretch& stretch, ByteView bytes, std::size_t wanted) {
    if (stretch_check(bytes) != stretch.check) return corrupt("a part of the entry is not what it was");
    Reading reading{.in = Cursor(bytes), .before = stretch.before, .left_at_start = bytes.size()};
    std::vector<ledger::Transfer> events;
    wanted = std::min<std::size_t>(wanted, stretch.events);
    events.reserve(wanted);
    // What is left of the command that it begins in, then the commands behind; the last may go on in the next stretch.
    Counts counts{.transfers = stretch.left, .annotation = stretch.annotation};
    TimedCommand timed{.timestamp = Timestamp{stretch.last_ns}, .command = {}};
    for (;;) {
        const std::uint64_t first_ns = timed.timestamp.ns - counts.transfers + 1;
        const std::size_t count = std::min<std::size_t>(counts.transfers, wanted - events.size());
        for (std::size_t i = 0; i < count; ++i) {
            ledger::Transfer& event = events.emplace_back();
            take_transfer(reading.in, reading.before.transfer, event);
            reading.before.transfer = before_of(event);
            event.timestamp = first_ns + i;
        }
        if (events.size() == wanted) break;
        reading.in.bytes(counts.annotation);
        JZ_TRY(counts, take_start(reading, timed));
    }
    if (reading.in.failed()) return corrupt("a part of the entry does not decode");
    return events;
}

}  // namespace jiaozi::engine
