// Every order of a few actions of two or three purses, over the real code: requests, payments, deliveries, power cuts
// at each write, lost counters, restarts, voids, cancellations, resumes, restored backups, syncs. A message that was
// sent once may arrive at any time, any number of times, or never: the network is the set of all messages ever sent,
// which covers loss, duplication and reordering. After each action the invariants of docs/protocol/offline.md are
// checked; a state that was seen before is not explored again.
//
// That the check can fail is shown by taking away what a rule rests on: storage that says it has written and has not,
// the payer's or the payee's (journal before transmit). What unlocking a voided range does, it found when
// the code still did that: docs/adr/0011, and Attack.A13_SpendingAVoidedRangeAgainWouldBeAForkProof.
#include <algorithm>
#include <optional>
#include <set>
#include <unordered_set>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/purse/seal.hpp>

#include "forge.hpp"

namespace jiaozi::purse_host {
namespace {

// How many of each action there may be in one history.
struct Budget {
    std::array<int, 3> requests{};  // by purse
    int crashes = 0;
    int restarts = 0;
    int voids = 0;
    int resumes = 0;
    int cancels = 0;
    int restores = 0;
    int rollbacks = 0;  // the payee's owner puts back storage and counter: dishonest
    int syncs = 0;
};

struct Scenario {
    std::size_t purses = 2;
    Budget budget;
    int payee_class = 0;
    bool payer_storage_lies = false;
    bool payee_storage_lies = false;  // about what follows its first request
    std::size_t honest_until = 99;    // purses from this number on may cheat
    std::size_t most_states = 60'000;
};

// One purse of the explored world and its surroundings, built once and set to each state.
struct Actor {
    Actor(std::uint32_t ordinal, int level)
        : signer(ordinal), cryptography(ordinal), purse(cryptography, signer, storage, anchor, clock) {
        anchor.id[1] = static_cast<std::uint8_t>(ordinal);
        EXPECT_EQ(purse.create(ordinal, level), JZ_OK);
    }
    FastSigner signer;
    FastCryptography cryptography;
    MemoryStorage storage;
    MemoryAnchor anchor;
    TestClock clock{timestamp_s(today_s)};
    HostPurse purse;
};

struct ActorState {
    Bytes memory;
    MemoryStorage storage;
    MemoryAnchor anchor;
    std::vector<std::array<std::uint8_t, 16>> nonces;
    std::uint32_t syncs = 0;
};

struct State {
    std::vector<ActorState> actors;
    std::set<Bytes> network;
    Budget budget;
    std::vector<std::string> history;
};

class Explorer {
  public:
    explicit Explorer(const Scenario& scenario)
        : scenario_(scenario), issuer_signer_(1'000), issuer_(ledger_, issuer_signer_) {
        for (std::uint32_t i = 1; i <= scenario.purses; ++i) {
            actors_.push_back(std::make_unique<Actor>(i, i == 1 ? 0 : scenario.payee_class));
            Actor& actor = *actors_.back();
            trust(actor);
            Bytes lot = issuer_.certificate(certificate(i));
            EXPECT_EQ(jz_purse_load(actor.purse.get(), c_view(lot)), JZ_OK);
            if (i == 1) actor.storage.lie(scenario.payer_storage_lies);
        }
        State start;
        start.budget = scenario.budget;
        for (const auto& actor : actors_) start.actors.push_back(save(*actor, {}));
        first_ = start;
    }

    // The first history that breaks an invariant, if there is one.
    std::optional<std::vector<std::string>> run() {
        visit(first_);
        return counterexample_;
    }
    std::size_t states() const { return seen_.size(); }
    std::size_t steps() const { return steps_; }
    const std::string& broken() const { return broken_; }

  private:
    // ---- the world ----

    static constexpr std::uint64_t lot_amount = 2;

