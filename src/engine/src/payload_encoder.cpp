// Writing a payload: docs/formats/journal.md, part 2. The decoder, record by record, is in payload_decoder.cpp.
#include <algorithm>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/engine/payload.hpp>

#include "before.hpp"
#include "varint.hpp"

namespace jiaozi::engine {

namespace {

// The most one record of each kind can take, rounded up.
constexpr std::size_t max_command_bytes = 48;
constexpr std::size_t max_account_bytes = 192;
constexpr std::size_t max_flag_change_bytes = 20;
constexpr std::size_t max_transfer_bytes = 160;

IdForm form_of(uint128 id, uint128 repeated) {
    if (id == 0) return IdForm::zero;
    if (id == repeated) return IdForm::repeated;
    return high64(id) == 0 ? IdForm::small : IdForm::whole;
}

void put_id(Writer& out, uint128 id, IdForm form) {
    if (form == IdForm::small) out.varint(low64(id));
    if (form == IdForm::whole) out.fixed(id);
}

template <class Before>
void put_transfer(Writer& out, const ledger::Transfer& t, const Before& before) {
    using namespace transfer_bits;
    const bool kind = t.ledger == before.ledger && t.code == before.code;
    const bool user = t.user_data_128 != 0 || t.user_data_64 != 0 || t.user_data_32 != 0;
    const bool all = t.amount == ledger::everything;
    const IdForm id = form_of(t.id, before.id + 1);
    const IdForm debit = form_of(t.debit_account_id, before.debit_account_id);
    const IdForm credit = form_of(t.credit_account_id, before.credit_account_id);
    const IdForm pending = form_of(t.pending_id, before.pending_id);
    out.fixed(static_cast<std::uint8_t>((kind ? same_kind : 0) | (t.flags != 0 ? flags : 0) | (user ? user_data : 0) |
                                        (t.timeout_s != 0 ? timeout : 0) | (t.timestamp != 0 ? timestamp : 0) |
                                        (all ? transfer_bits::everything : 0)));
    out.fixed(static_cast<std::uint8_t>(static_cast<unsigned>(id) | static_cast<unsigned>(debit) << 2 |
                                        static_cast<unsigned>(credit) << 4 | static_cast<unsigned>(pending) << 6));
    put_id(out, t.id, id);
    put_id(out, t.debit_account_id, debit);
    put_id(out, t.credit_account_id, credit);
    put_id(out, t.pending_id, pending);
    if (!kind) {
        out.varint(t.ledger);
        out.varint(t.code);
    }
    if (!all) out.varint(t.amount);
    if (t.flags != 0) out.varint(t.flags);
    if (user) {
        out.varint(t.user_data_128);
        out.varint(t.user_data_64);
        out.varint(t.user_data_32);
    }
    if (t.timeout_s != 0) out.varint(t.timeout_s);
    if (t.timestamp != 0) out.varint(t.timestamp);
}

void put_account(Writer& out, const ledger::Account& a, const AccountBefore& before) {
    using namespace account_bits;
    const bool kind = a.ledger == before.ledger && a.code == before.code;
    const IdForm id = form_of(a.id, before.id + 1);
    const auto bit = [](bool set, std::uint16_t which) { return set ? static_cast<unsigned>(which) : 0U; };
    out.fixed(static_cast<std::uint16_t>(
        bit(a.debits_pending != 0, debits_pending) | bit(a.debits_posted != 0, debits_posted) |
        bit(a.credits_pending != 0, credits_pending) | bit(a.credits_posted != 0, credits_posted) |
        bit(a.user_data_128 != 0, user_data_128) | bit(a.user_data_64 != 0, user_data_64) |
        bit(a.user_data_32 != 0, user_data_32) | bit(kind, same_kind) | bit(a.flags != 0, flags) |
        bit(a.reserved != 0, reserved) | bit(a.timestamp != 0, timestamp) |
        static_cast<unsigned>(id) << id_form_shift));
    put_id(out, a.id, id);
    if (!kind) {
        out.varint(a.ledger);
        out.varint(a.code);
    }
    const auto if_set = [&out](auto value) {
        if (value != 0) out.varint(value);
    };
    if_set(a.debits_pending);
    if_set(a.debits_posted);
    if_set(a.credits_pending);
    if_set(a.credits_posted);
    if_set(a.user_data_128);
    if_set(a.user_data_64);
    if_set(a.user_data_32);
    if_set(a.flags);
    if_set(a.reserved);
    if_set(a.timestamp);
}

void put_counts(Writer& out, const Command& command) {
    using namespace command_bits;
    const bool one = command.transfers.size() == 1;
    out.fixed(static_cast<std::uint8_t>((!command.accounts.empty() ? accounts : 0) |
                                        (!command.flag_changes.empty() ? flag_changes : 0) |
                                        (command.transfers.size() > 1 ? transfers : 0) |
                                        (!command.annotation.empty() ? annotation : 0) | (one ? one_transfer : 0)));
    const auto if_any = [&out](std::size_t count) {
        if (count != 0) out.varint(count);
    };
    if_any(command.accounts.size());
    if_any(command.flag_changes.size());
    if_any(one ? 0 : command.transfers.size());
    if_any(command.annotation.size());
}

}  // namespace

std::uint64_t event_count(const Command& command) noexcept {
    return command.accounts.size() + command.flag_changes.size() + command.transfers.size();
}

std::size_t estimated_size(const Command& command) noexcept {
    return 16 + command.accounts.size() * 48 + command.flag_changes.size() * max_flag_change_bytes +
           command.transfers.size() * 64 + command.annotation.size();
}

std::uint8_t* PayloadEncoder::make_room(std::size_t bytes) {
    if (bytes_.size() < size_ + bytes) bytes_.resize(std::max(size_ + bytes, bytes_.size() * 2));
    return bytes_.data() + size_;
}

void PayloadEncoder::begin(std::uint64_t first_sequence) {
    header_ = {};
    header_.first_sequence = first_sequence;
    size_ = 0;
    make_room(sizeof header_);
    size_ = sizeof header_;
    timestamp_ = 0;
    before_ = {};
    stretches_.begin();
}

void PayloadEncoder::add(const Command& command, Timestamp timestamp) {
    Writer out(make_room(max_command_bytes + command.accounts.size() * max_account_bytes +
                         command.flag_changes.size() * max_flag_change_bytes +
                         command.transfers.size() * max_transfer_bytes + command.annotation.size()));
    const std::uint64_t earliest = timestamp_ + event_count(command) + 1;
    JZ_ASSERT(timestamp.ns >= earliest);
    put_counts(out, command);
    out.varint(timestamp.ns - earliest);
    timestamp_ = timestamp.ns;
    for (const ledger::Account& account : command.accounts) {
        put_account(out, account, before_.account);
        before_.account = before_of(account);
    }
    for (const FlagChange& change : command.flag_changes) {
        out.fixed(change.account_id);
        out.fixed(change.set);
        out.fixed(change.clear);
    }
    put_transfers(out, command);
    out.bytes(command.annotation);
    size_ = static_cast<std::size_t>(out.at() - bytes_.data());
    ++header_.command_count;
}

void PayloadEncoder::put_transfers(Writer& out, const Command& command) {
    const std::vector<ledger::Transfer>& transfers = command.transfers;
    for (std::size_t i = 0; i < transfers.size(); ++i) {
        if (stretches_.due()) {
            if (i > 0) before_.transfer = before_of(transfers[i - 1]);
            stretches_.start({.offset = static_cast<std::uint32_t>(out.at() - bytes_.data()),
                              .left = static_cast<std::uint32_t>(transfers.size() - i),
                              .annotation = static_cast<std::uint32_t>(command.annotation.size()),
                              .last_ns = timestamp_,
                              .before = before_});
        }
        if (i == 0)
            put_transfer(out, transfers[i], before_.transfer);
        else
            put_transfer(out, transfers[i], transfers[i - 1]);
    }
    if (!transfers.empty()) before_.transfer = before_of(transfers.back());
}

ByteView PayloadEncoder::finish(const CarriedOutcomes& outcomes) {
    header_.outcomes_first_entry = outcomes.first_entry;
    header_.outcomes_count = outcomes.count;
    header_.outcomes_size = static_cast<std::uint32_t>(outcomes.blocks.size());
    stretches_.finish(ByteView(bytes_).first(size_));
    Writer out(make_room(outcomes.blocks.size()));
    out.bytes(outcomes.blocks);
    size_ += outcomes.blocks.size();
    Writer(bytes_.data()).fixed(header_);
    return ByteView(bytes_).first(size_);
}

}  // namespace jiaozi::engine
