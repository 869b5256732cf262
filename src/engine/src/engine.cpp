#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <span>
#include <thread>
#include <utility>

#include <jiaozi/base/log.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/engine/payload.hpp>
#include <jiaozi/storage/journal.hpp>

#include "applier.hpp"
#include "feed.hpp"
#include "recovery.hpp"
#include "state_lock.hpp"

namespace jiaozi::engine {

namespace {

// Readers get in between chunks of a large commit.
constexpr std::size_t commands_per_lock = 256;
// A clock that jumps past many expiries is followed in steps, so that one entry's outcomes stay small.
constexpr Duration catch_up_step = seconds(1);

Result<> check_limits(const Command& command) {
    if (command.accounts.size() > max_events || command.flag_changes.size() > max_events ||
        command.transfers.size() > max_events) {
        return Error(ErrorKind::too_large,
                     "a command holds at most " + std::to_string(max_events) + " events of a kind; split it");
    }
    if (command.annotation.size() > max_annotation_bytes) {
        return Error(ErrorKind::too_large,
                     "an annotation holds at most " + std::to_string(max_annotation_bytes) + " bytes")
            .with_param("annotation");
    }
    return {};
}

Result<> check_options(const Options& options) {
    const auto refuse = [](std::string_view option, std::string_view range) {
        return Error(ErrorKind::invalid, "must be " + std::string(range)).with_param(option);
    };
    if (options.max_queue == 0) return refuse("max_queue", "at least 1");
    if (options.max_entry_bytes < 4096 || options.max_entry_bytes > (std::size_t{16} << 20)) {
        return refuse("max_entry_bytes", "from 4 KiB to 16 MiB");
    }
    if (options.segment_bytes < (std::uint64_t{64} << 10) || options.segment_bytes > (std::uint64_t{1} << 40)) {
        return refuse("segment_bytes", "from 64 KiB to 1 TiB");
    }
    if (options.tick.ns <= 0 || options.tick > milliseconds(50)) return refuse("tick", "above 0 and at most 50 ms");
    return {};
}

}  // namespace

class Engine::Impl {
  public:
    Impl(Options options, const Clock& clock)
        : options_(std::move(options)), clock_(clock), hub_(options_.feed_memory_bytes) {}
    ~Impl() { close(); }

    Result<> start();
    void submit(Command command, Done done);
    bool on_writer_thread() const { return std::this_thread::get_id() == writer_.get_id(); }

    template <class Look>
    auto look(Look&& look) const {
        const std::shared_lock guard(state_lock_);
        return look(std::as_const(ledger_));
    }
    std::unique_ptr<Subscription> subscribe(std::uint64_t after_sequence, FeedHandler handler) {
        return std::make_unique<FeedSubscription>(hub_, *journal_, after_sequence, std::move(handler));
    }
    std::uint64_t last_sequence() const { return applied_sequence_.load(std::memory_order_acquire); }
    Health health() const;
    Counters counters() const {
        return {commands_.load(std::memory_order_relaxed), entries_.load(std::memory_order_relaxed)};
    }

  private:
    struct Waiting {
        Command command;
        Done done;
        std::size_t bytes;
    };

    void close();
    void run();
    bool wait_for_work();
    bool expiry_due(Duration overdue = {}) const;
    void tick(Timestamp timestamp);
    void commit_next_group();
    bool commit(std::span<Waiting> group, Timestamp now);
    std::uint64_t apply_group(std::span<Waiting> group, std::uint64_t first_sequence);
    void publish(const storage::Position& position, std::span<Waiting> group, std::uint64_t first_sequence,
                 std::size_t payload_size);
    void stop(const Error& cause, std::span<Waiting> group);

    const Options options_;
    const Clock& clock_;
    std::unique_ptr<storage::Journal> journal_;

    // Changed by the writer under state_lock_, read by anyone under it shared. The writer reads it without.
    mutable StateLock state_lock_;
    ledger::Ledger ledger_;
    std::atomic<std::uint64_t> applied_sequence_{0};
    std::atomic<std::uint64_t> commands_{0}, entries_{0};

