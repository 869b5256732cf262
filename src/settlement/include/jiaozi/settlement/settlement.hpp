// The ledger side of offline purses: enrolment, loads, deposits, disputes, expiry, acknowledgements, blacklist. States,
// order of checks, accounts: docs/settlement.md.
//
//   JZ_TRY(auto settlement, Settlement::recover(parts, options));   // reads the journal
//   settlement->settle(items, depositor, done);
//
// Threading: everything on the application thread, recover() included (it blocks until the journal is read).
// Signatures are verified on threads of the service's own. Lifetime: the parts must outlive the service; `done`
// handlers that still wait when it ends are dropped.
// Errors besides those of each member: unavailable once the engine has stopped (a restart is the remedy).
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include <jiaozi/api/app_thread.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/purse_host/issuer.hpp>
#include <jiaozi/settlement/book.hpp>
#include <jiaozi/settlement/facts.hpp>
#include <jiaozi/settlement/mule.hpp>
#include <jiaozi/settlement/policy.hpp>
#include <jiaozi/settlement/root.hpp>

namespace jiaozi::settlement {

struct Options {
    Policy policy = default_policy;
    unsigned verify_threads = 2;
    std::size_t max_items = 1'000;        // of one batch
    std::uint32_t strikes = 100;          // bad items of one depositor in a minute; more are not looked at
    std::uint32_t list_every_s = 86'400;  // a blacklist at least that often
};

struct Parts {
    engine::Engine& engine;
    api::AppThread& app;
    const Clock& clock;
    // The issuing keys, at most one for each suite. A purse is enrolled with a suite that is here.
    std::vector<purse_host::PurseSigner*> issuers;
    Follower* follower = nullptr;
    const MuleOpener* mules = nullptr;  // without it what mules bring is not taken
    // The engine's: where its book is kept (book_snapshot.hpp). Empty: recovery reads the whole journal.
    std::filesystem::path directory{};
};

struct NewPurse {
    Bytes key;
    crypto::Suite suite = crypto::Suite::ed25519;
    std::uint8_t assurance = 0;  // 0 to 3: A0 to A3
    WalletId wallet;             // where its money comes from and goes to; in `asset`
    uint128 holder = 0;          // the group or merchant
    Asset asset;
    DeviceId device{};  // may speak for the purse by its own messages; or none
};

struct NewLoad {
    LoadId id;
    std::uint32_t purse = 0;
    std::uint64_t amount = 0;    // 0: a certificate that only names the purse, for receiving
    std::uint32_t directed = 0;  // the only purse that it can pay, or 0
};
struct LoadAnswer {
    Bytes certificate;
    bool replayed = false;
};

struct SyncRequest {
    std::uint32_t purse = 0;
    std::uint32_t last_seen = 0;    // the number of the newest SACK that the purse holds
    bool suspect = false;           // it starts anew: its lots are closed on the device
    std::uint32_t highest_seq = 0;  // that the purse or its anchor knows; looked at when suspect
};

// Why an item of a batch was not settled. The order is that of the checks.
enum class Reason : std::uint8_t {
    ok,
    rate_limited,
    malformed,
    too_large,
    unknown_purse,
    wrong_suite,
    unknown_lot,
    unknown_source,
    bad_range,
    wrong_directed,
    too_many_hops,
    wrong_asset,
    over_limit,
    too_late,
    voided,
    bad_signature,
    unreadable,  // from a mule: not sealed for this ledger, or changed on its way
};
std::string_view name_of(Reason reason) noexcept;

// `reason` ok: the item is in the book as `state` says. Otherwise it is quarantined.
struct ItemAnswer {
    Reason reason = Reason::ok;
    NoteState state = NoteState::known;
    bool replayed = false;  // nothing new in it
    purse::Id note{};
    std::uint64_t amount = 0;
};

struct Quarantined {
    Timestamp at;
    std::uint32_t depositor = 0;
    Reason reason = Reason::ok;
    Bytes item;  // its first 64 bytes
};

struct ListUpdate {
    std::uint32_t version = 0;
    Bytes head;
    Bytes body;
    Bytes delta;  // HEAD and delta from the version asked for; empty: too large, or too old, take head and body
};

struct Counters {
    std::uint64_t loads = 0;
    std::uint64_t items = 0;
    std::uint64_t settled = 0;
    std::uint64_t quarantined = 0;
    std::uint64_t replayed = 0;
    std::uint64_t signatures = 0;  // verified, good or bad
    std::uint64_t commands = 0;    // journaled
    std::uint64_t verify_ns = 0;   // processor time of the verifying threads
    std::uint64_t carried = 0;     // messages of mules that could be read
    std::uint64_t unreadable = 0;  // and those that could not
};

// What a HEAD that somebody has seen is to this ledger.
enum class HeadIs : std::uint8_t { published, contradiction };

inline constexpr std::size_t max_carried = 16;

class Settlement {
  public:
    static Result<std::unique_ptr<Settlement>> recover(const Parts& parts, Options options = {});
    ~Settlement();
    Settlement(const Settlement&) = delete;
    Settlement& operator=(const Settlement&) = delete;

    // The ordinal. A key that is enrolled already keeps its ordinal; conflict if anything else about it differs.
    void enrol(NewPurse purse, api::Done<std::uint32_t> done);
    // Refusals in the order of the page.
    void load(NewLoad load, api::Done<LoadAnswer> done);
    // Deposits (§3.10) and VOIDs, in any order. `depositor` is a purse that has shown who it is, or 0. too_large: more
    // items than Options::max_items.
    void settle(std::vector<Bytes> items, std::uint32_t depositor, api::Done<std::vector<ItemAnswer>> done);
    // MULE messages, up to max_carried. A row says whether it was read, and nothing of what was in it: ok, rate_limited
    // (this `sender` has brought too much that was worth nothing; it was not looked at), unreadable. Opened on the
    // verifying threads, behind what the honest bring. Errors: unavailable without a deposit key; too_large.
    void settle_carried(std::vector<Bytes> messages, uint128 sender, api::Done<std::vector<Reason>> done);
    // HEADs of blacklists as a purse's alarm has them (docs/protocol/offline.md, 9.1), one or two, each signed by a key
    // of this issuer: malformed, unauthenticated otherwise. One that this ledger has not published is an alarm, for
    // ever in the journal: somebody else signs with that key.
    void report_heads(Bytes heads, api::Done<HeadIs> done);
    // A SACK for a purse that has handed in what it has.
    void sync(SyncRequest request, api::Done<Bytes> done);
    void declare_lost(std::uint32_t purse, api::Done<PurseState> done);
    // Does what is due: notes that lapse, refunds, claims, sweeps, and a new blacklist. From a timer.
    void advance(api::Done<std::uint32_t> done);
    // A root document with its signatures; the answer is its version. Errors of accept_root (root.hpp). Without a root
    // every issuing key of the parts may sign; with one, only those that it names.
    void install_root(Bytes bytes, api::Done<std::uint32_t> done);
    // The newest blacklist, for whoever has version `from` (0: none). not_found before the first.
    Result<ListUpdate> list(std::uint32_t from) const;

    // Of the mules' opener; empty without one.
    ByteView deposit_key() const;
    // The keys that it signs with, one for each suite.
    std::vector<RootKey> issuing_keys() const;
    // Nothing is under way and nothing waits.
    bool idle() const;
    const Book& book() const;
    Counters counters() const;
    const std::deque<Quarantined>& quarantine() const;

  private:
    class Impl;
    explicit Settlement(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace jiaozi::settlement
