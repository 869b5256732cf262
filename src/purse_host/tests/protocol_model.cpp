#include "protocol_model.hpp"

#include <algorithm>
#include <cstring>

namespace jiaozi::purse_host::model {

std::string name_of(const Action& a) {
    static constexpr std::array<const char*, 12> names{"asks: request ",
                                                       "pays request ",
                                                       "takes note ",
                                                       "takes receipt ",
                                                       "voids request ",
                                                       "takes the void of request ",
                                                       "is switched on",
                                                       "is backed up",
                                                       "is restored from its backup",
                                                       "puts journal and counter back (cheating)",
                                                       "hands in what it has, the answer is lost",
                                                       "syncs"};
    std::string text(1, static_cast<char>('A' + a.purse));
    text += std::string(" ") + names[static_cast<std::size_t>(a.deed)];
    if (a.deed <= Deed::take_void) text += std::to_string(a.what);
    if (a.deed == Deed::pay) text += a.source == 0 ? " from its lot" : " from note " + std::to_string(a.source - 1);
    if (a.crash) text += ", power goes before the counter";
    if (a.lost) text += ", power goes and nothing was written";
    return text;
}

State Machine::start() const {
    State s;
    s.journal[0].lot = (1U << lot_units) - 1;
    return s;
}

void Machine::actions(const State& s, std::vector<Action>& out) const {
    out.clear();
    for (std::uint8_t p = 0; p < scenario_.purses; ++p) actions_of(s, p, out);
}

bool Machine::apply(State& s, const Action& a) {
    const State before = s;
    Journal& j = s.journal[a.purse];
    switch (a.deed) {
        case Deed::ask:
            j.asked[a.what].state = open;
            s.requests |= static_cast<std::uint8_t>(1U << a.what);
            break;
        case Deed::pay:
            pay(s, a);
            break;
        case Deed::take_note:
            take_note(s, a);
            break;
        case Deed::take_receipt:
            take_receipt(s, a);
            break;
        case Deed::void_request:
            j.asked[a.what].state = voided;
            j.asked[a.what].seq = ++j.seq;
            say_void(s, a, {a.purse, a.what, j.seq, 0});
            break;
        case Deed::take_void:
            take_void(s, a);
            break;
        case Deed::power_on:
            power_on(s, a.purse);
            break;
        case Deed::back_up:
            s.backup_of = a.purse;
            s.backup = j;
            s.backup_counter = s.counter[a.purse];
            break;
        case Deed::restore:
            j = s.backup;
            power_on(s, a.purse);
            break;
        case Deed::cheat:
            j = s.backup;
            s.counter[a.purse] = s.backup_counter;
            power_on(s, a.purse);
            break;
        case Deed::hand_in:
            hand_in(s, a.purse);
            break;
        case Deed::sync:
            sync(s, a.purse);
            break;
    }
    return std::memcmp(&before, &s, sizeof s) != 0;
}

bool Machine::holds(const State& s) {
    broken_.clear();
    check_said(s);
    check_conflicts(s);
    check_answers(s);
    check_value(s);
    check_ledger(s);
    return broken_.empty();
}

Machine::Ack Machine::ack_for(const State& s, std::uint8_t p) const {
    Ack ack;
    const Journal& j = s.journal[p];
    ack.restart = s.suspect[p] != 0;
    if (ack.restart) {
        ack.next = static_cast<std::uint8_t>(highest(s, p) + 1);
        ack.through = static_cast<std::uint8_t>(ack.next - 1);
    } else {
        ack.through = j.base;
        while (number_heard(s, p, static_cast<std::uint8_t>(ack.through + 1))) ++ack.through;
    }
    for (std::size_t i = 0; i < s.notes; ++i) {
        const Note& note = notes_[s.note[i].note];
        const bool free = (s.note[i].known & heard) != 0 && (s.note[i].known & settled) == 0;
        if (note.payer == p && free && void_heard(s, note)) ack.released.push_back(s.note[i].note);
    }
    return ack;
}

bool Machine::holds_note(const State& s, std::uint8_t p, std::uint8_t request) const {
    return in_hand(s.journal[p].asked[request].held);
}

void Machine::actions_of(const State& s, std::uint8_t p, std::vector<Action>& out) const {
    const Journal& j = s.journal[p];
    if (!runs(s, p)) {
        out.push_back({.deed = Deed::power_on, .purse = p});
    } else {
        for (std::uint8_t r = 0; r < scenario_.payee_of.size(); ++r) {
            if (scenario_.payee_of[r] == p) {
                if (active(s, p) && (s.requests >> r & 1) == 0)
                    out.push_back({.deed = Deed::ask, .purse = p, .what = r});
                if (active(s, p) && j.asked[r].state == open) {
                    out.push_back({.deed = Deed::void_request, .purse = p, .what = r});
                    out.push_back({.deed = Deed::void_request, .purse = p, .what = r, .crash = true});
                }
            } else if (active(s, p) && (s.requests >> r & 1) != 0 && j.paid[r].state == unpaid) {
                pay_actions(s, p, r, out);
            }
        }
        answers_for(s, p, out);
        out.push_back({.deed = Deed::hand_in, .purse = p});
        out.push_back({.deed = Deed::sync, .purse = p});
        if (scenario_.restores && active(s, p) && s.backup_of == 255)
            out.push_back({.deed = Deed::back_up, .purse = p});
    }
    if (s.backup_of == p) {
        out.push_back({.deed = Deed::restore, .purse = p});
        if (!honest(p)) out.push_back({.deed = Deed::cheat, .purse = p});
    }
}

void Machine::pay_actions(const State& s, std::uint8_t p, std::uint8_t r, std::vector<Action>& out) const {
    const Journal& j = s.journal[p];
    const auto with = [&](std::uint8_t source) {
        out.push_back({.deed = Deed::pay, .purse = p, .what = r, .source = source});
        out.push_back({.deed = Deed::pay, .purse = p, .what = r, .source = source, .crash = true});
        if (!scenario_.rules.journal_before_send) {
            out.push_back({.deed = Deed::pay, .purse = p, .what = r, .source = source, .lost = true});
        }
    };
    if (s.notes == most_notes) return;
    if (j.lot != 0) with(0);
    for (const auto& mine : j.asked) {
        if (mine.state == credited && mine.held == held_free && notes_[mine.note].hop < most_hops) {
            with(static_cast<std::uint8_t>(mine.note + 1));
        }
    }
}

void Machine::answers_for(const State& s, std::uint8_t p, std::vector<Action>& out) const {
    for (std::size_t i = 0; i < s.notes; ++i) {
        const Note& note = notes_[s.note[i].note];
        if (payee_of(note) != p) continue;
        const auto& mine = s.journal[p].asked[note.request];
        const bool again = mine.state == credited && mine.note == s.note[i].note;
        if (mine.state == open && active(s, p)) {
            out.push_back({.deed = Deed::take_note, .purse = p, .what = s.note[i].note});
            out.push_back({.deed = Deed::take_note, .purse = p, .what = s.note[i].note, .crash = true});
        } else if (again && !scenario_.rules.idempotent_credit && active(s, p) && s.receipts < most_answers) {
            out.push_back({.deed = Deed::take_note, .purse = p, .what = s.note[i].note});
        }
    }
    for (std::uint8_t i = 0; i < s.receipts; ++i) {
        const Note& note = notes_[s.receipt[i].what];
        const auto& payment = s.journal[p].paid[note.request];
        const bool waits = payment.state == sent || payment.state == void_held;
        if (note.payer == p && waits && payment.note == s.receipt[i].what) {
            out.push_back({.deed = Deed::take_receipt, .purse = p, .what = s.receipt[i].what});
        }
    }
    for (std::uint8_t i = 0; i < s.voids; ++i) {
        if (s.journal[p].paid[s.voided[i].what].state == sent) {
            out.push_back({.deed = Deed::take_void, .purse = p, .what = s.voided[i].what});
        }
    }
}

void Machine::counted(State& s, const Action& a) {
    if (a.crash) {
        s.off[a.purse] = 1;
    } else {
        s.counter[a.purse] = s.journal[a.purse].seq;
    }
}

void Machine::pay(State& s, const Action& a) {
    Journal& j = s.journal[a.purse];
    Note note;
    note.payer = a.purse;
    note.request = a.what;
    note.seq = static_cast<std::uint8_t>(j.seq + 1);
    note.source = a.source;
    std::uint8_t unit = 0;
    if (a.source == 0) {
        while ((j.lot >> unit & 1) == 0) ++unit;
        note.hop = 1;
    } else {
        unit = notes_[a.source - 1U].unit;
        note.hop = static_cast<std::uint8_t>(notes_[a.source - 1U].hop + 1);
    }
    note.unit = unit;
    const std::uint8_t number = notes_.number(note);
    if (a.lost) return say(s, number);
    if (a.source == 0) {
        j.lot &= static_cast<std::uint8_t>(~(1U << unit));
    } else {
        for (auto& mine : j.asked) {
            if (mine.state == credited && mine.note == a.source - 1) mine.held = held_spent;
        }
    }
    j.seq = note.seq;
    j.paid[a.what] = {sent, number};
    counted(s, a);
    if (!a.crash) say(s, number);
}

void Machine::say(State& s, std::uint8_t number) {
    std::size_t at = 0;
    while (at < s.notes && s.note[at].note < number) ++at;
    if (at < s.notes && s.note[at].note == number) return;
    if (s.notes == most_notes) return;
    for (std::size_t i = s.notes; i > at; --i) s.note[i] = s.note[i - 1];
    s.note[at] = {number, 0};
    ++s.notes;
}

void Machine::say(std::array<Answer, most_answers>& all, std::uint8_t& count, const Answer& answer) {
    const auto key = [](const Answer& a) { return std::uint32_t{a.payee} << 16 | std::uint32_t{a.what} << 8 | a.seq; };
    std::size_t at = 0;
    while (at < count && key(all[at]) < key(answer)) ++at;
    if ((at < count && key(all[at]) == key(answer)) || count == most_answers) return;
    for (std::size_t i = count; i > at; --i) all[i] = all[i - 1];
    all[at] = answer;
    ++count;
}

void Machine::say_void(State& s, const Action& a, const Answer& answer) {
    counted(s, a);
    if (!a.crash) say(s.voided, s.voids, answer);
}

void Machine::take_note(State& s, const Action& a) {
    const Note& note = notes_[a.what];
    Journal& j = s.journal[a.purse];
    auto& mine = j.asked[note.request];
    mine = {credited, a.what, ++j.seq, held_free};
    counted(s, a);
    if (!a.crash) say(s.receipt, s.receipts, {a.purse, a.what, mine.seq, 0});
}

void Machine::take_void(State& s, const Action& a) {
    Journal& j = s.journal[a.purse];
    auto& payment = j.paid[a.what];
    if (scenario_.rules.unlock_at_sync_only) {
        payment.state = void_held;
        return;
    }
    free_again(j, payment.note);
    payment = {};
}

void Machine::free_again(Journal& j, std::uint8_t number) {
    const Note& note = notes_[number];
    if (note.source == 0) j.lot |= static_cast<std::uint8_t>(1U << note.unit);
    for (auto& mine : j.asked) {
        if (note.source != 0 && mine.state == credited && mine.note == note.source - 1) mine.held = held_free;
    }
}

void Machine::power_on(State& s, std::uint8_t p) {
    Journal& j = s.journal[p];
    const bool behind = s.counter[p] + 1 == j.seq;
    s.off[p] = 0;
    s.suspect[p] = scenario_.rules.counter && s.counter[p] != j.seq && !behind ? 1 : 0;
    if (s.suspect[p] != 0) return;
    s.counter[p] = j.seq;
    // What the journal has and the network may not have seen yet is sent when it is asked for.
    for (const auto& payment : j.paid) {
        if (payment.state != unpaid) say(s, payment.note);
    }
    for (std::uint8_t r = 0; r < most_requests; ++r) {
        const auto& mine = j.asked[r];
        if (mine.state == credited) say(s.receipt, s.receipts, {p, mine.note, mine.seq, 0});
        if (mine.state == voided) say(s.voided, s.voids, {p, r, mine.seq, 0});
    }
}

bool Machine::number_heard(const State& s, std::uint8_t p, std::uint8_t seq) const {
    for (std::size_t i = 0; i < s.notes; ++i) {
        const Note& note = notes_[s.note[i].note];
        if (note.payer == p && note.seq == seq && (s.note[i].known & heard) != 0) return true;
    }
    for (std::size_t i = 0; i < s.receipts; ++i) {
        if (s.receipt[i].payee == p && s.receipt[i].seq == seq && (s.receipt[i].known & heard) != 0) return true;
    }
    for (std::size_t i = 0; i < s.voids; ++i) {
        if (s.voided[i].payee == p && s.voided[i].seq == seq && (s.voided[i].known & heard) != 0) return true;
    }
    return false;
}

bool Machine::void_heard(const State& s, const Note& note) const {
    for (std::size_t i = 0; i < s.voids; ++i) {
        if (s.voided[i].what == note.request && (s.voided[i].known & heard) != 0) return true;
    }
    return false;
}

void Machine::hear_note(State& s, std::uint8_t number, std::uint8_t flags) {
    for (std::size_t i = 0; i < s.notes; ++i) {
        if (s.note[i].note == number) s.note[i].known |= flags;
    }
    const Note& note = notes_[number];
    if (note.source != 0) hear_note(s, static_cast<std::uint8_t>(note.source - 1), heard);  // provenance
}

void Machine::hand_in(State& s, std::uint8_t p) {
    const Journal& j = s.journal[p];
    for (const auto& payment : j.paid) {
        if (payment.state == unpaid) continue;
        hear_note(s, payment.note, payment.state == done ? heard | settled : heard);
    }
    for (std::size_t i = 0; i < s.receipts; ++i) {
        const auto& mine = j.asked[notes_[s.receipt[i].what].request];
        const bool own = s.receipt[i].payee == p && mine.state == credited && mine.note == s.receipt[i].what;
        const auto& payment = j.paid[notes_[s.receipt[i].what].request];
        const bool payers = payment.state == done && payment.note == s.receipt[i].what;
        if (!own && !payers) continue;
        s.receipt[i].known |= heard;
        hear_note(s, s.receipt[i].what, heard | settled);
    }
    for (std::size_t i = 0; i < s.voids; ++i) {
        const bool own = s.voided[i].payee == p && j.asked[s.voided[i].what].state == voided;
        if (own || j.paid[s.voided[i].what].state == void_held) s.voided[i].known |= heard;
    }
}

void Machine::sync(State& s, std::uint8_t p) {
    hand_in(s, p);
    const Ack ack = ack_for(s, p);
    Journal& j = s.journal[p];
    for (const std::uint8_t number : ack.released) {
        for (std::size_t i = 0; i < s.notes; ++i) {
            if (s.note[i].note == number) s.note[i].known |= released;
        }
        for (auto& payment : j.paid) {
            if (payment.state != void_held || payment.note != number) continue;
            if (!scenario_.rules.voided_range_stays_spent) free_again(j, number);
            payment = {};
        }
    }
    forget_through(j, ack.through);
    if (!ack.restart) return;
    j.seq = static_cast<std::uint8_t>(ack.next - 1);
    j.base = j.seq;
    j.lot = 0;
    for (auto& mine : j.asked) {
        if (in_hand(mine.held)) mine.held = claim_only;
        if (mine.state == open && scenario_.rules.restart_drops_requests) mine = {forgotten, 0, 0, nothing};
    }
    s.suspect[p] = 0;
    s.counter[p] = j.seq;
}

void Machine::forget_through(Journal& j, std::uint8_t through) {
    for (auto& payment : j.paid) {
        if (payment.state == sent && notes_[payment.note].seq <= through) payment.state = covered;
    }
    for (auto& mine : j.asked) {
        if ((mine.state != credited && mine.state != voided) || mine.seq > through) continue;
        bool in_use = false;
        for (const auto& payment : j.paid) {
            const bool waits = payment.state == sent || payment.state == void_held;
            if (waits && mine.state == credited && notes_[payment.note].source == mine.note + 1) in_use = true;
        }
        if (in_use) continue;  // both are forgotten together, at a later sync
        mine = {forgotten, 0, 0, nothing};
    }
}

void Machine::fail(const std::string& what) {
    if (broken_.empty()) broken_ = what;
}

void Machine::check_said(const State& s) {
    struct Number {
        std::uint8_t purse, seq;
        std::uint16_t thing;
    };
    std::array<Number, most_notes + 2 * most_answers> said{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < s.notes; ++i) {
        said[count++] = {notes_[s.note[i].note].payer, notes_[s.note[i].note].seq, s.note[i].note};
    }
    for (std::size_t i = 0; i < s.receipts; ++i) {
        said[count++] = {s.receipt[i].payee, s.receipt[i].seq, static_cast<std::uint16_t>(0x100 | s.receipt[i].what)};
    }
    for (std::size_t i = 0; i < s.voids; ++i) {
        said[count++] = {s.voided[i].payee, s.voided[i].seq, static_cast<std::uint16_t>(0x200 | s.voided[i].what)};
    }
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            if (said[i].purse == said[k].purse && said[i].seq == said[k].seq && said[i].thing != said[k].thing &&
                honest(said[i].purse)) {
                fail("I6: an honest purse said two things under one number");
            }
        }
    }
}

