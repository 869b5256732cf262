#include <array>
#include <utility>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/ledger/ledger.hpp>

#include "account_rules.hpp"
#include "batch.hpp"
#include "transfer_rules.hpp"

namespace jiaozi::ledger {

Ledger::Ledger() : state_(std::make_unique<State>(nullptr, nullptr)) {}
Ledger::Ledger(HistorySink& histories) : state_(std::make_unique<State>(nullptr, &histories)) {}
Ledger::Ledger(const EventSource& source, HistorySink* histories)
    : state_(std::make_unique<State>(&source, histories)) {}
Ledger::~Ledger() = default;
Ledger::Ledger(Ledger&&) noexcept = default;
Ledger& Ledger::operator=(Ledger&&) noexcept = default;

void Ledger::create_accounts(std::span<const Account> events, std::uint64_t timestamp_ns,
                             std::vector<CreateAccountResult>& results) {
    Batch<AccountRules>(*state_, events, results).run(timestamp_ns);
}

void Ledger::create_transfers(std::span<const Transfer> events, std::uint64_t timestamp_ns,
                              std::vector<CreateTransferResult>& results, std::span<const AccountPlaces> places) {
    Batch<TransferRules>(*state_, events, results, places).run(timestamp_ns);
}

void Ledger::find_places(std::span<const Transfer> events, std::vector<AccountPlaces>& places) const {
    TransferRules::find_places(*state_, events, places);
}

void Ledger::bring_in(std::span<const Transfer> events) {
    JZ_ASSERT(events.size() <= bring_in_max);
    std::array<Prepared, bring_in_max> prepared;
    for (unsigned stage = 0; stage < TransferRules::stages; ++stage)
        TransferRules::prepare(*state_, stage, events, std::span(prepared).first(events.size()));
}

void Ledger::expect_events(std::uint64_t events) {
    state_->expect_events(events);
}

SetAccountFlagsResult Ledger::set_account_flags(uint128 id, std::uint16_t set, std::uint16_t clear) {
    if (((set | clear) & ~account_flags::frozen) != 0) return SetAccountFlagsResult::flag_cannot_be_changed;
    if ((set & clear) != 0) return SetAccountFlagsResult::set_and_clear_overlap;
    AccountRecord* record = state_->find_account(id, IdHash{}(id));
    if (record == nullptr) return SetAccountFlagsResult::account_not_found;
    Account& account = state_->change(*record);
    account.flags = static_cast<std::uint16_t>((account.flags | set) & ~clear);
    return SetAccountFlagsResult::ok;
}

void Ledger::expire(std::uint64_t now_ns, std::vector<Expired>& out) {
    if (state_->stopped()) return;
    state_->advance_to(now_ns);
    for (auto next = state_->next_expiry(); next && next->first <= now_ns; next = state_->next_expiry()) {
        const Hold hold = *state_->live_hold(next->second);
        release_pending(*state_, hold, next->second, PendingStatus::expired);
        state_->add_expiry_history(hold, next->second, now_ns);
        out.push_back({.pending_id = hold.transfer.id, .timestamp = now_ns});
        state_->drop_dead_expiries();
    }
    state_->tell_histories();
}

bool Ledger::stopped() const {
    return state_->stopped();
}

std::optional<std::uint64_t> Ledger::next_expiry_ns() const {
    const auto next = state_->next_expiry();
    return next ? std::optional(next->first) : std::nullopt;
}

std::uint64_t Ledger::last_timestamp_ns() const {
    return state_->last_timestamp_ns;
}

const Account* Ledger::find_account(uint128 id) const {
    const AccountRecord* record = std::as_const(*state_).find_account(id);
    return record == nullptr ? nullptr : &record->account;
}

namespace {

std::optional<Known> look_up(const State& state, uint128 id) {
    bool unread = false;
    return state.find_transfer(id, IdHash{}(id), unread);
}

Error unread_event() {
    return Error(ErrorKind::io, "an earlier event that the answer depends on could not be read");
}

}  // namespace

Result<std::optional<Transfer>> Ledger::find_transfer(uint128 id) const {
    return find_transfer(id, state_->source());
}

Result<std::optional<Transfer>> Ledger::find_transfer(uint128 id, const EventSource& source) const {
    bool unread = false;
    const auto known = state_->find_transfer(id, IdHash{}(id), source, unread);
    if (unread) return unread_event();
    if (!known || known->refused) return std::optional<Transfer>();
    Transfer transfer;
    if (!state_->read_stored(known->ordinal, source, transfer)) return unread_event();
    return std::optional(transfer);
}

Result<PendingStatus> Ledger::pending_status(uint128 transfer_id) const {
    return pending_status(transfer_id, state_->source());
}

Result<PendingStatus> Ledger::pending_status(uint128 transfer_id, const EventSource& source) const {
    bool unread = false;
    const auto known = state_->find_transfer(transfer_id, IdHash{}(transfer_id), source, unread);
    if (unread) return unread_event();
    return !known || known->refused ? PendingStatus::none : state_->status_of(known->ordinal);
}

std::optional<CreateTransferResult> Ledger::refusal_of(uint128 transfer_id) const {
    const auto known = look_up(*state_, transfer_id);
    return known && known->refused ? state_->refusal_of(known->ordinal) : std::nullopt;
}

std::size_t Ledger::account_count() const {
    return state_->accounts.size();
}

const Account& Ledger::account_at(std::size_t index) const {
    JZ_ASSERT(index < state_->accounts.size());
    return state_->accounts[index].account;
}

std::uint64_t Ledger::transfer_count() const {
    return state_->transfer_count();
}

std::uint64_t Ledger::event_count() const {
    return state_->event_count();
}

std::optional<Transfer> Ledger::stored_transfer(std::uint64_t ordinal) const {
    JZ_ASSERT(ordinal < state_->event_count());
    Transfer event;
    if (!state_->read_event(ordinal, event)) return std::nullopt;
    const auto known = look_up(*state_, event.id);
    if (!known || known->refused || known->ordinal != ordinal) return std::nullopt;
    return state_->read_stored(ordinal, event) ? std::optional(event) : std::nullopt;
}

std::optional<std::uint64_t> Ledger::account_number(uint128 id) const {
    const AccountRecord* record = std::as_const(*state_).find_account(id);
    return record == nullptr ? std::nullopt : std::optional(state_->accounts.index_of(record));
}

std::uint64_t Ledger::history_end() const {
    return state_->history_end();
}

std::uint64_t Ledger::state_digest() const {
    return state_->digest();
}

Result<> Ledger::save(PartSink& sink) const {
    return state_->save(sink);
}

Result<Ledger> Ledger::load(PartSource& parts, const EventSource& source, HistorySink* histories) {
    Ledger ledger(source, histories);
    JZ_CHECK(ledger.state_->load(parts));
    return ledger;
}

}  // namespace jiaozi::ledger
