// What a purse hands to the ledger, read from its journal. Pure but for reading the purse.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/purse/objects.hpp>
#include <jiaozi/purse_host/platform.hpp>
#include <jiaozi/terminal/payment.hpp>

namespace jiaozi::terminal {

struct SyncState {
    std::uint32_t last_sync = 0;  // of the newest acknowledgement
    std::uint32_t through = 0;    // everything said up to here is settled
};
SyncState sync_state_of(purse_host::HostPurse& purse);
// All that were ever loaded, the newest last.
std::vector<purse::Certificate> lots_of(purse_host::HostPurse& purse);
// "CNY"; empty before the first load.
std::string asset_of(purse_host::HostPurse& purse);

// What is known of the note that this purse signed as its number `seq`, to `payee` over `amount`: paid (a receipt is
// here, or a sync has settled it), voided, unknown; nothing: there is no such note, or it was adopted and never sent.
Outcome outcome_of_note(purse_host::HostPurse& purse, std::uint32_t seq, std::uint32_t payee, std::uint64_t amount);

// Deposits of what was received and is not settled; the purse's own notes above `through`, with their receipts where
// there are any, so that a payee that lost its device is paid; VOIDs given and got. Each is one item of a deposit
// (docs/protocol/offline.md, 3.10). Notes and VOIDs that were adopted from a card too, although this purse has sent
// them to nobody: they use up numbers, and the ledger acknowledges only what it has without a gap. Such a note lapses
// at its deadline if its payee never had it.
std::vector<Bytes> items_to_deposit(purse_host::HostPurse& purse);

// What is carried for others, in sealed messages. Forgotten (`forget_carried`) only once the ledger has `finished`
// every one of them: until then it is brought again, and has one effect however often.
Result<std::vector<Bytes>> carried_by(purse_host::HostPurse& purse);
// By what the ledger answers for one: it was read, or never will be.
bool finished(std::string_view reason);
Result<void> forget_carried(purse_host::HostPurse& purse);

// Two signed heads of different blacklists with one version; empty: this purse has seen none.
Result<Bytes> alarm_of(purse_host::HostPurse& purse);

}  // namespace jiaozi::terminal