void Machine::check_conflicts(const State& s) {
    for (std::size_t i = 0; i < s.notes; ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            const Note& a = notes_[s.note[i].note];
            const Note& b = notes_[s.note[k].note];
            if (a.source == b.source && a.unit == b.unit && honest(a.payer)) {
                fail("I6: a fork proof against an honest purse");
            }
            if (a.unit == b.unit && !descends(s.note[i].note, s.note[k].note) &&
                !descends(s.note[k].note, s.note[i].note) && honest(culprit(s.note[i].note, s.note[k].note))) {
                fail("I3: an overlap for which an honest purse would be blamed");
            }
        }
    }
}

bool Machine::descends(std::uint8_t child, std::uint8_t ancestor) const {
    for (std::uint8_t at = child;; at = static_cast<std::uint8_t>(notes_[at].source - 1)) {
        if (at == ancestor) return true;
        if (notes_[at].source == 0) return false;
    }
}

std::uint8_t Machine::culprit(std::uint8_t left, std::uint8_t right) const {
    for (std::uint8_t a = left;; a = static_cast<std::uint8_t>(notes_[a].source - 1)) {
        for (std::uint8_t b = right;; b = static_cast<std::uint8_t>(notes_[b].source - 1)) {
            if (notes_[a].source == notes_[b].source) return notes_[a].payer;
            if (notes_[b].source == 0) break;
        }
        if (notes_[a].source == 0) return 255;
    }
}

