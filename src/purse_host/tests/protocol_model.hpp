// The protocol of docs/protocol/offline.md as a small machine: purses, their journals and counters, one network, one
// ledger. Small enough that every state of two and three purses can be visited; conformance_test.cpp holds it against
// the real code, step by step.
//
// What it leaves out, and why nothing is lost: amounts (every payment is one unit), signatures and sealing (nobody here
// can forge), screens. What it keeps: who has written what, what was ever sent, what the counters and the ledger know.
// A message that was sent once can arrive at any time, any number of times or never; so loss, duplication and
// reordering need no steps of their own. A message that stands in the journal of a running purse counts as sent,
// because the purse may always send it again. I1 to I6 and I8 are looked at in every state. I7, that only the issuer
// moves a purse's lower bound of time, needs clocks, which are not here: purse_model_test and Attack A40 look at it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace jiaozi::purse_host::model {

inline constexpr std::size_t most_purses = 3;
inline constexpr std::size_t most_requests = 3;
inline constexpr std::size_t most_notes = 8;
inline constexpr std::size_t most_answers = 8;
inline constexpr std::uint8_t lot_units = 2;  // purse 0 has the lot
inline constexpr std::uint8_t most_hops = 5;

// What a rule prevents is seen by taking it away.
struct Rules {
    bool journal_before_send = true;
    bool idempotent_credit = true;
    bool unlock_at_sync_only = true;       // a VOID frees nothing by itself
    bool voided_range_stays_spent = true;  // docs/adr/0013
    bool counter = true;                   // the anchor: a restored journal is noticed
    bool restart_drops_requests = true;    // docs/adr/0018
};

struct Scenario {
    std::size_t purses = 2;
    std::vector<std::uint8_t> payee_of;  // of each request that is ever made
    bool restores = false;               // one backup of one purse is taken, at any moment, and put back at any other
    std::uint8_t cheat = 255;            // this purse may put its counter back with its journal: a clone
    Rules rules = {};
};

// Interned, so that a state is a few bytes. A note is who pays which request with what, under which number.
struct Note {
    std::uint8_t payer = 0;
    std::uint8_t request = 0;
    std::uint8_t seq = 0;
    std::uint8_t hop = 0;
    std::uint8_t unit = 0;    // of the lot that it comes down to
    std::uint8_t source = 0;  // 0: the lot; else note number source - 1
    bool operator==(const Note&) const = default;
};

class Notes {
  public:
    std::uint8_t number(const Note& note) {
        const auto found = std::ranges::find(all_, note);
        if (found != all_.end()) return static_cast<std::uint8_t>(found - all_.begin());
        all_.push_back(note);
        return static_cast<std::uint8_t>(all_.size() - 1);
    }
    const Note& operator[](std::size_t number) const { return all_[number]; }
    std::size_t size() const { return all_.size(); }

  private:
    std::vector<Note> all_;
};

enum Asked : std::uint8_t { none, open, credited, voided, forgotten };
enum Paid : std::uint8_t { unpaid, sent, void_held, done, covered };  // done: by a receipt; covered: by a SACK
enum Held : std::uint8_t { nothing, held_free, held_spent, claim_only, gone };

// What one purse's journal says.
struct Journal {
    std::uint8_t seq = 0;
    std::uint8_t base = 0;  // numbers up to here are settled by a restart
    std::uint8_t lot = 0;   // free units, a bit each
    struct Request {
        std::uint8_t state = none;
        std::uint8_t note = 0;  // credited with
        std::uint8_t seq = 0;   // of the receipt or void
        std::uint8_t held = nothing;
        bool operator==(const Request&) const = default;
    };
    std::array<Request, most_requests> asked{};
    struct Payment {
        std::uint8_t state = unpaid;
        std::uint8_t note = 0;
        bool operator==(const Payment&) const = default;
    };
    std::array<Payment, most_requests> paid{};
    bool operator==(const Journal&) const = default;
};

// Flags of what the ledger knows.
enum Known : std::uint8_t { heard = 1, settled = 2, released = 4 };

struct Sent {
    std::uint8_t note = 0;
    std::uint8_t known = 0;
};
struct Answer {  // a receipt for a note, or a VOID of a request
    std::uint8_t payee = 0;
    std::uint8_t what = 0;
    std::uint8_t seq = 0;
    std::uint8_t known = 0;
};

