// The book from bytes: docs/formats/books.md. Nothing is believed: whatever a row refers to must be there, so that no
// later command can read outside the book.
#include <algorithm>
#include <utility>
#include <vector>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/settlement/book.hpp>
#include <jiaozi/settlement/root.hpp>

#include "book_rows.hpp"

namespace jiaozi::settlement {
namespace {

constexpr std::size_t max_text = std::size_t{64} * 1024;  // an annotation's bound
constexpr std::size_t max_lists = 17;
constexpr std::uint64_t max_rows = 0xFFFFFFFE;  // indexes have 32 bits, and one of them is `none`

Error corrupt(const char* cause) {
    return Error(ErrorKind::corrupt, cause);
}

}  // namespace

class Book::Loader {
  public:
    explicit Loader(engine::BookSource& source) : source_(source) {}

    Result<Book> load() {
        JZ_CHECK(load_totals());
        JZ_CHECK(load_purses());
        JZ_CHECK(load_heard());
        JZ_CHECK(load_releases());
        JZ_CHECK(load_lots());
        JZ_CHECK(load_notes());
        JZ_CHECK(load_links());
        JZ_CHECK(load_spans());
        JZ_CHECK(load_ids());
        JZ_CHECK(load_claims());
        JZ_CHECK(load_conflicts());
        JZ_CHECK(load_lists());
        JZ_CHECK(load_work());
        JZ_CHECK(load_texts());
        JZ_CHECK(load_owed());
        return std::move(book_);
    }

  private:
    template <class Row, class Take>
    Result<> each(rows::Part part, const Take& take) {
        JZ_TRY(const std::uint64_t bytes, source_.begin(static_cast<std::uint32_t>(part)));
        if (bytes % sizeof(Row) != 0 || bytes / sizeof(Row) > max_rows) return corrupt("a part of an impossible size");
        for (std::uint64_t left = bytes / sizeof(Row); left > 0; --left) {
            Row row;
            JZ_CHECK(source_.read({reinterpret_cast<std::uint8_t*>(&row), sizeof row}));
            JZ_CHECK(take(row));
        }
        return {};
    }
    bool is_purse(std::uint32_t ordinal) const { return ordinal != 0 && ordinal <= book_.purses_.size(); }
    bool is_note(std::uint32_t index) const { return index < book_.notes_.size(); }
    bool is_lot(std::uint32_t index) const { return index < book_.lots_.size(); }

    Result<> load_totals() {
        std::size_t count = 0;
        JZ_CHECK(each<rows::Totals>(rows::Part::totals, [&](const rows::Totals& row) -> Result<> {
            totals_ = row;
            ++count;
            return {};
        }));
        if (count != 1 || totals_.root_size > max_root_bytes || totals_.reserved_20 != 0)
            return corrupt("totals that cannot be");
        book_.last_change_ = totals_.last_change;
        return {};
    }

    Result<> load_purses() {
        return each<rows::Purse>(rows::Part::purses, [&](const rows::Purse& row) -> Result<> {
            const auto suite = crypto::suite_from_number(row.suite);
            auto asset = find_asset(row.asset);
            const auto state = static_cast<PurseState>(row.state);
            const bool known_state =
                state == PurseState::active || state == PurseState::frozen || state == PurseState::lost;
            const auto rest = std::span(row.key).subspan(std::min<std::size_t>(row.key_size, row.key.size()));
            if (!suite.ok() || !asset.ok() || !known_state || row.assurance > 3 || row.key_size == 0 ||
                row.key_size > row.key.size() ||
                !std::ranges::all_of(rest, [](std::uint8_t byte) { return byte == 0; }) || row.ready > row.received)
                return corrupt("a purse that cannot be");
            PurseRecord& purse = book_.purses_.emplace_back();
            purse.ordinal = static_cast<std::uint32_t>(book_.purses_.size());
            purse.state = state;
            purse.assurance = row.assurance;
            purse.key = std::make_shared<const PurseKey>(*suite, to_bytes(ByteView(row.key).first(row.key_size)));
            purse.wallet = WalletId(row.wallet);
            purse.holder = row.holder;
            purse.asset = *asset;
            purse.device = DeviceId(row.device);
            purse.enrolled = Timestamp{row.enrolled_ns};
            purse.received = row.received;
            purse.ready = row.ready;
            purse.hold_until = row.hold_until;
            purse.collateral = row.collateral;
            purse.per_payment = row.per_payment;
            purse.received_account = settlement::received_account(purse.ordinal);
            purse.through = row.through;
            purse.highest_heard = row.highest_heard;
            purse.syncs = row.syncs;
            purse.synced_at = row.synced_at;
            purse.last_seen = row.last_seen;
            purse.sweeps = row.sweeps;
            book_.purses_of_wallet_[purse.wallet].push_back(purse.ordinal);
            if (state != PurseState::active) book_.revoked_.insert(book_.revoked_.end(), purse.ordinal);
            return {};
        });
    }