    purse::Certificate certificate(std::uint32_t ordinal) {
        purse::Certificate lot;
        lot.serial = ordinal;
        lot.purse = ordinal;
        lot.key = public_key_of(FastSigner(ordinal).public_key());
        lot.assurance = static_cast<std::uint8_t>(ordinal == 1 ? 0 : scenario_.payee_class);
        lot.asset = asset_of("CNY");
        lot.amount = ordinal == 1 ? lot_amount : 0;
        lot.not_before = today_s - day_s;
        lot.expires = today_s + 30 * day_s;
        lot.settle_by = today_s + 60 * day_s;
        lot.per_payment = lot.without_cvm = lot.receive_cap = 10;
        lot.count = 100;
        lot.hops = 5;
        return lot;
    }

    void trust(Actor& actor) {
        const jz_issuer_key key = issuer_.key();
        EXPECT_EQ(jz_purse_trust(actor.purse.get(), &key, 1), JZ_OK);
    }

    ActorState save(Actor& actor, ActorState other) {
        const auto* memory = reinterpret_cast<const std::uint8_t*>(actor.purse.get());
        other.memory.assign(memory, memory + JZ_PURSE_BYTES);
        other.storage = actor.storage;
        other.anchor = actor.anchor;
        return other;
    }

    void enter(const State& state) {
        for (std::size_t i = 0; i < actors_.size(); ++i) {
            Actor& actor = *actors_[i];
            const ActorState& saved = state.actors[i];
            std::ranges::copy(saved.memory, reinterpret_cast<std::uint8_t*>(actor.purse.get()));
            actor.storage = saved.storage;
            actor.anchor = saved.anchor;
        }
    }

    void restart(Actor& actor) {
        actor.storage.power_on();
        actor.storage.cut_power(PowerCut::never);
        actor.anchor.lose_next_advance = false;
        if (scenario_.payer_storage_lies || scenario_.payee_storage_lies) {
            if (actor.storage.lose_what_was_not_written()) actor.anchor.counter = 0;  // on the same lying medium
        }
        EXPECT_EQ(actor.purse.open(), JZ_OK);
        trust(actor);
    }

    // ---- exploring ----

    // What may happen within one call: nothing, power cut at write `write`, or the counter not advanced.
    struct Fault {
        PowerCut cut = PowerCut::never;
        unsigned write = 0;
        bool counter = false;
        std::string name;
    };

    static const std::vector<Fault>& faults() {
        static const std::vector<Fault> all = [] {
            std::vector<Fault> made{{}};
            for (const unsigned write : {0U, 1U}) {
                made.push_back({PowerCut::before, write, false, ", power cut before write " + std::to_string(write)});
                made.push_back({PowerCut::half, write, false, ", power cut within write " + std::to_string(write)});
                made.push_back({PowerCut::after, write, false, ", power cut after write " + std::to_string(write)});
            }
            made.push_back({PowerCut::never, 0, true, ", power cut before the counter"});
            return made;
        }();
        return all;
    }

    // Does `call` on a purse in a copy of the state, with every fault the budget allows, and goes on from there.
    template <class Call>
    void act(const State& state, std::size_t who, const std::string& name, Call call) {
        for (const Fault& fault : faults()) {
            const bool crash = !fault.name.empty();
            if (crash && state.budget.crashes == 0) break;
            if (counterexample_ || seen_.size() >= scenario_.most_states) return;
            enter(state);
            State next = state;
            next.history.push_back(static_cast<char>('A' + who) + std::string(": ") + name + fault.name);
            Actor& actor = *actors_[who];
            actor.storage.cut_power(fault.cut, fault.write);
            actor.anchor.lose_next_advance = fault.counter;
            const std::uint64_t writes = actor.storage.writes();
            // The same numbers for the same deed: what is sealed anew has the same bytes again, and the network stays
            // finite.
            actor.cryptography.position() = who * 1'000 + state.actors[who].nonces.size();
            const HostPurse::Written said = call(actor, next);
            const bool nothing_written = actor.storage.writes() == writes;
            const bool happened =
                crash && (actor.storage.power_is_gone() || (fault.counter && said.status == JZ_STORAGE_FAILED));
            actor.storage.cut_power(PowerCut::never);
            actor.anchor.lose_next_advance = false;
            if (crash && !happened) continue;  // there was no such write
            if (happened) {
                --next.budget.crashes;
                if (!said.bytes.empty()) return fail(next, "a message was given out by a call that failed");
                restart(actor);
            }
            if (!said.bytes.empty()) {
                check_journalled(next, actor, said.bytes);
                next.network.insert(said.bytes);
            }
            ++steps_;
            for (std::size_t i = 0; i < actors_.size(); ++i) next.actors[i] = save(*actors_[i], next.actors[i]);
            check(next);
            if (counterexample_) return;
            if (seen_.insert(fingerprint(next)).second) visit(next);
            if (nothing_written) return;  // no write, no power cut to try
        }
    }

