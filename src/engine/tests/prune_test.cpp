// A journal that was pruned behind its snapshots answers as before, or says what it needs.
#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <mutex>
#include <random>
#include <set>
#include <span>

#include <sys/wait.h>

#include <jiaozi/engine/prune.hpp>
#include <jiaozi/storage/archive.hpp>
#include <jiaozi/storage/journal.hpp>
#include <jiaozi/storage/journal_copy.hpp>
#include <jiaozi/storage/snapshot.hpp>

#include "engine_fixture.hpp"

namespace jiaozi::engine {
namespace {

class PruneTest : public EngineTest {
  protected:
    PruneTest() {
        options_.snapshot_every_bytes = 0;
        options_.segment_bytes = std::uint64_t{64} << 10;
    }

    std::filesystem::path journal() const { return options_.directory / "journal"; }
    std::set<std::string> segments_in(const std::filesystem::path& folder) {
        std::set<std::string> found;
        const auto names = disk_.list(folder);
        for (const std::string& name : names.ok() ? *names : std::vector<std::string>{}) {
            if (storage::parse_segment_name(name)) found.insert(name);
        }
        return found;
    }
    // Payments that fill some segments; the ids from `first` on.
    void fill(uint128 first, unsigned commands = 8) {
        for (unsigned i = 0; i < commands; ++i) {
            Command command = of(a_transfer(first + i, till, shop, 1));
            command.annotation.assign(30'000, 'x');
            const auto outcome = engine_->execute(std::move(command));
            ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
            ASSERT_EQ(outcome->transfers.at(0), CreateTransferResult::ok);
        }
    }
    void snapshot() {
        const auto made = engine_->make_snapshot();
        ASSERT_TRUE(made.ok()) << made.error().to_string();
    }
    // The ids 100 to 107, 200 to 207 and 300 to 307, with a snapshot behind each of the first two.
    void make_three_parts() {
        open_with_accounts();
        fill(100);
        snapshot();
        fill(200);
        snapshot();
        fill(300);
    }
    PruneDone prune_now() {
        const auto done = engine_->prune(archive_);
        EXPECT_TRUE(done.ok()) << done.error().to_string();
        return done.ok() ? *done : PruneDone{};
    }
    // Sequences that a feed from the beginning gives.
    Result<std::uint64_t> read_all() {
        std::atomic<std::uint64_t> last{0};
        const auto feed = engine_->subscribe(0, [&](std::span<const Committed> batch) {
            EXPECT_EQ(batch.front().sequence, last + 1);
            last = batch.back().sequence;
        });
        eventually([&] { return feed->position() >= engine_->last_sequence() || feed->failure().has_value(); },
                   "the feed gets to the end");
        if (const auto failure = feed->failure()) return *failure;
        return last.load();
    }

    const std::filesystem::path archive_ = root_ / "archive";
};

TEST_F(PruneTest, WhatIsOldIsStillKnown) {
    make_three_parts();
    const auto before = segments_in(journal());
    const std::uint64_t sequence = engine_->last_sequence();
    const PruneDone done = prune_now();
    EXPECT_EQ(done.snapshot_sequence, 9u) << "the older of the two";
    EXPECT_GT(done.segments_removed, 2u);
    EXPECT_EQ(done.segments_archived, done.segments_removed);
    EXPECT_EQ(segments_in(archive_).size() + segments_in(journal()).size(), before.size());
    for (const bool reopened : {false, true}) {
        if (reopened) {
            open();
            EXPECT_EQ(engine_->opening().snapshot_sequence, 17u);
        }
        EXPECT_EQ(pay(a_transfer(100, till, shop, 1)), CreateTransferResult::exists);
        EXPECT_EQ(pay(a_transfer(101, till, shop, 2)), CreateTransferResult::exists_with_different_amount);
        EXPECT_EQ(engine_->transfer(102).value()->amount, uint128{1});
        EXPECT_EQ(read_all().value(), engine_->last_sequence());
        EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{24});
    }
    // From nothing, with the archive.
    const std::uint64_t digest = engine_->state_digest();
    options_.use_snapshots = false;
    open();
    EXPECT_EQ(engine_->state_digest(), digest);
    EXPECT_EQ(engine_->opening().snapshot_sequence, 0u);
    EXPECT_GT(engine_->last_sequence(), sequence);
    EXPECT_EQ(prune_now().segments_removed, 0u) << "nothing more to do";
}

TEST_F(PruneTest, GoesOnAsTheJournalGrows) {
    make_three_parts();
    prune_now();
    const std::size_t archived = segments_in(archive_).size();
    snapshot();
    fill(400);
    snapshot();
    EXPECT_GT(prune_now().segments_removed, 0u);
    EXPECT_GT(segments_in(archive_).size(), archived);
    open();
    EXPECT_EQ(read_all().value(), engine_->last_sequence());
}

TEST_F(PruneTest, WithoutTheArchiveItOpensAndSaysWhatItMisses) {
    make_three_parts();
    prune_now();
    engine_.reset();
    std::filesystem::rename(archive_, root_ / "unmounted");
    open();
    EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{24});
    EXPECT_EQ(engine_->transfer(302).value()->amount, uint128{1});
    const auto read = read_all();
    ASSERT_FALSE(read.ok());
    EXPECT_NE(read.error().message().find(archive_.string()), std::string::npos) << read.error().to_string();
    // A repetition of something old can be answered neither yes nor no: the engine stops rather than guess.
    const auto again = engine_->execute(of(a_transfer(100, till, shop, 1)));
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(engine_->health().state, Health::State::stopped);
    EXPECT_NE(engine_->health().cause.find(archive_.string()), std::string::npos) << engine_->health().cause;
    // Nothing is decided: with the archive back it is answered.
    engine_.reset();
    std::filesystem::rename(root_ / "unmounted", archive_);
    open();
    EXPECT_EQ(pay(a_transfer(100, till, shop, 1)), CreateTransferResult::exists);
    EXPECT_EQ(read_all().value(), engine_->last_sequence());
}

TEST_F(PruneTest, TheArchiveMayMove) {
    make_three_parts();
    prune_now();
    const auto other = root_ / "other";
    const auto done = engine_->prune(other);
    ASSERT_TRUE(done.ok()) << done.error().to_string();
    EXPECT_EQ(segments_in(other), segments_in(archive_));
    std::filesystem::remove_all(archive_);
    EXPECT_EQ(read_all().value(), engine_->last_sequence());
    // Moved by hand.
    engine_.reset();
    std::filesystem::rename(other, archive_);
    const auto found = prune(options_.directory, archive_);
    ASSERT_TRUE(found.ok()) << found.error().to_string();
    EXPECT_EQ(found->segments_archived, 0u);
    open();
    EXPECT_EQ(read_all().value(), engine_->last_sequence());
}

TEST_F(PruneTest, RefusesWithoutAGoodSnapshot) {
    open_with_accounts();
    fill(100);
    const auto none = engine_->prune(archive_);
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.error().kind(), ErrorKind::invalid);
    snapshot();
    fill(200);
    snapshot();
    const auto before = segments_in(journal());
    engine_.reset();
    // One that is damaged is not counted on; the journal stays from the older one on.
    const auto folder = options_.directory / "snapshots";
    const auto damage = [&](std::uint64_t sequence) {
        const auto path = folder / storage::snapshot_name(sequence);
        std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
    };
    damage(9);
    damage(17);
    const auto refused = prune(options_.directory, archive_);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::invalid) << refused.error().to_string();
    EXPECT_EQ(segments_in(journal()), before);
    EXPECT_FALSE(std::filesystem::exists(archive_));
}

