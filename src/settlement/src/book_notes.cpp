// The part of the book that knows what a note takes, who is paid for it, and who owes.
#include <algorithm>
#include <ranges>

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

}  // namespace

NoteIndex Book::add_note(const purse::Id& id, const purse::Note& value, std::uint64_t journal, Effects& effects) {
    static_cast<void>(effects);
    const auto index = static_cast<NoteIndex>(notes_.size());
    NoteRecord& note = notes_.emplace_back();
    note.id = id;
    note.request = value.request;
    note.payer = value.payer;
    note.seq = value.seq;
    note.payee = value.payee;
    note.hop = value.hop;
    note.amount = value.total();
    note.journal = journal;
    note.deadline = 0xFFFFFFFF;
    note.max_hops = purse::max_hops;
    note_by_id_.emplace(id, index);
    note_by_request_.emplace(value.request, index);

    std::uint64_t start = 0;
    for (const purse::Source& source : value.all_sources()) {
        Link link{.offset = source.offset, .amount = source.amount};
        const LotIndex lot = find_lot(source.id);
        link.lot = lot != none;
        link.target = link.lot ? lot : find_note(source.id);
        JZ_ASSERT(link.target != none);  // the judge has seen it
        link.behind = !link.lot && notes_[link.target].state == NoteState::settled;
        note.deadline = std::min(note.deadline, link.lot ? lots_[lot].settle_by : notes_[link.target].deadline);
        note.max_hops = std::min(note.max_hops, link.lot ? lots_[lot].hops : notes_[link.target].max_hops);
        RangeIndex& spent = link.lot ? lots_[lot].spent : spent_notes_[link.target];
        for (const OwnedSpan& other : spent.claim({source.offset, source.end()}, index)) {
            const std::uint64_t from = start + (other.span.from - source.offset);
            contested_[index].push_back({{from, from + other.span.size()}, note.payer});
            note.contested = true;
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
    if (open && is_voided(note.request, note.payee)) {
        set_state(index, NoteState::voided, effects);
        give_back_range(index, effects);
        at(note.payer).releases.push_back({note.id, 0});
        return;
    }
    if ((flags & note_flags::by_payee) != 0) note.by_payee = true;
    if (open && final) {
        settle(index, effects);
    } else if (note.state == NoteState::known) {
        set_state(index, NoteState::pending, effects);
    }
    if (note.by_payee) release_received(note.payee);
}

void Book::add(const purse::Void& fact, Effects& effects) {
    voided_.emplace(fact.request, fact.payee);
    if (purse(fact.payee) != nullptr) hear(fact.payee, fact.seq);
    const auto found = note_by_request_.find(fact.request);
    if (found == note_by_request_.end() || notes_[found->second].payee != fact.payee) return;
    const NoteIndex index = found->second;
    NoteRecord& note = notes_[index];
    const bool spent_on = spent_notes_.contains(index);
    if (note.state == NoteState::settled || (note.state == NoteState::known && spent_on)) {
        // It said that it never will be credited, and was. What others hold of it stands; the payee owes the payer.
        freeze(note.payee);
        if (note.state != NoteState::settled) return;
        set_state(index, NoteState::reversed, effects);
        owe(index, note.payee, note.payer, note.amount, false);
        return;
    }
    if (note.state != NoteState::pending && note.state != NoteState::known) return;
    set_state(index, NoteState::voided, effects);
    give_back_range(index, effects);
    at(note.payer).releases.push_back({note.id, 0});
}

void Book::add(const LapsedFact::Row& row, Effects& effects) {
    const NoteIndex index = find_note(row.note);
    if (notes_[index].state != NoteState::pending) return;
    if (row.paid) {
        settle(index, effects);
        return;
    }
    set_state(index, NoteState::lapsed, effects);
    give_back_range(index, effects);
}

void Book::set_state(NoteIndex index, NoteState state, Effects& effects) {
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
    effects.decided.push_back(index);
}

void Book::settle(NoteIndex index, Effects& effects) {
    set_state(index, NoteState::settled, effects);
    pay_rest(index, effects);
}

// What the payee has not passed on, as far as it is known.
void Book::pay_rest(NoteIndex index, Effects& effects) {
    const Span whole{0, notes_[index].amount};
    const auto spent = spent_notes_.find(index);
    if (spent == spent_notes_.end()) return pay(index, whole, effects);
    for (const Span& gap : spent->second.gaps(whole)) pay(index, gap, effects);
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
    std::uint64_t start = 0;
    for (const Link& link : note.links) {
        const Span mine = cut(span, {start, start + link.amount});
        std::vector<Span> parts;
        if (!empty(mine)) parts.push_back(mine);
        if (note.contested && !parts.empty()) {
            RangeIndex lost;
            for (const Contested& contested : contested_[from]) lost.claim(contested.span, 1);
            parts = lost.gaps(mine);
        }
        for (const Span& part : parts) {
            const Span there{link.offset + (part.from - start), link.offset + (part.to - start)};
            if (link.lot) {
                pay_from_escrow(payee_of, link.target, part.size(), effects);
            } else if (link.behind) {
                owe(payee_of, notes_[link.target].payee, notes_[payee_of].payee, part.size(), true);
            } else {
                take_from(payee_of, link.target, there, effects);
            }
        }
        start += link.amount;
    }
}

void Book::pay_from_escrow(NoteIndex index, LotIndex lot_index, std::uint64_t amount, Effects& effects) {
    LotRecord& lot = lots_[lot_index];
    NoteRecord& note = notes_[index];
    lot.paid += amount;
    JZ_ASSERT(lot.paid <= lot.amount);  // ranges are disjoint
    credit(note.payee, amount, note.deadline);
    effects.payouts.push_back({index, lot_index, note.payee, amount, note.payouts++});
}

void Book::owe(NoteIndex index, std::uint32_t debtor, std::uint32_t creditor, std::uint64_t amount, bool reserve) {
    open_claims_.insert(static_cast<ClaimIndex>(claims_.size()));
    claims_.push_back({.note = index,
                       .debtor = debtor,
                       .creditor = creditor,
                       .lot = root_lot(index),
                       .amount = amount,
                       .reserve = reserve});
    ++at(debtor).open_claims;
    refresh(at(debtor));
}

LotIndex Book::root_lot(NoteIndex index) const {
    const Link* link = &notes_[index].links.front();
    while (!link->lot) link = &notes_[link->target].links.front();
    return link->target;
}

// The note will never be paid: what it took is free, or its holder's, who may have been waiting for it.
void Book::give_back_range(NoteIndex index, Effects& effects) {
    const auto links = notes_[index].links;
    for (const Link& link : links) free_source(link, index, effects);
}

void Book::free_source(const Link& link, NoteIndex owner, Effects& effects) {
    RangeIndex& spent = link.lot ? lots_[link.target].spent : spent_notes_[link.target];
    const std::vector<Span> freed = spent.release({link.offset, link.offset + link.amount}, owner);
    if (link.lot || link.behind || notes_[link.target].state != NoteState::settled) return;
    for (const Span& span : freed) pay(link.target, span, effects);
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