    void visit(const State& state) {
        for (std::size_t who = 0; who < actors_.size(); ++who) {
            offer_requests(state, who);
            offer_deliveries(state, who);
            offer_owner(state, who);
        }
    }

    void offer_requests(const State& state, std::size_t who) {
        if (state.budget.requests[who] == 0) return;
        act(state, who, "request 1", [this, who](Actor& actor, State& next) {
            --next.budget.requests[who];
            std::array<std::uint8_t, 16> nonce{};
            auto made = actor.purse.request(1, true, nonce.data());
            if (made.status == JZ_OK) next.actors[who].nonces.push_back(nonce);
            actor.storage.lie(scenario_.payee_storage_lies);
            return made;
        });
    }

    void offer_deliveries(const State& state, std::size_t who) {
        std::size_t number = 0;
        for (const Bytes& message : state.network) {
            const auto verb = static_cast<purse::Verb>(message[0]);
            const std::string name =
                "message " + std::to_string(number++) + " (verb " + std::to_string(message[0]) + ")";
            if (verb == purse::Verb::request) {
                act(state, who, "pay " + name, [&](Actor& actor, State&) { return actor.purse.pay(message, false); });
            } else {
                act(state, who, "receive " + name, [&](Actor& actor, State&) { return actor.purse.receive(message); });
            }
            if (counterexample_) return;
        }
    }

    void offer_owner(const State& state, std::size_t who) {
        const Budget& left = state.budget;
        if (left.restarts > 0) {
            act(state, who, "restart", [this](Actor& actor, State& next) {
                --next.budget.restarts;
                restart(actor);
                return HostPurse::Written{};
            });
        }
        if (left.resumes > 0) {
            act(state, who, "resume", [](Actor& actor, State& next) {
                --next.budget.resumes;
                return actor.purse.resume();
            });
        }
        if (left.cancels > 0) {
            act(state, who, "cancel", [](Actor& actor, State& next) {
                --next.budget.cancels;
                return actor.purse.cancel();
            });
        }
        for (const auto& nonce : state.actors[who].nonces) {
            if (left.voids == 0) break;
            act(state, who, "void", [&](Actor& actor, State& next) {
                --next.budget.voids;
                return actor.purse.void_request(nonce.data());
            });
        }
        if (left.restores > 0) {
            act(state, who, "restore the first backup", [this, who](Actor& actor, State& next) {
                --next.budget.restores;
                actor.storage = first_.actors[who].storage;
                restart(actor);
                return HostPurse::Written{};
            });
        }
        if (left.rollbacks > 0 && who >= scenario_.honest_until && !state.actors[who].nonces.empty()) {
            act(state, who, "roll back storage and counter to before the void", [](Actor& actor, State& next) {
                --next.budget.rollbacks;
                actor.storage.content().journal.resize(3);  // start, lot, request
                actor.anchor.counter = 0;
                EXPECT_EQ(actor.purse.open(), JZ_OK);
                return HostPurse::Written{};
            });
        }
        if (left.syncs > 0) offer_sync(state, who);
    }

