// A random stream with purses that cheat in every way a key allows: they spend a range twice, a number twice, what they
// voided, void what they were paid; among honest ones that void, lose messages and are lost, while time passes and the
// program is killed. After every step: money is conserved and the book agrees with the ledger account by account, no
// lot pays more than its amount nor the reserve more than its cap, and no honest purse is accused.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "world.hpp"

namespace jiaozi::settlement::testing {
namespace {

constexpr std::size_t honest = 4;
constexpr std::size_t cheaters = 3;

struct Person {
    Device device;
    bool cheats = false;
};

// What a person may spend, if it is honest: a lot, or a note that it has credited.
struct Source {
    purse::Id id{};
    std::uint64_t next = 0;
    std::uint64_t end = 0;
    std::uint8_t hop = 0;
    Bytes provenance;
};

struct Item {
    Bytes bytes;
    std::size_t payee = 0;
    bool disowned = false;  // the payee has voided it: an honest one will not hand it in
};

class Town {
  public:
    explicit Town(std::uint64_t seed) : random_(seed) {
        world_.fund_reserve(50'000);
        for (std::size_t i = 0; i < honest + cheaters; ++i) {
            people_.push_back({world_.enrol(i % 2 == 0 ? 0 : 3), i >= honest});
            world_.load(people_.back().device, 0);
        }
        sources_.resize(people_.size());
        credited_.resize(people_.size());
    }

    void step() {
        switch (random_() % 16) {
            case 0:
            case 1:
                return load();
            case 2:
            case 3:
            case 4:
                return deposit();
            case 5:
                return void_what_was_credited();
            case 6:
                if (chance(6)) world_.pass_days(1 + static_cast<std::uint32_t>(random_() % 4));
                return;
            case 7:
                if (chance(10)) world_.restart();
                return;
            case 8:
                static_cast<void>(world_.sync(someone().device, 0));
                return;
            case 9:
                if (chance(20)) world_.lose(someone().device);
                return;
            default:
                return pay();
        }
    }

    void check() const {
        world_.check_money();
        const Book& book = world_.settlement->book();
        for (LotIndex index = 0; index < book.lots(); ++index) {
            const LotRecord& lot = book.lot(index);
            ASSERT_LE(lot.paid, lot.amount);
            const std::uint8_t assurance = book.purse(lot.purse)->assurance;
            ASSERT_LE(lot.reserve, default_policy.of(assurance).reserve_cap) << "lot " << lot.serial;
        }
        for (const Conflict& conflict : book.conflicts()) ASSERT_TRUE(is_cheater(conflict.culprit)) << conflict.culprit;
        for (const Person& person : people_) {
            const bool frozen = book.purse(person.device.ordinal)->state == PurseState::frozen;
            ASSERT_TRUE(!frozen || person.cheats) << "the honest purse " << person.device.ordinal << " is frozen";
        }
    }

    // Everything is handed in, and the last lot ends: nothing stays between wallets but what is owed.
    void finish() {
        for (const Item& item : items_) world_.settle_one(item.bytes);
        world_.pass_days(61);
        world_.advance();
        check();
        const Book& book = world_.settlement->book();
        EXPECT_TRUE(book.open_lots().empty());
        EXPECT_TRUE(book.pending().empty());
        EXPECT_EQ(book.proofs().size(), book.conflicts().size());
        for (const Person& person : people_) {
            if (person.cheats) continue;
            EXPECT_EQ(world_.received(person.device), 0U) << "purse " << person.device.ordinal;
        }
    }

  private:
    bool chance(unsigned one_of) { return random_() % one_of == 0; }
    Person& someone() { return people_[random_() % people_.size()]; }
    bool is_cheater(std::uint32_t ordinal) const {
        return std::ranges::any_of(people_, [&](const Person& p) { return p.device.ordinal == ordinal && p.cheats; });
    }

    void load() {
        const std::size_t who = random_() % people_.size();
        const std::uint64_t amount = 50 + random_() % 3'000;
        auto answer = world_.try_load(people_[who].device, amount, world_.new_load());
        if (!answer.ok()) return;  // frozen, lost, at its cap, or poor
        const purse::Id id = purse_host::object_id(purse_host::real_cryptography(), answer->certificate);
        sources_[who].push_back({id, 0, amount, 0, {}});
    }

    void pay() {
        const std::size_t from = random_() % people_.size();
        const std::size_t to = random_() % people_.size();
        if (from == to || sources_[from].empty()) return;
        Person& payer = people_[from];
        Source& source = sources_[from][random_() % sources_[from].size()];
        if (source.hop == 3) return;
        std::uint64_t offset = source.next;
        std::uint32_t seq = 0;
        if (payer.cheats && chance(3)) offset = random_() % source.end;
        if (payer.cheats && payer.device.seq > 1 && chance(8))
            seq = 1 + static_cast<std::uint32_t>(random_() % payer.device.seq);
        if (offset >= source.end) return;
        const std::uint64_t amount = 1 + random_() % std::min<std::uint64_t>(source.end - offset, 800);
        const auto hop = static_cast<std::uint8_t>(source.hop + 1);
        const Said note = world_.pay(payer.device, people_[to].device, {{source.id, offset, amount}}, hop, seq);
        source.next = std::max(source.next, offset + amount);  // for ever, whatever becomes of the note
        Bytes whole = note.bytes;
        append(whole, source.provenance);
        if (chance(5)) {
            // The payee takes the request back before it has seen the note.
            items_.push_back({world_.void_request(people_[to].device, note), to, false});
            items_.push_back({whole, to, true});
            if (people_[to].cheats) sources_[to].push_back({note.id, 0, amount, hop, whole});
            return;
        }
        if (chance(4)) items_.push_back({whole, to, false});  // the payer's word alone
        items_.push_back({World::deposit({world_.receipt(people_[to].device, note), whole}), to, false});
        sources_[to].push_back({note.id, 0, amount, hop, whole});
        if (people_[to].cheats) credited_[to].push_back(note);
    }

    void void_what_was_credited() {
        const std::size_t who = honest + random_() % cheaters;
        if (credited_[who].empty() || !chance(3)) return;
        const Said& note = credited_[who][random_() % credited_[who].size()];
        items_.push_back({world_.void_request(people_[who].device, note), who, false});
    }

    // Anything at any time, as often as chance has it, by anybody.
    void deposit() {
        if (items_.empty()) return;
        const std::size_t by = random_() % (people_.size() + 1);
        std::vector<Bytes> batch;
        for (std::size_t i = 0; i < 1 + random_() % 6; ++i) {
            const Item& item = items_[random_() % items_.size()];
            const bool refuses = by < people_.size() && by == item.payee && item.disowned && !people_[by].cheats;
            if (!refuses) batch.push_back(item.bytes);
        }
        world_.settle(std::move(batch), by < people_.size() ? people_[by].device.ordinal : 0);
    }

    std::mt19937_64 random_;
    World world_;
    std::vector<Person> people_;
    std::vector<std::vector<Source>> sources_;
    std::vector<std::vector<Said>> credited_;
    std::vector<Item> items_;
};

TEST(Cheaters, NeverMakeMoneyNorBlameTheHonest) {
    for (int round = 0; round < 4; ++round) {
        const std::uint64_t seed = std::random_device{}();
        SCOPED_TRACE("seed " + std::to_string(seed));
        Town town(seed);
        for (int i = 0; i < 250; ++i) {
            town.step();
            town.check();
            if (::testing::Test::HasFailure()) return;
        }
        town.finish();
        if (::testing::Test::HasFailure()) return;
    }
}

}  // namespace
}  // namespace jiaozi::settlement::testing