TEST_F(PruneTest, WithoutSnapshotsItOpensFromTheArchiveOrNotAtAll) {
    make_three_parts();
    prune_now();
    const std::uint64_t digest = engine_->state_digest();
    engine_.reset();
    std::filesystem::remove_all(options_.directory / "snapshots");
    open();
    EXPECT_EQ(engine_->state_digest(), digest);
    engine_.reset();
    std::filesystem::rename(archive_, root_ / "unmounted");
    const auto opened = Engine::open(options_, clock_);
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(opened.error().message().find(archive_.string()), std::string::npos) << opened.error().to_string();
}

TEST_F(PruneTest, ASegmentThatIsLostIsNotTakenForAnArchivedOne) {
    make_three_parts();
    prune_now();
    engine_.reset();
    const auto kept = segments_in(journal());
    ASSERT_GT(kept.size(), 2u);
    std::filesystem::remove(journal() / *kept.begin());
    EXPECT_FALSE(Engine::open(options_, clock_).ok());
}

TEST_F(PruneTest, OfADirectoryThatIsClosed) {
    make_three_parts();
    const auto busy = prune(options_.directory, archive_);
    ASSERT_FALSE(busy.ok());
    EXPECT_EQ(busy.error().kind(), ErrorKind::conflict);
    engine_.reset();
    EXPECT_FALSE(prune(options_.directory, {}).ok()) << "no archive named, and none known";
    EXPECT_FALSE(prune(options_.directory, journal()).ok()) << "the journal is not its own archive";
    const auto done = prune(options_.directory, archive_);
    ASSERT_TRUE(done.ok()) << done.error().to_string();
    EXPECT_GT(done->segments_removed, 0u);
    EXPECT_EQ(prune(options_.directory, {})->segments_removed, 0u) << "the archive is known now";
}