    // The ledger has seen what is on the network: a note whose payee has signed a VOID and no receipt is released.
    void offer_sync(const State& state, std::size_t who) {
        purse::SyncAck ack;
        ack.purse = static_cast<std::uint32_t>(who + 1);
        ack.sync = state.actors[who].syncs + 1;
        ack.time = today_s;
        for (const auto& note : notes(state)) {
            if (note.value.payer != ack.purse || !voided(state, note.value.request) || credited(state, note.id))
                continue;
            if (ack.released < ack.release.size()) ack.release[ack.released++] = note.id;
        }
        const Bytes sack = issuer_.sync_ack(ack);
        act(state, who, "sync", [&, who](Actor& actor, State& next) {
            --next.budget.syncs;
            ++next.actors[who].syncs;
            HostPurse::Written none;
            none.status = jz_purse_sync(actor.purse.get(), c_view(sack));
            return none;
        });
    }

    // ---- what is on the network: FastCryptography hides nothing ----

    template <class Value>
    static bool object_at(ByteView bytes, purse::Type type, purse::Entry<Value>& entry) {
        if (purse::read_object(bytes, entry.object) != JZ_OK || entry.object.type != type) return false;
        return purse::parse(entry.object, entry.value) == JZ_OK;
    }

    std::vector<purse::Entry<purse::Note>> notes(const State& state) {
        std::vector<purse::Entry<purse::Note>> found;
        for (const Bytes& message : state.network) {
            if (static_cast<purse::Verb>(message[0]) != purse::Verb::pay) continue;
            purse::Entry<purse::Note> entry;
            if (!object_at(ByteView(message).subspan(49), purse::Type::note, entry)) continue;
            entry.id = object_id(ledger_, entry.object.bytes);
            found.push_back(entry);
        }
        return found;
    }

    template <class Value>
    std::vector<purse::Entry<Value>> answers(const State& state, purse::Verb verb, purse::Type type) {
        std::vector<purse::Entry<Value>> found;
        for (const Bytes& message : state.network) {
            purse::Entry<Value> entry;
            if (static_cast<purse::Verb>(message[0]) != verb || !object_at(ByteView(message).subspan(1), type, entry))
                continue;
            entry.id = object_id(ledger_, entry.object.bytes);
            found.push_back(entry);
        }
        return found;
    }

    bool voided(const State& state, const purse::Id& request) {
        for (const auto& entry : answers<purse::Void>(state, purse::Verb::voided, purse::Type::void_request)) {
            if (entry.value.request == request) return true;
        }
        return false;
    }
    bool credited(const State& state, const purse::Id& note) {
        for (const auto& entry : answers<purse::Receipt>(state, purse::Verb::receipt, purse::Type::receipt)) {
            if (entry.value.note == note) return true;
        }
        return false;
    }

    bool honest(std::uint32_t purse) const { return purse - 1 < scenario_.honest_until; }

    // ---- invariants ----

    void fail(const State& state, const std::string& what) {
        if (counterexample_) return;
        counterexample_ = state.history;
        broken_ = what;
    }

    // I5: what leaves is in the journal.
    void check_journalled(const State& state, Actor& actor, ByteView message) {
        const auto verb = static_cast<purse::Verb>(message[0]);
        const std::size_t at = verb == purse::Verb::pay ? 49 : 1;
        if (verb != purse::Verb::pay && verb != purse::Verb::receipt && verb != purse::Verb::voided) return;
        purse::Object object;
        ByteView rest = message.subspan(at);
        if (purse::read_object(rest, object) != JZ_OK) return fail(state, "a message holds no object");
        for (const auto& record : actor.storage.content().journal) {
            if (!std::ranges::search(record, object.bytes).empty()) return;
        }
        fail(state, "I5: an object was sent that is not in the journal");
    }

    struct Said {
        std::uint32_t purse;
        std::uint32_t seq;
        purse::Id id;
    };

