// A ledger saved and loaded at random moments of random streams is the same ledger: now, and in all that comes after.
// JIAOZI_SEED repeats one run.
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include <jiaozi/ledger/invariants.hpp>
#include <jiaozi/ledger/ledger.hpp>

#include "histories.hpp"
#include "stream.hpp"

namespace jiaozi::ledger::test {
namespace {

class Events final : public EventSource {
  public:
    bool read(std::uint64_t ordinal, Transfer& event) const override {
        event = events_.at(ordinal);
        return true;
    }
    void add(std::span<const Transfer> batch, std::uint64_t last_ns) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            events_.push_back(batch[i]);
            events_.back().timestamp = last_ns - batch.size() + 1 + i;
        }
    }

  private:
    std::vector<Transfer> events_;
};

using Parts = std::map<Part, Bytes>;

class Saved final : public PartSink {
  public:
    Result<> begin(Part part) override {
        EXPECT_TRUE(parts.empty() || parts.rbegin()->first < part) << "parts come in their order";
        at_ = &parts[part];
        return {};
    }
    Result<> write(ByteView bytes) override {
        append(*at_, bytes);
        return {};
    }
    Parts parts;

  private:
    Bytes* at_ = nullptr;
};

class Loading final : public PartSource {
  public:
    explicit Loading(const Parts& parts) : parts_(parts) {}
    Result<std::uint64_t> begin(Part part) override {
        left_ = parts_.at(part);
        return std::uint64_t{left_.size()};
    }
    Result<> read(ByteSpan into) override {
        if (into.size() > left_.size()) return Error(ErrorKind::corrupt, "past the end");
        std::memcpy(into.data(), left_.data(), into.size());
        left_ = left_.subspan(into.size());
        return {};
    }

  private:
    const Parts& parts_;
    ByteView left_;
};

Parts saved(const Ledger& ledger) {
    Saved sink;
    EXPECT_TRUE(ledger.save(sink).ok());
    return sink.parts;
}

Result<Ledger> loaded(const Parts& parts, const EventSource& events, HistorySink* histories = nullptr) {
    Loading source(parts);
    return Ledger::load(source, events, histories);
}

// One ledger that lives through the stream, and one that is saved and loaded now and then, and told where accounts are.
class Lives {
  public:
    explicit Lives(std::uint64_t seed) : stream_(seed) {
        now_ = seed % 20 == 0 ? UINT64_MAX - 3'000'000'000'000 : 1'700'000'000'000'000'000;
    }

    void run(std::size_t batches) {
        for (std::size_t i = 0; i < batches && !testing::Test::HasFailure(); ++i) {
            now_ += stream_.pause_ns();
            if (i < 2 || stream_.chance(4))
                accounts();
            else if (stream_.chance(8))
                freeze();
            else
                transfers();
            if (stream_.chance(70)) expire();
            if (stream_.chance(20)) reload();
        }
        reload();
        EXPECT_TRUE(check_invariants(other_).empty());
    }
    const Ledger& ledger() const { return ledger_; }
    const Events& events() const { return events_; }