void Machine::check_answers(const State& s) {
    for (std::size_t i = 0; i < s.receipts; ++i) {
        if (!honest(s.receipt[i].payee)) continue;
        for (std::size_t k = 0; k < i; ++k) {
            if (s.receipt[i].what == s.receipt[k].what) fail("I4: an honest payee credited one note twice");
        }
        for (std::size_t k = 0; k < s.voids; ++k) {
            if (s.voided[k].what == notes_[s.receipt[i].what].request && s.voided[k].payee == s.receipt[i].payee) {
                fail("I4: an honest payee credited and voided one request");
            }
        }
    }
    for (std::size_t i = 0; i < s.notes; ++i) {
        const Note& note = notes_[s.note[i].note];
        const int before = note.source == 0 ? 0 : notes_[note.source - 1U].hop;
        if (note.hop != before + 1) fail("I8: a hop that does not count up");
    }
}

void Machine::check_value(const State& s) {
    for (std::uint8_t unit = 0; unit < lot_units; ++unit) {
        int places = 0;
        for (std::uint8_t p = 0; p < scenario_.purses; ++p) {
            if (!honest(p) || s.suspect[p] != 0 || s.off[p] != 0) continue;
            const Journal& j = s.journal[p];
            places += j.lot >> unit & 1;
            for (const auto& mine : j.asked) {
                const bool free = mine.state == credited && mine.held == held_free;
                if (free && notes_[mine.note].unit == unit) ++places;
            }
        }
        if (places > 1 && scenario_.cheat == 255) fail("I1: one unit can be spent in two places");
    }
}

void Machine::check_ledger(const State& s) {
    if (scenario_.cheat != 255) return;  // then collateral and blame decide: src/settlement's tests
    for (std::size_t i = 0; i < s.notes; ++i) {
        if ((s.note[i].known & released) == 0) continue;
        for (std::size_t k = 0; k < s.notes; ++k) {
            if ((s.note[k].known & settled) != 0 && descends(s.note[k].note, s.note[i].note)) {
                fail("I1: an amount was given back and paid out");
            }
        }
    }
}

}  // namespace jiaozi::purse_host::model
