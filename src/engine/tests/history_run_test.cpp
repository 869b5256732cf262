// Runs of histories: what is written is read, in every way it can be asked for; what is damaged is said to be.
// JIAOZI_SEED repeats one run.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <random>
#include <utility>

#include <gtest/gtest.h>
#include <unistd.h>

#include "history_merge.hpp"
#include "history_rows.hpp"

namespace jiaozi::engine {
namespace {

using ledger::HistoryRow;
using test::Changes;

// The order of a run.
std::pair<std::uint64_t, std::uint64_t> by_account(const HistoryRow& row) {
    return {row.account, row.position};
}

class HistoryRunTest : public ::testing::Test {
  protected:
    HistoryRunTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "jz_runs.XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
        const char* text = std::getenv("JIAOZI_SEED");
        seed_ = text == nullptr ? std::random_device{}() : std::strtoull(text, nullptr, 10);
        std::cout << "JIAOZI_SEED=" << seed_ << '\n';
    }
    ~HistoryRunTest() override {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    RunPtr write(std::vector<HistoryRow> rows, RunName name) {
        std::ranges::sort(rows, {}, by_account);
        auto writer = RunWriter::create(disk_, directory_, "next.tmp", name);
        EXPECT_TRUE(writer.ok());
        for (const HistoryRow& row : rows) EXPECT_TRUE(writer->add(row).ok());
        auto run = writer->finish({{7, 1, 512}, 1024, {}});
        EXPECT_TRUE(run.ok());
        return *run;
    }
    static std::vector<HistoryRow> all(const HistoryRun& run) {
        std::vector<HistoryRow> rows;
        EXPECT_TRUE(run.read_chunks(0, run.chunk_count(), rows).ok());
        return rows;
    }

    storage::Disk& disk_ = storage::system_disk();
    std::filesystem::path directory_;
    std::uint64_t seed_ = 0;
};

TEST_F(HistoryRunTest, NamesAreReadAsTheyAreWritten) {
    const RunName name{0, 0x1fffe00000};
    EXPECT_EQ(run_name(name), "0000000000000000-0000001fffe00000.history");
    EXPECT_EQ(parse_run_name(run_name(name)), name);
    for (const char* other :
         {"", "next.tmp", "0000000000000000-0000001FFFE00000.history", "0000000000000000_0000001fffe00000.history",
          "0000000000000000-0000001fffe0000g.history", "0000000000000000-0000001fffe00000.histor"})
        EXPECT_EQ(parse_run_name(other), std::nullopt) << other;
}

TEST_F(HistoryRunTest, EveryPageOfEveryAccountIsWhatItWas) {
    for (std::uint64_t seed = seed_; seed < seed_ + 6 && !HasFailure(); ++seed) {
        Changes changes(seed, seed % 2 == 0 ? 5 : 300);
        changes.make(20'000);
        const RunName name{0, changes.end()};
        const RunPtr written = write(changes.rows(), name);
        const auto opened = HistoryRun::open(disk_, directory_ / run_name(name));
        ASSERT_TRUE(opened.ok()) << opened.error().to_string();
        for (const RunPtr& run : {written, *opened}) {
            EXPECT_EQ(run->header().rows, changes.rows().size());
            for (int i = 0; i < 500 && !HasFailure(); ++i) {
                const test::Question question = changes.question();
                std::vector<HistoryRow> found;
                const auto read =
                    run->read(question.account, question.from, question.end, question.limit, question.reversed, found);
                ASSERT_TRUE(read.ok()) << read.error().to_string();
                ASSERT_EQ(found, changes.answer(question));
            }
        }
        std::cout << std::filesystem::file_size(directory_ / run_name(name)) / changes.rows().size()
                  << " bytes a change\n";
    }
}

TEST_F(HistoryRunTest, TheLargestNumbersFit) {
    HistoryRow row;
    row.account = UINT32_MAX;
    row.position = ledger::position_of_event((std::uint64_t{1} << 36) - 2);
    row.event = (std::uint64_t{1} << 36) - 2;
    row.debits_pending = row.debits_posted = row.credits_pending = row.credits_posted = uint128_max;
    HistoryRow next = row;
    next.position = ledger::position_of_expiry((std::uint64_t{1} << 36) - 1, ledger::history_max_tie - 1);
    next.event = 0;
    next.expired_ns = UINT64_MAX;
    next.debits_pending = next.debits_posted = next.credits_pending = next.credits_posted = 0;
    const std::vector<HistoryRow> rows{row, next};
    EXPECT_EQ(all(*write(rows, {0, UINT64_MAX})), rows);
}

TEST_F(HistoryRunTest, MergedRunsHoldWhatTheyHeld) {
    Changes changes(seed_, 50);
    std::vector<RunPtr> runs;
    std::uint64_t begin = 0;
    for (int i = 0; i < 4; ++i) {
        const std::size_t before = changes.rows().size();
        changes.make(3'000);
        runs.push_back(write({changes.rows().begin() + static_cast<std::ptrdiff_t>(before), changes.rows().end()},
                             {begin, changes.end()}));
        begin = changes.end();
    }
    auto merge = RunMerge::begin(disk_, directory_, "merge-0.tmp", runs);
    ASSERT_TRUE(merge.ok());
    for (;;) {
        const auto ended = merge->step(1'000);
        ASSERT_TRUE(ended.ok());
        if (*ended) break;
    }
    const auto merged = merge->finish();
    ASSERT_TRUE(merged.ok()) << merged.error().to_string();
    EXPECT_EQ((*merged)->name(), (RunName{0, begin}));
    auto sorted = changes.rows();
    std::ranges::sort(sorted, {}, by_account);
    EXPECT_EQ(all(**merged), sorted);
}

// Each byte in turn, and each length: an error, and never another answer.
TEST_F(HistoryRunTest, DamageIsFound) {
    Changes changes(seed_, 20);
    changes.make(120);
    const RunName name{0, changes.end()};
    const std::vector<HistoryRow> good_rows = all(*write(changes.rows(), name));
    const auto path = directory_ / run_name(name);
    std::ifstream in(path, std::ios::binary);
    const std::string good{std::istreambuf_iterator<char>(in), {}};
    const auto is_found = [&](const std::string& bytes) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
        const auto run = HistoryRun::open(disk_, path);
        std::vector<HistoryRow> rows;
        const auto read = run.ok() ? (*run)->read_chunks(0, (*run)->chunk_count(), rows) : Result<>(run.error());
        return !read.ok() && read.error().kind() == ErrorKind::corrupt &&
               read.error().message().find(path.filename().string()) != std::string::npos;
    };
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bytes = good;
        bytes[i] = static_cast<char>(bytes[i] ^ (1 << (i % 8)));
        EXPECT_TRUE(is_found(bytes)) << "byte " << i;
    }
    for (std::size_t size = 0; size < good.size(); size += 13) EXPECT_TRUE(is_found(good.substr(0, size))) << size;
    EXPECT_TRUE(is_found(good + '\0'));
}

}  // namespace
}  // namespace jiaozi::engine
