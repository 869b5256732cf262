#include <algorithm>
#include <array>

#include <jiaozi/base/big_endian.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/settlement/book.hpp>

#include "objects.hpp"

namespace jiaozi::settlement {
namespace {

template <std::size_t size>
uint128 account_id(std::string_view domain, std::uint64_t number) {
    Bytes text = to_bytes(as_bytes(domain));
    for (std::size_t i = size; i > 0; --i) text.push_back(static_cast<std::uint8_t>(number >> (8 * (i - 1))));
    return from_big_endian(crypto::sha256(text));
}

Error contradiction(std::string_view what) {
    return {ErrorKind::corrupt, std::string(what) + ": the journal contradicts itself; restore it from a backup"};
}

bool all_ok(const engine::Committed& committed) {
    return std::ranges::all_of(committed.outcome.transfers, [](ledger::CreateTransferResult result) {
        return result == ledger::CreateTransferResult::ok;
    });
}

// Of a proof that this service has made: the payer of its first note.
std::optional<std::uint32_t> guilty_of(purse::View proof) {
    purse::Object object;
    purse::Note note;
    static constexpr std::size_t head = 2;  // array of four, type
    if (proof.size() <= head) return std::nullopt;
    purse::View rest = proof.subspan(head);
    if (purse::read_object(rest, object) != JZ_OK || purse::parse(object, note) != JZ_OK) return std::nullopt;
    return note.payer;
}

}  // namespace

uint128 escrow_account(std::uint64_t serial) {
    return account_id<8>("jiaozi/lot/1", serial);
}
uint128 received_account(std::uint32_t ordinal) {
    return account_id<4>("jiaozi/purse/received/1", ordinal);
}
uint128 collateral_account(std::uint32_t ordinal) {
    return account_id<4>("jiaozi/purse/collateral/1", ordinal);
}

std::string_view name_of(NoteState state) noexcept {
    static constexpr std::array<std::string_view, 6> names{"known",  "pending", "settled",
                                                           "voided", "lapsed",  "reversed"};
    return names[static_cast<std::size_t>(state)];
}

const crypto::Verifier* PurseKey::verifier() const {
    std::call_once(once_, [this] {
        auto made = crypto::make_verifier(suite_, key_);
        if (made.ok()) verifier_ = std::move(made).value();
    });
    return verifier_ ? &*verifier_ : nullptr;
}

Result<> Book::apply(const engine::Committed& committed) {
    JZ_TRY(const std::optional<Fact> fact, decode_annotation(committed.command.annotation));
    if (!fact) return {};
    return fold(*fact, committed);
}

bool all_paid(const Effects& effects, const engine::Command& command, const engine::Outcome& outcome) {
    if (outcome.transfers.size() != effects.payouts.size() || command.transfers.size() != outcome.transfers.size()) {
        return false;
    }
    for (std::size_t i = 0; i < effects.payouts.size(); ++i) {
        if (outcome.transfers[i] != ledger::CreateTransferResult::ok) return false;
        if (command.transfers[i].amount != effects.payouts[i].amount) return false;
    }
    return true;
}

Result<> Book::fold(const Fact& fact, const engine::Committed& committed) {
    if (const auto* notes = std::get_if<NotesFact>(&fact)) return fold_notes(*notes, committed);
    if (const auto* enrolled = std::get_if<EnrolledFact>(&fact)) {
        if (enrolled->ordinal != purses_.size() + 1) return contradiction("enrolled");
        add(*enrolled, committed.outcome.timestamp);
    } else if (const auto* loaded = std::get_if<LoadedFact>(&fact)) {
        add(*loaded, all_ok(committed));
    } else if (const auto* closed = std::get_if<ClosedFact>(&fact)) {
        if (lot_of_serial(closed->serial) == none) return contradiction("closed");
        add(*closed, all_ok(committed));
    } else if (const auto* collected = std::get_if<CollectedFact>(&fact)) {
        if (collected->claim >= claims_.size()) return contradiction("collected");
        add(*collected, all_ok(committed));
    } else if (const auto* swept = std::get_if<SweptFact>(&fact)) {
        if (swept->rows.size() != committed.outcome.transfers.size()) return contradiction("swept");
        for (std::size_t i = 0; i < swept->rows.size(); ++i) {
            if (purse(swept->rows[i].ordinal) == nullptr) return contradiction("swept");
            add_swept(swept->rows[i], committed.outcome.transfers[i] == ledger::CreateTransferResult::ok);
        }
    } else if (const auto* state = std::get_if<StateFact>(&fact)) {
        if (purse(state->ordinal) == nullptr) return contradiction("state");
        add(*state);
    } else if (const auto* sync = std::get_if<SyncFact>(&fact)) {
        purse::Object object;
        purse::SyncAck ack;
        if (!read_value(sync->object, purse::Type::sync_ack, object, ack)) return contradiction("sync");
        add(*sync, ack);
    } else if (const auto* list = std::get_if<ListFact>(&fact)) {
        purse::Object object;
        purse::ListHead head;
        if (!read_value(list->head, purse::Type::list_head, object, head)) return contradiction("list");
        // Two lists of one version: somebody else has the issuing key.
        if (!lists_.empty() && head.version <= lists_.back().version) return contradiction("two lists of one version");
        add(*list, head);
    } else if (const auto* root = std::get_if<RootFact>(&fact)) {
        add(*root);
    } else if (const auto* proof = std::get_if<ProofFact>(&fact)) {
        add(*proof);
    } else if (const auto* alarm = std::get_if<AlarmFact>(&fact)) {
        add(*alarm);
    } else if (const auto* lapsed = std::get_if<LapsedFact>(&fact)) {
        Effects effects;
        for (const auto& row : lapsed->rows) {
            if (find_note(row.note) == none) return contradiction("lapsed");
            add(row, effects);
        }
        if (!all_paid(effects, committed.command, committed.outcome)) return contradiction("payout");
    }
    return {};
}

Result<> Book::fold_notes(const NotesFact& fact, const engine::Committed& committed) {
    Effects effects;
    for (const NoteRow& row : fact.rows) {
        if ((row.flags & note_flags::void_request) != 0) {
            purse::Object object;
            purse::Void value;
            if (!read_value(row.note, purse::Type::void_request, object, value)) return contradiction("void");
            add(value, effects);
            continue;
        }
        NoteIndex index = none;
        purse::Id id{};
        if (purse::take(row.note, id)) {
            index = find_note(id);
        } else {
            purse::Object object;
            purse::Note note;
            if (!read_value(row.note, purse::Type::note, object, note)) return contradiction("notes");
            index = add_note(id_of(object), note, committed.sequence);
        }
        if (index == none) return contradiction("notes");
        if ((row.flags & note_flags::deposited) == 0) continue;
        purse::Object object;
        purse::Receipt receipt;
        const bool has_receipt = !row.receipt.empty() && read_value(row.receipt, purse::Type::receipt, object, receipt);
        deposit(index, row.flags, has_receipt ? &receipt : nullptr, effects);
    }
    written(committed.sequence);
    if (!all_paid(effects, committed.command, committed.outcome)) return contradiction("payout");
    return {};
}

void Book::add(const EnrolledFact& fact, Timestamp at) {
    PurseRecord& purse = purses_.emplace_back();
    purse.ordinal = fact.ordinal;
    purse.assurance = fact.assurance;
    purse.key = std::make_shared<const PurseKey>(fact.suite, fact.key);
    purse.wallet = fact.wallet;
    purse.holder = fact.holder;
    purse.asset = fact.asset;
    purse.device = fact.device;
    purse.enrolled = at;
    purse.received_account = settlement::received_account(fact.ordinal);
    purses_of_wallet_[fact.wallet].push_back(fact.ordinal);
    changed(ChangeKind::enrolled, purse);
}

void Book::add(const LoadedFact& fact, bool accepted) {
    purse::Object object;
    purse::Certificate certificate;
    if (!read_value(fact.certificate, purse::Type::certificate, object, certificate)) return;
    LotRecord lot;
    lot.id = id_of(object);
    lot.serial = certificate.serial;
    lot.purse = certificate.purse;
    lot.state = accepted ? LotState::open : LotState::refused;
    lot.hops = certificate.hops;
    lot.amount = certificate.amount;
    lot.per_payment = certificate.per_payment;
    lot.settle_by = certificate.settle_by;
    lot.directed = certificate.directed;
    lot.issuer = certificate.issuer;
    lot.load = fact.load;
    lot.escrow_account = settlement::escrow_account(lot.serial);
    lot.certificate = fact.certificate;
    last_serial_ = std::max(last_serial_, lot.serial);
    const auto index = static_cast<LotIndex>(lots_.size());
    lot_by_load_.emplace(fact.load, index);
    lot_by_serial_.emplace(lot.serial, index);
    if (accepted) {
        PurseRecord& owner = at(lot.purse);
        lot_by_id_.emplace(lot.id, index);
        owner.lots.push_back(index);
        owner.collateral += fact.collateral;
        owner.per_payment = std::max(owner.per_payment, lot.per_payment);
        open_lots_.emplace(lot.settle_by, index);
        open_by_holder_[{owner.holder, owner.asset.ledger}] += lot.amount;
        open_by_issuer_[lot.issuer] += lot.amount;
        Change& change = changed(ChangeKind::loaded, owner);
        change.amount = lot.amount;
        change.collateral = fact.collateral;
        change.serial = lot.serial;
        change.load = lot.load;
    }
    lots_.push_back(std::move(lot));
}

void Book::add(const ClosedFact& fact, bool refunded) {
    const LotIndex index = lot_of_serial(fact.serial);
    LotRecord& lot = lots_[index];
    ++lot.attempts;
    if (!refunded) return;
    lot.state = LotState::closed;
    lot.paid += fact.refund;
    for (const auto& part : fact.claims) {
        lot.paid += part.amount;
        collect(static_cast<ClaimIndex>(part.claim), part.amount, lot.settle_by);
    }
    const auto [first, last] = open_lots_.equal_range(lot.settle_by);
    for (auto it = first; it != last; ++it) {
        if (it->second != index) continue;
        open_lots_.erase(it);
        break;
    }
    PurseRecord& owner = at(lot.purse);
    owner.collateral -= std::min(owner.collateral, fact.collateral);
    open_by_holder_[{owner.holder, owner.asset.ledger}] -= lot.amount;
    open_by_issuer_[lot.issuer] -= lot.amount;
    Change& change = changed(ChangeKind::refunded, owner);
    change.amount = fact.refund;
    change.collateral = fact.collateral;
    change.serial = lot.serial;
    change.load = lot.load;
}

void Book::add(const CollectedFact& fact, bool moved) {
    ClaimRecord& claim = claims_[fact.claim];
    ++claim.attempts;
    if (!moved) return;
    PurseRecord& debtor = at(claim.debtor);
    debit_received(debtor, fact.parts[0]);
    debtor.collateral -= std::min(debtor.collateral, fact.parts[1]);
    lots_[claim.lot].reserve += fact.parts[3];
    std::uint64_t total = 0;
    for (const std::uint64_t part : fact.parts) total += part;
    collect(static_cast<ClaimIndex>(fact.claim), total, notes_[claim.note].deadline);
}

void Book::add_swept(const SweptFact::Row& row, bool moved) {
    PurseRecord& purse = at(row.ordinal);
    ++purse.sweeps;
    if (moved) debit_received(purse, row.amount);
    refresh(purse);
}

void Book::add(const StateFact& fact) {
    PurseRecord& purse = at(fact.ordinal);
    purse.state = fact.state;
    if (fact.state == PurseState::active) {
        revoked_.erase(fact.ordinal);
    } else {
        revoked_.insert(fact.ordinal);
        changed(fact.state == PurseState::lost ? ChangeKind::lost : ChangeKind::frozen, purse);
    }
    refresh(purse);
}

void Book::add(const SyncFact& fact, const purse::SyncAck& ack) {
    PurseRecord& purse = at(ack.purse);
    purse.syncs = std::max(purse.syncs, ack.sync);
    purse.synced_at = std::max(purse.synced_at, ack.time);
    purse.last_seen = std::max(purse.last_seen, fact.last_seen);
    std::erase_if(purse.releases,
                  [&](const auto& release) { return release.sync != 0 && release.sync <= purse.last_seen; });
    for (auto& release : purse.releases) {
        const auto told = std::span(ack.release).first(ack.released);
        if (release.sync == 0 && std::ranges::find(told, release.note) != told.end()) release.sync = ack.sync;
    }
    if (ack.next > purse.through) {
        purse.through = ack.next - 1;
        purse.heard.clear();
    }
    release_received(ack.purse);
}

Change& Book::changed(ChangeKind kind, const PurseRecord& purse) {
    Change& change = changes_.emplace_back();
    change.kind = kind;
    change.purse = purse.ordinal;
    change.wallet = purse.wallet;
    change.device = purse.device;
    change.asset = purse.asset;
    return change;
}

void Book::note_changed(ChangeKind kind, NoteIndex index) {
    const NoteRecord& note = notes_[index];
    const PurseRecord& payee = at(note.payee);
    Change& change = changed(kind, at(note.payer));
    change.amount = note.amount;
    change.note = note.id;
    change.payee = note.payee;
    change.payee_wallet = payee.wallet;
    change.payee_device = payee.device;
    change.hops = note.hop;
    change.index = index;
    change.made = note.made;
    change.deadline = note.deadline;
}

std::vector<Change> Book::take_changes(std::uint64_t sequence, Timestamp at) {
    for (; first_untold_ < notes_.size(); ++first_untold_) {
        notes_[first_untold_].heard = at;
        if (notes_[first_untold_].state == NoteState::known) note_changed(ChangeKind::note_known, first_untold_);
    }
    std::vector<Change> taken;
    taken.swap(changes_);
    if (!taken.empty()) last_change_ = sequence;
    for (Change& change : taken) {
        change.sequence = sequence;
        change.at = at;
        if (change.kind < ChangeKind::note_known) continue;
        change.heard = notes_[change.index].heard;
        if (change.kind == ChangeKind::note_settled) change.settled = at;
        const auto owed = owed_.find(change.index);
        if (owed == owed_.end()) continue;
        if (change.kind == ChangeKind::note_settled) owed->second.settled = at;
        if (change.kind == ChangeKind::note_recovered) change.settled = owed->second.settled;
        change.owed = owed->second.amount;
    }
    return taken;
}

void Book::add(const ListFact& fact, const purse::ListHead& head) {
    static constexpr std::size_t keep = 17;  // the newest, and 16 to make deltas from
    lists_.push_back(
        {head.version, head.time, head.enrolled, {revoked_.begin(), revoked_.end()}, fact.head, fact.body});
    if (lists_.size() > keep) lists_.pop_front();
    purse::Object object;
    if (purse::read_whole(fact.head, purse::Type::list_head, object) == JZ_OK) heads_[head.version] = id_of(object);
}

bool Book::has_published(std::uint32_t version, const purse::Id& head) const {
    const auto found = heads_.find(version);
    return found != heads_.end() && found->second == head;
}
bool Book::has_alarm(const purse::Id& head) const {
    return alarm_heads_.contains(head);
}

// False: it is not a HEAD, or there is an alarm about it already.
bool Book::keep_alarm(const Bytes& text) {
    purse::Object object;
    purse::ListHead head;
    if (!read_value(text, purse::Type::list_head, object, head) || !alarm_heads_.insert(id_of(object)).second)
        return false;
    alarms_.push_back(text);
    return true;
}

void Book::add(const AlarmFact& fact) {
    if (!keep_alarm(fact.head)) return;
    purse::Object object;
    purse::ListHead head;
    const bool read = read_value(fact.head, purse::Type::list_head, object, head);
    JZ_ASSERT(read);  // a moment ago
    Change& change = changes_.emplace_back();
    change.kind = ChangeKind::two_lists;
    change.serial = head.version;
    change.note = id_of(object);
}

void Book::keep_proof(const Bytes& proof) {
    if (const auto culprit = guilty_of(proof)) first_proof_.emplace(*culprit, proofs_.size());
    proofs_.push_back(proof);
}

void Book::add(const ProofFact& fact) {
    keep_proof(fact.proof);
    if (proven_ < conflicts_.size()) conflicts_[proven_++].proof_stored = true;
}

const Bytes* Book::proof_against(std::uint32_t ordinal) const {
    const auto found = first_proof_.find(ordinal);
    return found == first_proof_.end() ? nullptr : &proofs_[found->second];
}

const Conflict* Book::unproven() const noexcept {
    return proven_ < conflicts_.size() ? &conflicts_[proven_] : nullptr;
}

void Book::written(std::uint64_t journal) {
    for (; first_unwritten_ < notes_.size(); ++first_unwritten_) notes_[first_unwritten_].journal = journal;
}

const PurseRecord* Book::purse(std::uint32_t ordinal) const {
    return ordinal == 0 || ordinal > purses_.size() ? nullptr : &purses_[ordinal - 1];
}
NoteIndex Book::find_note(const purse::Id& id) const {
    const auto found = note_by_id_.find(id);
    return found == note_by_id_.end() ? none : found->second;
}
LotIndex Book::find_lot(const purse::Id& id) const {
    const auto found = lot_by_id_.find(id);
    return found == lot_by_id_.end() ? none : found->second;
}
LotIndex Book::lot_of_load(LoadId load) const {
    const auto found = lot_by_load_.find(load);
    return found == lot_by_load_.end() ? none : found->second;
}
LotIndex Book::lot_of_serial(std::uint64_t serial) const {
    const auto found = lot_by_serial_.find(serial);
    return found == lot_by_serial_.end() ? none : found->second;
}
bool Book::is_voided(const purse::Id& request, std::uint32_t payee) const {
    const auto found = voided_.find(request);
    return found != voided_.end() && found->second == payee;
}
std::uint64_t Book::open_lots_of_holder(uint128 holder, const Asset& asset) const {
    const auto found = open_by_holder_.find({holder, asset.ledger});
    return found == open_by_holder_.end() ? 0 : found->second;
}
std::uint64_t Book::open_lots_of_issuer(const purse::Kid& issuer) const {
    const auto found = open_by_issuer_.find(issuer);
    return found == open_by_issuer_.end() ? 0 : found->second;
}
std::uint64_t Book::open_lots_of(const PurseRecord& purse) const {
    std::uint64_t total = 0;
    for (const LotIndex index : purse.lots) {
        if (lots_[index].state == LotState::open) total += lots_[index].amount;
    }
    return total;
}
std::uint64_t Book::in_lots_of(const PurseRecord& purse) const {
    std::uint64_t total = 0;
    for (const LotIndex index : purse.lots) {
        if (lots_[index].state == LotState::open) total += lots_[index].amount - lots_[index].paid;
    }
    return total;
}
std::span<const std::uint32_t> Book::purses_of(WalletId wallet) const {
    const auto found = purses_of_wallet_.find(wallet);
    return found == purses_of_wallet_.end() ? std::span<const std::uint32_t>() : found->second;
}

}  // namespace jiaozi::settlement
