// Opening from a snapshot shows what a replay of the whole journal shows, and a snapshot that is not right is not used.
// JIAOZI_SEED repeats one run.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <mutex>
#include <random>
#include <span>
#include <string>

#include <sys/wait.h>

#include <jiaozi/storage/journal.hpp>
#include <jiaozi/storage/snapshot.hpp>

#include "engine_fixture.hpp"
#include "stream.hpp"

namespace jiaozi::engine {
namespace {

std::uint64_t seed_of_run() {
    const char* text = std::getenv("JIAOZI_SEED");
    const std::uint64_t seed = text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, 10);
    std::cout << "JIAOZI_SEED=" << seed << '\n';
    return seed;
}

Bytes read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const std::filesystem::path& path, const Bytes& bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

class SnapshotTest : public EngineTest {
  protected:
    static constexpr std::int64_t long_ago_s = 100'000;
    SnapshotTest() { options_.snapshot_every_bytes = 0; }

    std::filesystem::path folder() const { return options_.directory / "snapshots"; }
    std::vector<std::uint64_t> snapshots() { return *storage::list_snapshots(disk_, folder()); }
    std::filesystem::path newest() { return folder() / storage::snapshot_name(snapshots().front()); }

    SnapshotMade make() {
        const auto made = engine_->make_snapshot();
        EXPECT_TRUE(made.ok()) << made.error().to_string();
        return made.ok() ? *made : SnapshotMade{};
    }
    void open_replaying_all() {
        options_.use_snapshots = false;
        open();
        options_.use_snapshots = true;
    }
    // Reopens with and without; returns how the first was opened. Leaves the one from the snapshot.
    // Meanwhile the clock is put back: a hold that runs out between the two would be an entry more.
    Opening expect_the_same_either_way() {
        clock_.advance(seconds(-long_ago_s));
        open_replaying_all();
        const std::uint64_t digest = engine_->state_digest();
        const std::uint64_t sequence = engine_->last_sequence();
        open();
        EXPECT_EQ(engine_->state_digest(), digest);
        EXPECT_EQ(engine_->last_sequence(), sequence);
        clock_.advance(seconds(long_ago_s));
        return engine_->opening();
    }
    // Everything that a feed from the beginning gives.
    std::vector<Committed> history() {
        std::mutex mutex;
        std::vector<Committed> all;
        const auto feed = engine_->subscribe(0, [&](std::span<const Committed> batch) {
            const std::lock_guard guard(mutex);
            all.insert(all.end(), batch.begin(), batch.end());
        });
        const auto done = [&] { return feed->position() >= engine_->last_sequence() || feed->failure().has_value(); };
        eventually(done, "the feed gets to the end");
        EXPECT_FALSE(feed->failure().has_value()) << feed->failure()->to_string();
        const std::lock_guard guard(mutex);
        return all;
    }
};

void expect_same(const std::vector<Committed>& a, const std::vector<Committed>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].sequence, b[i].sequence);
        EXPECT_EQ(a[i].outcome, b[i].outcome);
        EXPECT_EQ(a[i].expired, b[i].expired);
        EXPECT_EQ(a[i].command.transfers, b[i].command.transfers);
    }
}

TEST_F(SnapshotTest, OpeningFromOneReadsOnlyWhatCameAfter) {
    open_with_accounts();
    for (unsigned i = 0; i < 20; ++i) ASSERT_EQ(pay(a_transfer(100 + i, till, shop, 5)), CreateTransferResult::ok);
    const SnapshotMade made = make();
    EXPECT_EQ(made.sequence, 21u);
    EXPECT_EQ(made.base_sequence, 0u);
    EXPECT_EQ(made.entries_replayed, 21u);
    EXPECT_EQ(make().bytes, 0u) << "nothing came since";
    ASSERT_EQ(pay(a_transfer(200, till, shop, 5)), CreateTransferResult::ok);
    const Opening opening = expect_the_same_either_way();
    EXPECT_EQ(opening.snapshot_sequence, 21u);
    EXPECT_EQ(opening.entries_replayed, 1u);
    EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{105});
    const SnapshotMade second = make();
    EXPECT_EQ(second.base_sequence, 21u);
    EXPECT_EQ(second.entries_replayed, 1u);
    EXPECT_EQ(expect_the_same_either_way().entries_replayed, 0u);
}

