// The settlement book on disk: a start from it is a start from the whole journal, a damaged one costs time only, and
// hostile bytes are refused.
#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include <jiaozi/settlement/book_snapshot.hpp>

#include "memory_book.hpp"
#include "world.hpp"

namespace jiaozi::settlement::testing {
namespace {

namespace fs = std::filesystem;

BookParts parts_of(const Book& book) {
    PartsSink sink;
    EXPECT_TRUE(book.save(sink).ok());
    return std::move(sink.parts);
}

Book folded(engine::Engine& engine) {
    Book book;
    for (std::uint64_t sequence = 1; sequence <= engine.last_sequence(); ++sequence) {
        const auto committed = engine::read_command(engine, sequence, seconds(10));
        EXPECT_TRUE(committed.ok());
        EXPECT_TRUE(book.apply(*committed).ok());
        static_cast<void>(book.take_changes(sequence, committed->timestamp));
    }
    return book;
}

void flip(const fs::path& file, std::uint64_t at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(stream.get() ^ 0x10);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(byte);
}

class Listener final : public Follower {
  public:
    void follow(std::vector<Change> changes, bool) override {
        for (const Change& change : changes) heard.push_back(change.sequence);
    }
    std::uint64_t followed() const override { return told; }
    std::vector<std::uint64_t> heard;
    std::uint64_t told = UINT64_MAX;
};

class BookSnapshot : public ::testing::Test {
  protected:
    BookSnapshot() { world_.keeps_book = true; }