    Result<> load_heard() {
        return each<rows::Heard>(rows::Part::heard, [&](const rows::Heard& row) -> Result<> {
            if (!is_purse(row.purse)) return corrupt("a number heard of a purse that is not there");
            PurseRecord& purse = book_.at(row.purse);
            if (row.seq <= purse.through || (!purse.heard.empty() && row.seq <= *purse.heard.rbegin()))
                return corrupt("numbers heard that are out of order");
            purse.heard.insert(purse.heard.end(), row.seq);
            return {};
        });
    }

    Result<> load_releases() {
        std::uint32_t last = 1;
        return each<rows::Release>(rows::Part::releases, [&](const rows::Release& row) -> Result<> {
            if (!is_purse(row.purse) || row.purse < last) return corrupt("a release that cannot be");
            last = row.purse;
            book_.at(row.purse).releases.push_back({row.note, row.sync});
            return {};
        });
    }

    Result<> load_lots() {
        return each<rows::Lot>(rows::Part::lots, [&](const rows::Lot& row) -> Result<> {
            if (!is_purse(row.purse) || row.state > static_cast<std::uint8_t>(LotState::refused) ||
                row.amount > purse::highest_amount || row.paid > row.amount || row.hops > purse::max_hops ||
                row.certificate_size > purse::max_object || row.reserved_118 != 0 || row.reserved_120 != 0)
                return corrupt("a lot that cannot be");
            const auto index = static_cast<LotIndex>(book_.lots_.size());
            LotRecord& lot = book_.lots_.emplace_back();
            lot.id = row.id;
            lot.serial = row.serial;
            lot.purse = row.purse;
            lot.state = static_cast<LotState>(row.state);
            lot.hops = row.hops;
            lot.amount = row.amount;
            lot.per_payment = row.per_payment;
            lot.settle_by = row.settle_by;
            lot.directed = row.directed;
            lot.paid = row.paid;
            lot.reserve = row.reserve;
            lot.attempts = row.attempts;
            lot.issuer = row.issuer;
            lot.escrow_account = settlement::escrow_account(lot.serial);
            lot.load = LoadId(row.load);
            lot.certificate.resize(row.certificate_size);
            book_.last_serial_ = std::max(book_.last_serial_, lot.serial);
            book_.lot_by_load_.emplace(lot.load, index);
            book_.lot_by_serial_.emplace(lot.serial, index);
            if (lot.state == LotState::refused) return {};
            PurseRecord& owner = book_.at(lot.purse);
            book_.lot_by_id_.emplace(lot.id, index);
            owner.lots.push_back(index);
            if (lot.state != LotState::open) return {};
            book_.open_lots_.emplace(lot.settle_by, index);
            book_.open_by_holder_[{owner.holder, owner.asset.ledger}] += lot.amount;
            book_.open_by_issuer_[lot.issuer] += lot.amount;
            return {};
        });
    }