    mutable std::mutex queue_mutex_;  // guards from here
    std::condition_variable queue_filled_;
    std::vector<Waiting> queue_;
    std::size_t waiting_ = 0;  // commands, and their bytes, submitted and not yet in an entry being written
    std::size_t waiting_bytes_ = 0;
    bool writer_sleeps_ = false;
    bool closing_ = false;
    Health health_;  // to here

    // The writer's own.
    Tip tip_;
    PayloadEncoder encoder_;
    OutcomeRecorder recorder_;
    std::vector<Waiting> taken_;  // from the queue; [next_, end) is still to be committed
    std::size_t next_ = 0;
    std::vector<Timestamp> timestamps_;  // of the group being committed
    std::vector<Outcome> outcomes_;
    std::vector<std::vector<ledger::Expired>> expired_;

    FeedHub hub_;
    std::thread writer_;  // last: it uses everything above
};

Result<> Engine::Impl::start() {
    JZ_CHECK(check_options(options_));
    storage::Disk& disk = options_.disk != nullptr ? *options_.disk : storage::system_disk();
    JZ_CHECK(prepare_directory(disk, options_.directory));
    const storage::JournalOptions journal{options_.directory / "journal", options_.segment_bytes, &disk};
    JZ_TRY(journal_, storage::Journal::open(journal, [this](const storage::EntryView& entry) {
               return replay_entry(entry, ledger_, tip_, hub_);
           }));
    applied_sequence_ = tip_.sequence;
    writer_ = std::thread([this] { run(); });
    return {};
}

void Engine::Impl::close() {
    if (!writer_.joinable()) return;
    {
        const std::lock_guard guard(queue_mutex_);
        closing_ = true;
    }
    queue_filled_.notify_one();
    writer_.join();
}

Health Engine::Impl::health() const {
    const std::lock_guard guard(queue_mutex_);
    return health_;
}

void Engine::Impl::submit(Command command, Done done) {
    if (auto checked = check_limits(command); !checked.ok()) return done(std::move(checked).error());
    const std::size_t bytes = encoded_size(command);
    std::string refusal;
    {
        std::unique_lock lock(queue_mutex_);
        if (health_.state == Health::State::stopped) {
            refusal = "the engine stopped taking writes (" + health_.cause + "); restart it";
        } else if (closing_) {
            refusal = "the engine is closing";
        } else if (waiting_ >= options_.max_queue || waiting_bytes_ + bytes > options_.max_queue_bytes) {
            refusal = "too many commands are waiting; try again shortly";
        } else {
            queue_.push_back({std::move(command), std::move(done), bytes});
            ++waiting_;
            waiting_bytes_ += bytes;
            const bool wake = std::exchange(writer_sleeps_, false);
            lock.unlock();
            if (wake) queue_filled_.notify_one();
            return;
        }
    }
    done(Error(ErrorKind::unavailable, std::move(refusal)));
}

void Engine::Impl::run() {
    while (wait_for_work()) {
        while (expiry_due(catch_up_step)) tick(Timestamp{*ledger_.next_expiry_ns()} + catch_up_step);
        if (next_ < taken_.size()) {
            commit_next_group();
        } else if (expiry_due()) {
            tick(clock_.now());
        }
    }
}

// False when closing and nothing is left. Returns with commands in taken_, or without when an expiry is due.
bool Engine::Impl::wait_for_work() {
    if (next_ < taken_.size()) return true;
    taken_.clear();
    next_ = 0;
    std::unique_lock lock(queue_mutex_);
    while (queue_.empty()) {
        if (closing_) return false;
        writer_sleeps_ = true;
        if (ledger_.next_expiry_ns() && health_.state == Health::State::running) {
            // The clock may be a test's or a shifted one, so it is asked again and again instead of slept on.
            queue_filled_.wait_for(lock, std::chrono::nanoseconds(options_.tick.ns));
            if (queue_.empty() && expiry_due()) break;
        } else {
            queue_filled_.wait(lock);
        }
    }
    writer_sleeps_ = false;
    taken_.swap(queue_);
    return true;
}

bool Engine::Impl::expiry_due(Duration overdue) const {
    const auto expiry = ledger_.next_expiry_ns();
    return expiry && journal_->failure() == std::nullopt && Timestamp{*expiry} + overdue <= clock_.now();
}

// Commits an empty command, so that expiry is an event of the journal.
void Engine::Impl::tick(Timestamp timestamp) {
    Waiting empty{{}, nullptr, 0};
    commit(std::span(&empty, 1), timestamp);
}

// Commits as many of the taken commands as fit one entry.
void Engine::Impl::commit_next_group() {
    std::size_t bytes = 0;
    std::size_t end = next_;
    while (end < taken_.size() && (end == next_ || bytes + taken_[end].bytes <= options_.max_entry_bytes))
        bytes += taken_[end++].bytes;
    {
        const std::lock_guard guard(queue_mutex_);
        waiting_ -= end - next_;
        waiting_bytes_ -= bytes;
    }
    const std::span group(taken_.begin() + static_cast<std::ptrdiff_t>(next_),
                          taken_.begin() + static_cast<std::ptrdiff_t>(end));
    if (commit(group, clock_.now())) {
        for (std::size_t i = 0; i < group.size(); ++i) {
            if (group[i].done) group[i].done(std::move(outcomes_[i]));
        }
    }
    next_ = end;
}

// Journal first, then apply. On success outcomes_[i] answers group[i]; on failure everyone has been answered.
bool Engine::Impl::commit(std::span<Waiting> group, Timestamp now) {
    const std::uint64_t first_sequence = tip_.sequence + 1;
    timestamps_.clear();
    encoder_.begin(first_sequence);
    Timestamp timestamp = tip_.timestamp;
    for (const Waiting& waiting : group) {
        timestamp = next_timestamp(now, timestamp, waiting.command);
        timestamps_.push_back(timestamp);
        encoder_.add(waiting.command, timestamp);
    }
    const ByteView payload = encoder_.finish(tip_.outcomes);
    auto position = journal_->append(timestamp, payload);
    if (!position.ok()) {
        stop(position.error(), group);
        return false;
    }
    tip_.timestamp = timestamp;
    tip_.sequence = apply_group(group, first_sequence);
    applied_sequence_.store(tip_.sequence, std::memory_order_release);
    commands_.fetch_add(group.size(), std::memory_order_relaxed);
    entries_.fetch_add(1, std::memory_order_relaxed);
    publish(*position, group, first_sequence, payload.size());
    return true;
}

// Returns the last sequence.
std::uint64_t Engine::Impl::apply_group(std::span<Waiting> group, std::uint64_t first_sequence) {
    recorder_.begin();
    outcomes_.clear();
    outcomes_.resize(group.size());
    if (expired_.size() < group.size()) expired_.resize(group.size());
    for (std::size_t begin = 0; begin < group.size(); begin += commands_per_lock) {
        const std::size_t end = std::min(begin + commands_per_lock, group.size());
        const std::lock_guard guard(state_lock_);
        for (std::size_t i = begin; i < end; ++i) {
            outcomes_[i].sequence = first_sequence + i;
            outcomes_[i].timestamp = timestamps_[i];
            expired_[i].clear();
            apply(ledger_, group[i].command, timestamps_[i], outcomes_[i], expired_[i]);
            recorder_.add(static_cast<std::uint32_t>(i), outcomes_[i], expired_[i]);
        }
    }
    tip_.outcomes.clear();
    recorder_.finish(tip_.outcomes);
    return first_sequence + group.size() - 1;
}

void Engine::Impl::publish(const storage::Position& position, std::span<Waiting> group, std::uint64_t first_sequence,
                           std::size_t payload_size) {
    std::shared_ptr<std::vector<Committed>> batch;
    if (hub_.wanted()) {
        batch = std::make_shared<std::vector<Committed>>();
        batch->reserve(group.size());
        for (std::size_t i = 0; i < group.size(); ++i) {
            batch->push_back({first_sequence + i, timestamps_[i], std::move(group[i].command), outcomes_[i],
                              std::move(expired_[i])});
        }
    }
    hub_.publish(position, first_sequence, tip_.sequence, payload_size, tip_.outcomes, std::move(batch));
}

// The journal is dead. Only the first group to meet that can have an unknown outcome; those that wait behind it come
// here one after the other with unavailable, and have not begun.
void Engine::Impl::stop(const Error& cause, std::span<Waiting> group) {
    {
        const std::lock_guard guard(queue_mutex_);
        if (health_.state == Health::State::running) {
            health_ = {Health::State::stopped, cause.message()};
            log::error("engine stopped taking writes", {{"cause", cause.to_string()}});
        }
    }
    const bool unknown = cause.kind() == ErrorKind::io;
    for (Waiting& one : group) {
        if (!one.done) continue;
        one.done(unknown
                     ? Error(ErrorKind::timeout, "the journal failed while writing this command (" + cause.message() +
                                                     "); whether it is durable is known after a restart")
                     : Error(ErrorKind::unavailable, cause.message()));
    }
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(Options options, const Clock& clock) {
    auto impl = std::make_unique<Impl>(std::move(options), clock);
    JZ_CHECK(impl->start());
    return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

void Engine::submit(Command command, Done done) {
    impl_->submit(std::move(command), std::move(done));
}

Result<Outcome> Engine::execute(Command command) {
    JZ_ASSERT(!impl_->on_writer_thread());
    std::optional<Result<Outcome>> answer;
    std::binary_semaphore answered(0);
    impl_->submit(std::move(command), [&](Result<Outcome> outcome) {
        answer.emplace(std::move(outcome));
        answered.release();
    });
    answered.acquire();
    return *std::move(answer);
}

std::optional<ledger::Account> Engine::account(uint128 id) const {
    return impl_->look([&](const ledger::Ledger& ledger) {
        const auto* found = ledger.find_account(id);
        return found != nullptr ? std::optional(*found) : std::nullopt;
    });
}

std::optional<ledger::Transfer> Engine::transfer(uint128 id) const {
    return impl_->look([&](const ledger::Ledger& ledger) {
        const auto* found = ledger.find_transfer(id);
        return found != nullptr ? std::optional(*found) : std::nullopt;
    });
}

ledger::PendingStatus Engine::pending_status(uint128 id) const {
    return impl_->look([&](const ledger::Ledger& ledger) { return ledger.pending_status(id); });
}

namespace {

Result<> check_keeps_history(const ledger::Ledger& ledger, uint128 account_id) {
    const auto* account = ledger.find_account(account_id);
    if (account == nullptr) return Error(ErrorKind::not_found, "no account " + to_decimal(account_id));
    if ((account->flags & ledger::account_flags::history) == 0) {
        return Error(ErrorKind::invalid, "account " + to_decimal(account_id) +
                                             " keeps no history; only accounts made with the history flag do");
    }
    return {};
}

}  // namespace

Result<ledger::StatementPage> Engine::statement(uint128 account_id, const ledger::StatementQuery& query) const {
    if (query.limit == 0 || query.limit > max_events) {
        return Error(ErrorKind::invalid, "must be from 1 to " + std::to_string(max_events)).with_param("limit");
    }
    return impl_->look([&](const ledger::Ledger& ledger) -> Result<ledger::StatementPage> {
        JZ_CHECK(check_keeps_history(ledger, account_id));
        return ledger.statement(account_id, query);
    });
}

Result<std::optional<ledger::BalanceChange>> Engine::balance_at(uint128 account_id, Timestamp when) const {
    return impl_->look([&](const ledger::Ledger& ledger) -> Result<std::optional<ledger::BalanceChange>> {
        JZ_CHECK(check_keeps_history(ledger, account_id));
        return ledger.balance_at(account_id, when.ns);
    });
}

std::unique_ptr<Subscription> Engine::subscribe(std::uint64_t after_sequence, FeedHandler handler) {
    return impl_->subscribe(after_sequence, std::move(handler));
}

std::uint64_t Engine::last_sequence() const {
    return impl_->last_sequence();
}
Health Engine::health() const {
    return impl_->health();
}
Counters Engine::counters() const {
    return impl_->counters();
}
std::uint64_t Engine::state_digest() const {
    return impl_->look([](const ledger::Ledger& ledger) { return ledger.state_digest(); });
}
std::vector<ledger::Violation> Engine::check_invariants() const {
    return impl_->look([](const ledger::Ledger& ledger) { return ledger::check_invariants(ledger); });
}

}  // namespace jiaozi::engine