TEST_F(SnapshotTest, AnEmptyJournalHasNone) {
    open();
    const auto made = engine_->make_snapshot();
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().kind(), ErrorKind::not_found);
}

TEST_F(SnapshotTest, WhatHappenedBeforeItIsStillKnown) {
    open_with_accounts();
    const auto refused = a_transfer(10, wallet, shop, 5);  // the wallet has nothing
    ASSERT_EQ(pay(refused), CreateTransferResult::exceeds_credits);
    const auto hold = a_transfer(11, till, shop, 70, ledger::transfer_flags::pending, 60);
    ASSERT_EQ(pay(hold), CreateTransferResult::ok);
    ASSERT_EQ(pay(a_transfer(12, till, shop, 30)), CreateTransferResult::ok);
    ASSERT_EQ(pay(a_transfer(13, till, wallet, 100)), CreateTransferResult::ok);
    const auto statement = *engine_->statement(shop, {});
    make();
    open();
    ASSERT_NE(engine_->opening().snapshot_sequence, 0u);
    EXPECT_EQ(pay(refused), CreateTransferResult::exceeds_credits) << "though by now it would succeed";
    EXPECT_EQ(pay(a_transfer(10, wallet, shop, 6)), CreateTransferResult::id_already_failed);
    EXPECT_EQ(pay(a_transfer(12, till, shop, 30)), CreateTransferResult::exists);
    EXPECT_EQ(pay(a_transfer(12, till, shop, 31)), CreateTransferResult::exists_with_different_amount);
    EXPECT_EQ(engine_->statement(shop, {})->changes, statement.changes);
    EXPECT_EQ(**engine_->balance_at(shop, Timestamp{statement.changes[0].timestamp}), statement.changes[0]);
    EXPECT_EQ(engine_->transfer(12).value()->amount, uint128{30});
    // The hold runs out by itself after the reopening.
    EXPECT_EQ(engine_->pending_status(11).value(), ledger::PendingStatus::pending);
    clock_.advance(seconds(61));
    eventually([&] { return engine_->pending_status(11).value() == ledger::PendingStatus::expired; },
               "the hold runs out");
    EXPECT_EQ(engine_->account(shop)->credits_pending, uint128{0});
    expect_the_same_either_way();
}

TEST_F(SnapshotTest, OnlyTheNewestTwoAreKept) {
    open_with_accounts();
    for (unsigned i = 0; i < 5; ++i) {
        ASSERT_EQ(pay(a_transfer(100 + i, till, shop, 5)), CreateTransferResult::ok);
        make();
    }
    EXPECT_EQ(snapshots(), (std::vector<std::uint64_t>{6, 5}));
}

