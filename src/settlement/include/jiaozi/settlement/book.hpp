// What the journal made of purses, lots and notes: a fold over committed commands. The live service decides by adding
// to the same book and turning the effects into transfers, so live state and replay can't differ. No clock, no
// randomness. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/engine/books.hpp>
#include <jiaozi/engine/command.hpp>
#include <jiaozi/purse/objects.hpp>
#include <jiaozi/settlement/changes.hpp>
#include <jiaozi/settlement/facts.hpp>
#include <jiaozi/settlement/range_index.hpp>

namespace jiaozi::settlement {

using LotIndex = std::uint32_t;
using NoteIndex = std::uint32_t;
using ClaimIndex = std::uint32_t;
inline constexpr std::uint32_t none = 0xFFFFFFFF;

struct IdHash {
    // Ids are hashes already.
    using is_avalanching = void;
    std::size_t operator()(const purse::Id& id) const noexcept {
        std::size_t value = 0;
        std::memcpy(&value, id.data(), sizeof value);
        return value;
    }
};

// A public key, checked at its first use; verified with from any thread.
class PurseKey {
  public:
    PurseKey(crypto::Suite suite, Bytes key) : suite_(suite), key_(std::move(key)) {}
    crypto::Suite suite() const noexcept { return suite_; }
    const Bytes& bytes() const noexcept { return key_; }
    // Null when the bytes are no key of the suite: then nothing is its signature.
    const crypto::Verifier* verifier() const;

  private:
    crypto::Suite suite_;
    Bytes key_;
    mutable std::once_flag once_;
    mutable std::optional<crypto::Verifier> verifier_;  // set once, under once_
};

struct PurseRecord {
    std::uint32_t ordinal = 0;
    PurseState state = PurseState::active;
    std::uint8_t assurance = 0;
    std::shared_ptr<const PurseKey> key;
    WalletId wallet;
    uint128 holder = 0;
    Asset asset;
    DeviceId device;
    Timestamp enrolled;
    std::uint64_t received = 0;    // balance of its received account
    std::uint64_t ready = 0;       // of that, what may go to the wallet
    std::uint32_t hold_until = 0;  // from then on all of it may
    std::uint64_t collateral = 0;
    std::uint64_t per_payment = 0;  // the highest of its certificates
    std::uint32_t open_claims = 0;  // against it
    uint128 received_account = 0;
    std::uint32_t through = 0;        // everything it said up to this number is known
    std::set<std::uint32_t> heard;    // numbers above through
    std::uint32_t highest_heard = 0;  // of all
    std::uint32_t syncs = 0;          // acknowledgements signed
    std::uint32_t synced_at = 0;      // time of the newest, seconds since 1970; 0: none
    std::uint32_t last_seen = 0;      // the newest that the purse is known to have
    std::uint32_t sweeps = 0;
    std::vector<LotIndex> lots;
    struct Release {
        purse::Id note{};
        std::uint32_t sync = 0;  // the first acknowledgement that said so; 0: none yet
    };
    std::vector<Release> releases;
};

enum class LotState : std::uint8_t { open, closed, refused };

struct LotRecord {
    purse::Id id{};
    std::uint64_t serial = 0;
    std::uint32_t purse = 0;
    LotState state = LotState::open;
    std::uint8_t hops = 0;
    std::uint64_t amount = 0;
    std::uint64_t per_payment = 0;
    std::uint32_t settle_by = 0;
    std::uint32_t directed = 0;
    std::uint64_t paid = 0;      // out of the escrow: payouts, recoveries and the refund
    std::uint64_t reserve = 0;   // what the reserve paid for it
    std::uint32_t attempts = 0;  // of the refund
    purse::Kid issuer{};
    uint128 escrow_account = 0;
    LoadId load;
    Bytes certificate;
    RangeIndex spent;  // owners are notes
};

enum class NoteState : std::uint8_t { known, pending, settled, voided, lapsed, reversed };
std::string_view name_of(NoteState state) noexcept;

// A source of a stored note.
struct Link {
    std::uint32_t target = 0;  // a lot or a note
    bool lot = false;
    bool behind = false;  // the target's money had been paid out when this came
    std::uint64_t offset = 0;
    std::uint64_t amount = 0;
};

struct NoteRecord {
    purse::Id id{};
    purse::Id request{};
    std::uint32_t payer = 0;
    std::uint32_t seq = 0;
    std::uint32_t payee = 0;
    std::uint32_t deadline = 0;  // the earliest settle_by of its lots
    NoteState state = NoteState::known;
    std::uint8_t hop = 0;
    std::uint8_t max_hops = 0;
    bool contested = false;
    bool by_payee = false;  // the payee in person has deposited it
    std::uint32_t payouts = 0;
    std::uint64_t amount = 0;
    std::uint64_t journal = 0;      // the command that holds its bytes
    NoteIndex same_request = none;  // an earlier note that names the same request
    std::uint32_t made = 0;         // when the payer says that it paid
    Timestamp heard{};              // when the ledger first heard of it
    boost::container::small_vector<Link, 1> links;
};

// Money that somebody owes for a range that escrow could not pay.
struct ClaimRecord {
    NoteIndex note = none;
    std::uint32_t debtor = 0;
    std::uint32_t creditor = 0;
    LotIndex lot = none;  // whose cap the reserve looks at
    std::uint64_t amount = 0;
    std::uint64_t collected = 0;
    std::uint32_t attempts = 0;
    bool reserve = true;  // the reserve stands behind it; else it is a payee's debt to a payer
    std::uint64_t open() const noexcept { return amount - collected; }
};

// Two notes that one purse can't honestly have signed both.
struct Conflict {
    NoteIndex first = none;
    NoteIndex second = none;
    std::uint32_t culprit = 0;
    bool proof_stored = false;
};

// What adding to the book has moved: from escrow to a received account; back to the payer's when the note was voided.
struct Payout {
    NoteIndex note = none;
    LotIndex lot = none;
    std::uint32_t to = 0;
    std::uint64_t amount = 0;
    std::uint32_t number = 0;  // of the note's payouts, over its life
};
struct Effects {
    std::vector<Payout> payouts;
};

class Book {
  public:
    // One command after the other, in the order of the journal. Errors: of decode_annotation, and corrupt for a fact
    // that contradicts what came before.
    Result<> apply(const engine::Committed& committed);

