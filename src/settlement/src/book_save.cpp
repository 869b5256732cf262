// The book as bytes: docs/formats/books.md.
#include <algorithm>
#include <vector>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/settlement/book.hpp>

#include "book_rows.hpp"

namespace jiaozi::settlement {
namespace {

template <class Row>
ByteView bytes_of(const Row& row) {
    return {reinterpret_cast<const std::uint8_t*>(&row), sizeof row};
}

// What is kept unordered is written in order, so that equal books are equal bytes.
template <class Map>
auto sorted_keys(const Map& map) {
    std::vector<typename Map::key_type> keys;
    keys.reserve(map.size());
    for (const auto& entry : map) keys.push_back(entry.first);
    std::ranges::sort(keys);
    return keys;
}

// Does not compile when a record gets a member: what is new is kept too, here and in book_load.cpp, or follows there
// from what is kept.
[[maybe_unused]] void all_members(const PurseRecord& purse, const LotRecord& lot, const NoteRecord& note,
                                  const ClaimRecord& claim) {
    [[maybe_unused]] const auto& [p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15, p16, p17, p18, p19,
                                  p20, p21, p22, p23, p24, p25] = purse;
    [[maybe_unused]] const auto& [l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13, l14, l15, l16, l17] = lot;
    [[maybe_unused]] const auto& [n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14, n15, n16, n17, n18] =
        note;
    [[maybe_unused]] const auto& [c1, c2, c3, c4, c5, c6, c7, c8] = claim;
}

rows::Purse row_of(const PurseRecord& purse) {
    rows::Purse row{.wallet = purse.wallet.value,
                    .holder = purse.holder,
                    .device = purse.device.value,
                    .enrolled_ns = purse.enrolled.ns,
                    .received = purse.received,
                    .ready = purse.ready,
                    .collateral = purse.collateral,
                    .per_payment = purse.per_payment,
                    .asset = purse.asset.ledger,
                    .hold_until = purse.hold_until,
                    .through = purse.through,
                    .highest_heard = purse.highest_heard,
                    .syncs = purse.syncs,
                    .synced_at = purse.synced_at,
                    .last_seen = purse.last_seen,
                    .sweeps = purse.sweeps,
                    .state = static_cast<std::uint8_t>(purse.state),
                    .assurance = purse.assurance,
                    .suite = static_cast<std::uint8_t>(purse.key->suite()),
                    .key_size = static_cast<std::uint8_t>(purse.key->bytes().size())};
    JZ_ASSERT(purse.key->bytes().size() <= row.key.size());
    std::ranges::copy(purse.key->bytes(), row.key.begin());
    return row;
}

rows::Lot row_of(const LotRecord& lot) {
    return {.load = lot.load.value,
            .id = lot.id,
            .issuer = lot.issuer,
            .serial = lot.serial,
            .amount = lot.amount,
            .per_payment = lot.per_payment,
            .paid = lot.paid,
            .reserve = lot.reserve,
            .purse = lot.purse,
            .settle_by = lot.settle_by,
            .directed = lot.directed,
            .attempts = lot.attempts,
            .certificate_size = static_cast<std::uint32_t>(lot.certificate.size()),
            .state = static_cast<std::uint8_t>(lot.state),
            .hops = lot.hops};
}

rows::Note row_of(const NoteRecord& note) {
    const unsigned flags = (note.contested ? rows::note_contested : 0U) | (note.by_payee ? rows::note_by_payee : 0U);
    return {.id = note.id,
            .request = note.request,
            .amount = note.amount,
            .journal = note.journal,
            .heard_ns = note.heard.ns,
            .payer = note.payer,
            .seq = note.seq,
            .payee = note.payee,
            .deadline = note.deadline,
            .payouts = note.payouts,
            .same_request = note.same_request,
            .links = static_cast<std::uint32_t>(note.links.size()),
            .made = note.made,
            .state = static_cast<std::uint8_t>(note.state),
            .hop = note.hop,
            .max_hops = note.max_hops,
            .flags = static_cast<std::uint8_t>(flags)};
}

rows::Claim row_of(const ClaimRecord& claim) {
    return {.amount = claim.amount,
            .collected = claim.collected,
            .note = claim.note,
            .debtor = claim.debtor,
            .creditor = claim.creditor,
            .lot = claim.lot,
            .attempts = claim.attempts,
            .reserve = claim.reserve ? 1U : 0U};
}

class Writer {
  public:
    explicit Writer(engine::BookSink& sink) : sink_(sink) {}

    Result<> begin(rows::Part part) { return sink_.begin(static_cast<std::uint32_t>(part)); }
    template <class Row>
    Result<> row(const Row& row) {
        return sink_.write(bytes_of(row));
    }
    Result<> text(const Bytes& bytes) { return sink_.write(bytes); }

    Result<> span(rows::SpanKind kind, std::uint32_t target, const Span& span, std::uint32_t owner) {
        return row(rows::Span{span.from, span.to, static_cast<std::uint32_t>(kind), target, owner, 0});
    }
    Result<> spans(rows::SpanKind kind, std::uint32_t target, const RangeIndex& index) {
        for (const OwnedSpan& owned : index.all()) JZ_CHECK(span(kind, target, owned.span, owned.owner));
        return {};
    }
    template <class Map>
    Result<> spans_by_target(rows::SpanKind kind, const Map& map) {
        for (const std::uint32_t target : sorted_keys(map)) JZ_CHECK(spans(kind, target, map.at(target)));
        return {};
    }
    Result<> id(rows::IdKind kind, const purse::Id& id, std::uint32_t value) {
        return row(rows::Id{id, static_cast<std::uint32_t>(kind), value});
    }
    Result<> work(rows::WorkKind kind, std::uint32_t key, std::uint32_t value) {
        return row(rows::Work{static_cast<std::uint32_t>(kind), key, value});
    }