struct State {
    std::array<Journal, most_purses> journal{};
    std::array<std::uint8_t, most_purses> counter{};
    std::array<std::uint8_t, most_purses> suspect{};
    std::array<std::uint8_t, most_purses> off{};  // power went between record and counter
    std::uint8_t requests = 0;                    // ever sent, a bit each
    std::uint8_t backup_of = 255;
    Journal backup{};
    std::uint8_t backup_counter = 0;
    std::uint8_t notes = 0;
    std::uint8_t receipts = 0;
    std::uint8_t voids = 0;
    std::array<Sent, most_notes> note{};  // sorted, and so canonical
    std::array<Answer, most_answers> receipt{};
    std::array<Answer, most_answers> voided{};
};
static_assert(std::has_unique_object_representations_v<State>);  // its bytes are compared

enum class Deed : std::uint8_t {
    ask,
    pay,
    take_note,
    take_receipt,
    void_request,
    take_void,
    power_on,
    back_up,
    restore,
    cheat,
    hand_in,
    sync
};

struct Action {
    Deed deed = Deed::ask;
    std::uint8_t purse = 0;
    std::uint8_t what = 0;    // request, note, or index of an answer
    std::uint8_t source = 0;  // of pay
    bool crash = false;       // power goes behind the record, before the counter
    bool lost = false;        // rules.journal_before_send off: sent, and never written
};

std::string name_of(const Action& action);

class Machine {
  public:
    explicit Machine(Scenario scenario) : scenario_(std::move(scenario)) {}

    State start() const;
    const Scenario& scenario() const { return scenario_; }
    Notes& notes() { return notes_; }
    // Why the last state is wrong; empty when it is not.
    const std::string& broken() const { return broken_; }

    void actions(const State& s, std::vector<Action>& out) const;

    // False when the action changes nothing.
    bool apply(State& s, const Action& a);

    bool holds(const State& s);

    bool honest(std::uint8_t purse) const { return purse != scenario_.cheat; }
    std::uint8_t payee_of(const Note& note) const { return scenario_.payee_of[note.request]; }
    bool runs(const State& s, std::uint8_t p) const { return s.off[p] == 0; }
    bool active(const State& s, std::uint8_t p) const { return runs(s, p) && s.suspect[p] == 0; }

    // What the ledger would say to a purse at a sync: the numbers of its SACK.
    struct Ack {
        std::uint8_t through = 0;
        std::uint8_t next = 0;
        std::vector<std::uint8_t> released;
        bool restart = false;
    };
    Ack ack_for(const State& s, std::uint8_t p) const;
    bool holds_note(const State& s, std::uint8_t p, std::uint8_t request) const;

  private:
    static bool in_hand(std::uint8_t held) { return held == held_free || held == held_spent || held == claim_only; }

    void actions_of(const State& s, std::uint8_t p, std::vector<Action>& out) const;
    void pay_actions(const State& s, std::uint8_t p, std::uint8_t r, std::vector<Action>& out) const;
    void answers_for(const State& s, std::uint8_t p, std::vector<Action>& out) const;

    // ---- what the purses do ----

    void counted(State& s, const Action& a);
    void pay(State& s, const Action& a);
    void say(State& s, std::uint8_t number);
    static void say(std::array<Answer, most_answers>& all, std::uint8_t& count, const Answer& answer);
    void say_void(State& s, const Action& a, const Answer& answer);
    void take_note(State& s, const Action& a);
    void take_receipt(State& s, const Action& a) { s.journal[a.purse].paid[notes_[a.what].request].state = done; }
    void take_void(State& s, const Action& a);
    void free_again(Journal& j, std::uint8_t number);
    void power_on(State& s, std::uint8_t p);

    // ---- the ledger ----

    std::uint8_t highest(const State& s, std::uint8_t p) const { return std::max(s.counter[p], s.journal[p].seq); }
    bool number_heard(const State& s, std::uint8_t p, std::uint8_t seq) const;
    bool void_heard(const State& s, const Note& note) const;
    void hear_note(State& s, std::uint8_t number, std::uint8_t flags);
    void hand_in(State& s, std::uint8_t p);
    void sync(State& s, std::uint8_t p);
    void forget_through(Journal& j, std::uint8_t through);

    // ---- invariants ----

    void fail(const std::string& what);
    void check_said(const State& s);

    // I2, I3: an overlap without ancestry is always one of siblings, and never of an honest purse.
    void check_conflicts(const State& s);
    bool descends(std::uint8_t child, std::uint8_t ancestor) const;

    // The signer of the two siblings at the deepest common ancestor.
    std::uint8_t culprit(std::uint8_t left, std::uint8_t right) const;
    void check_answers(const State& s);

    // I1 among purses: nobody else can spend a unit that can be spent here, and none that is on its way.
    void check_value(const State& s);

    // I1, I4 in the ledger: what is given back is not paid out as well, and nothing is paid out twice.
    void check_ledger(const State& s);

    Scenario scenario_;
    Notes notes_;
    std::string broken_;
};

}  // namespace jiaozi::purse_host::model