    // The same in parts, for the live service. `journal` is 0 while the command is not written; see written().
    void add(const EnrolledFact& fact, Timestamp at);
    void add(const LoadedFact& fact, bool accepted);
    // `object` has been verified. Returns its index.
    NoteIndex add_note(const purse::Id& id, const purse::Note& note, std::uint64_t journal);
    void deposit(NoteIndex note, std::uint8_t flags, const purse::Receipt* receipt, Effects& effects);
    void add(const purse::Void& fact, Effects& effects);
    void add(const ClosedFact& fact, bool refunded);
    void add(const CollectedFact& fact, bool moved);
    void add_swept(const SweptFact::Row& row, bool moved);
    void add(const StateFact& fact);
    void add(const SyncFact& fact, const purse::SyncAck& ack);
    void add(const LapsedFact::Row& row, Effects& effects);
    void add(const ListFact& fact, const purse::ListHead& head);
    void add(const RootFact& fact) { root_ = fact.document; }
    void add(const ProofFact& fact);
    void add(const AlarmFact& fact);
    // What changed since the last call, which was in this command.
    std::vector<Change> take_changes(std::uint64_t sequence, Timestamp at);
    // The last command that changed something, as of take_changes.
    std::uint64_t last_change() const noexcept { return last_change_; }
    // The notes added since the last call are in this command.
    void written(std::uint64_t journal);
    // What was paid to purses that did not speak until its deadline may go to their wallets.
    void release_held(std::uint32_t now);

    // All of it, between two commands, as docs/formats/books.md says: a fold of the same commands gives the same bytes.
    Result<> save(engine::BookSink& sink) const;
    // Errors: corrupt, and the source's. Safe on any bytes: whatever is loaded refers to what there is.
    static Result<Book> load(engine::BookSource& source);