  private:
    engine::BookSink& sink_;
};

}  // namespace

Result<> Book::save(engine::BookSink& sink) const {
    // Between two commands.
    JZ_ASSERT(changes_.empty() && first_unwritten_ == notes_.size() && first_untold_ == notes_.size());
    Writer to(sink);
    JZ_CHECK(to.begin(rows::Part::totals));
    JZ_CHECK(to.row(rows::Totals{last_change_, static_cast<std::uint32_t>(root_.size()),
                                 static_cast<std::uint32_t>(proofs_.size()), static_cast<std::uint32_t>(alarms_.size()),
                                 0}));
    JZ_CHECK(to.begin(rows::Part::purses));
    for (const PurseRecord& purse : purses_) JZ_CHECK(to.row(row_of(purse)));
    JZ_CHECK(to.begin(rows::Part::heard));
    for (const PurseRecord& purse : purses_) {
        for (const std::uint32_t seq : purse.heard) JZ_CHECK(to.row(rows::Heard{purse.ordinal, seq}));
    }
    JZ_CHECK(to.begin(rows::Part::releases));
    for (const PurseRecord& purse : purses_) {
        for (const auto& release : purse.releases) {
            JZ_CHECK(to.row(rows::Release{release.note, purse.ordinal, release.sync}));
        }
    }
    JZ_CHECK(to.begin(rows::Part::lots));
    for (const LotRecord& lot : lots_) JZ_CHECK(to.row(row_of(lot)));
    JZ_CHECK(to.begin(rows::Part::notes));
    for (const NoteRecord& note : notes_) JZ_CHECK(to.row(row_of(note)));
    JZ_CHECK(to.begin(rows::Part::links));
    for (const NoteRecord& note : notes_) {
        for (const Link& link : note.links) {
            const std::uint32_t flags = (link.lot ? rows::link_lot : 0U) | (link.behind ? rows::link_behind : 0U);
            JZ_CHECK(to.row(rows::Link{link.offset, link.amount, link.target, flags}));
        }
    }
    JZ_CHECK(to.begin(rows::Part::spans));
    for (std::size_t i = 0; i < lots_.size(); ++i) {
        JZ_CHECK(to.spans(rows::SpanKind::lot, static_cast<std::uint32_t>(i), lots_[i].spent));
    }
    JZ_CHECK(to.spans_by_target(rows::SpanKind::note, spent_notes_));
    JZ_CHECK(to.spans_by_target(rows::SpanKind::vain_lot, vain_lots_));
    JZ_CHECK(to.spans_by_target(rows::SpanKind::vain_note, vain_notes_));
    for (const NoteIndex note : sorted_keys(contested_)) {
        for (const Contested& lost : contested_.at(note)) {
            JZ_CHECK(to.span(rows::SpanKind::contested, note, lost.span, lost.debtor));
        }
    }
    JZ_CHECK(to.begin(rows::Part::ids));
    for (const purse::Id& request : sorted_keys(voided_)) {
        JZ_CHECK(to.id(rows::IdKind::voided, request, voided_.at(request)));
    }
    for (const auto& [version, head] : heads_) JZ_CHECK(to.id(rows::IdKind::published, head, version));
    JZ_CHECK(to.begin(rows::Part::claims));
    for (const ClaimRecord& claim : claims_) JZ_CHECK(to.row(row_of(claim)));
    JZ_CHECK(to.begin(rows::Part::conflicts));
    for (const Conflict& one : conflicts_) {
        JZ_CHECK(to.row(rows::Conflict{one.first, one.second, one.culprit, one.proof_stored ? 1U : 0U}));
    }
    JZ_CHECK(to.begin(rows::Part::lists));
    for (const List& list : lists_) {
        JZ_CHECK(to.row(rows::List{list.version, list.time, list.enrolled, static_cast<std::uint32_t>(list.head.size()),
                                   static_cast<std::uint32_t>(list.body.size())}));
    }
    JZ_CHECK(to.begin(rows::Part::work));
    for (const auto& [deadline, note] : pending_) JZ_CHECK(to.work(rows::WorkKind::pending, deadline, note));
    for (const auto& [until, purse] : held_) JZ_CHECK(to.work(rows::WorkKind::held, until, purse));
    for (const ClaimIndex claim : open_claims_) JZ_CHECK(to.work(rows::WorkKind::open_claim, 0, claim));
    for (const std::uint32_t purse : sweepable_) JZ_CHECK(to.work(rows::WorkKind::sweepable, 0, purse));
    for (std::size_t i = 0; i < lists_.size(); ++i) {
        for (const std::uint32_t purse : lists_[i].revoked) {
            JZ_CHECK(to.work(rows::WorkKind::listed, static_cast<std::uint32_t>(i), purse));
        }
    }
    JZ_CHECK(to.begin(rows::Part::texts));
    for (const LotRecord& lot : lots_) JZ_CHECK(to.text(lot.certificate));
    for (const std::vector<Bytes>* texts : {&proofs_, &alarms_}) {
        for (const Bytes& one : *texts) {
            JZ_CHECK(to.row(static_cast<std::uint32_t>(one.size())));
            JZ_CHECK(to.text(one));
        }
    }
    for (const List& list : lists_) {
        JZ_CHECK(to.text(list.head));
        JZ_CHECK(to.text(list.body));
    }
    JZ_CHECK(to.text(root_));
    JZ_CHECK(to.begin(rows::Part::owed));
    for (const NoteIndex note : sorted_keys(owed_)) {
        const Owed& owed = owed_.at(note);
        JZ_CHECK(to.row(rows::Owed{owed.amount, owed.settled.ns, note, 0}));
    }
    return {};
}

}  // namespace jiaozi::settlement
