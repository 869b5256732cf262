#include "state.hpp"

#include <jiaozi/base/assert.hpp>

namespace jiaozi::ledger {

std::uint64_t State::begin_batch(std::size_t events, std::uint64_t last_event_ns) {
    JZ_ASSERT(events > 0 && events <= max_batch);
    JZ_ASSERT(last_event_ns >= events && last_event_ns - events >= last_timestamp_ns);
    last_timestamp_ns = last_event_ns;
    return last_event_ns - events + 1;
}

void State::advance_to(std::uint64_t now_ns) {
    JZ_ASSERT(now_ns >= last_timestamp_ns);
    last_timestamp_ns = now_ns;
}

void State::open_chain() {
    JZ_ASSERT(!chain_open_ && undo_log_.empty());
    chain_open_ = true;
}

void State::roll_back_chain() {
    JZ_ASSERT(chain_open_);
    while (!undo_log_.empty()) {
        std::visit([this](const auto& record) { undo(record); }, undo_log_.back());
        undo_log_.pop_back();
    }
}

void State::close_chain() {
    JZ_ASSERT(chain_open_);
    undo_log_.clear();
    chain_open_ = false;
}

AccountRecord* State::find_account(uint128 id) {
    AccountRecord* const* found = account_ids_.find(id);
    return found == nullptr ? nullptr : *found;
}

const AccountRecord* State::find_account(uint128 id) const {
    AccountRecord* const* found = account_ids_.find(id);
    return found == nullptr ? nullptr : *found;
}

const TransferSlot* State::find_slot(uint128 transfer_id) const {
    return transfer_ids_.find(transfer_id);
}

const Transfer* State::find_transfer(uint128 id) const {
    const TransferSlot* slot = find_slot(id);
    return slot == nullptr || slot->is_refused() ? nullptr : &transfers[slot->index()];
}

uint128 State::requested_amount(std::uint64_t transfer_index) const {
    const auto found = requested_amounts_.find(transfer_index);
    return found == requested_amounts_.end() ? transfers[transfer_index].amount : found->second;
}

void State::add_account(const Account& account) {
    AccountRecord record{.account = account};
    if ((account.flags & account_flags::history) != 0) {
        record.history = static_cast<std::uint32_t>(histories.size());
        histories.emplace_back();
    }
    account_ids_.emplace(account.id, &accounts.push_back(record));
    if (chain_open_) undo_log_.emplace_back(AccountAdded{});
}

void State::undo(const AccountAdded&) {
    const AccountRecord& last = accounts.back();
    if (last.history != AccountRecord::no_history) histories.pop_back();
    account_ids_.erase(last.account.id);
    accounts.pop_back();
}

Account& State::change(AccountRecord& record) {
    if (chain_open_) undo_log_.emplace_back(AccountChanged{&record, record.account});
    return record.account;
}

void State::undo(const AccountChanged& change) {
    change.record->account = change.before;
}

void State::add_transfer(const Transfer& transfer) {
    const std::uint64_t index = transfers.size();
    const bool pending = (transfer.flags & transfer_flags::pending) != 0;
    transfers.push_back(transfer);
    statuses.push_back(pending ? PendingStatus::pending : PendingStatus::none);
    transfer_ids_.emplace(transfer.id, TransferSlot::stored(index));
    if (pending) start_timeout(index);
    if (chain_open_) undo_log_.emplace_back(TransferAdded{});
}

void State::add_requested_amount(uint128 amount) {
    requested_amounts_.emplace(transfers.size() - 1, amount);
}

void State::undo(const TransferAdded&) {
    const std::uint64_t index = transfers.size() - 1;
    if (statuses[index] == PendingStatus::pending) stop_timeout(index);
    requested_amounts_.erase(index);
    transfer_ids_.erase(transfers[index].id);
    statuses.pop_back();
    transfers.pop_back();
}

void State::resolve_pending(std::uint64_t transfer_index, PendingStatus status) {
    JZ_ASSERT(statuses[transfer_index] == PendingStatus::pending);
    stop_timeout(transfer_index);
    statuses[transfer_index] = status;
    if (chain_open_) undo_log_.emplace_back(PendingResolved{transfer_index});
}

void State::undo(const PendingResolved& resolved) {
    statuses[resolved.transfer_index] = PendingStatus::pending;
    start_timeout(resolved.transfer_index);
}

void State::start_timeout(std::uint64_t transfer_index) {
    const Transfer& pending = transfers[transfer_index];
    if (pending.timeout_s != 0) expiries.emplace(expiry_ns(pending), transfer_index);
}

void State::stop_timeout(std::uint64_t transfer_index) {
    const Transfer& pending = transfers[transfer_index];
    if (pending.timeout_s != 0) expiries.erase({expiry_ns(pending), transfer_index});
}

void State::add_history(const AccountRecord& record, uint128 transfer_id, std::uint64_t timestamp_ns,
                        ChangeCause cause) {
    if (record.history == AccountRecord::no_history) return;
    const Account& a = record.account;
    histories[record.history].push_back({.transfer_id = transfer_id,
                                         .debits_pending = a.debits_pending,
                                         .debits_posted = a.debits_posted,
                                         .credits_pending = a.credits_pending,
                                         .credits_posted = a.credits_posted,
                                         .timestamp = timestamp_ns,
                                         .cause = cause});
    if (chain_open_) undo_log_.emplace_back(HistoryAdded{record.history});
}

void State::undo(const HistoryAdded& added) {
    histories[added.history].pop_back();
}

// Not undone with a chain: that it was refused is what stays of it.
void State::remember_refusal(const Transfer& event, CreateTransferResult result) {
    transfer_ids_.emplace(event.id, TransferSlot::refused(refusals.size()));
    refusals.push_back({.id = event.id, .fingerprint = fingerprint(event), .result = result});
}

std::uint64_t State::digest() const {
    Mixer mixer;
    mixer.add(last_timestamp_ns);
    mixer.add(accounts.size());
    for (std::size_t i = 0; i < accounts.size(); ++i) {
        const AccountRecord& record = accounts[i];
        mixer.add_record(record.account);
        if (record.history == AccountRecord::no_history) continue;
        mixer.add(histories[record.history].size());
        for (const BalanceChange& change : histories[record.history]) mixer.add_record(change);
    }
    mixer.add(transfers.size());
    for (std::size_t i = 0; i < transfers.size(); ++i) {
        mixer.add_record(transfers[i]);
        mixer.add(static_cast<std::uint64_t>(statuses[i]));
        mixer.add(requested_amount(i));
    }
    mixer.add(refusals.size());
    for (std::size_t i = 0; i < refusals.size(); ++i) {
        mixer.add(refusals[i].id);
        mixer.add(refusals[i].fingerprint);
        mixer.add(static_cast<std::uint64_t>(refusals[i].result));
    }
    return mixer.value();
}

std::uint64_t fingerprint(const Transfer& event) {
    Mixer mixer;
    mixer.add_record(event);
    return mixer.value();
}

}  // namespace jiaozi::ledger