    Result<> load_notes() {
        JZ_CHECK(each<rows::Note>(rows::Part::notes, [&](const rows::Note& row) -> Result<> {
            const auto index = static_cast<NoteIndex>(book_.notes_.size());
            if (!is_purse(row.payer) || !is_purse(row.payee) || row.amount > purse::highest_amount ||
                row.state > static_cast<std::uint8_t>(NoteState::reversed) || row.hop == 0 ||
                row.hop > purse::max_hops || row.max_hops > purse::max_hops ||
                row.flags > (rows::note_contested | rows::note_by_payee) ||
                (row.same_request != none && row.same_request >= index) || row.links == 0 ||
                row.links > purse::max_sources || row.reserved_120 != 0)
                return corrupt("a note that cannot be");
            NoteRecord& note = book_.notes_.emplace_back();
            note.id = row.id;
            note.request = row.request;
            note.payer = row.payer;
            note.seq = row.seq;
            note.payee = row.payee;
            note.deadline = row.deadline;
            note.state = static_cast<NoteState>(row.state);
            note.hop = row.hop;
            note.max_hops = row.max_hops;
            note.contested = (row.flags & rows::note_contested) != 0;
            note.by_payee = (row.flags & rows::note_by_payee) != 0;
            note.payouts = row.payouts;
            note.amount = row.amount;
            note.journal = row.journal;
            note.heard = Timestamp{row.heard_ns};
            note.made = row.made;
            note.same_request = row.same_request;
            note.links.resize(row.links);
            book_.note_by_id_.emplace(note.id, index);
            book_.note_by_request_.insert_or_assign(note.request, index);
            book_.note_by_seq_.emplace((std::uint64_t{note.payer} << 32) | note.seq, index);
            return {};
        }));
        book_.first_unwritten_ = book_.first_untold_ = static_cast<NoteIndex>(book_.notes_.size());
        return {};
    }

    Result<> load_links() {
        std::size_t at = 0;
        std::size_t next = 0;
        std::uint64_t left = book_.notes_.empty() ? 0 : book_.notes_.front().amount;
        JZ_CHECK(each<rows::Link>(rows::Part::links, [&](const rows::Link& row) -> Result<> {
            if (at == book_.notes_.size()) return corrupt("more sources than notes have");
            NoteRecord& note = book_.notes_[at];
            if (row.flags > (rows::link_lot | rows::link_behind)) return corrupt("a source that cannot be");
            const Link link{row.target, (row.flags & rows::link_lot) != 0, (row.flags & rows::link_behind) != 0,
                            row.offset, row.amount};
            if (link.lot ? !is_lot(link.target) || link.behind
                         : link.target >= at || book_.notes_[link.target].hop >= note.hop)
                return corrupt("a source that is not there");
            const std::uint64_t whole = link.lot ? book_.lots_[link.target].amount : book_.notes_[link.target].amount;
            if (link.amount == 0 || link.amount > left || link.offset > whole || link.amount > whole - link.offset)
                return corrupt("a source of an impossible size");
            left -= link.amount;
            note.links[next++] = link;
            if (next < note.links.size()) return {};
            if (left != 0) return corrupt("a note whose sources are not its amount");
            next = 0;
            left = ++at == book_.notes_.size() ? 0 : book_.notes_[at].amount;
            return {};
        }));
        return at == book_.notes_.size() ? Result<>() : corrupt("notes without sources");
    }

    // Spans of one kind and target stand together.
    Result<> load_spans() {
        rows::Span group;
        std::vector<OwnedSpan> spans;
        auto read = each<rows::Span>(rows::Part::spans, [&](const rows::Span& row) -> Result<> {
            const bool same = row.kind == group.kind && row.target == group.target;
            if (!same) {
                if (std::pair(row.kind, row.target) < std::pair(group.kind, group.target))
                    return corrupt("spans that are out of order");
                JZ_CHECK(take_spans(group, std::exchange(spans, {})));
                group = row;
            }
            if (row.reserved_28 != 0) return corrupt("a span that cannot be");
            spans.push_back({{row.from, row.to}, row.owner});
            return {};
        });
        JZ_CHECK(std::move(read));
        JZ_CHECK(take_spans(group, std::move(spans)));
        for (std::size_t i = 0; i < book_.notes_.size(); ++i) {
            if (book_.notes_[i].contested != book_.contested_.contains(static_cast<NoteIndex>(i)))
                return corrupt("a contested note whose spans are not there");
        }
        return {};
    }

