// The part of the book that knows what a note takes, who is paid for it, and who owes.
#include <algorithm>
#include <ranges>
#include <utility>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/settlement/book.hpp>

namespace jiaozi::settlement {
namespace {

Span cut(Span a, Span b) {
    return {std::max(a.from, b.from), std::min(a.to, b.to)};
}
bool empty(Span span) {
    return span.from >= span.to;
}

// What the note was about has been paid out, or given back: who spends it on later owes for it.
bool is_decided(NoteState state) {
    return state != NoteState::known && state != NoteState::pending;
}
// Its payee has said that it never would be credited.
bool is_disowned(NoteState state) {
    return state == NoteState::voided || state == NoteState::reversed;
}

ChangeKind change_of(NoteState state) {
    switch (state) {
        case NoteState::known:
            return ChangeKind::note_known;
        case NoteState::pending:
            return ChangeKind::note_pending;
        case NoteState::settled:
            return ChangeKind::note_settled;
        case NoteState::voided:
            return ChangeKind::note_voided;
        case NoteState::lapsed:
            return ChangeKind::note_lapsed;
        case NoteState::reversed:
            return ChangeKind::note_reversed;
    }
    return ChangeKind::note_pending;
}

}  // namespace

NoteIndex Book::add_note(const purse::Id& id, const purse::Note& value, std::uint64_t journal) {
    const auto index = static_cast<NoteIndex>(notes_.size());
    NoteRecord& note = notes_.emplace_back();
    note.id = id;
    note.request = value.request;
    note.payer = value.payer;
    note.seq = value.seq;
    note.payee = value.payee;
    note.hop = value.hop;
    note.made = value.time;
    note.amount = value.total();
    note.journal = journal;
    note.deadline = 0xFFFFFFFF;
    note.max_hops = purse::max_hops;
    note_by_id_.emplace(id, index);
    const auto [same, first] = note_by_request_.emplace(value.request, index);
    if (!first) note.same_request = std::exchange(same->second, index);

    std::uint64_t start = 0;
    for (const purse::Source& source : value.all_sources()) {
        Link link{.offset = source.offset, .amount = source.amount};
        const LotIndex lot = find_lot(source.id);
        link.lot = lot != none;
        link.target = link.lot ? lot : find_note(source.id);
        JZ_ASSERT(link.target != none);  // the judge has seen it
        link.behind = !link.lot && is_decided(notes_[link.target].state);
        if (!link.lot && is_disowned(notes_[link.target].state)) freeze(note.payer);
        note.deadline = std::min(note.deadline, link.lot ? lots_[lot].settle_by : notes_[link.target].deadline);
        note.max_hops = std::min(note.max_hops, link.lot ? lots_[lot].hops : notes_[link.target].max_hops);
        RangeIndex& spent = link.lot ? lots_[lot].spent : spent_notes_[link.target];
        const auto contest = [&](const OwnedSpan& other) {
            const std::uint64_t from = start + (other.span.from - source.offset);
            contested_[index].push_back({{from, from + other.span.size()}, note.payer});
            note.contested = true;
        };
        const Span range{source.offset, source.end()};
        for (const OwnedSpan& other : spent_in_vain(link, spent.gaps(range))) {
            // A voided range stays spent (docs/adr/0013): two notes over it are siblings. Of a lot its amount has gone
            // back; a note that is not decided yet has its money still.
            if (link.lot) contest(other);
            conflict(other.owner, index);
        }
        for (const OwnedSpan& other : spent.claim(range, index)) {
            contest(other);
            conflict(other.owner, index);
        }
        note.links.push_back(link);
        start += source.amount;
    }
    const std::uint64_t key = (std::uint64_t{note.payer} << 32) | note.seq;
    const auto [found, fresh] = note_by_seq_.emplace(key, index);
    if (!fresh) conflict(found->second, index);
    hear(note.payer, note.seq);
    return index;
}

void Book::deposit(NoteIndex index, std::uint8_t flags, const purse::Receipt* receipt, Effects& effects) {
    NoteRecord& note = notes_[index];
    if (receipt != nullptr) hear(note.payee, receipt->seq);
    const bool final = (flags & (note_flags::by_payee | note_flags::receipt)) != 0;
    const bool open = note.state == NoteState::known || note.state == NoteState::pending;
    if (open && is_voided(note.request, note.payee)) return void_note(index, effects);
    if ((flags & note_flags::by_payee) != 0) note.by_payee = true;
    if (open && final) {
        settle(index, effects);
    } else if (note.state == NoteState::known) {
        set_state(index, NoteState::pending);
    }
    if (note.by_payee) release_received(note.payee);
}

void Book::add(const purse::Void& fact, Effects& effects) {
    voided_.emplace(fact.request, fact.payee);
    if (purse(fact.payee) != nullptr) hear(fact.payee, fact.seq);
    const auto found = note_by_request_.find(fact.request);
    NoteIndex index = found == note_by_request_.end() ? none : found->second;
    // A payer may have answered one request twice, and a stranger can name it.
    for (; index != none; index = notes_[index].same_request) {
        if (notes_[index].payee == fact.payee) void_note(index, effects);
    }
}

void Book::void_note(NoteIndex index, Effects& effects) {
    const NoteRecord& note = notes_[index];
    if (note.state == NoteState::settled) {
        // It said that it never will be credited, and was. What others hold of it stands; the payee owes the payer.
        freeze(note.payee);
        set_state(index, NoteState::reversed);
        owe(index, note.payee, note.payer, note.amount, false);
        return;
    }
    if (is_decided(note.state)) return;
    if (const auto spent = spent_notes_.find(index); spent != spent_notes_.end() && spent->second.size() > 0) {
        freeze(note.payee);  // it has spent what it voided
    }
    set_state(index, NoteState::voided);
    give_back_rest(index, effects);
    at(note.payer).releases.push_back({note.id, 0});
}

void Book::add(const LapsedFact::Row& row, Effects& effects) {
    const NoteIndex index = find_note(row.note);
    if (notes_[index].state != NoteState::pending) return;
    if (row.paid) {
        settle(index, effects);
        return;
    }
    set_state(index, NoteState::lapsed);
    give_back_rest(index, effects);
}

void Book::set_state(NoteIndex index, NoteState state) {
    NoteRecord& note = notes_[index];
    if (note.state == NoteState::pending) {
        const auto [first, last] = pending_.equal_range(note.deadline);
        for (auto it = first; it != last; ++it) {
            if (it->second != index) continue;
            pending_.erase(it);
            break;
        }
    }
    note.state = state;
    if (state == NoteState::pending) pending_.emplace(note.deadline, index);
    note_changed(change_of(state), index);
}

void Book::settle(NoteIndex index, Effects& effects) {
    set_state(index, NoteState::settled);
    pay_rest(index, effects);
}

// What the payee has not passed on, as far as it is known.
std::vector<Span> Book::rest_of(NoteIndex index) const {
    const Span whole{0, notes_[index].amount};
    const auto spent = spent_notes_.find(index);
    return spent == spent_notes_.end() ? std::vector{whole} : spent->second.gaps(whole);
}

void Book::pay_rest(NoteIndex index, Effects& effects) {
    for (const Span& span : rest_of(index)) pay(index, span, effects);
}

void Book::give_back_rest(NoteIndex index, Effects& effects) {
    for (const Span& span : rest_of(index)) give_back(index, span, effects);
}

void Book::pay(NoteIndex index, Span span, Effects& effects) {
    take_from(index, index, span, effects);
}

// Pays `payee_of` for the range `span` of the note `from`, by going down towards the lots until the money is found. At
// most five levels: hops are bounded.
void Book::take_from(NoteIndex payee_of, NoteIndex from, Span span, Effects& effects) {
    const NoteRecord& note = notes_[from];
    if (note.contested) {
        for (const Contested& lost : contested_[from]) {
            const Span part = cut(span, lost.span);
            if (!empty(part)) owe(payee_of, lost.debtor, notes_[payee_of].payee, part.size(), true);
        }
    }
    for (const Piece& piece : pieces_of(from, span)) {
        const Link& link = piece.link;
        if (link.lot) {
            pay_from_escrow(payee_of, link.target, notes_[payee_of].payee, piece.there.size(), effects);
        } else if (link.behind) {
            owe(payee_of, notes_[link.target].payee, notes_[payee_of].payee, piece.there.size(), true);
        } else {
            take_from(payee_of, link.target, piece.there, effects);
        }
    }
}

// `span` of the note as ranges of its sources, without what it lost to siblings.
std::vector<Book::Piece> Book::pieces_of(NoteIndex index, Span span) const {
    const NoteRecord& note = notes_[index];
    std::vector<Piece> pieces;
    std::uint64_t start = 0;
    for (const Link& link : note.links) {
        const Span mine = cut(span, {start, start + link.amount});
        std::vector<Span> parts;
        if (!empty(mine)) parts.push_back(mine);
        if (note.contested && !parts.empty()) {
            RangeIndex lost;
            for (const Contested& contested : contested_.at(index)) lost.claim(contested.span, 1);
            parts = lost.gaps(mine);
        }
        for (const Span& part : parts) {
            pieces.push_back({link, {link.offset + (part.from - start), link.offset + (part.to - start)}});
        }
        start += link.amount;
    }
    return pieces;
}

// To the note's payee, or back to its payer.
void Book::pay_from_escrow(NoteIndex index, LotIndex lot_index, std::uint32_t to, std::uint64_t amount,
                           Effects& effects) {
    LotRecord& lot = lots_[lot_index];
    NoteRecord& note = notes_[index];
    if (lot.state != LotState::open) return;  // refunded at its deadline: a word that comes later moves nothing
    lot.paid += amount;
    JZ_ASSERT(lot.paid <= lot.amount);  // ranges are disjoint
    credit(to, amount, note.deadline);
    if (to == note.payer) {
        at(to).ready += amount;  // its own money waits for nobody
        refresh(at(to));
    }
    // A note that was passed on in many pieces is still one payout of each lot, so that a command stays small.
    if (!effects.payouts.empty()) {
        Payout& last = effects.payouts.back();
        if (last.note == index && last.lot == lot_index && last.to == to) {
            last.amount += amount;
            return;
        }
    }
    effects.payouts.push_back({index, lot_index, to, amount, note.payouts++});
}

void Book::owe(NoteIndex index, std::uint32_t debtor, std::uint32_t creditor, std::uint64_t amount, bool reserve) {
    open_claims_.insert(static_cast<ClaimIndex>(claims_.size()));
    claims_.push_back({.note = index,
                       .debtor = debtor,
                       .creditor = creditor,
                       .lot = root_lot(index),
                       .amount = amount,
                       .reserve = reserve});
    if (reserve) owed_[index].amount += amount;
    ++at(debtor).open_claims;
    refresh(at(debtor));
}

LotIndex Book::root_lot(NoteIndex index) const {
    const Link* link = &notes_[index].links.front();
    while (!link->lot) link = &notes_[link->target].links.front();
    return link->target;
}

// The note's payee will never have `span` of it: who paid has its amount again, wherever it is now. The ranges stay
// spent.
void Book::give_back(NoteIndex index, Span span, Effects& effects) {
    for (const Piece& piece : pieces_of(index, span)) {
        const Link& link = piece.link;
        RangeIndex& spent = link.lot ? lots_[link.target].spent : spent_notes_[link.target];
        RangeIndex& vain = link.lot ? vain_lots_[link.target] : vain_notes_[link.target];
        const std::vector<Span> freed = spent.release(piece.there, index);
        for (const Span& part : freed) vain.claim(part, index);
        for (const Span& part : freed) return_to_source(index, link, part, effects);
    }
}

void Book::return_to_source(NoteIndex index, const Link& link, Span span, Effects& effects) {
    const NoteRecord& note = notes_[index];
    if (link.lot) {
        // What lapses is refunded with the rest of the lot.
        if (note.state == NoteState::voided) pay_from_escrow(index, link.target, note.payer, span.size(), effects);
        return;
    }
    if (link.behind) return;  // it was its holder's already, and is
    switch (notes_[link.target].state) {
        case NoteState::known:
        case NoteState::pending:
            return;  // paid with the rest of that note
        case NoteState::settled:
        case NoteState::reversed:
            return pay(link.target, span, effects);
        case NoteState::voided:
        case NoteState::lapsed:
            return give_back(link.target, span, effects);
    }
}

// What of these parts of a source notes spent that will never be paid.
std::vector<OwnedSpan> Book::spent_in_vain(const Link& source, const std::vector<Span>& parts) const {
    const auto& indexes = source.lot ? vain_lots_ : vain_notes_;
    const auto found = indexes.find(source.target);
    std::vector<OwnedSpan> out;
    if (found == indexes.end()) return out;
    for (const Span& part : parts) {
        for (const OwnedSpan& owned : found->second.taken(part)) out.push_back(owned);
    }
    return out;
}

void Book::conflict(NoteIndex first, NoteIndex second) {
    const bool seen =
        std::ranges::any_of(conflicts_ | std::views::reverse | std::views::take(8),
                            [&](const Conflict& known) { return known.first == first && known.second == second; });
    if (!seen) conflicts_.push_back({first, second, notes_[second].payer, false});
    freeze(notes_[second].payer);
}

void Book::freeze(std::uint32_t ordinal) {
    PurseRecord& purse = at(ordinal);
    if (purse.state != PurseState::frozen) changed(ChangeKind::frozen, purse);
    purse.state = PurseState::frozen;
    revoked_.insert(ordinal);
    refresh(purse);
}

void Book::hear(std::uint32_t ordinal, std::uint32_t seq) {
    PurseRecord& purse = at(ordinal);
    purse.highest_heard = std::max(purse.highest_heard, seq);
    if (seq > purse.through) purse.heard.insert(seq);
    while (!purse.heard.empty() && *purse.heard.begin() == purse.through + 1) {
        ++purse.through;
        purse.heard.erase(purse.heard.begin());
    }
}

void Book::credit(std::uint32_t ordinal, std::uint64_t amount, std::uint32_t deadline) {
    PurseRecord& purse = at(ordinal);
    purse.received += amount;
    if (deadline > purse.hold_until) {
        purse.hold_until = deadline;
        held_.emplace(deadline, ordinal);
    }
}

// Money for a victim has come in.
void Book::collect(ClaimIndex index, std::uint64_t amount, std::uint32_t deadline) {
    ClaimRecord& claim = claims_[index];
    claim.collected += amount;
    if (claim.open() == 0) {
        open_claims_.erase(index);
        --at(claim.debtor).open_claims;
    }
    if (claim.reserve && amount > 0) {
        std::uint64_t& owed = owed_[claim.note].amount;
        owed -= std::min(owed, amount);
        note_changed(ChangeKind::note_recovered, claim.note);
    }
    credit(claim.creditor, amount, deadline);
    // A payer who is given back what a payee had voided waits for nobody.
    if (notes_[claim.note].by_payee || !claim.reserve) release_received(claim.creditor);
    refresh(at(claim.debtor));
}

void Book::release_held(std::uint32_t now) {
    while (!held_.empty() && held_.begin()->first <= now) {
        const std::uint32_t ordinal = held_.begin()->second;
        held_.erase(held_.begin());
        if (at(ordinal).hold_until <= now) release_received(ordinal);
    }
}

void Book::debit_received(PurseRecord& purse, std::uint64_t amount) {
    purse.received -= std::min(purse.received, amount);
    purse.ready = std::min(purse.ready, purse.received);
}

void Book::release_received(std::uint32_t ordinal) {
    PurseRecord& purse = at(ordinal);
    purse.ready = purse.received;
    refresh(purse);
}

// A frozen purse's money stays where its victims find it.
void Book::refresh(const PurseRecord& purse) {
    if (purse.ready > 0 && purse.state != PurseState::frozen && purse.open_claims == 0) {
        sweepable_.insert(purse.ordinal);
    } else {
        sweepable_.erase(purse.ordinal);
    }
}

}  // namespace jiaozi::settlement