// Random events, reopened at random moments: from snapshots one engine, by replay the other.
TEST_F(SnapshotTest, AtRandomMomentsOfRandomStreams) {
    const std::uint64_t first = seed_of_run();
    for (std::uint64_t seed = first; seed < first + 6 && !HasFailure(); ++seed) {
        engine_.reset();
        std::filesystem::remove_all(options_.directory);
        ledger::test::Stream stream(seed);
        options_.segment_bytes = std::uint64_t{64} << 10;
        open();
        for (unsigned step = 0; step < 60 && !HasFailure(); ++step) {
            Command command;
            if (step < 2 || stream.chance(5))
                command.accounts = stream.accounts();
            else
                command.transfers = stream.transfers();
            clock_.advance(milliseconds(static_cast<std::int64_t>(stream.below(1500))));
            const auto transfers = command.transfers;
            const auto outcome = engine_->execute(std::move(command));
            ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
            stream.learn(transfers, outcome->transfers);
            if (!transfers.empty() && stream.chance(10)) {
                // A chunk of the stream again: each id gets its old answer, in whatever life.
                Command again;
                again.transfers = transfers;
                ASSERT_TRUE(engine_->execute(std::move(again)).ok());
            }
            if (stream.chance(15)) make();
            if (stream.chance(10)) expect_the_same_either_way();
        }
        clock_.advance(seconds(-long_ago_s));  // from here on nothing runs out
        open();
        make();
        const Bytes last_file = read_file(newest());
        expect_the_same_either_way();
        EXPECT_TRUE(engine_->check_invariants().empty());
        const auto from_snapshot = history();
        open_replaying_all();
        expect_same(from_snapshot, history());
        // From nothing the same file comes out as over any number of steps.
        engine_.reset();
        std::filesystem::remove_all(folder());
        const auto made = make_snapshot(options_.directory);
        ASSERT_TRUE(made.ok()) << made.error().to_string();
        EXPECT_EQ(read_file(newest()), last_file);
        clock_.advance(seconds(long_ago_s));
    }
}

struct Damage {
    std::string what;
    std::function<void(Bytes&)> change;
};

storage::SnapshotHeader header_of(const Bytes& file) {
    return *storage::decode_snapshot_header(file);
}
void put_header(Bytes& file, storage::SnapshotHeader header) {
    header.check = storage::check_of(header);
    std::memcpy(file.data(), &header, sizeof header);
}

TEST_F(SnapshotTest, OneThatIsNotRightIsNotUsed) {
    open_with_accounts();
    for (unsigned i = 0; i < 10; ++i) {
        ASSERT_EQ(pay(a_transfer(100 + i, till, shop, 5, ledger::transfer_flags::pending, 3600)),
                  CreateTransferResult::ok);
    }
    pay(a_transfer(500, wallet, shop, 1));
    make();
    ASSERT_EQ(pay(a_transfer(200, till, shop, 5)), CreateTransferResult::ok);
    const auto path = newest();
    const Bytes good = read_file(path);
    std::vector<Damage> table = {
        {"magic", [](Bytes& file) { file[0] ^= 1; }},
        {"version", [](Bytes& file) { file[8] = 9; }},
        {"empty", [](Bytes& file) { file.clear(); }},
        {"half", [](Bytes& file) { file.resize(file.size() / 2); }},
        {"one byte short", [](Bytes& file) { file.pop_back(); }},
        {"one byte long", [](Bytes& file) { file.push_back(0); }},
        {"newer than the journal",
         [](Bytes& file) {
             auto header = header_of(file);
             header.tip.entry += 100;
             put_header(file, header);
         }},
        {"of another journal",
         [](Bytes& file) {
             auto header = header_of(file);
             header.tip.entry_hash[0] ^= 1;
             put_header(file, header);
         }},
        {"another sequence than its name",
         [](Bytes& file) {
             auto header = header_of(file);
             ++header.tip.sequence;
             put_header(file, header);
         }},
        {"another digest",
         [](Bytes& file) {
             auto header = header_of(file);
             header.tip.state_digest ^= 1;
             put_header(file, header);
         }},
    };
    const auto header = header_of(good);
    std::size_t at = sizeof header;
    for (std::uint32_t i = 0; i < header.section_count; ++i) {
        const auto length = static_cast<std::size_t>(header.sections[i].length);
        if (length > 0) {
            table.push_back({"a byte of section " + std::to_string(header.sections[i].kind),
                             [place = at + length / 2](Bytes& file) { file[place] ^= 0x40; }});
        }
        at += length;
    }
    EXPECT_GT(table.size(), 15u);
    for (const Damage& damage : table) {
        Bytes file = good;
        damage.change(file);
        engine_.reset();
        write_file(path, file);
        const Opening opening = expect_the_same_either_way();
        EXPECT_EQ(opening.snapshot_sequence, 0u) << damage.what;
        EXPECT_EQ(opening.snapshots_skipped, 1u) << damage.what;
        EXPECT_EQ(read_file(path), file) << "is left as it is: " << damage.what;
    }
    // The next one is made from nothing, and removes it.
    const SnapshotMade made = make();
    EXPECT_EQ(made.base_sequence, 0u);
    EXPECT_EQ(snapshots(), std::vector<std::uint64_t>{made.sequence});
    EXPECT_EQ(expect_the_same_either_way().snapshot_sequence, made.sequence);
}

