// What a command of settlement changed, as followers are told: projections, events. The same journal tells the same
// changes, whenever it is read. Plain data.
#pragma once

#include <cstdint>
#include <vector>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/model/ids.hpp>
#include <jiaozi/money/asset.hpp>
#include <jiaozi/purse/objects.hpp>
#include <jiaozi/settlement/facts.hpp>

namespace jiaozi::settlement {

enum class ChangeKind : std::uint8_t {
    enrolled,
    loaded,
    refunded,  // a lot has ended: what was left of it, and of the collateral, is in the wallet again
    frozen,
    lost,
    two_lists,   // a HEAD that this ledger has not published: `serial` is its version, `note` its id
    note_known,  // seen as what another note spends; its payee has not come yet
    note_pending,
    note_settled,
    note_voided,
    note_lapsed,
    note_reversed,
    note_recovered,  // of a settled note that another one contests: more of what its payee is owed has come in
};

// `purse` is whose event it is: of a note its payer. Fields that a kind does not have are zero.
struct Change {
    ChangeKind kind = ChangeKind::enrolled;
    std::uint64_t sequence = 0;
    Timestamp at{};
    std::uint32_t purse = 0;
    WalletId wallet{};  // of the purse
    Asset asset{};
    std::uint64_t amount = 0;      // loaded, refunded, notes
    std::uint64_t collateral = 0;  // loaded: put up; refunded: given back
    std::uint64_t serial = 0;      // loaded, refunded
    LoadId load{};
    purse::Id note{};
    std::uint32_t payee = 0;
    WalletId payee_wallet{};
    DeviceId device{};  // of the purse, of a note its payer
    DeviceId payee_device{};
    std::uint8_t hops = 0;
    std::uint32_t index = 0;     // of the note in the book
    std::uint32_t made = 0;      // when the payer says that it paid
    std::uint32_t deadline = 0;  // to settle it
    Timestamp heard{};           // when the ledger first heard of it
    Timestamp settled{};
    std::uint64_t owed = 0;  // of the amount, to the payee: who spent it twice has not paid yet
};

// Told of every command once it is journaled, in order, and at recovery of those before. Called on the application
// thread; at recovery on the feed's thread, where it may wait.
class Follower {
  public:
    virtual ~Follower() = default;
    virtual void follow(std::vector<Change> changes, bool may_wait) = 0;
    // The command up to which it has all changes for good. Recovery may begin with a book that has no later one.
    virtual std::uint64_t followed() const { return 0; }
};

}  // namespace jiaozi::settlement