    void check(const State& state) {
        const auto all_notes = notes(state);
        const auto receipts = answers<purse::Receipt>(state, purse::Verb::receipt, purse::Type::receipt);
        const auto voids = answers<purse::Void>(state, purse::Verb::voided, purse::Type::void_request);
        std::vector<Said> said;
        for (const auto& e : all_notes) said.push_back({e.value.payer, e.value.seq, e.id});
        for (const auto& e : receipts) said.push_back({e.value.payee, e.value.seq, e.id});
        for (const auto& e : voids) said.push_back({e.value.payee, e.value.seq, e.id});
        for (const Said& a : said) {
            for (const Said& b : said) {
                if (honest(a.purse) && a.purse == b.purse && a.seq == b.seq && a.id != b.id) {
                    return fail(state, "I6: an honest purse said two things under one number");
                }
            }
        }
        for (const auto& a : all_notes) {
            for (const auto& b : all_notes) {
                if (honest(a.value.payer) && purse::in_conflict(a, b)) {
                    return fail(state, "I6: a fork proof against an honest purse");
                }
            }
        }
        for (const auto& a : receipts) {
            for (const auto& b : receipts) {
                if (honest(a.value.payee) && a.value.note == b.value.note && a.id != b.id) {
                    return fail(state, "I4: one note was credited twice");
                }
            }
        }
        for (const auto& e : all_notes) {
            if (honest(e.value.payee) && credited(state, e.id) && voided(state, e.value.request)) {
                return fail(state, "I4: an honest payee credited and voided one request");
            }
        }
        check_value(state, all_notes, receipts);
    }

    // I1, I2: what the owner of the lot can spend, what has been credited from the lot and not spent on, and what is
    // open never exceed the lot.
    void check_value(const State& state, const std::vector<purse::Entry<purse::Note>>& all_notes,
                     const std::vector<purse::Entry<purse::Receipt>>& receipts) {
        std::uint64_t spendable = 0;
        bool all_active = true;
        for (std::size_t i = 0; i < actors_.size(); ++i) {
            const jz_info info = actors_[i]->purse.info();
            spendable += info.spendable;
            all_active = all_active && info.state == JZ_ACTIVE && honest(static_cast<std::uint32_t>(i + 1));
            if (info.t_low != today_s - day_s && info.t_low != today_s) return fail(state, "I7: T_low moved");
        }
        if (!all_active) return;
        if (spendable > lot_amount) return fail(state, "I1: more can be spent than was loaded");
        // A note that its payee has not credited is locked at the payer, whatever the payer has heard.
        std::set<purse::Id> open;
        for (const auto& note : all_notes) {
            const bool settled = std::ranges::any_of(receipts, [&](const auto& r) { return r.value.note == note.id; });
            if (!settled && !voided(state, note.value.request)) open.insert(note.id);
        }
        if (spendable + open.size() > lot_amount + credited_but_silent(all_notes, receipts)) {
            fail(state, "I1: value that is on its way can be spent as well");
        }
    }

    // Credited by a payee whose receipt never left it (power went): its value is the payee's, and still open on the
    // net.
    std::size_t credited_but_silent(const std::vector<purse::Entry<purse::Note>>& all_notes,
                                    const std::vector<purse::Entry<purse::Receipt>>& receipts) {
        std::uint64_t held = 0;
        std::set<purse::Id> known;
        for (std::size_t i = 1; i < actors_.size(); ++i) held += actors_[i]->purse.info().notes_held;
        for (const auto& r : receipts) known.insert(r.value.note);
        (void)all_notes;
        return held > known.size() ? static_cast<std::size_t>(held - known.size()) : 0;
    }

    // Everything that decides what can happen next. The room that purses work in, at the end of their block, does not.
    crypto::Digest fingerprint(const State& state) {
        constexpr std::size_t working_room = sizeof(purse::Bundle) + 2 * (purse::max_bundle + 16);
        crypto::Sha256 hasher;
        for (const ActorState& actor : state.actors) {
            hasher.update(ByteView(actor.memory).first(actor.memory.size() - working_room - 600));
            for (const auto& record : actor.storage.content().journal) hasher.update(record);
            const std::uint64_t numbers[] = {actor.anchor.counter, actor.syncs, actor.nonces.size()};
            hasher.update({reinterpret_cast<const std::uint8_t*>(numbers), sizeof numbers});
        }
        for (const Bytes& message : state.network) hasher.update(message);
        hasher.update({reinterpret_cast<const std::uint8_t*>(&state.budget), sizeof state.budget});
        return hasher.finish();
    }