TEST_F(SnapshotTest, TheOlderOneIsUsedIfTheNewestIsDamaged) {
    open_with_accounts();
    ASSERT_EQ(pay(a_transfer(100, till, shop, 5)), CreateTransferResult::ok);
    const SnapshotMade first = make();
    ASSERT_EQ(pay(a_transfer(101, till, shop, 5)), CreateTransferResult::ok);
    make();
    Bytes file = read_file(newest());
    file[file.size() / 2] ^= 1;
    write_file(newest(), file);
    const Opening opening = expect_the_same_either_way();
    EXPECT_EQ(opening.snapshot_sequence, first.sequence);
    EXPECT_EQ(opening.snapshots_skipped, 1u);
}

TEST_F(SnapshotTest, OneOfAFutureThatWasTakenBackIsNotUsed) {
    open_with_accounts();
    ASSERT_EQ(pay(a_transfer(100, till, shop, 5)), CreateTransferResult::ok);
    engine_.reset();
    const auto saved = root_ / "saved";
    std::filesystem::copy(options_.directory, saved, std::filesystem::copy_options::recursive);
    open();
    ASSERT_EQ(pay(a_transfer(101, till, shop, 5)), CreateTransferResult::ok);
    ASSERT_EQ(pay(a_transfer(102, till, shop, 5)), CreateTransferResult::ok);
    make();
    engine_.reset();
    // The journal as it was before, with the snapshot of what came after.
    std::filesystem::remove_all(options_.directory / "journal");
    std::filesystem::rename(saved / "journal", options_.directory / "journal");
    Opening opening = expect_the_same_either_way();
    EXPECT_EQ(opening.snapshots_skipped, 1u);
    EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{5});
    // Then another future, as long.
    for (unsigned i = 0; i < 3; ++i) ASSERT_EQ(pay(a_transfer(301 + i, till, shop, 7)), CreateTransferResult::ok);
    opening = expect_the_same_either_way();
    EXPECT_EQ(opening.snapshots_skipped, 1u);
    EXPECT_EQ(engine_->account(shop)->credits_posted, uint128{26});
}

TEST_F(SnapshotTest, WithAMissingSegmentNeitherWayOpens) {
    options_.segment_bytes = std::uint64_t{64} << 10;
    open_with_accounts();
    Command large;
    large.annotation.assign(max_annotation_bytes / 2, 'x');
    for (unsigned i = 0; i < 10; ++i) ASSERT_TRUE(engine_->execute(large).ok());
    make();
    engine_.reset();
    const auto journal = options_.directory / "journal";
    std::vector<std::filesystem::path> segments;
    for (const auto& file : std::filesystem::directory_iterator(journal)) {
        if (file.path().extension() == ".segment") segments.push_back(file.path());
    }
    std::ranges::sort(segments);
    ASSERT_GT(segments.size(), 3u);
    std::filesystem::remove(segments[1]);
    const auto opened = Engine::open(options_, clock_);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().kind(), ErrorKind::corrupt) << opened.error().to_string();
}

