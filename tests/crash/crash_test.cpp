// kill -9 at random points under load: nothing acknowledged is lost, nothing is applied twice.
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/engine/engine.hpp>

#include "plan.hpp"

extern char** environ;  // NOLINT: POSIX declares it this way

namespace jiaozi::crash {
namespace {

using Milliseconds = std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// One life of the writer: started, listened to, killed.
class Writer {
  public:
    Writer(const std::filesystem::path& directory, std::uint64_t round) {
        std::array<int, 2> pipe{};
        EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
        out_ = pipe[0];
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
        std::string path = directory.string();
        std::string number = std::to_string(round);
        std::string program = CRASH_WRITER;
        std::array<char*, 4> arguments{program.data(), path.data(), number.data(), nullptr};
        EXPECT_EQ(::posix_spawn(&pid_, CRASH_WRITER, &actions, nullptr, arguments.data(), environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(pipe[1]);
    }
    ~Writer() { ::close(out_); }

    // Collects reports until the deadline, or until the engine is open if `ready` is asked for.
    void listen(SteadyClock::time_point deadline, bool until_ready) {
        while (!(until_ready && ready_) && !closed_) {
            const auto left = std::chrono::duration_cast<Milliseconds>(deadline - SteadyClock::now()).count();
            if (left <= 0) return;
            pollfd waiting{out_, POLLIN, 0};
            if (::poll(&waiting, 1, static_cast<int>(left)) > 0) read_some();
        }
    }

    // Kills with SIGKILL and collects what had been reported. False if the process was not alive to be killed.
    bool kill() {
        ::kill(pid_, SIGKILL);
        int status = 0;
        EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
        while (!closed_) read_some();
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }

    const std::vector<Report>& reports() const { return reports_; }
    bool ready() const { return ready_; }

  private:
    void read_some() {
        std::array<std::uint8_t, 16 * 1024> bytes;
        const ssize_t got = ::read(out_, bytes.data(), bytes.size());
        if (got <= 0) {
            closed_ = true;
            return;
        }
        partial_.insert(partial_.end(), bytes.begin(), bytes.begin() + got);
        std::size_t at = 0;
        for (; partial_.size() - at >= sizeof(Report); at += sizeof(Report)) {
            Report report;
            std::memcpy(&report, partial_.data() + at, sizeof report);
            if (report.key == ready_key) {
                ready_ = true;
            } else {
                reports_.push_back(report);
            }
        }
        partial_.erase(partial_.begin(), partial_.begin() + static_cast<std::ptrdiff_t>(at));
    }

    pid_t pid_ = 0;
    int out_ = -1;
    bool ready_ = false;
    bool closed_ = false;
    Bytes partial_;
    std::vector<Report> reports_;
};

struct Balances {
    uint128 debits_pending = 0, debits_posted = 0, credits_pending = 0, credits_posted = 0;
    bool operator==(const Balances&) const = default;
};

// Recomputes everything from the feed, with its own arithmetic and no ledger.
class Recomputation {
  public:
    // The feed from where the last reading ended up to `last`.
    void read(engine::Engine& engine, std::uint64_t last) {
        if (last == read_) return;
        std::mutex mutex;
        std::condition_variable arrived;
        std::uint64_t seen = 0;
        const auto feed = engine.subscribe(std::exchange(read_, last), [&](std::span<const engine::Committed> batch) {
            for (const engine::Committed& one : batch) {
                if (one.sequence <= last) take(one);
            }
            const std::lock_guard guard(mutex);
            seen = batch.back().sequence;
            arrived.notify_one();
        });
        std::unique_lock lock(mutex);
        ASSERT_TRUE(arrived.wait_for(lock, std::chrono::minutes(1), [&] { return seen >= last; }))
            << "the feed stopped";
    }

    std::uint64_t commands_with(std::uint64_t key) const {
        const auto found = keys_.find(key);
        return found != keys_.end() ? found->second : 0;
    }
    const std::unordered_map<std::uint64_t, std::uint64_t>& keys() const { return keys_; }
    const std::map<uint128, Balances>& balances() const { return balances_; }

  private:
    struct Hold {
        uint128 debit, credit, amount;
    };

    void take(const engine::Committed& one) {
        for (const ledger::Expired& expired : one.expired) release(expired.pending_id);
        if (one.command.annotation.size() != sizeof(std::uint64_t)) return;  // the accounts, or a tick
        std::uint64_t key = 0;
        std::memcpy(&key, one.command.annotation.data(), sizeof key);
        ++keys_[key];
        EXPECT_EQ(one.command.transfers, plan_of(key).command.transfers) << "the journal holds what was submitted";
        for (std::size_t i = 0; i < one.command.transfers.size(); ++i) {
            if (one.outcome.transfers[i] == ledger::CreateTransferResult::ok) move(one.command.transfers[i]);
        }
    }

    void move(const ledger::Transfer& transfer) {
        namespace tf = ledger::transfer_flags;
        if ((transfer.flags & tf::pending) != 0) {
            holds_[transfer.id] = {transfer.debit_account_id, transfer.credit_account_id, transfer.amount};
            balances_[transfer.debit_account_id].debits_pending += transfer.amount;
            balances_[transfer.credit_account_id].credits_pending += transfer.amount;
        } else if ((transfer.flags & (tf::post_pending | tf::void_pending)) != 0) {
            const Hold hold = release(transfer.pending_id);
            if ((transfer.flags & tf::post_pending) != 0) post(hold);
        } else {
            post({transfer.debit_account_id, transfer.credit_account_id, transfer.amount});
        }
    }
    void post(const Hold& moved) {
        balances_[moved.debit].debits_posted += moved.amount;
        balances_[moved.credit].credits_posted += moved.amount;
    }
    Hold release(uint128 pending_id) {
        const auto found = holds_.find(pending_id);
        EXPECT_NE(found, holds_.end()) << "a hold is resolved once";
        if (found == holds_.end()) return {};
        const Hold hold = found->second;
        holds_.erase(found);
        balances_[hold.debit].debits_pending -= hold.amount;
        balances_[hold.credit].credits_pending -= hold.amount;
        return hold;
    }

    std::uint64_t read_ = 0;
    std::unordered_map<std::uint64_t, std::uint64_t> keys_;  // how often each command is in the journal
    std::map<uint128, Hold> holds_;
    std::map<uint128, Balances> balances_;
};

class CrashTest : public ::testing::Test {
  protected:
    CrashTest() : seed_(number_from("JIAOZI_SEED", std::random_device()())), random_(seed_) {
        std::string pattern = (std::filesystem::temp_directory_path() / "jz_crash.XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
        log::set_level(log::Level::error);
    }
    ~CrashTest() override {
        if (!HasFailure()) {
            std::error_code ignored;
            std::filesystem::remove_all(root_, ignored);
        } else {
            std::printf("the data directory is kept: %s\n", root_.c_str());
        }
    }

    std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + random_() % (high - low + 1); }

    // Lets the writer live for a random while: usually under load, sometimes only into its opening (recovery, cutting).
    void live_and_die(std::uint64_t round) {
        Writer writer(root_ / "data", round);
        if (between(0, 4) == 0) {
            writer.listen(SteadyClock::now() + Milliseconds(between(0, 12)), false);
        } else {
            writer.listen(SteadyClock::now() + std::chrono::minutes(1), true);
            ASSERT_TRUE(writer.ready()) << "the writer did not open its directory";
            const auto life = std::chrono::microseconds(between(0, 25'000));
            writer.listen(SteadyClock::now() + life, false);
        }
        ASSERT_TRUE(writer.kill()) << "the writer ended by itself";
        for (const Report& report : writer.reports()) {
            ASSERT_EQ(report.as_expected, 1u)
                << "key " << report.key << " was answered with other results than planned";
            acknowledged_.push_back(report.key);
        }
    }

    // Carries the re-computation on with what the round added; with `afresh`, begins it again from the first command.
    void check(bool afresh) {
        auto opened =
            engine::Engine::open({.directory = root_ / "data", .segment_bytes = std::uint64_t{256} << 10}, clock_);
        ASSERT_TRUE(opened.ok()) << opened.error().to_string();
        engine::Engine& engine = **opened;
        if (afresh) recomputed_ = {};
        recomputed_.read(engine, engine.last_sequence());
        for (const std::uint64_t key : acknowledged_) {
            const std::uint64_t times = recomputed_.commands_with(key);
            lost_ += times == 0 ? 1 : 0;
            doubled_ += times > 1 ? 1 : 0;
        }
        for (const auto& [key, times] : recomputed_.keys()) {
            doubled_ += times > 1 ? 1 : 0;  // acknowledged or not
            check_stored(engine, key);
        }
        journaled_ = recomputed_.keys().size();
        check_balances(engine, recomputed_);
        for (const ledger::Violation& violation : engine.check_invariants()) {
            ADD_FAILURE() << violation.checker << ": " << violation.detail;
        }
    }

    // A command's transfers are stored whole, as planned, or not at all.
    void check_stored(const engine::Engine& engine, std::uint64_t key) {
        const Plan plan = plan_of(key);
        for (const ledger::Transfer& wanted : plan.command.transfers) {
            const auto stored = engine.transfer(wanted.id).value();
            ASSERT_EQ(stored.has_value(), plan.accepted) << "key " << key;
            if (stored && wanted.pending_id == 0) {
                ASSERT_EQ(stored->amount, wanted.amount) << "key " << key;
            }
        }
    }

    static void check_balances(const engine::Engine& engine, const Recomputation& recomputed) {
        for (const auto& [id, wanted] : recomputed.balances()) {
            const auto account = engine.account(id);
            ASSERT_TRUE(account.has_value());
            const Balances found{account->debits_pending, account->debits_posted, account->credits_pending,
                                 account->credits_posted};
            ASSERT_EQ(found, wanted) << "account " << to_decimal(id);
        }
    }

    const std::uint64_t seed_;
    std::mt19937_64 random_;
    TestClock clock_;  // stands in the past, so that the checking engine lets nothing expire and writes nothing
    std::filesystem::path root_;
    std::vector<std::uint64_t> acknowledged_;
    Recomputation recomputed_;
    std::uint64_t lost_ = 0, doubled_ = 0, journaled_ = 0;
};

TEST_F(CrashTest, KillNineUnderLoad) {
    const std::uint64_t kills = number_from("JIAOZI_KILLS", 200);
    std::printf("seed %llu (JIAOZI_SEED repeats it)\n", static_cast<unsigned long long>(seed_));
    for (std::uint64_t round = 1; round <= kills; ++round) {
        live_and_die(round);
        if (!HasFailure()) check(round % 20 == 0 || round == kills);
        ASSERT_FALSE(HasFailure()) << "round " << round;
        ASSERT_EQ(lost_ + doubled_, 0u) << "round " << round;
    }
    std::printf("%llu kills, %zu acknowledged, %llu journaled, %llu lost, %llu doubled\n",
                static_cast<unsigned long long>(kills), acknowledged_.size(),
                static_cast<unsigned long long>(journaled_), static_cast<unsigned long long>(lost_),
                static_cast<unsigned long long>(doubled_));
    EXPECT_GT(acknowledged_.size(), kills);
}

}  // namespace
}  // namespace jiaozi::crash
