// What follows from a command, and what time brings: proofs, claims, sweeps, lapses, refunds, acknowledgements, the
// blacklist.
#include <algorithm>

#include <jiaozi/api/accounts.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/purse/proof.hpp>

#include "impl.hpp"
#include "objects.hpp"

namespace jiaozi::settlement {
namespace {

constexpr unsigned claim_tries = 3;
constexpr std::size_t rows_at_a_time = 1'000;
constexpr Duration read_patience = seconds(10);

bool all_ok(const engine::Outcome& outcome) {
    return std::ranges::all_of(outcome.transfers, [](ledger::CreateTransferResult result) {
        return result == ledger::CreateTransferResult::ok;
    });
}

// All of the command's transfers as one chain.
void link(engine::Command& command) {
    for (std::size_t i = 0; i + 1 < command.transfers.size(); ++i) {
        command.transfers[i].flags |= ledger::transfer_flags::linked;
    }
}

}  // namespace

void Settlement::Impl::add_payouts(engine::Command& command, const Effects& effects) const {
    for (const Payout& payout : effects.payouts) {
        const LotRecord& lot = book.lot(payout.lot);
        const PurseRecord& payee = *book.purse(payout.to);
        command.transfers.push_back({.id = transfer_id(book.note(payout.note).id, Role::payout, payout.number),
                                     .debit_account_id = lot.escrow_account,
                                     .credit_account_id = payee.received_account,
                                     .amount = payout.amount,
                                     .user_data_128 = payment_of(book.note(payout.note).id).value,
                                     .user_data_64 = lot.serial,
                                     .user_data_32 = payee.ordinal,
                                     .ledger = payee.asset.ledger,
                                     .code = api::transfer_purse_payout});
    }
}

std::uint64_t Settlement::Impl::available(uint128 id) const {
    const auto account = parts_.engine.account(id);
    const std::uint16_t shut = ledger::account_flags::frozen | ledger::account_flags::closed;
    if (!account || (account->flags & shut) != 0) return 0;
    const uint128 taken = account->debits_posted + account->debits_pending;
    return account->credits_posted > taken ? low64(account->credits_posted - taken) : 0;
}

void Settlement::Impl::follow_up() {
    if (failure_) return;
    while (proofs_queued_ < book.conflicts().size()) queue_proof(book.conflicts()[proofs_queued_++]);
    while (claims_queued_ < book.claims()) queue_claim(claims_queued_++, claim_tries);
    const bool sweep = std::ranges::any_of(book.sweepable(),
                                           [this](std::uint32_t ordinal) { return !sweep_refused_.contains(ordinal); });
    if (sweep) queue_sweep();
    // The first one with the first purse: without a list it would take small amounts only.
    if (list_is_due()) queue_list();
}

Result<Bytes> Settlement::Impl::note_bytes(NoteIndex index) {
    const NoteRecord& note = book.note(index);
    JZ_TRY(const engine::Committed committed, engine::read_command(parts_.engine, note.journal, read_patience));
    JZ_TRY(const std::optional<Fact> fact, decode_annotation(committed.command.annotation));
    const auto* notes = fact ? std::get_if<NotesFact>(&*fact) : nullptr;
    if (notes != nullptr) {
        for (const NoteRow& row : notes->rows) {
            purse::Object object;
            if (purse::read_whole(row.note, purse::Type::note, object) == JZ_OK && id_of(object) == note.id) {
                return row.note;
            }
        }
    }
    return Error(ErrorKind::corrupt, "command " + std::to_string(note.journal) + " has not the note it should have");
}

Result<Bytes> Settlement::Impl::make_proof(const Conflict& conflict) {
    JZ_TRY(const Bytes first, note_bytes(conflict.first));
    JZ_TRY(const Bytes second, note_bytes(conflict.second));
    const PurseRecord& culprit = *book.purse(conflict.culprit);
    JZ_ASSERT(!culprit.lots.empty());  // a purse without certificate has paid nobody: over_limit
    const Bytes& certificate = book.lot(culprit.lots.front()).certificate;
    purse::Entry<purse::Note> left;
    purse::Entry<purse::Note> right;
    purse::Object owner;
    const bool read = read_value(first, purse::Type::note, left.object, left.value) &&
                      read_value(second, purse::Type::note, right.object, right.value) &&
                      purse::read_whole(certificate, purse::Type::certificate, owner) == JZ_OK;
    JZ_ASSERT(read);  // they were read when they were journaled
    left.id = id_of(left.object);
    right.id = id_of(right.object);
    std::array<std::uint8_t, 4 * JZ_PROOF_BYTES> room{};
    return to_bytes(purse::write_proof(left, right, owner, room));
}

void Settlement::Impl::queue_proof(Conflict conflict) {
    auto fact = std::make_shared<ProofFact>();
    enqueue({[this, fact, conflict]() -> std::optional<engine::Command> {
                 auto proof = make_proof(conflict);
                 if (!proof.ok()) {
                     log::error("a fork proof could not be made", {{"cause", proof.error().to_string()}});
                     return std::nullopt;
                 }
                 fact->proof = std::move(*proof);
                 engine::Command command;
                 command.annotation = encode(*fact);
                 return command;
             },
             [this, fact](const Result<engine::Outcome>& outcome) {
                 if (outcome.ok()) book.add(*fact);
             }});
}

std::optional<engine::Command> Settlement::Impl::prepare_claim(ClaimIndex index, CollectedFact& fact) {
    const ClaimRecord& claim = book.claim(index);
    const PurseRecord& debtor = *book.purse(claim.debtor);
    const PurseRecord& creditor = *book.purse(claim.creditor);
    const LotRecord& lot = book.lot(claim.lot);
    const std::uint64_t cap = options_.policy.of(book.purse(lot.purse)->assurance).reserve_cap;
    const uint128 reserve = api::system_account(api::code_reserve, debtor.asset.ledger);
    const std::array<uint128, recovery_sources> accounts{debtor.received_account, collateral_account(debtor.ordinal),
                                                         debtor.wallet.value, reserve};
    const std::array<std::uint64_t, recovery_sources> most{
        claim.debtor == claim.creditor ? 0 : debtor.received, debtor.collateral, available(debtor.wallet.value),
        claim.reserve && cap > lot.reserve ? std::min(cap - lot.reserve, available(reserve)) : 0};
    std::uint64_t left = claim.open();
    engine::Command command;
    fact.claim = index;
    for (std::uint32_t i = 0; i < recovery_sources; ++i) {
        fact.parts[i] = std::min(left, most[i]);
        left -= fact.parts[i];
        if (fact.parts[i] == 0) continue;
        command.transfers.push_back({.id = transfer_id(std::uint64_t{index}, Role::recovery, claim.attempts, i),
                                     .debit_account_id = accounts[i],
                                     .credit_account_id = creditor.received_account,
                                     .amount = fact.parts[i],
                                     .user_data_128 = debtor.received_account,
                                     .user_data_64 = lot.serial,
                                     .user_data_32 = creditor.ordinal,
                                     .ledger = creditor.asset.ledger,
                                     .code = api::transfer_purse_recovery});
    }
    if (command.transfers.empty()) return std::nullopt;
    link(command);
    command.annotation = encode(fact);
    return command;
}

void Settlement::Impl::queue_claim(ClaimIndex index, unsigned tries) {
    if (book.claim(index).open() == 0) return;
    auto fact = std::make_shared<CollectedFact>();
    enqueue({[this, fact, index] { return prepare_claim(index, *fact); },
             [this, fact, index, tries](const Result<engine::Outcome>& outcome) {
                 if (!outcome.ok()) return;
                 const bool moved = all_ok(*outcome);
                 book.add(*fact, moved);
                 // A payment was faster: look again at what there is.
                 if (!moved && tries > 1) queue_claim(index, tries - 1);
             }});
}

void Settlement::Impl::queue_sweep() {
    if (sweep_queued_) return;
    sweep_queued_ = true;
    auto fact = std::make_shared<SweptFact>();
    enqueue({[this, fact]() -> std::optional<engine::Command> {
                 sweep_queued_ = false;
                 engine::Command command;
                 for (const std::uint32_t ordinal : book.sweepable()) {
                     if (fact->rows.size() == rows_at_a_time) break;
                     if (sweep_refused_.contains(ordinal)) continue;
                     const PurseRecord& purse = *book.purse(ordinal);
                     fact->rows.push_back({ordinal, purse.ready});
                     command.transfers.push_back({.id = transfer_id(std::uint64_t{ordinal}, Role::sweep, purse.sweeps),
                                                  .debit_account_id = purse.received_account,
                                                  .credit_account_id = purse.wallet.value,
                                                  .amount = purse.ready,
                                                  .user_data_128 = purse.received_account,
                                                  .user_data_32 = ordinal,
                                                  .ledger = purse.asset.ledger,
                                                  .code = api::transfer_purse_sweep});
                 }
                 if (fact->rows.empty()) return std::nullopt;
                 command.annotation = encode(*fact);
                 return command;
             },
             [this, fact](const Result<engine::Outcome>& outcome) {
                 if (!outcome.ok()) return;
                 for (std::size_t i = 0; i < fact->rows.size(); ++i) {
                     const bool moved = outcome->transfers[i] == ledger::CreateTransferResult::ok;
                     book.add_swept(fact->rows[i], moved);
                     if (!moved) sweep_refused_.emplace(fact->rows[i].ordinal, 1);
                 }
             }});
}

std::optional<engine::Command> Settlement::Impl::prepare_lapses(Effects& moved) {
    LapsedFact fact;
    for (const auto& [deadline, index] : book.pending()) {
        if (deadline > now_s() || fact.rows.size() == rows_at_a_time) break;
        const NoteRecord& note = book.note(index);
        fact.rows.push_back({note.id, book.purse(note.payee)->state == PurseState::lost});
    }
    if (fact.rows.empty()) return std::nullopt;
    for (const auto& row : fact.rows) book.add(row, moved);
    engine::Command command;
    add_payouts(command, moved);
    command.annotation = encode(fact);
    return command;
}

void Settlement::Impl::queue_lapses() {
    const auto moved = std::make_shared<Effects>();
    enqueue({[this, moved] { return prepare_lapses(*moved); },
             [this](const Result<engine::Outcome>& outcome) {
                 const auto& pending = book.pending();
                 if (outcome.ok() && !pending.empty() && pending.begin()->first <= now_s()) queue_lapses();
             },
             moved});
}

std::optional<engine::Command> Settlement::Impl::prepare_refund(LotIndex index, ClosedFact& fact) {
    const LotRecord& lot = book.lot(index);
    if (lot.state != LotState::open || lot.settle_by > now_s()) return std::nullopt;
    // Notes that are due must be decided first: they may still be paid from it. The next advance comes again.
    if (!book.pending().empty() && book.pending().begin()->first <= now_s()) return std::nullopt;
    const PurseRecord& owner = *book.purse(lot.purse);
    engine::Command command;
    std::uint32_t part = 0;
    const auto move = [&](uint128 from, uint128 to, std::uint64_t amount, Role role, std::uint16_t code) {
        if (amount == 0) return;
        command.transfers.push_back({.id = transfer_id(lot.serial, role, lot.attempts, part++),
                                     .debit_account_id = from,
                                     .credit_account_id = to,
                                     .amount = amount,
                                     .user_data_128 = lot.escrow_account,
                                     .user_data_64 = lot.serial,
                                     .user_data_32 = owner.ordinal,
                                     .ledger = owner.asset.ledger,
                                     .code = code});
    };
    fact = {.serial = lot.serial, .refund = lot.amount - lot.paid, .collateral = 0, .claims = {}};
    bool owes = false;
    if (owner.open_claims > 0) {
        for (const ClaimIndex claim_index : book.open_claims()) {
            const ClaimRecord& claim = book.claim(claim_index);
            if (claim.debtor != owner.ordinal) continue;
            const std::uint64_t amount = std::min(claim.open(), fact.refund);
            owes = owes || claim.open() > amount;
            if (amount == 0) continue;
            fact.refund -= amount;
            fact.claims.push_back({claim_index, amount});
            move(lot.escrow_account, book.purse(claim.creditor)->received_account, amount, Role::refund,
                 api::transfer_purse_recovery);
        }
    }
    if (!owes) {
        const std::uint64_t percent = options_.policy.of(owner.assurance).collateral_percent;
        const uint128 needed = (static_cast<uint128>(book.open_lots_of(owner) - lot.amount) * percent + 99) / 100;
        fact.collateral = owner.collateral > needed ? owner.collateral - low64(needed) : 0;
    }
    move(lot.escrow_account, owner.wallet.value, fact.refund, Role::refund, api::transfer_purse_refund);
    move(collateral_account(owner.ordinal), owner.wallet.value, fact.collateral, Role::collateral_back,
         api::transfer_purse_collateral_back);
    link(command);
    command.annotation = encode(fact);
    return command;
}

void Settlement::Impl::queue_refund(LotIndex lot) {
    auto fact = std::make_shared<ClosedFact>();
    enqueue({[this, fact, lot] { return prepare_refund(lot, *fact); },
             [this, fact](const Result<engine::Outcome>& outcome) {
                 if (outcome.ok()) book.add(*fact, all_ok(*outcome));
             }});
}

bool Settlement::Impl::list_is_due() const {
    if (book.lists().empty()) return book.enrolled() > 0;
    const Book::List& last = book.lists().back();
    return now_s() >= last.time + options_.list_every_s || !std::ranges::equal(last.revoked, book.revoked());
}

void Settlement::Impl::queue_list() {
    if (list_queued_) return;
    list_queued_ = true;
    struct Made {
        ListFact fact;
        purse::ListHead head;
    };
    auto made = std::make_shared<Made>();
    enqueue({[this, made]() -> std::optional<engine::Command> {
                 list_queued_ = false;
                 if (!list_is_due() || issuers_.empty()) return std::nullopt;
                 const std::uint32_t version = book.lists().empty() ? 1 : book.lists().back().version + 1;
                 const std::vector<std::uint32_t> revoked(book.revoked().begin(), book.revoked().end());
                 auto list = issuers_.front()->blacklist(version, now_s(), book.enrolled(), revoked);
                 made->fact = {std::move(list.head), std::move(list.body)};
                 purse::Object object;
                 const bool read = read_value(made->fact.head, purse::Type::list_head, object, made->head);
                 JZ_ASSERT(read);  // written by the issuer just now
                 engine::Command command;
                 command.annotation = encode(made->fact);
                 return command;
             },
             [this, made](const Result<engine::Outcome>& outcome) {
                 if (outcome.ok()) book.add(made->fact, made->head);
             }});
}

Result<ListUpdate> Settlement::Impl::list(std::uint32_t from) const {
    if (book.lists().empty())
        return Error(ErrorKind::not_found, "no blacklist has been published yet; ask again later");
    const Book::List& last = book.lists().back();
    ListUpdate update{last.version, last.head, last.body, {}};
    const auto old = std::ranges::find(book.lists(), from, &Book::List::version);
    if (old == book.lists().end() || old->version == last.version) return update;
    std::vector<std::uint32_t> added;
    std::vector<std::uint32_t> removed;
    std::ranges::set_difference(last.revoked, old->revoked, std::back_inserter(added));
    std::ranges::set_difference(old->revoked, last.revoked, std::back_inserter(removed));
    codec::CborWriter delta;
    delta.array(5).uint(from);
    delta.uint(added.size()).bytes(purse_host::rice_encode(last.enrolled, added));
    delta.uint(removed.size()).bytes(purse_host::rice_encode(last.enrolled, removed));
    update.delta = last.head;
    append(update.delta, delta.take());
    static constexpr std::size_t most = 512;
    if (update.delta.size() > most) update.delta.clear();
    return update;
}

void Settlement::Impl::sync(const SyncRequest& request, api::Done<Bytes> done) {
    struct Made {
        SyncFact fact;
        purse::SyncAck ack;
    };
    auto made = std::make_shared<Made>();
    auto answer = std::make_shared<api::Done<Bytes>>(std::move(done));
    enqueue({[this, made, answer, request]() -> std::optional<engine::Command> {
                 const PurseRecord* purse = book.purse(request.purse);
                 if (purse == nullptr) {
                     (*answer)(not_found_purse(request.purse));
                     return std::nullopt;
                 }
                 auto issuer = issuer_for(purse->key->suite());
                 if (!issuer.ok()) {
                     (*answer)(std::move(issuer).error());
                     return std::nullopt;
                 }
                 purse::SyncAck& ack = made->ack;
                 ack.purse = purse->ordinal;
                 ack.sync = std::max(purse->syncs, request.last_seen) + 1;
                 ack.time = now_s();
                 ack.through = purse->through;
                 ack.flags = purse->state == PurseState::active ? purse::sync_limits : purse::sync_freeze;
                 if (request.suspect && purse->state == PurseState::active) {
                     ack.flags |= purse::sync_restart;
                     ack.next = std::max(purse->highest_heard, request.highest_seq) + 1;
                     ack.through = ack.next - 1;
                 }
                 for (const auto& release : purse->releases) {
                     const bool told = release.sync != 0 && release.sync <= request.last_seen;
                     if (told || ack.released == purse::max_released) continue;
                     ack.release[ack.released++] = release.note;
                 }
                 made->fact = {(*issuer)->sync_ack(ack), request.last_seen};
                 engine::Command command;
                 command.annotation = encode(made->fact);
                 return command;
             },
             [this, made, answer](const Result<engine::Outcome>& outcome) {
                 if (!outcome.ok()) return (*answer)(Error(outcome.error()));
                 book.add(made->fact, made->ack);
                 sweep_refused_.erase(made->ack.purse);
                 (*answer)(made->fact.object);
             }});
}

void Settlement::Impl::install_root(Bytes bytes, api::Done<std::uint32_t> done) {
    struct Made {
        RootFact fact;
        Root root;
    };
    auto made = std::make_shared<Made>();
    made->fact.document = std::move(bytes);
    auto answer = std::make_shared<api::Done<std::uint32_t>>(std::move(done));
    enqueue({[this, made, answer]() -> std::optional<engine::Command> {
                 auto root = accept_root(root_, made->fact.document);
                 if (!root.ok()) {
                     (*answer)(std::move(root).error());
                     return std::nullopt;
                 }
                 made->root = std::move(*root);
                 engine::Command command;
                 command.annotation = encode(made->fact);
                 return command;
             },
             [this, made, answer](const Result<engine::Outcome>& outcome) {
                 if (!outcome.ok()) return (*answer)(Error(outcome.error()));
                 book.add(made->fact);
                 root_ = std::move(made->root);
                 (*answer)(root_->version);
             }});
}

void Settlement::Impl::declare_lost(std::uint32_t ordinal, api::Done<PurseState> done) {
    const StateFact fact{ordinal, PurseState::lost};
    auto answer = std::make_shared<api::Done<PurseState>>(std::move(done));
    enqueue({[this, fact, answer]() -> std::optional<engine::Command> {
                 const PurseRecord* purse = book.purse(fact.ordinal);
                 if (purse == nullptr) {
                     (*answer)(not_found_purse(fact.ordinal));
                     return std::nullopt;
                 }
                 // FROZEN stays FROZEN: its money must not become sweepable by being lost.
                 if (purse->state != PurseState::active) {
                     (*answer)(purse->state);
                     return std::nullopt;
                 }
                 engine::Command command;
                 command.annotation = encode(fact);
                 return command;
             },
             [this, fact, answer](const Result<engine::Outcome>& outcome) {
                 if (!outcome.ok()) return (*answer)(Error(outcome.error()));
                 book.add(fact);
                 (*answer)(fact.state);
             }});
}

void Settlement::Impl::advance(api::Done<std::uint32_t> done) {
    queue_lapses();
    for (const ClaimIndex claim : std::vector(book.open_claims().begin(), book.open_claims().end())) {
        queue_claim(claim, claim_tries);
    }
    // Which lots end is decided when their turn comes: notes that lapse before may still be paid from them.
    std::vector<LotIndex> due;
    for (const auto& [settle_by, lot] : book.open_lots()) {
        if (settle_by > now_s()) break;
        due.push_back(lot);
    }
    for (const LotIndex lot : due) queue_refund(lot);
    if (list_is_due()) queue_list();
    auto answer = std::make_shared<api::Done<std::uint32_t>>(std::move(done));
    enqueue({[this, answer, count = static_cast<std::uint32_t>(due.size())]() -> std::optional<engine::Command> {
                 book.release_held(now_s());
                 sweep_refused_.clear();
                 follow_up();
                 (*answer)(count);
                 return std::nullopt;
             },
             [answer](const Result<engine::Outcome>& outcome) {
                 if (!outcome.ok()) (*answer)(Error(outcome.error()));
             }});
}

}  // namespace jiaozi::settlement
