// Deposits: reading, the checks in their order, verification, and the command that makes them final.
#include <algorithm>
#include <numeric>

#include <jiaozi/api/accounts.hpp>

#include "impl.hpp"
#include "objects.hpp"

namespace jiaozi::settlement {
namespace {

constexpr std::size_t flight_bytes = 60'000;     // of an annotation; the engine takes 65,536
constexpr std::size_t flight_transfers = 8'000;  // the engine takes 8,190
constexpr std::size_t item_payouts = 64;         // one item brings fewer
constexpr std::uint8_t voids_first = 255;

std::uint32_t hop_of_source(const Book& book, const Candidate& item, const purse::Source& source) {
    for (const FreshNote& fresh : item.fresh) {
        if (fresh.id == source.id) return fresh.value.hop;
    }
    const NoteIndex known = book.find_note(source.id);
    return known == none ? 0 : book.note(known).hop;
}

// What a source is, wherever it is known: a lot, a note of the book, or a note of this item.
struct Found {
    bool lot = false;
    bool note = false;
    std::uint32_t owner = 0;
    std::uint64_t size = 0;
    std::uint32_t deadline = 0xFFFFFFFF;
    std::uint32_t directed = 0;
    std::uint8_t max_hops = purse::max_hops;
};

}  // namespace

std::string_view name_of(Reason reason) noexcept {
    static constexpr std::array<std::string_view, 17> names{
        "ok",          "rate_limited",   "malformed", "too_large",      "unknown_purse", "wrong_suite",
        "unknown_lot", "unknown_source", "bad_range", "wrong_directed", "too_many_hops", "wrong_asset",
        "over_limit",  "too_late",       "voided",    "bad_signature",  "unreadable"};
    return names[static_cast<std::size_t>(reason)];
}

bool Settlement::Impl::too_many_strikes(std::uint32_t depositor) const {
    return depositor != 0 && strikes_.of(depositor, minute()) >= options_.strikes;
}

void Settlement::Impl::finish(Candidate& item, Reason reason, std::uint32_t depositor) {
    item.finished = true;
    item.answer.reason = reason;
    if (reason == Reason::ok) {
        if (item.answer.replayed) ++counters.replayed;
        return;
    }
    ++counters.quarantined;
    if (reason == Reason::rate_limited) return;
    strikes_.add(depositor, minute());
    static constexpr std::size_t keep = 1'024;
    const std::size_t head = std::min<std::size_t>(item.bytes.size(), 64);
    quarantine.push_back({parts_.clock.now(), depositor, reason, to_bytes(ByteView(item.bytes).first(head))});
    if (quarantine.size() > keep) quarantine.pop_front();
}

Reason Settlement::Impl::read_void(Candidate& item) {
    purse::Void value;
    if (!read_value(item.bytes, purse::Type::void_request, item.void_object, value)) return Reason::malformed;
    const PurseRecord* payee = book.purse(value.payee);
    if (payee == nullptr) return Reason::unknown_purse;
    if (static_cast<crypto::Suite>(item.void_object.suite) != payee->key->suite()) return Reason::wrong_suite;
    item.void_request = value;
    item.hop = voids_first;
    item.answer.state = NoteState::voided;
    if (book.is_voided(value.request, value.payee)) {
        item.answer.replayed = true;
        item.finished = true;
    }
    return Reason::ok;
}

// Check 1, and 10 as far as it needs no signature.
Reason Settlement::Impl::read_deposit(Candidate& item) {
    purse::View rest = item.bytes;
    purse::Object first;
    purse::View after = rest;
    if (purse::read_object(after, first) != JZ_OK) return Reason::malformed;
    if (first.type == purse::Type::void_request) return read_void(item);
    if (first.type == purse::Type::receipt) {
        purse::Receipt receipt;
        if (purse::parse(first, receipt) != JZ_OK) return Reason::malformed;
        item.receipt = receipt;
        item.receipt_object = first;
        rest = after;
    }
    static thread_local purse::Bundle bundle;
    switch (purse::read_bundle(hashing_platform(), rest, bundle)) {
        case JZ_OK:
            break;
        case JZ_PROVENANCE_LIMIT:
        case JZ_TOO_LARGE:
            return Reason::too_large;
        case JZ_BAD_RANGE:
            return Reason::bad_range;
        default:
            return Reason::malformed;
    }
    const auto& top = bundle.note[0];
    item.answer.note = top.id;
    item.answer.amount = top.value.total();
    item.hop = top.value.hop;
    item.payee = top.value.payee;
    if (item.receipt && (item.receipt->note != top.id || item.receipt->payee != item.payee ||
                         item.receipt->amount != item.answer.amount)) {
        item.receipt.reset();
    }
    // Only what the paying note descends from; the book knows the ancestors of every note it has.
    std::array<bool, purse::max_notes> needed{true};
    for (std::size_t round = 0; round < bundle.notes; ++round) {
        for (std::size_t i = 0; i < bundle.notes; ++i) {
            if (!needed[i]) continue;
            for (const purse::Source& source : bundle.note[i].value.all_sources()) {
                if (const auto* parent = bundle.find_note(source.id)) {
                    needed[static_cast<std::size_t>(parent - bundle.note.data())] = true;
                }
            }
        }
    }
    for (std::size_t i = 0; i < bundle.notes; ++i) {
        if (!needed[i]) return Reason::malformed;
        if (book.find_note(bundle.note[i].id) != none) continue;
        item.fresh.push_back({bundle.note[i].id, bundle.note[i].value, bundle.note[i].object});
    }
    std::ranges::sort(item.fresh, {}, [](const FreshNote& note) { return note.value.hop; });
    return Reason::ok;
}

// Checks 3 to 8 of one note that the book does not have. Takes `deadline` down to the note's.
Reason Settlement::Impl::judge_note(const Candidate& item, const FreshNote& fresh, std::uint32_t& deadline) const {
    const purse::Note& note = fresh.value;
    const PurseRecord* payer = book.purse(note.payer);
    const PurseRecord* payee = book.purse(note.payee);
    if (payer == nullptr || payee == nullptr) return Reason::unknown_purse;
    if (static_cast<crypto::Suite>(fresh.object.suite) != payer->key->suite()) return Reason::wrong_suite;
    std::uint32_t highest = 0;
    for (const purse::Source& source : note.all_sources()) {
        Found found;
        if (const LotIndex lot = book.find_lot(source.id); lot != none) {
            const LotRecord& record = book.lot(lot);
            found = {true, false, record.purse, record.amount, record.settle_by, record.directed, record.hops};
        } else if (const NoteIndex known = book.find_note(source.id); known != none) {
            const NoteRecord& record = book.note(known);
            found = {false, true, record.payee, record.amount, record.deadline, 0, record.max_hops};
        } else {
            for (const FreshNote& other : item.fresh) {
                if (other.id != source.id) continue;
                found.note = true;
                found.owner = other.value.payee;
                found.size = other.value.total();
            }
        }
        if (!found.lot && !found.note) return note.hop == 1 ? Reason::unknown_lot : Reason::unknown_source;
        if (found.owner != note.payer || source.end() > found.size) return Reason::bad_range;
        if (found.directed != 0 && found.directed != note.payee) return Reason::wrong_directed;
        if (note.hop > found.max_hops) return Reason::too_many_hops;
        highest = std::max(highest, hop_of_source(book, item, source));
        deadline = std::min(deadline, found.deadline);
    }
    if (note.hop != highest + 1) return Reason::too_many_hops;
    if (payer->asset != payee->asset) return Reason::wrong_asset;
    if (note.total() > payer->per_payment) return Reason::over_limit;
    return now_s() < deadline ? Reason::ok : Reason::too_late;
}

void Settlement::Impl::judge(Candidate& item, std::uint32_t depositor) {
    const bool by_payee = depositor != 0 && depositor == item.payee;
    if (const NoteIndex known = book.find_note(item.answer.note); known != none) {
        const NoteRecord& note = book.note(known);
        const bool open = note.state == NoteState::known || note.state == NoteState::pending;
        const bool adds = (by_payee && !note.by_payee && (open || note.state == NoteState::settled)) ||
                          (open && item.receipt.has_value()) || note.state == NoteState::known;
        item.answer.state = note.state;
        if (!adds) {
            item.answer.replayed = true;
            return finish(item, Reason::ok, depositor);
        }
        if (open && now_s() >= note.deadline) return finish(item, Reason::too_late, depositor);
    } else {
        std::uint32_t deadline = 0xFFFFFFFF;
        for (const FreshNote& fresh : item.fresh) {
            if (book.find_note(fresh.id) != none) continue;
            const Reason reason = judge_note(item, fresh, deadline);
            if (reason != Reason::ok) return finish(item, reason, depositor);
        }
        if (by_payee && book.is_voided(item.fresh.back().value.request, item.payee)) {
            return finish(item, Reason::voided, depositor);
        }
    }
}

void Settlement::Impl::read(Candidate& item, std::uint32_t depositor) {
    if (too_many_strikes(depositor)) return finish(item, Reason::rate_limited, depositor);
    static constexpr std::size_t most = purse::max_bundle + 256;  // and a receipt
    const Reason reason = item.bytes.size() > most ? Reason::too_large : read_deposit(item);
    if (reason != Reason::ok) return finish(item, reason, depositor);
    if (!item.finished && !item.void_request) judge(item, depositor);
}

void Settlement::Impl::add_jobs(Batch& batch, Candidate& item) {
    item.first_job = batch.jobs.size();
    if (item.void_request) {
        batch.jobs.push_back({book.purse(item.void_request->payee)->key, item.void_object});
    }
    for (const FreshNote& fresh : item.fresh) {
        batch.jobs.push_back({book.purse(fresh.value.payer)->key, fresh.object});
    }
    if (item.receipt && batch.depositor != item.payee) {
        batch.jobs.push_back({book.purse(item.payee)->key, item.receipt_object});
    }
    item.jobs = batch.jobs.size() - item.first_job;
}

void Settlement::Impl::settle(std::vector<Bytes> items, std::uint32_t depositor,
                              api::Done<std::vector<ItemAnswer>> done) {
    if (failure_) return done(stopped());
    if (items.size() > options_.max_items) {
        return done(Error(ErrorKind::too_large, "at most " + std::to_string(options_.max_items) +
                                                    " items at a time; send them in several batches")
                        .with_code("batch_too_large"));
    }
    auto batch = std::make_shared<Batch>();
    batch->depositor = depositor;
    batch->done = std::move(done);
    batch->items.resize(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        Candidate& item = batch->items[i];
        item.bytes = std::move(items[i]);
        ++counters.items;
        read(item, depositor);
        if (!item.finished) add_jobs(*batch, item);
    }
    counters.signatures += batch->jobs.size();
    const bool suspect = strikes_.of(depositor, minute()) > 0;
    ++verifying_;
    verifiers_.verify(batch->jobs, suspect, [alive = std::weak_ptr(alive_), batch] {
        if (const auto self = alive.lock()) (*self)->verified(batch);
    });
}

void Settlement::Impl::verified(const std::shared_ptr<Batch>& batch) {
    --verifying_;
    for (Candidate& item : batch->items) {
        if (item.finished) continue;
        const auto jobs = std::span(batch->jobs).subspan(item.first_job, item.jobs);
        const bool has_receipt = item.receipt && batch->depositor != item.payee;
        const auto own = jobs.first(jobs.size() - (has_receipt ? 1 : 0));
        if (!std::ranges::all_of(own, &VerifyJob::good)) {
            finish(item, Reason::bad_signature, batch->depositor);
            continue;
        }
        if (has_receipt) {
            item.receipt_good = jobs.back().good;
            if (!item.receipt_good) item.receipt.reset();
        }
    }
    // Later holders before earlier ones: what was passed on is known before the rest is paid.
    batch->order.resize(batch->items.size());
    std::iota(batch->order.begin(), batch->order.end(), std::size_t{0});
    std::ranges::sort(batch->order, [&](std::size_t left, std::size_t right) {
        const auto hop = [&](std::size_t i) { return batch->items[i].hop; };
        return hop(left) != hop(right) ? hop(left) > hop(right) : left < right;
    });
    verified_.push_back(batch);
    queue_flight();
}

void Settlement::Impl::queue_flight() {
    if (flight_queued_ || verified_.empty()) return;
    flight_queued_ = true;
    const auto moved = std::make_shared<Effects>();
    enqueue({[this, moved] { return prepare_flight(*moved); },
             [this](const Result<engine::Outcome>& outcome) { flight_done(outcome); }, moved});
}

void Settlement::Impl::add_to_flight(Candidate& item, std::uint32_t depositor, NotesFact& fact, Effects& moved) {
    if (item.void_request) {
        if (book.is_voided(item.void_request->request, item.void_request->payee)) {
            item.answer.replayed = true;
            return finish(item, Reason::ok, depositor);
        }
        fact.rows.push_back({note_flags::void_request, to_bytes(item.void_object.bytes), {}});
        book.add(*item.void_request, moved);
        return finish(item, Reason::ok, depositor);
    }
    judge(item, depositor);
    if (item.finished) return;
    std::uint8_t flags = note_flags::deposited;
    if (depositor != 0 && depositor == item.payee) flags |= note_flags::by_payee;
    if (item.receipt && item.receipt_good) flags |= note_flags::receipt;
    for (const FreshNote& fresh : item.fresh) {
        if (book.find_note(fresh.id) != none) continue;
        fact.rows.push_back({0, to_bytes(fresh.object.bytes), {}});
        book.add_note(fresh.id, fresh.value, 0);
    }
    const NoteIndex index = book.find_note(item.answer.note);
    const bool is_new = !fact.rows.empty() && !item.fresh.empty() && item.fresh.back().id == item.answer.note &&
                        fact.rows.back().flags == 0 && equal(fact.rows.back().note, item.fresh.back().object.bytes);
    if (!is_new) fact.rows.push_back({0, Bytes(item.answer.note.begin(), item.answer.note.end()), {}});
    NoteRow& row = fact.rows.back();
    row.flags = flags;
    if (item.receipt) row.receipt = to_bytes(item.receipt_object.bytes);
    book.deposit(index, flags, item.receipt ? &*item.receipt : nullptr, moved);
    item.answer.state = book.note(index).state;
    if (item.answer.state == NoteState::settled) ++counters.settled;
    finish(item, Reason::ok, depositor);
}

std::optional<engine::Command> Settlement::Impl::prepare_flight(Effects& moved) {
    flight_queued_ = false;
    NotesFact fact;
    engine::Command command;
    std::size_t bytes = 0;
    while (!verified_.empty()) {
        Batch& batch = *verified_.front();
        for (; batch.next < batch.order.size(); ++batch.next) {
            Candidate& item = batch.items[batch.order[batch.next]];
            if (item.finished) continue;
            const bool full =
                bytes + item.bytes.size() + 64 > flight_bytes || moved.payouts.size() + item_payouts > flight_transfers;
            if (full) break;
            const std::size_t before = fact.rows.size();
            add_to_flight(item, batch.depositor, fact, moved);
            for (std::size_t i = before; i < fact.rows.size(); ++i) {
                bytes += fact.rows[i].note.size() + fact.rows[i].receipt.size() + 16;
            }
        }
        if (batch.next < batch.order.size()) break;
        in_flight_.push_back(verified_.front());
        verified_.pop_front();
    }
    if (fact.rows.empty()) {
        flight_done(Result<engine::Outcome>(engine::Outcome{}));
        return std::nullopt;
    }
    add_payouts(command, moved);
    command.annotation = encode(fact);
    return command;
}

void Settlement::Impl::flight_done(const Result<engine::Outcome>& outcome) {
    if (outcome.ok() && outcome->sequence != 0) book.written(outcome->sequence);
    std::vector<std::shared_ptr<Batch>> finished;
    finished.swap(in_flight_);
    if (!outcome.ok()) {
        // Nothing more will be written: those that still wait are told, too.
        finished.insert(finished.end(), verified_.begin(), verified_.end());
        verified_.clear();
        flight_queued_ = false;
    }
    queue_flight();
    for (const auto& batch : finished) {
        if (!outcome.ok()) {
            batch->done(Error(outcome.error()));
            continue;
        }
        std::vector<ItemAnswer> answers;
        answers.reserve(batch->items.size());
        for (const Candidate& item : batch->items) answers.push_back(item.answer);
        batch->done(std::move(answers));
    }
}

}  // namespace jiaozi::settlement