    // A bit of everything: every part of the book has rows.
    void live() {
        ana_ = world_.enrol(1);
        ben_ = world_.enrol(0, crypto::Suite::p256);
        cho_ = world_.enrol(3, crypto::Suite::sm2);
        const Lot lot = world_.load(ana_, 9'000);
        world_.load(ben_, 0);
        const Lot other = world_.load(cho_, 5'000);
        const Said paid = world_.pay(ana_, ben_, {{lot.id, 0, 2'000}});
        world_.settle_one(world_.deposit({world_.receipt(ben_, paid), paid.bytes}), ben_.ordinal);
        const Said onward = world_.pay(ben_, cho_, {{paid.id, 500, 700}}, 2);
        world_.settle_one(world_.deposit({onward.bytes, paid.bytes}));
        const Said voided = world_.pay(ana_, cho_, {{lot.id, 2'000, 1'000}});
        world_.settle_one(world_.deposit({voided.bytes}));
        world_.settle_one(world_.void_request(cho_, voided));
        // Two notes over one range: a conflict, a frozen purse, a claim, a list.
        const Said first = world_.pay(cho_, ana_, {{other.id, 0, 800}});
        const Said second = world_.pay(cho_, ben_, {{other.id, 400, 800}});
        world_.settle_one(world_.deposit({world_.receipt(ana_, first), first.bytes}), ana_.ordinal);
        world_.settle_one(world_.deposit({world_.receipt(ben_, second), second.bytes}), ben_.ordinal);
        world_.settle_one(world_.deposit({world_.pay(ana_, ben_, {{lot.id, 4'000, 10}}, 1, 60).bytes}));
        static_cast<void>(world_.sync(ana_));
        world_.advance();
    }
    void make_snapshot() { ASSERT_TRUE(world_.engine->make_snapshot().ok()); }
    BookKept keep() {
        const auto kept = keep_book(*world_.engine, engine_directory(), never_);
        EXPECT_TRUE(kept.ok()) << kept.error().to_string();
        return kept.ok() ? *kept : BookKept{};
    }
    fs::path engine_directory() const { return world_.directory / "journal"; }
    fs::path file(std::uint64_t sequence) const {
        return engine_directory() / "books" / "settlement" / storage::snapshot_name(sequence);
    }
    // What the service has after a restart is what the journal says, whatever it began with.
    void expect_restart_agrees() {
        world_.restart();
        world_.check_money();
        const BookParts whole = parts_of(folded(*world_.engine));
        EXPECT_EQ(parts_of(world_.settlement->book()), whole);
    }

    World world_;
    Device ana_, ben_, cho_;
    const std::atomic<bool> never_{false};
};

TEST_F(BookSnapshot, StartsFromTheBookAndReadsWhatCameAfter) {
    live();
    EXPECT_EQ(keep().sequence, 0U) << "without a snapshot of the engine nothing is kept";
    make_snapshot();
    const BookKept kept = keep();
    EXPECT_GT(kept.bytes, 0U);
    EXPECT_EQ(kept.base_sequence, 0U);
    EXPECT_EQ(keep().bytes, 0U) << "there is one of that moment";
    expect_restart_agrees();

    const Lot lot = world_.load(ben_, 300);
    const Said paid = world_.pay(ben_, ana_, {{lot.id, 0, 300}});
    world_.settle_one(world_.deposit({paid.bytes}));
    expect_restart_agrees();

    make_snapshot();
    EXPECT_EQ(keep().base_sequence, kept.sequence) << "the next is made from it";
    expect_restart_agrees();
    world_.load(ben_, 10);
    make_snapshot();
    keep();
    EXPECT_FALSE(fs::exists(file(kept.sequence))) << "two are kept";
    expect_restart_agrees();
}

TEST_F(BookSnapshot, EveryPartIsThereAndComesBack) {
    live();
    const BookParts parts = parts_of(world_.settlement->book());
    for (const auto& [part, bytes] : parts) EXPECT_FALSE(bytes.empty()) << "part " << part;
    PartsSource source(parts);
    auto loaded = Book::load(source);
    ASSERT_TRUE(loaded.ok()) << loaded.error().to_string();
    EXPECT_EQ(parts_of(*loaded), parts);
    EXPECT_EQ(loaded->last_change(), world_.settlement->book().last_change());
    EXPECT_EQ(loaded->purses_of(ana_.wallet).size(), 1U);
    EXPECT_EQ(loaded->open_lots_of_holder(ana_.wallet.value, assets::CNY), 9'000U);
}

TEST_F(BookSnapshot, AFollowerThatLacksChangesIsToldThemAll) {
    Listener listener;
    world_.follower = &listener;
    live();
    make_snapshot();
    keep();
    const std::uint64_t last = world_.settlement->book().last_change();
    listener.told = last;
    listener.heard.clear();
    world_.restart();
    EXPECT_TRUE(listener.heard.empty()) << "the registry has them";
    listener.told = last - 1;
    world_.restart();
    ASSERT_FALSE(listener.heard.empty());
    EXPECT_LT(listener.heard.front(), 20U) << "from the beginning";
}

TEST_F(BookSnapshot, ADamagedBookCostsTimeOnly) {
    live();
    make_snapshot();
    const BookKept kept = keep();
    const auto size = fs::file_size(file(kept.sequence));
    std::mt19937_64 random(std::random_device{}());
    for (int i = 0; i < 60; ++i) {
        const std::uint64_t at = random() % size;
        SCOPED_TRACE("byte " + std::to_string(at));
        flip(file(kept.sequence), at);
        EXPECT_EQ(newest_book(engine_directory(), UINT64_MAX).sequence, 0U);
        if (i == 0) expect_restart_agrees();
        flip(file(kept.sequence), at);
    }
    EXPECT_EQ(newest_book(engine_directory(), UINT64_MAX).sequence, kept.sequence) << "mended";
    fs::resize_file(file(kept.sequence), size / 2);
    expect_restart_agrees();
    fs::remove(file(kept.sequence));
    std::ofstream(engine_directory() / "books" / "settlement" / "next.tmp") << "killed while writing";
    expect_restart_agrees();
    EXPECT_GT(keep().bytes, 0U) << "and the next is kept again";
    expect_restart_agrees();
}

TEST_F(BookSnapshot, ABookOfAnotherJournalIsNotUsed) {
    live();
    make_snapshot();
    const std::uint64_t theirs = keep().sequence;
    World other;
    while (other.engine->last_sequence() <= theirs) other.enrol(1);
    fs::create_directories(other.directory / "journal" / "books");
    fs::copy(engine_directory() / "books", other.directory / "journal" / "books", fs::copy_options::recursive);
    EXPECT_EQ(newest_book(other.directory / "journal", UINT64_MAX).sequence, 0U);
    EXPECT_EQ(newest_book(engine_directory(), UINT64_MAX).sequence, theirs);
}

// One value of a row is made impossible, or one row is taken away: refused, or at least nothing refers into nothing.
TEST_F(BookSnapshot, HostileRowsAreRefused) {
    live();
    const BookParts good = parts_of(world_.settlement->book());
    const std::uint64_t seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    int refused = 0;
    for (int i = 0; i < 3'000; ++i) {
        BookParts parts = good;
        Bytes& bytes = parts[random() % parts.size()].second;
        if (bytes.empty()) continue;
        switch (random() % 4) {
            case 0:
                bytes.resize(random() % bytes.size());
                break;
            case 1:
                bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
                break;
            case 2: {
                const std::size_t at = random() % bytes.size() / 4 * 4;
                std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                            std::min<std::size_t>(4, bytes.size() - at), std::uint8_t{0xFF});
                break;
            }
            default:
                bytes.insert(bytes.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2));
        }
        PartsSource source(parts);
        const auto loaded = Book::load(source);
        if (!loaded.ok()) {
            ++refused;
            continue;
        }
        static_cast<void>(parts_of(*loaded));
    }
    EXPECT_GT(refused, 1'000);
}

// Version 1 as a program of 2026 wrote it. A program that can't read it any more must say so by its version.
TEST(BookFormat, Version1IsReadForEver) {
    const fs::path golden = "src/settlement/tests/golden/settlement-1.book";
    BookParts parts;
    std::optional<Book> book;
    const auto moment =
        engine::read_book_file(storage::system_disk(), golden, engine::about_book(book_service, 1),
                               [&](engine::BookSource& source, const engine::Books::Moment&) -> Result<> {
                                   JZ_TRY(book, Book::load(source));
                                   return {};
                               });
    ASSERT_TRUE(moment.ok()) << moment.error().to_string();
    EXPECT_EQ(book->enrolled(), 3U);
    EXPECT_EQ(book->lots(), 3U);
    EXPECT_EQ(book->notes(), 6U);
    EXPECT_EQ(book->claims(), 1U);
    EXPECT_EQ(book->purse(3)->state, PurseState::frozen);
    EXPECT_EQ(book->lot(0).amount, 9'000U);
    EXPECT_EQ(book->note(0).state, NoteState::settled);
    const auto refused =
        engine::read_book_file(storage::system_disk(), golden, engine::about_book(book_service, 2),
                               [](engine::BookSource&, const engine::Books::Moment&) -> Result<> { return {}; });
    EXPECT_NE(refused.error().message().find("version 1"), std::string::npos);
}

}  // namespace
}  // namespace jiaozi::settlement::testing