TEST_F(SnapshotTest, MadeByItselfWhenTheJournalHasGrown) {
    options_.snapshot_every_bytes = std::uint64_t{256} << 10;
    open_with_accounts();
    Command large;
    large.annotation.assign(max_annotation_bytes, 'x');
    std::uint64_t made = 0;
    for (unsigned i = 0; i < 200 && made < 3; ++i) {
        ASSERT_TRUE(engine_->execute(large).ok());
        if (i % 10 != 9) continue;
        eventually([&] { return engine_->counters().snapshots > made; }, "a snapshot is made");
        made = engine_->counters().snapshots;
    }
    EXPECT_GE(made, 3u);
    EXPECT_EQ(engine_->counters().snapshots_failed, 0u);
    EXPECT_NE(expect_the_same_either_way().snapshot_sequence, 0u);
}

TEST_F(SnapshotTest, ADiskThatIsFullCostsOnlyTheSnapshot) {
    open_with_accounts();
    ASSERT_EQ(pay(a_transfer(100, till, shop, 5)), CreateTransferResult::ok);
    disk_.fail_writes_from(disk_.writes(), 100);
    EXPECT_FALSE(engine_->make_snapshot().ok());
    disk_.fail_writes_from(storage::FaultyDisk::never);
    EXPECT_EQ(engine_->counters().snapshots_failed, 1u);
    EXPECT_TRUE(disk_.list(folder())->empty()) << "nothing is left of it";
    EXPECT_EQ(pay(a_transfer(101, till, shop, 5)), CreateTransferResult::ok);
    make();
    EXPECT_NE(expect_the_same_either_way().snapshot_sequence, 0u);
}

TEST_F(SnapshotTest, ADirectoryThatIsClosed) {
    open_with_accounts();
    ASSERT_EQ(pay(a_transfer(100, till, shop, 5)), CreateTransferResult::ok);
    const auto busy = make_snapshot(options_.directory);
    ASSERT_FALSE(busy.ok());
    EXPECT_EQ(busy.error().kind(), ErrorKind::conflict);
    engine_.reset();
    const auto made = make_snapshot(options_.directory);
    ASSERT_TRUE(made.ok()) << made.error().to_string();
    EXPECT_EQ(made->sequence, 2u);
    EXPECT_EQ(make_snapshot(options_.directory)->bytes, 0u);
    EXPECT_EQ(expect_the_same_either_way().snapshot_sequence, 2u);
}

// A process that pays and makes snapshots without pause is killed at any moment.
TEST_F(SnapshotTest, KilledWhileOneIsWritten) {
    std::mt19937_64 random(seed_of_run());
    open_with_accounts();
    engine_.reset();
    uint128 next = 1000;
    unsigned from_snapshot = 0;
    for (unsigned life = 0; life < 15; ++life, next += 1'000'000) {
        std::array<int, 2> pipe{};
        ASSERT_EQ(::pipe(pipe.data()), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            auto opened = Engine::open(options_, clock_);
            if (!opened.ok()) ::_exit(1);
            for (uint128 id = next;; id += 500) {
                Command command;
                for (unsigned i = 0; i < 500; ++i) command.transfers.push_back(a_transfer(id + i, till, shop, 1));
                if (!(*opened)->execute(std::move(command)).ok() || !(*opened)->make_snapshot().ok()) ::_exit(1);
                if (id == next && ::write(pipe[1], "1", 1) != 1) ::_exit(1);
            }
        }
        ::close(pipe[1]);
        char byte = 0;
        EXPECT_EQ(::read(pipe[0], &byte, 1), 1) << "it has made one";
        ::close(pipe[0]);
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "ended by itself with " << WEXITSTATUS(status);
        const Opening opening = expect_the_same_either_way();
        EXPECT_EQ(opening.snapshots_skipped, 0u) << "one that has its name is whole";
        EXPECT_FALSE(std::filesystem::exists(folder() / "next.tmp"));
        from_snapshot += opening.snapshot_sequence != 0 ? 1 : 0;
        engine_.reset();
    }
    EXPECT_GT(from_snapshot, 0u);
}

}  // namespace
}  // namespace jiaozi::engine