  private:
    void accounts() {
        const auto batch = stream_.accounts();
        now_ += batch.size();
        std::vector<CreateAccountResult> one;
        std::vector<CreateAccountResult> two;
        ledger_.create_accounts(batch, now_, one);
        other_.create_accounts(batch, now_, two);
        EXPECT_EQ(one, two);
    }
    void transfers() {
        const auto batch = stream_.transfers();
        now_ += batch.size();
        std::vector<CreateTransferResult> one;
        std::vector<CreateTransferResult> two;
        events_.add(batch, now_);
        ledger_.create_transfers(batch, now_, one);
        other_.create_transfers(batch, now_, two, places(batch));
        stream_.learn(batch, one);
        EXPECT_EQ(one, two);
    }
    // None, right ones, or any: they change no result.
    std::vector<AccountPlaces> places(std::span<const Transfer> batch) {
        std::vector<AccountPlaces> found;
        const std::uint64_t kind = stream_.below(3);
        if (kind == 1) other_.find_places(batch, found);
        if (kind != 2) return found;
        const auto any = [this] { return static_cast<std::uint32_t>(stream_.below(other_.account_count() + 2)); };
        for (std::size_t i = 0; i < batch.size(); ++i) found.push_back({any(), any()});
        return found;
    }
    void freeze() {
        const uint128 id = stream_.account_id();
        const std::uint16_t set = stream_.chance(20) ? account_flags::frozen : 0;
        const std::uint16_t clear = set != 0 ? 0 : account_flags::frozen;
        EXPECT_EQ(ledger_.set_account_flags(id, set, clear), other_.set_account_flags(id, set, clear));
    }
    void expire() {
        std::vector<Expired> one;
        std::vector<Expired> two;
        ledger_.expire(now_, one);
        other_.expire(now_, two);
        EXPECT_EQ(one, two);
    }
    void reload() {
        const Parts parts = saved(other_);
        auto again = loaded(parts, events_, &other_histories_);
        ASSERT_TRUE(again.ok()) << again.error().to_string();
        other_ = std::move(again).value();
        for (std::size_t i = 0; i < ledger_.account_count(); ++i) {
            const uint128 id = ledger_.account_at(i).id;
            EXPECT_EQ(other_histories_.rows(other_, id), histories_.rows(ledger_, id)) << "positions go on";
        }
        EXPECT_EQ(other_.state_digest(), ledger_.state_digest());
        EXPECT_EQ(other_.next_expiry_ns(), ledger_.next_expiry_ns());
        EXPECT_EQ(saved(other_), parts) << "the same state has the same bytes";
        EXPECT_EQ(saved(ledger_), parts) << "however it came about";
    }

    Stream stream_;
    Events events_;
    Histories histories_;
    Histories other_histories_;
    Ledger ledger_{events_, &histories_};
    Ledger other_{events_, &other_histories_};
    std::uint64_t now_ = 0;
};

std::uint64_t first_seed() {
    const char* text = std::getenv("JIAOZI_SEED");
    return text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, 10);
}

TEST(PartsTest, ALedgerLoadedFromItsPartsIsTheSameLedger) {
    const std::uint64_t first = first_seed();
    std::cout << "JIAOZI_SEED=" << first << '\n';
    for (std::uint64_t seed = first; seed < first + 60 && !testing::Test::HasFailure(); ++seed) Lives(seed).run(60);
}

TEST(PartsTest, AnEmptyLedger) {
    Events events;
    const Ledger empty(events);
    const auto again = loaded(saved(empty), events);
    ASSERT_TRUE(again.ok()) << again.error().to_string();
    EXPECT_EQ(again->state_digest(), empty.state_digest());
}

// Whatever the bytes: refused, or a ledger that can be looked at. What it says then is the caller's checksum's
// business.
TEST(PartsTest, DamagedPartsAreRefusedOrHarmless) {
    const std::uint64_t seed = first_seed();
    std::cout << "JIAOZI_SEED=" << seed << '\n';
    std::mt19937_64 random(seed);
    Lives lives(seed);
    lives.run(40);
    const Parts good = saved(lives.ledger());
    std::size_t refused = 0;
    for (int i = 0; i < 2000; ++i) {
        Parts parts = good;
        Bytes& bytes = std::next(parts.begin(), static_cast<std::ptrdiff_t>(random() % parts.size()))->second;
        if (bytes.empty()) continue;
        if (random() % 4 == 0)
            bytes.resize(random() % bytes.size());
        else
            bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(1U << random() % 8);
        const auto read = loaded(parts, lives.events());
        if (!read.ok()) {
            EXPECT_EQ(read.error().kind(), ErrorKind::corrupt);
            ++refused;
            continue;
        }
        static_cast<void>(read->state_digest());
    }
    EXPECT_GT(refused, 100U);
}

}  // namespace
}  // namespace jiaozi::ledger::test
