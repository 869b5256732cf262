// Every state of two and of three purses (protocol_model.hpp): loss, duplication, reordering, power cuts between record
// and counter, restored backups, VOIDs, syncs in any order, as often as they like. No step is counted; what bounds a
// history is only how many requests are ever made. The invariants I1 to I8 hold in all of them, and each rule that is
// taken away leads to a state in which one does not: the shortest history there is printed.
#include "protocol_model.hpp"

#include <deque>
#include <iostream>

#include <boost/unordered/unordered_flat_set.hpp>
#include <gtest/gtest.h>

namespace jiaozi::purse_host::model {
namespace {

// 128 bits, multiplied and folded: among some millions of states no two are expected to meet.
struct Fingerprint {
    std::uint64_t high = 0x9E3779B97F4A7C15;
    std::uint64_t low = 0xC2B2AE3D27D4EB4F;
    bool operator==(const Fingerprint&) const = default;
};
struct FingerprintHash {
    std::size_t operator()(const Fingerprint& f) const { return static_cast<std::size_t>(f.low); }
};

std::uint64_t fold(std::uint64_t x, std::uint64_t y) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{x} * y;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

Fingerprint fingerprint(const State& state) {
    std::array<std::uint64_t, (sizeof(State) + 7) / 8> words{};
    std::memcpy(words.data(), &state, sizeof state);
    Fingerprint made;
    for (const std::uint64_t word : words) {
        made.high = fold(made.high ^ word, 0xA0761D6478BD642F);
        made.low = fold(made.low + word, 0xE7037ED1A0B428DB) + made.high;
    }
    return made;
}

// Breadth first, so that a counterexample is a shortest one.
class Explorer {
  public:
    explicit Explorer(const Scenario& scenario) : machine_(scenario) {}

    bool run(std::size_t most) {
        add(machine_.start(), 0, {});
        for (std::size_t at = 0; !waiting_.empty() && broken_.empty(); ++at) {
            if (states() > most) return false;
            const State state = waiting_.front();
            waiting_.pop_front();
            machine_.actions(state, todo_);
            const std::vector<Action> todo = todo_;
            for (const Action& action : todo) {
                State next = state;
                ++steps_;
                if (machine_.apply(next, action)) add(next, at, action);
                if (!broken_.empty()) break;
            }
        }
        return true;
    }
    std::size_t states() const { return from_.size(); }
    std::size_t steps() const { return steps_; }
    const std::string& broken() const { return broken_; }
    std::string history() const {
        std::string text;
        for (std::size_t at = from_.size() - 1; at != 0; at = from_[at].first) {
            text = "  " + name_of(from_[at].second) + "\n" + text;
        }
        return broken_ + "\n" + text;
    }

  private:
    void add(const State& state, std::size_t from, const Action& action) {
        if (!seen_.insert(fingerprint(state)).second) return;
        waiting_.push_back(state);
        from_.emplace_back(static_cast<std::uint32_t>(from), action);
        if (!machine_.holds(state)) broken_ = machine_.broken();
    }

    Machine machine_;
    std::deque<State> waiting_;
    std::vector<std::pair<std::uint32_t, Action>> from_;
    boost::unordered_flat_set<Fingerprint, FingerprintHash> seen_;
    std::vector<Action> todo_;
    std::size_t steps_ = 0;
    std::string broken_;
};

void expect_holds(const char* name, const Scenario& scenario) {
    Explorer explorer(scenario);
    EXPECT_TRUE(explorer.run(30'000'000)) << "not exhaustive";
    std::cout << name << ": " << explorer.states() << " states, " << explorer.steps() << " steps\n";
    EXPECT_TRUE(explorer.broken().empty()) << explorer.history();
}

void expect_counterexample(const char* name, const Scenario& scenario, const char* invariant) {
    Explorer explorer(scenario);
    ASSERT_TRUE(explorer.run(30'000'000));
    std::cout << "without " << name << ": " << explorer.history();
    EXPECT_EQ(explorer.broken().substr(0, 2), invariant) << explorer.broken();
}

constexpr std::uint8_t a = 0;
constexpr std::uint8_t b = 1;
constexpr std::uint8_t c = 2;

TEST(ProtocolModel, TwoPurses) {
    expect_holds("two purses, three requests, both ways", {.purses = 2, .payee_of = {b, b, a}});
}

TEST(ProtocolModel, TwoPursesRestored) {
    expect_holds("two purses, a request each, a restored backup", {.purses = 2, .payee_of = {b, a}, .restores = true});
}

TEST(ProtocolModel, ThreePurses) {
    expect_holds("three purses, two requests", {.purses = 3, .payee_of = {b, c}});
}

TEST(ProtocolModel, ThreePursesInARing) {
    expect_holds("three purses, each asks once", {.purses = 3, .payee_of = {b, c, a}});
}

TEST(ProtocolModel, ThreePursesRestored) {
    expect_holds("three purses, two requests, a restored backup", {.purses = 3, .payee_of = {b, c}, .restores = true});
}

TEST(ProtocolModel, ThreePursesOneCheating) {
    for (const std::uint8_t cheat : {a, b}) {
        Scenario s{.purses = 3, .payee_of = {b, c}, .restores = true};
        s.cheat = cheat;
        expect_holds(
            cheat == a ? "three purses, the loader clones itself" : "three purses, the second holder clones itself", s);
    }
}

TEST(ProtocolModelCanFail, WithoutJournalBeforeTransmit) {
    Scenario s{.purses = 2, .payee_of = {b, b}};
    s.rules.journal_before_send = false;
    expect_counterexample("journal before transmit", s, "I1");
}

TEST(ProtocolModelCanFail, WithoutIdempotentCredit) {
    Scenario s{.purses = 2, .payee_of = {b}};
    s.rules.idempotent_credit = false;
    expect_counterexample("idempotent credit", s, "I4");
}

TEST(ProtocolModelCanFail, WithoutUnlockAtSyncOnly) {
    Scenario s{.purses = 2, .payee_of = {b, b}};
    s.rules.unlock_at_sync_only = false;
    expect_counterexample("unlocking at a sync only", s, "I6");
}

TEST(ProtocolModelCanFail, WithAVoidedRangeSpentAgain) {
    Scenario s{.purses = 2, .payee_of = {b, b}};
    s.rules.voided_range_stays_spent = false;
    expect_counterexample("a voided range staying spent (ADR 0013)", s, "I6");
}

TEST(ProtocolModelCanFail, WithoutTheCounter) {
    Scenario s{.purses = 2, .payee_of = {b, b}, .restores = true};
    s.rules.counter = false;
    expect_counterexample("a counter outside of the journal", s, "I1");
}

TEST(ProtocolModelCanFail, WithRequestsThatOutliveARestart) {
    Scenario s{.purses = 2, .payee_of = {b}, .restores = true};
    s.rules.restart_drops_requests = false;
    expect_counterexample("dropping open requests at a restart (ADR 0018)", s, "I4");
}

}  // namespace
}  // namespace jiaozi::purse_host::model
