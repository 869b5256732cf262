// What a purse hands to the ledger, read from its journal. Pure but for reading the purse.
#pragma once

#include <string>
#include <vector>

#include <jiaozi/purse/objects.hpp>
#include <jiaozi/purse_host/platform.hpp>

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

// Deposits of what was received and is not settled; the purse's own notes above `through`, with their receipts where
// there are any, so that a payee that lost its device is paid; VOIDs given and got. Each is one item of a deposit
// (docs/protocol/offline.md, 3.10). What was adopted from a card is not handed in: it was never said to anybody.
std::vector<Bytes> items_to_deposit(purse_host::HostPurse& purse);

}  // namespace jiaozi::terminal