TEST_F(PruneTest, ByItselfBehindSnapshots) {
    options_.snapshot_every_bytes = std::uint64_t{200} << 10;
    options_.archive = archive_;
    open_with_accounts();
    for (unsigned i = 0; i < 10 && segments_in(archive_).size() < 6; ++i) {
        const std::uint64_t made = engine_->counters().snapshots;
        fill(1000 + i * 100);
        eventually([&] { return engine_->counters().snapshots > made; }, "a snapshot is made");
    }
    EXPECT_EQ(engine_->counters().snapshots_failed, 0u);
    engine_.reset();
    EXPECT_GE(segments_in(archive_).size(), 6u);
    EXPECT_LT(segments_in(journal()).size(), 20u);
    open();
    EXPECT_EQ(read_all().value(), engine_->last_sequence());
    EXPECT_EQ(pay(a_transfer(1000, till, shop, 1)), CreateTransferResult::exists);
}

// A process that writes, makes snapshots and prunes without pause is killed at any moment.
TEST_F(PruneTest, KilledWhileItPrunes) {
    std::mt19937_64 random(std::random_device{}());
    open_with_accounts();
    engine_.reset();
    uint128 next = 1000;
    for (unsigned life = 0; life < 12; ++life, next += 1'000'000) {
        std::array<int, 2> pipe{};
        ASSERT_EQ(::pipe(pipe.data()), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            auto opened = Engine::open(options_, clock_);
            if (!opened.ok()) ::_exit(1);
            for (uint128 id = next;; ++id) {
                Command command = of(a_transfer(id, till, shop, 1));
                command.annotation.assign(60'000, 'x');
                if (!(*opened)->execute(std::move(command)).ok() || !(*opened)->make_snapshot().ok() ||
                    !(*opened)->prune(archive_).ok())
                    ::_exit(1);
                if (id == next && ::write(pipe[1], "1", 1) != 1) ::_exit(1);
            }
        }
        ::close(pipe[1]);
        char byte = 0;
        EXPECT_EQ(::read(pipe[0], &byte, 1), 1) << "it has done it once";
        ::close(pipe[0]);
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 80));
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "ended by itself with " << WEXITSTATUS(status);
        open();
        const std::uint64_t digest = engine_->state_digest();
        EXPECT_EQ(read_all().value(), engine_->last_sequence());
        options_.use_snapshots = false;
        open();
        options_.use_snapshots = true;
        EXPECT_EQ(engine_->state_digest(), digest);
        engine_.reset();
        const auto checked = storage::check_journal(journal());
        ASSERT_TRUE(checked.ok()) << checked.error().to_string();
    }
    EXPECT_GT(segments_in(archive_).size(), 0u);
}

}  // namespace
}  // namespace jiaozi::engine