    const PurseRecord* purse(std::uint32_t ordinal) const;
    const LotRecord& lot(LotIndex index) const { return lots_[index]; }
    const NoteRecord& note(NoteIndex index) const { return notes_[index]; }
    const ClaimRecord& claim(ClaimIndex index) const { return claims_[index]; }
    NoteIndex find_note(const purse::Id& id) const;
    LotIndex find_lot(const purse::Id& id) const;
    LotIndex lot_of_load(LoadId load) const;
    LotIndex lot_of_serial(std::uint64_t serial) const;
    bool is_voided(const purse::Id& request, std::uint32_t payee) const;
    std::uint64_t open_lots_of_holder(uint128 holder, const Asset& asset) const;
    std::uint64_t open_lots_of_issuer(const purse::Kid& issuer) const;
    std::uint64_t open_lots_of(const PurseRecord& purse) const;
    // What its open lots still hold.
    std::uint64_t in_lots_of(const PurseRecord& purse) const;
    // By ordinal, ascending.
    std::span<const std::uint32_t> purses_of(WalletId wallet) const;
    std::uint32_t enrolled() const noexcept { return static_cast<std::uint32_t>(purses_.size()); }
    std::uint64_t last_serial() const noexcept { return last_serial_; }
    std::size_t lots() const noexcept { return lots_.size(); }
    std::size_t notes() const noexcept { return notes_.size(); }
    std::size_t claims() const noexcept { return claims_.size(); }
    std::span<const Conflict> conflicts() const noexcept { return conflicts_; }
    const std::vector<Bytes>& proofs() const noexcept { return proofs_; }
    // The first against this purse, or null.
    const Bytes* proof_against(std::uint32_t ordinal) const;
    // FROZEN and LOST, ascending.
    const std::set<std::uint32_t>& revoked() const noexcept { return revoked_; }
    struct List {
        std::uint32_t version = 0;
        std::uint32_t time = 0;
        std::uint32_t enrolled = 0;
        std::vector<std::uint32_t> revoked;
        Bytes head;
        Bytes body;
    };
    const std::deque<List>& lists() const noexcept { return lists_; }
    // Whether this ledger has published that HEAD, and whether it has an alarm about it.
    bool has_published(std::uint32_t version, const purse::Id& head) const;
    bool has_alarm(const purse::Id& head) const;
    // HEADs of others, signed by our key.
    const std::vector<Bytes>& alarms() const noexcept { return alarms_; }
    const Bytes& root() const noexcept { return root_; }

    // Work that is due. Ordered, so that live and replayed books agree.
    const std::multimap<std::uint32_t, NoteIndex>& pending() const noexcept { return pending_; }
    const std::multimap<std::uint32_t, LotIndex>& open_lots() const noexcept { return open_lots_; }
    const std::set<ClaimIndex>& open_claims() const noexcept { return open_claims_; }
    const std::set<std::uint32_t>& sweepable() const noexcept { return sweepable_; }
    const std::multimap<std::uint32_t, std::uint32_t>& held() const noexcept { return held_; }
    // The next conflict without a stored proof.
    const Conflict* unproven() const noexcept;

  private:
    struct Contested {
        Span span;  // in the note's own numbering
        std::uint32_t debtor = 0;
    };
    struct Piece {
        Link link;
        Span there;  // in the numbering of the link's target
    };

    class Loader;

    Result<> fold(const Fact& fact, const engine::Committed& committed);
    Result<> fold_notes(const NotesFact& fact, const engine::Committed& committed);
    PurseRecord& at(std::uint32_t ordinal) { return purses_[ordinal - 1]; }
    void hear(std::uint32_t ordinal, std::uint32_t seq);
    void set_state(NoteIndex note, NoteState state);
    void settle(NoteIndex note, Effects& effects);
    void pay(NoteIndex note, Span span, Effects& effects);
    std::vector<Span> rest_of(NoteIndex note) const;
    void pay_rest(NoteIndex note, Effects& effects);
    void give_back_rest(NoteIndex note, Effects& effects);
    void void_note(NoteIndex note, Effects& effects);
    void take_from(NoteIndex payee_of, NoteIndex at, Span span, Effects& effects);
    std::vector<Piece> pieces_of(NoteIndex note, Span span) const;
    void pay_from_escrow(NoteIndex note, LotIndex lot, std::uint32_t to, std::uint64_t amount, Effects& effects);
    void owe(NoteIndex note, std::uint32_t debtor, std::uint32_t creditor, std::uint64_t amount, bool reserve);
    LotIndex root_lot(NoteIndex note) const;
    void give_back(NoteIndex note, Span span, Effects& effects);
    void return_to_source(NoteIndex note, const Link& link, Span span, Effects& effects);
    std::vector<OwnedSpan> spent_in_vain(const Link& source, const std::vector<Span>& parts) const;
    Change& changed(ChangeKind kind, const PurseRecord& purse);
    void note_changed(ChangeKind kind, NoteIndex note);
    void conflict(NoteIndex first, NoteIndex second);
    void freeze(std::uint32_t ordinal);
    void credit(std::uint32_t ordinal, std::uint64_t amount, std::uint32_t deadline);
    void debit_received(PurseRecord& purse, std::uint64_t amount);
    void refresh(const PurseRecord& purse);
    void release_received(std::uint32_t ordinal);
    void collect(ClaimIndex claim, std::uint64_t amount, std::uint32_t deadline);
    void keep_proof(const Bytes& proof);
    bool keep_alarm(const Bytes& text);