    struct DigestHash {
        std::size_t operator()(const crypto::Digest& digest) const {
            std::size_t value = 0;
            std::copy_n(digest.begin(), sizeof value, reinterpret_cast<std::uint8_t*>(&value));
            return value;
        }
    };

    Scenario scenario_;
    FastCryptography ledger_{77};
    FastSigner issuer_signer_;
    Issuer issuer_;
    std::vector<std::unique_ptr<Actor>> actors_;
    State first_;
    std::unordered_set<crypto::Digest, DigestHash> seen_;
    std::size_t steps_ = 0;
    std::optional<std::vector<std::string>> counterexample_;
    std::string broken_;
};

std::string told(const Explorer& explorer, const std::optional<std::vector<std::string>>& history) {
    std::string text = explorer.broken() + "\n";
    for (const std::string& step : history.value_or(std::vector<std::string>{})) text += "  " + step + "\n";
    return text;
}

void expect_holds(const char* name, const Scenario& scenario) {
    Explorer explorer(scenario);
    const auto found = explorer.run();
    std::cout << name << ": " << explorer.states() << " states, " << explorer.steps() << " steps\n";
    EXPECT_FALSE(found.has_value()) << told(explorer, found);
    EXPECT_LT(explorer.states(), scenario.most_states) << "not exhaustive: fewer actions, or more states";
    EXPECT_GT(explorer.states(), 10U);
}

void expect_counterexample(const Scenario& scenario, std::string_view invariant) {
    Explorer explorer(scenario);
    const auto found = explorer.run();
    ASSERT_TRUE(found.has_value()) << "the check would not notice";
    std::cout << told(explorer, found);
    EXPECT_NE(explorer.broken().find(invariant), std::string::npos) << explorer.broken();
}

TEST(ModelCheck, PaymentWithCrashesAndResume) {
    Scenario s;
    s.budget = {.requests = {0, 1, 0}, .crashes = 1, .resumes = 1};
    expect_holds("a payment, a crash, a resume", s);
}

TEST(ModelCheck, TwoPayments) {
    Scenario s;
    s.budget = {.requests = {0, 2, 0}};
    expect_holds("two payments", s);
}

TEST(ModelCheck, VoidCancelAndSyncInAnyOrder) {
    Scenario s;
    s.budget = {.requests = {0, 1, 0}, .voids = 1, .cancels = 1, .syncs = 1};
    expect_holds("void, cancel, sync", s);
}

TEST(ModelCheck, CrashWithVoid) {
    Scenario s;
    s.budget = {.requests = {0, 1, 0}, .crashes = 1, .voids = 1};
    expect_holds("a crash and a void", s);
}

TEST(ModelCheck, RestoredBackupAndRestart) {
    Scenario s;
    s.budget = {.requests = {0, 1, 0}, .restarts = 1, .restores = 1};
    expect_holds("restore, restart", s);
}

TEST(ModelCheck, CheatingPayeeHarmsNobodyHonest) {
    Scenario s;
    s.honest_until = 1;
    s.budget = {.requests = {0, 1, 0}, .voids = 1, .rollbacks = 1, .syncs = 1};
    expect_holds("a payee that voids, rolls back and credits", s);
}

TEST(ModelCheckCanFail, WithoutJournalBeforeTransmit) {
    Scenario s;
    s.payer_storage_lies = true;
    s.budget = {.requests = {0, 1, 0}, .restarts = 1};
    expect_counterexample(s, "I1");
}

// A payee that forgets what it credited says something else under the same number.
TEST(ModelCheckCanFail, WithoutTheJournalOfThePayee) {
    Scenario s;
    s.payee_storage_lies = true;
    s.budget = {.requests = {0, 2, 0}, .restarts = 1};
    expect_counterexample(s, "I");
}

}  // namespace
}  // namespace jiaozi::purse_host
