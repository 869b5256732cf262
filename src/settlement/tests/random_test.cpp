// A random stream of loads, payments over several hops, deposits by anybody in any order and more than once, restarts:
// the books are checked after every step, and in the end everybody has what they should have.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include <jiaozi/settlement/book_snapshot.hpp>

#include "world.hpp"

namespace jiaozi::settlement::testing {
namespace {

struct Holding {
    purse::Id source{};
    std::uint64_t next = 0;  // the first unit not spent
    std::uint64_t end = 0;
    std::uint8_t hop = 0;  // of the source
    std::vector<Bytes> provenance;
};

class Stream {
  public:
    explicit Stream(std::uint64_t seed) : random_(seed) {
        for (int i = 0; i < 6; ++i) {
            people_.push_back(world_.enrol(3));
            world_.load(people_.back(), 0);
            worth_.push_back(World::start);
        }
        holdings_.resize(people_.size());
    }

    void step() {
        switch (random_() % 8) {
            case 0:
                return load();
            case 1:
                return deposit_some();
            case 2:
                if (random_() % 8 == 0) restart();
                return;
            default:
                return pay();
        }
    }

    void finish() {
        std::shuffle(deposits_.begin(), deposits_.end(), random_);
        for (const auto& [bytes, payee] : deposits_) world_.settle_one(bytes, people_[payee].ordinal);
        world_.pass_days(60);
        world_.advance();
        for (std::size_t i = 0; i < people_.size(); ++i) EXPECT_EQ(world_.wallet(people_[i]), worth_[i]) << i;
        EXPECT_TRUE(world_.settlement->book().conflicts().empty()) << "an honest purse was accused";
        world_.check_money();
    }
    void check() { world_.check_money(); }

  private:
    // Sometimes behind a book, which is often an old one.
    void restart() {
        world_.keeps_book = random_() % 2 == 0;
        if (random_() % 3 == 0) {
            const std::atomic<bool> never{false};
            EXPECT_TRUE(world_.engine->make_snapshot().ok());
            EXPECT_TRUE(keep_book(*world_.engine, world_.directory / "journal", never).ok());
        }
        world_.restart();
    }

    std::size_t someone() { return random_() % people_.size(); }

    void load() {
        const std::size_t who = someone();
        if (loads_ == 12) return;
        ++loads_;
        const std::uint64_t amount = 100 + random_() % 5'000;
        const Lot lot = world_.load(people_[who], amount);
        holdings_[who].push_back({lot.id, 0, amount, 0, {}});
    }

    void pay() {
        const std::size_t payer = someone();
        const std::size_t payee = someone();
        if (payer == payee || holdings_[payer].empty()) return;
        Holding& from = holdings_[payer][random_() % holdings_[payer].size()];
        if (from.next == from.end || from.hop == purse::max_hops) return;
        const std::uint64_t amount = 1 + random_() % (from.end - from.next);
        const Said note = world_.pay(people_[payer], people_[payee], {{from.source, from.next, amount}},
                                     static_cast<std::uint8_t>(from.hop + 1));
        from.next += amount;
        worth_[payer] -= amount;
        worth_[payee] += amount;
        std::vector<Bytes> provenance = from.provenance;
        Bytes whole = note.bytes;
        for (const Bytes& ancestor : provenance) append(whole, ancestor);
        provenance.insert(provenance.begin(), note.bytes);
        // The payee's own numbers count its receipts, too.
        const Bytes receipt = world_.receipt(people_[payee], note);
        deposits_.emplace_back(world_.deposit({receipt, whole}), payee);
        holdings_[payee].push_back(
            {note.id, 0, amount, static_cast<std::uint8_t>(from.hop + 1), std::move(provenance)});
    }

    // By anybody: the payee itself speaks only in the end, when it has spent what it will spend.
    void deposit_some() {
        std::vector<Bytes> items;
        for (std::size_t i = 0; i < 5 && !deposits_.empty(); ++i) {
            items.push_back(deposits_[random_() % deposits_.size()].first);
        }
        world_.settle(items, 0);
    }

    std::mt19937_64 random_;
    World world_;
    std::vector<Device> people_;
    std::vector<std::uint64_t> worth_;
    std::vector<std::vector<Holding>> holdings_;
    std::vector<std::pair<Bytes, std::size_t>> deposits_;
    int loads_ = 0;
};

TEST(Random, HonestPursesEndWithWhatTheyShouldHaveWhateverTheOrder) {
    for (int round = 0; round < 6; ++round) {
        const std::uint64_t seed = std::random_device{}();
        SCOPED_TRACE("seed " + std::to_string(seed));
        Stream stream(seed);
        for (int i = 0; i < 120; ++i) {
            stream.step();
            stream.check();
            if (::testing::Test::HasFailure()) return;
        }
        stream.finish();
        if (::testing::Test::HasFailure()) return;
    }
}

}  // namespace
}  // namespace jiaozi::settlement::testing