    Result<> take_spans(const rows::Span& group, std::vector<OwnedSpan> spans) {
        if (spans.empty()) return {};
        const auto kind = static_cast<rows::SpanKind>(group.kind);
        if (group.kind == 0 || kind > rows::SpanKind::contested) return corrupt("a span of an unknown kind");
        const bool lot = kind == rows::SpanKind::lot || kind == rows::SpanKind::vain_lot;
        if (lot ? !is_lot(group.target) : !is_note(group.target)) return corrupt("a span of what is not there");
        const std::uint64_t whole = lot ? book_.lots_[group.target].amount : book_.notes_[group.target].amount;
        const bool contested = kind == rows::SpanKind::contested;
        for (const OwnedSpan& one : spans) {
            const bool owner = contested ? is_purse(one.owner) : is_note(one.owner);
            if (!owner || one.span.from >= one.span.to || one.span.to > whole) return corrupt("a span that cannot be");
        }
        if (contested) {
            auto& lost = book_.contested_[group.target];
            for (const OwnedSpan& one : spans) lost.push_back({one.span, one.owner});
            return {};
        }
        auto index = RangeIndex::of(std::move(spans));
        if (!index) return corrupt("spans that overlap");
        if (kind == rows::SpanKind::lot) {
            book_.lots_[group.target].spent = std::move(*index);
        } else {
            auto& map = kind == rows::SpanKind::note       ? book_.spent_notes_
                        : kind == rows::SpanKind::vain_lot ? book_.vain_lots_
                                                           : book_.vain_notes_;
            map.emplace(group.target, std::move(*index));
        }
        return {};
    }

    Result<> load_ids() {
        return each<rows::Id>(rows::Part::ids, [&](const rows::Id& row) -> Result<> {
            switch (static_cast<rows::IdKind>(row.kind)) {
                case rows::IdKind::voided:
                    book_.voided_.emplace(row.id, row.value);
                    return {};
                case rows::IdKind::published:
                    book_.heads_.emplace(row.value, row.id);
                    return {};
            }
            return corrupt("an id of an unknown kind");
        });
    }

    Result<> load_claims() {
        return each<rows::Claim>(rows::Part::claims, [&](const rows::Claim& row) -> Result<> {
            if (!is_note(row.note) || !is_purse(row.debtor) || !is_purse(row.creditor) || !is_lot(row.lot) ||
                row.collected > row.amount || row.reserve > 1)
                return corrupt("a claim that cannot be");
            book_.claims_.push_back({.note = row.note,
                                     .debtor = row.debtor,
                                     .creditor = row.creditor,
                                     .lot = row.lot,
                                     .amount = row.amount,
                                     .collected = row.collected,
                                     .attempts = row.attempts,
                                     .reserve = row.reserve != 0});
            return {};
        });
    }

    Result<> load_conflicts() {
        return each<rows::Conflict>(rows::Part::conflicts, [&](const rows::Conflict& row) -> Result<> {
            const bool stored = row.proof_stored != 0;
            if (!is_note(row.first) || !is_note(row.second) || !is_purse(row.culprit) || row.proof_stored > 1 ||
                (stored && book_.proven_ < book_.conflicts_.size()))
                return corrupt("a conflict that cannot be");
            book_.conflicts_.push_back({row.first, row.second, row.culprit, stored});
            if (stored) ++book_.proven_;
            return {};
        });
    }

    Result<> load_lists() {
        return each<rows::List>(rows::Part::lists, [&](const rows::List& row) -> Result<> {
            if (book_.lists_.size() == max_lists || row.head_size > max_text || row.body_size > max_text ||
                (!book_.lists_.empty() && row.version <= book_.lists_.back().version))
                return corrupt("a list that cannot be");
            List& list = book_.lists_.emplace_back();
            list.version = row.version;
            list.time = row.time;
            list.enrolled = row.enrolled;
            list.head.resize(row.head_size);
            list.body.resize(row.body_size);
            return {};
        });
    }

