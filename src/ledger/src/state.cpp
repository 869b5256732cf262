#include "state.hpp"

#include <algorithm>
#include <functional>

#include <jiaozi/base/assert.hpp>

namespace jiaozi::ledger {

namespace {

constexpr std::uint16_t balancing = transfer_flags::balancing_debit | transfer_flags::balancing_credit;
constexpr std::uint16_t resolving = transfer_flags::post_pending | transfer_flags::void_pending;

constexpr unsigned result_bits = refusal_result_bits;
std::uint64_t refusal_of_ordinal(std::uint64_t ordinal, CreateTransferResult result) {
    return ordinal << result_bits | static_cast<std::uint64_t>(result);
}

}  // namespace

State::State(const EventSource* source, HistorySink* histories)
    : source_(source), memory_(source == nullptr ? std::make_unique<MemoryEvents>() : nullptr), histories_(histories) {
    if (memory_ != nullptr) source_ = memory_.get();
}

std::uint64_t State::begin_batch(std::size_t events, std::uint64_t last_event_ns) {
    JZ_ASSERT(events > 0 && events <= max_batch);
    JZ_ASSERT(last_event_ns >= events && last_event_ns - events >= last_timestamp_ns);
    last_timestamp_ns = last_event_ns;
    return last_event_ns - events + 1;
}

void State::begin_transfers(std::span<const Transfer> events, std::uint64_t first_timestamp_ns) {
    batch_ = events;
    batch_first_ = event_count_;
    batch_time_ = first_timestamp_ns;
    event_count_ += events.size();
    if (!events.empty()) expired_since_event_ = 0;
}

void State::end_transfers() {
    if (memory_ != nullptr) {
        for (std::size_t i = 0; i < batch_.size(); ++i) {
            Transfer event = batch_[i];
            event.timestamp = batch_time_ + i;
            memory_->add(event);
        }
    }
    batch_ = {};
    tell_histories();
    drop_dead_expiries();
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

AccountRecord* State::find_account(uint128 id, std::uint64_t hash) {
    AccountRecord* record = nullptr;
    account_ids_.find(hash, [&](IdIndex::Entry entry) {
        record = &accounts[entry.ordinal];
        return record->account.id == id;
    });
    return record != nullptr && record->account.id == id ? record : nullptr;
}

const AccountRecord* State::find_account(uint128 id) const {
    return const_cast<State*>(this)->find_account(id, IdHash{}(id));  // which changes nothing
}

std::optional<Known> State::find_transfer(uint128 id, std::uint64_t hash, const EventSource& source,
                                          bool& unread) const {
    const auto found = transfer_ids_.find(hash, [&](IdIndex::Entry entry) {
        if (const Hold* hold = live_hold(entry.ordinal)) return hold->transfer.id == id;
        Transfer event;
        if (!read_event(entry.ordinal, source, event)) {
            unread = true;
            return true;
        }
        return event.id == id;
    });
    if (!found || unread) return std::nullopt;
    return Known{found->ordinal, found->marked};
}

bool State::read_event(std::uint64_t ordinal, const EventSource& source, Transfer& event) const {
    if (ordinal < batch_first_ || batch_.empty()) return source.read(ordinal, event);
    event = batch_[ordinal - batch_first_];
    event.timestamp = batch_time_ + (ordinal - batch_first_);
    return true;
}

bool State::read_stored(std::uint64_t ordinal, const EventSource& source, Transfer& transfer) const {
    if (const Hold* hold = live_hold(ordinal)) {
        transfer = hold->transfer;
        return true;
    }
    if (!read_event(ordinal, source, transfer)) return false;
    if ((transfer.flags & balancing) != 0) {
        if (const auto moved = moved_.find(ordinal); moved != moved_.end()) transfer.amount = moved->second;
    }
    if ((transfer.flags & resolving) == 0) return true;
    bool unread = false;
    const auto pending = find_transfer(transfer.pending_id, IdHash{}(transfer.pending_id), source, unread);
    Transfer held;
    if (!pending || !read_stored(pending->ordinal, source, held)) return false;
    transfer = inherit(transfer, held);
    return true;
}

PendingStatus State::status_of(std::uint64_t ordinal) const {
    return holds_.contains(ordinal) ? PendingStatus::pending : statuses_.at(ordinal);
}

std::optional<CreateTransferResult> State::refusal_of(std::uint64_t ordinal) const {
    std::size_t low = 0;
    for (std::size_t high = refusals_.size(); low < high;) {
        const std::size_t middle = low + (high - low) / 2;
        if (refusals_[middle] >> result_bits < ordinal)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == refusals_.size() || refusals_[low] >> result_bits != ordinal) return std::nullopt;
    return static_cast<CreateTransferResult>(refusals_[low] & ((1U << result_bits) - 1));
}

void State::add_account(const Account& account, std::uint64_t id_hash) {
    account_ids_.insert(id_hash, {.ordinal = accounts.size(), .marked = false});
    accounts.push_back({account});
    if (chain_open_) undo_log_.emplace_back(AccountAdded{id_hash});
}

void State::undo(const AccountAdded& added) {
    account_ids_.erase(added.id_hash, accounts.size() - 1);
    accounts.pop_back();
}

Account& State::change(AccountRecord& record) {
    if (chain_open_) undo_log_.emplace_back(AccountChanged{&record, record.account});
    return record.account;
}

void State::undo(const AccountChanged& change) {
    change.record->account = change.before;
}

void State::add_transfer(const Transfer& transfer, std::uint64_t ordinal, std::uint64_t id_hash, uint128 asked) {
    transfer_ids_.insert(id_hash, {.ordinal = ordinal, .marked = false});
    ++transfer_count_;
    if ((transfer.flags & balancing) != 0 && transfer.amount != asked) moved_.emplace(ordinal, transfer.amount);
    if (chain_open_) undo_log_.emplace_back(TransferAdded{id_hash, ordinal});
}

void State::add_hold(const Hold& hold, std::uint64_t ordinal) {
    holds_.add(ordinal, hold);
    if (hold.transfer.timeout_s == 0) return;
    expiries_.emplace_back(expiry_ns(hold.transfer), ordinal);
    std::ranges::push_heap(expiries_, std::greater());
}

void State::undo(const TransferAdded& added) {
    holds_.erase(added.ordinal);
    moved_.erase(added.ordinal);
    transfer_ids_.erase(added.id_hash, added.ordinal);
    --transfer_count_;
}

void State::resolve_pending(std::uint64_t ordinal, PendingStatus status) {
    const Hold* const hold = holds_.find(ordinal);
    JZ_ASSERT(hold != nullptr);
    if (chain_open_) undo_log_.emplace_back(PendingResolved{ordinal, *hold});
    holds_.erase(ordinal);
    statuses_.set(ordinal, status);
}

void State::undo(const PendingResolved& resolved) {
    statuses_.set(resolved.ordinal, PendingStatus::none);
    holds_.add(resolved.ordinal, resolved.hold);
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> State::next_expiry() const {
    if (expiries_.empty()) return std::nullopt;
    return expiries_.front();
}

// Resolved holds stay in the heap until they come up or are most of it.
void State::drop_dead_expiries() {
    constexpr std::size_t few = 1024;
    const auto dead = [this](const auto& expiry) { return !holds_.contains(expiry.second); };
    if (expiries_.size() > few + 2 * holds_.size()) {
        std::erase_if(expiries_, dead);
        std::ranges::make_heap(expiries_, std::greater());
    }
    while (!expiries_.empty() && dead(expiries_.front())) {
        std::ranges::pop_heap(expiries_, std::greater());
        expiries_.pop_back();
    }
}

void State::add_history(const AccountRecord& record, std::uint64_t position, std::uint64_t event,
                        std::uint64_t expired_ns) {
    const Account& a = record.account;
    if ((a.flags & account_flags::history) == 0) return;
    changed_.push_back({.account = accounts.index_of(&record),
                        .position = position,
                        .event = event,
                        .expired_ns = expired_ns,
                        .debits_pending = a.debits_pending,
                        .debits_posted = a.debits_posted,
                        .credits_pending = a.credits_pending,
                        .credits_posted = a.credits_posted});
    if (chain_open_) undo_log_.emplace_back(HistoryAdded{});
}

void State::undo(const HistoryAdded&) {
    changed_.pop_back();
}

void State::add_transfer_history(const AccountRecord& debit, const AccountRecord& credit, std::uint64_t ordinal) {
    if (histories_ == nullptr) return;
    for (const AccountRecord* record : {&debit, &credit}) add_history(*record, position_of_event(ordinal), ordinal, 0);
}

void State::add_expiry_history(const Hold& hold, std::uint64_t ordinal, std::uint64_t now_ns) {
    const std::uint64_t position = history_end();
    ++expired_since_event_;
    if (histories_ == nullptr) return;
    for (const AccountRecord* record : {hold.debit, hold.credit}) add_history(*record, position, ordinal, now_ns);
}

void State::tell_histories() {
    if (changed_.empty()) return;
    histories_->take(changed_);
    changed_.clear();
}

// Not undone with a chain: that it was refused is what stays of it. Members of a broken chain come a few places late.
void State::remember_refusal(std::uint64_t ordinal, std::uint64_t id_hash, CreateTransferResult result) {
    transfer_ids_.insert(id_hash, {.ordinal = ordinal, .marked = true});
    const std::uint64_t entry = refusal_of_ordinal(ordinal, result);
    refusals_.push_back(entry);
    std::size_t at = refusals_.size() - 1;
    for (; at > 0 && refusals_[at - 1] > entry; --at) refusals_[at] = refusals_[at - 1];
    refusals_[at] = entry;
}

std::uint64_t State::digest() const {
    Mixer mixer;
    mixer.add(last_timestamp_ns);
    mixer.add(std::uint64_t{accounts.size()});
    for (std::size_t i = 0; i < accounts.size(); ++i) {
        mixer.add_record(accounts[i].account);
    }
    mixer.add(event_count_);
    mixer.add(expired_since_event_);
    // Sums do not depend on the order in which tables hold their entries.
    std::uint64_t sum = 0;
    const auto add = [&sum](auto... words) {
        Mixer one;
        (one.add(words), ...);
        sum += one.value();
    };
    transfer_ids_.each([&](std::uint32_t shard, std::uint64_t slot) { add(std::uint64_t{shard}, slot); });
    statuses_.each_word([&](std::size_t index, std::uint64_t word) { add(std::uint64_t{index}, word); });
    for (const auto& [ordinal, amount] : moved_) add(ordinal, amount);
    holds_.each([&sum](std::uint64_t ordinal, const Hold& hold) {
        Mixer one;
        one.add(ordinal);
        one.add_record(hold.transfer);
        sum += one.value();
    });
    mixer.add(sum);
    mixer.add(std::uint64_t{refusals_.size()});
    for (std::size_t i = 0; i < refusals_.size(); ++i) mixer.add(refusals_[i]);
    return mixer.value();
}

Transfer inherit(const Transfer& event, const Transfer& pending) {
    Transfer t = event;
    const bool whole = t.amount == everything || (t.amount == 0 && (t.flags & transfer_flags::void_pending) != 0);
    if (whole) t.amount = pending.amount;
    if (t.debit_account_id == 0) t.debit_account_id = pending.debit_account_id;
    if (t.credit_account_id == 0) t.credit_account_id = pending.credit_account_id;
    if (t.user_data_128 == 0) t.user_data_128 = pending.user_data_128;
    if (t.user_data_64 == 0) t.user_data_64 = pending.user_data_64;
    if (t.user_data_32 == 0) t.user_data_32 = pending.user_data_32;
    if (t.ledger == 0) t.ledger = pending.ledger;
    if (t.code == 0) t.code = pending.code;
    return t;
}

}  // namespace jiaozi::ledger