    // All of it is kept on disk, or follows from what is: a new member goes into book_save.cpp and book_load.cpp.
    std::deque<PurseRecord> purses_;  // by ordinal - 1
    std::deque<LotRecord> lots_;
    std::deque<NoteRecord> notes_;
    std::deque<ClaimRecord> claims_;
    std::vector<Conflict> conflicts_;
    std::size_t proven_ = 0;  // conflicts_ before this have their proof
    std::vector<Bytes> proofs_;
    std::map<std::uint32_t, std::size_t> first_proof_;  // culprit -> of proofs_
    boost::unordered_flat_map<purse::Id, NoteIndex, IdHash> note_by_id_;
    boost::unordered_flat_map<purse::Id, NoteIndex, IdHash> note_by_request_;
    boost::unordered_flat_map<purse::Id, LotIndex, IdHash> lot_by_id_;
    boost::unordered_flat_map<std::uint64_t, LotIndex> lot_by_serial_;
    boost::unordered_flat_map<WalletId, std::vector<std::uint32_t>, std::hash<WalletId>> purses_of_wallet_;
    boost::unordered_flat_map<LoadId, LotIndex, std::hash<LoadId>> lot_by_load_;
    boost::unordered_flat_map<std::uint64_t, NoteIndex> note_by_seq_;  // payer << 32 | seq
    boost::unordered_flat_map<NoteIndex, RangeIndex> spent_notes_;     // only those that are spent on
    // Spent by notes that were voided or have lapsed: nobody is paid for it, and to spend it again is a double spend.
    boost::unordered_flat_map<std::uint32_t, RangeIndex> vain_lots_;
    boost::unordered_flat_map<std::uint32_t, RangeIndex> vain_notes_;
    boost::unordered_flat_map<NoteIndex, std::vector<Contested>> contested_;
    boost::unordered_flat_map<purse::Id, std::uint32_t, IdHash> voided_;  // request -> payee
    std::multimap<std::uint32_t, NoteIndex> pending_;                     // by deadline
    std::multimap<std::uint32_t, LotIndex> open_lots_;                    // by settle_by
    std::multimap<std::uint32_t, std::uint32_t> held_;                    // hold_until -> purse
    std::set<ClaimIndex> open_claims_;
    std::set<std::uint32_t> sweepable_;
    std::set<std::uint32_t> revoked_;
    std::deque<List> lists_;
    std::map<std::uint32_t, purse::Id> heads_;  // by version, of all that were published
    std::vector<Bytes> alarms_;
    std::set<purse::Id> alarm_heads_;
    Bytes root_;
    std::map<std::pair<uint128, std::uint32_t>, std::uint64_t> open_by_holder_;  // amounts of open lots
    std::map<purse::Kid, std::uint64_t> open_by_issuer_;
    struct Owed {
        std::uint64_t amount = 0;  // to the note's payee, for ranges that were spent twice
        Timestamp settled{};       // when the note was
    };
    boost::unordered_flat_map<NoteIndex, Owed> owed_;
    std::vector<Change> changes_;
    NoteIndex first_untold_ = 0;  // notes from here on came after changes were last taken
    std::uint64_t last_change_ = 0;
    std::uint64_t last_serial_ = 0;
    NoteIndex first_unwritten_ = 0;
};

// Whether the ledger has moved all of it. What the book says is paid and was refused is a contradiction that nothing
// may be built on.
bool all_paid(const Effects& effects, const engine::Command& command, const engine::Outcome& outcome);

// Ledger accounts of lots and purses (docs/settlement.md, Accounts).
uint128 escrow_account(std::uint64_t serial);
uint128 received_account(std::uint32_t ordinal);
uint128 collateral_account(std::uint32_t ordinal);

}  // namespace jiaozi::settlement