    // In order: by kind, then by key; of what has no key, and in lists, by value.
    Result<> load_work() {
        rows::Work last;
        std::vector<bool> waits(book_.notes_.size());
        auto read = each<rows::Work>(rows::Part::work, [&](const rows::Work& row) -> Result<> {
            if (std::pair(row.kind, row.key) < std::pair(last.kind, last.key)) return corrupt("work out of order");
            const bool again = row.kind == last.kind && row.key == last.key;
            JZ_CHECK(take_work(row, again ? &last.value : nullptr, waits));
            last = row;
            return {};
        });
        JZ_CHECK(std::move(read));
        for (std::size_t i = 0; i < waits.size(); ++i) {
            if (waits[i] != (book_.notes_[i].state == NoteState::pending))
                return corrupt("a pending note that nothing waits for");
        }
        return {};
    }

    Result<> take_work(const rows::Work& row, const std::uint32_t* before, std::vector<bool>& waits) {
        const bool ascends = before == nullptr || *before < row.value;
        switch (static_cast<rows::WorkKind>(row.kind)) {
            case rows::WorkKind::pending:
                if (!is_note(row.value) || waits[row.value] || book_.notes_[row.value].deadline != row.key)
                    return corrupt("a pending note that cannot be");
                waits[row.value] = true;
                book_.pending_.emplace(row.key, row.value);
                return {};
            case rows::WorkKind::held:
                if (!is_purse(row.value)) return corrupt("money held for a purse that is not there");
                book_.held_.emplace(row.key, row.value);
                return {};
            case rows::WorkKind::open_claim:
                if (row.key != 0 || !ascends || row.value >= book_.claims_.size())
                    return corrupt("an open claim that is not there");
                book_.open_claims_.insert(book_.open_claims_.end(), row.value);
                ++book_.at(book_.claims_[row.value].debtor).open_claims;
                return {};
            case rows::WorkKind::sweepable:
                if (row.key != 0 || !ascends || !is_purse(row.value))
                    return corrupt("money to sweep of a purse that is not there");
                book_.sweepable_.insert(book_.sweepable_.end(), row.value);
                return {};
            case rows::WorkKind::listed:
                if (row.key >= book_.lists_.size() || !ascends || !is_purse(row.value))
                    return corrupt("a list of a purse that is not there");
                book_.lists_[row.key].revoked.push_back(row.value);
                return {};
        }
        return corrupt("work of an unknown kind");
    }

    Result<> load_texts() {
        JZ_TRY(std::uint64_t left, source_.begin(static_cast<std::uint32_t>(rows::Part::texts)));
        const auto read = [&](ByteSpan into) -> Result<> {
            if (into.size() > left) return corrupt("texts that end early");
            left -= into.size();
            return source_.read(into);
        };
        for (LotRecord& lot : book_.lots_) JZ_CHECK(read(lot.certificate));
        const auto read_sized = [&]() -> Result<Bytes> {
            std::uint32_t size = 0;
            JZ_CHECK(read({reinterpret_cast<std::uint8_t*>(&size), sizeof size}));
            if (size > max_text) return corrupt("a text that is too large");
            Bytes text(size);
            JZ_CHECK(read(text));
            return text;
        };
        for (std::uint32_t i = 0; i < totals_.proofs; ++i) {
            JZ_TRY(const Bytes proof, read_sized());
            book_.keep_proof(proof);
        }
        for (std::uint32_t i = 0; i < totals_.alarms; ++i) {
            JZ_TRY(const Bytes alarm, read_sized());
            if (!book_.keep_alarm(alarm)) return corrupt("an alarm that cannot be");
        }
        for (List& list : book_.lists_) {
            JZ_CHECK(read(list.head));
            JZ_CHECK(read(list.body));
        }
        book_.root_.resize(totals_.root_size);
        JZ_CHECK(read(book_.root_));
        return left == 0 ? Result<>() : corrupt("more texts than there are");
    }

    Result<> load_owed() {
        return each<rows::Owed>(rows::Part::owed, [&](const rows::Owed& row) -> Result<> {
            const bool fresh = is_note(row.note) && row.reserved_20 == 0 &&
                               book_.owed_.emplace(row.note, Owed{row.amount, Timestamp{row.settled_ns}}).second;
            return fresh ? Result<>() : corrupt("a debt that cannot be");
        });
    }

    engine::BookSource& source_;
    rows::Totals totals_;
    Book book_;
};

Result<Book> Book::load(engine::BookSource& source) {
    return Loader(source).load();
}

}  // namespace jiaozi::settlement
