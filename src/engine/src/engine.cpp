#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <span>
#include <thread>
#include <type_traits>
#include <utility>

#include <jiaozi/base/log.hpp>
#include <jiaozi/base/short_turns.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/engine/payload.hpp>
#include <jiaozi/storage/archive.hpp>
#include <jiaozi/storage/journal.hpp>

#include "applier.hpp"
#include "command_queue.hpp"
#include "event_log.hpp"
#include "events_at_hand.hpp"
#include "feed.hpp"
#include "limits.hpp"
#include "recovery.hpp"
#include "snapshot.hpp"
#include "snapshotter.hpp"
#include "state_lock.hpp"
#include "statements.hpp"

namespace jiaozi::engine {

namespace {

// Readers get in between chunks of a large commit.
constexpr std::size_t commands_per_lock = 256;
// Entries written and not yet applied. One is enough to overlap; a few smooth out uneven ones.
constexpr std::size_t max_in_flight = 4;
// A group this small is applied by the thread that wrote it, if the other one is idle: handing it over would cost more.
constexpr std::size_t small_group_bytes = std::size_t{32} * 1024;
constexpr std::uint64_t no_expiry = UINT64_MAX;
// A clock that jumps past many expiries is followed in steps, so that one entry's outcomes stay small.
constexpr Duration catch_up_step = seconds(1);

}  // namespace

class Engine::Impl {
  public:
    Impl(Options options, const Clock& clock)
        : options_(std::move(options)),
          clock_(clock),
          disk_(options_.disk != nullptr ? *options_.disk : storage::system_disk(), options_.directory / "journal"),
          events_(disk_, options_.directory / "journal", options_.recent_bytes),
          histories_(disk_, options_.directory, {options_.history_tail_rows, options_.history_thread}),
          ledger_(events_, &histories_),
          queue_(options_.max_queue, options_.max_queue_bytes),
          hub_(options_.feed_memory_bytes),
          snapshotter_(disk_, options_.directory, histories_) {}
    ~Impl() { close(); }

    Result<> start();
    void submit(Command command, Done done);
    bool on_own_thread() const {
        return std::this_thread::get_id() == writer_.get_id() || std::this_thread::get_id() == applier_.get_id();
    }

    template <class Look>
    auto look(Look&& look) const {
        const std::shared_lock guard(state_lock_);
        return look(std::as_const(ledger_));
    }
    // `find` is called again with more events until it misses none.
    template <class Find>
    std::invoke_result_t<Find, const ledger::Ledger&, const EventsAtHand&> find_transfer(Find find) const {
        for (EventsAtHand events(events_);;) {
            auto found = look([&](const ledger::Ledger& ledger) { return find(ledger, events); });
            if (!events.missed()) return found;
            JZ_CHECK(events.bring());
        }
    }
    std::unique_ptr<Subscription> subscribe(std::uint64_t after_sequence, FeedHandler handler) {
        return std::make_unique<FeedSubscription>(hub_, *journal_, after_sequence, std::move(handler));
    }
    std::uint64_t last_sequence() const { return applied_sequence_.load(std::memory_order_acquire); }
    Health health() const { return queue_.health(); }
    Counters counters() const {
        const std::lock_guard guard(writes_mutex_);
        return {commands_.load(std::memory_order_relaxed),
                entries_.load(std::memory_order_relaxed),
                snapshotter_.made(),
                snapshotter_.failed(),
                histories_.runs_written(),
                writes_};
    }
    const Opening& opening() const { return opening_; }
    Result<ledger::StatementPage> statement(uint128 account_id, const ledger::StatementQuery& query) const;
    std::vector<ledger::Violation> check_invariants() const;
    Result<SnapshotMade> make_snapshot() { return snapshotter_.make(*journal_); }
    Result<PruneDone> prune(const std::filesystem::path& archive) { return snapshotter_.prune(archive); }

  private:
    // The commands of one entry, on their way from the writer to the applier. With a failure they are not to be
    // applied, only answered.
    struct Group {
        std::vector<WaitingCommand> commands;
        std::vector<Timestamp> timestamps;
        std::uint64_t first_sequence = 0;
        storage::Position position;
        std::size_t payload_size = 0;
        std::size_t bytes = 0;  // estimated, before it was encoded
        bool creates_accounts = false;
        std::vector<ledger::AccountPlaces> places;  // of all its transfers, or none
        std::optional<Error> failure;
    };

    void close();
    void write_groups();
    bool wait_for_work();
    bool expiry_due(Timestamp now, Duration overdue = {}) const;
    void tick(Timestamp timestamp);
    void commit_next_group();
    void commit(Group group, Timestamp now);
    Result<storage::Position> append(const Group& group, ByteView& payload);
    void hand_over(Group group);
    void find_places(Group& group) const;
    void apply_groups();
    void finish(Group& group);
    bool apply_group(Group& group);
    void publish(Group& group, Bytes block);
    void answer_failed(Group& group);
    void stop(const Error& cause);

    const Options options_;
    const Clock& clock_;
    storage::ArchivedDisk disk_;  // so that events are found wherever their segment is
    std::unique_ptr<storage::Journal> journal_;
    EventLog events_;
    HistoryStore histories_;

    // Changed by whoever applies under state_lock_, read by anyone under it shared.
    mutable StateLock state_lock_;
    ledger::Ledger ledger_;
    std::atomic<std::uint64_t> applied_sequence_{0};
    std::atomic<std::uint64_t> commands_{0}, entries_{0};
    mutable std::mutex writes_mutex_;
    DurationHistogram writes_;  // writes_mutex_

    CommandQueue queue_;

    // The writer's own.
    std::uint64_t written_sequence_ = 0;  // the last one given out,
    Timestamp written_timestamp_;         // and its timestamp
    PayloadEncoder encoder_;
    std::vector<EventLog::Events> new_events_;
    std::vector<WaitingCommand> taken_;  // from the queue; [next_, end) is still to be committed
    std::size_t next_ = 0;
    std::vector<WaitingCommand> emptied_;  // memory for the next ones

    std::mutex pipe_mutex_;  // guards from here
    std::condition_variable pipe_changed_;
    std::deque<Group> pipe_;
    bool pipe_closed_ = false;
    UncarriedOutcomes uncarried_;  // to here
    // Groups given to the applier and not finished. While it is zero the writer may apply, and the two below are exact.
    std::atomic<std::size_t> in_flight_{0};
    std::atomic<std::size_t> creating_in_flight_{0};  // those of them that create accounts
    std::atomic<std::uint64_t> next_expiry_{no_expiry};

    // Of whoever applies.
    OutcomeRecorder recorder_;
    std::vector<Outcome> outcomes_;
    std::vector<std::vector<ledger::Expired>> expired_;

    FeedHub hub_;
    Opening opening_;  // not changed once open
    Snapshotter snapshotter_;
    std::thread applier_;  // last: these use everything above
    std::thread writer_;
};

Result<> Engine::Impl::start() {
    JZ_CHECK(check_options(options_));
    JZ_CHECK(prepare_directory(disk_, options_.directory));
    const storage::JournalOptions journal{options_.directory / "journal", options_.segment_bytes, &disk_,
                                          options_.segments_ahead};
    JZ_CHECK(histories_.open());
    const Derived derived{ledger_, events_, hub_, histories_};
    Replay replay(derived, Replay::Threads::two);
    std::uint64_t replayed_bytes = 0;
    const auto take = [&](const storage::EntryView& entry) {
        ++opening_.entries_replayed;
        replayed_bytes += storage::entry_extent(entry.payload.size());
        return replay.add(entry);
    };
    const auto find_start = [&]() -> std::optional<storage::KnownEntry> {
        if (!options_.use_snapshots) return std::nullopt;
        auto start = load_newest(disk_, options_.directory, derived, opening_.snapshots_skipped);
        if (!start) return std::nullopt;
        opening_.snapshot_sequence = start->tip.sequence;
        replay.start_at(std::move(start->tip));
        return start->last;
    };
    JZ_TRY(journal_, storage::Journal::open(journal, take, find_start));
    JZ_TRY(Tip tip, replay.finish());
    JZ_CHECK(remove_unfinished_snapshot(disk_, options_.directory));
    JZ_CHECK(histories_.start());
    applied_sequence_ = written_sequence_ = tip.sequence;
    written_timestamp_ = tip.timestamp;
    uncarried_ = std::move(tip.outcomes);
    next_expiry_ = ledger_.next_expiry_ns().value_or(no_expiry);
    snapshotter_.start(*journal_, options_.snapshot_every_bytes, options_.archive, replayed_bytes);
    applier_ = std::thread([this] { apply_groups(); });
    writer_ = std::thread([this] { write_groups(); });
    return {};
}

void Engine::Impl::close() {
    if (!writer_.joinable()) return;
    queue_.close();
    writer_.join();
    {
        const std::lock_guard guard(pipe_mutex_);
        pipe_closed_ = true;
    }
    pipe_changed_.notify_all();
    applier_.join();
    snapshotter_.stop();
}

void Engine::Impl::submit(Command command, Done done) {
    if (auto checked = check_limits(command); !checked.ok()) return done(std::move(checked).error());
    const std::size_t bytes = estimated_size(command);
    WaitingCommand waiting{std::move(command), std::move(done), bytes};
    if (auto put = queue_.put(waiting); !put.ok()) waiting.done(std::move(put).error());
}

void Engine::Impl::write_groups() {
    const ShortTurns turns;
    while (wait_for_work()) {
        // Read once: a jump between the two questions would be followed in one step after all.
        const Timestamp now = clock_.now();
        while (expiry_due(now, catch_up_step)) tick(Timestamp{next_expiry_} + catch_up_step);
        if (next_ < taken_.size()) {
            commit_next_group();
        } else if (expiry_due(now)) {
            tick(now);
        }
    }
}

// False when closing and nothing is left. Returns with commands in taken_, or without when an expiry is due.
bool Engine::Impl::wait_for_work() {
    if (next_ < taken_.size()) return true;
    taken_.clear();
    if (taken_.capacity() == 0) taken_.swap(emptied_);
    next_ = 0;
    // While something is being applied, a hold may come of it.
    const auto may_become_due = [this] { return next_expiry_ != no_expiry || in_flight_ != 0; };
    return queue_.take(taken_, options_.tick, may_become_due, [this] { return expiry_due(clock_.now()); });
}

// Only asked when everything written is applied: until then, what is under way may resolve or expire the hold.
bool Engine::Impl::expiry_due(Timestamp now, Duration overdue) const {
    if (in_flight_ != 0) return false;
    const std::uint64_t expiry = next_expiry_;
    return expiry != no_expiry && journal_->failure() == std::nullopt && Timestamp{expiry} + overdue <= now;
}

// Commits an empty command, so that expiry is an event of the journal.
void Engine::Impl::tick(Timestamp timestamp) {
    Group group;
    group.commands.push_back({{}, nullptr, 0});
    commit(std::move(group), timestamp);
}

// Commits as many of the taken commands as fit one entry.
void Engine::Impl::commit_next_group() {
    Group group;
    std::size_t end = next_;
    while (end < taken_.size() && (end == next_ || group.bytes + taken_[end].bytes <= options_.max_entry_bytes))
        group.bytes += taken_[end++].bytes;
    queue_.left(end - next_, group.bytes);
    if (next_ == 0 && end == taken_.size()) {
        group.commands = std::move(taken_);
        taken_.clear();
    } else {
        const auto at = [this](std::size_t i) {
            return std::move_iterator(taken_.begin() + static_cast<std::ptrdiff_t>(i));
        };
        group.commands.assign(at(next_), at(end));
    }
    next_ = taken_.empty() ? 0 : end;
    commit(std::move(group), clock_.now());
}

// Journal first: the group goes on to be applied only when its entry is durable.
void Engine::Impl::commit(Group group, Timestamp now) {
    group.first_sequence = written_sequence_ + 1;
    group.timestamps.reserve(group.commands.size());
    Timestamp timestamp = written_timestamp_;
    for (const WaitingCommand& waiting : group.commands) {
        timestamp = next_timestamp(now, timestamp, waiting.command);
        group.timestamps.push_back(timestamp);
        group.creates_accounts = group.creates_accounts || !waiting.command.accounts.empty();
    }
    ByteView payload;
    auto position = append(group, payload);
    if (position.ok()) {
        group.position = *position;
        group.payload_size = payload.size();
        written_timestamp_ = timestamp;
        written_sequence_ += group.commands.size();
        new_events_.clear();
        for (std::size_t i = 0; i < group.commands.size(); ++i)
            new_events_.push_back({group.commands[i].command.transfers, group.timestamps[i]});
        events_.add(group.position, payload, new_events_, encoder_.stretches());
        snapshotter_.written(storage::entry_extent(group.payload_size));
    } else {
        stop(position.error());
        group.failure = std::move(position).error();
    }
    hand_over(std::move(group));
}

Result<storage::Position> Engine::Impl::append(const Group& group, ByteView& payload) {
    if (health().state == Health::State::stopped) {
        return Error(ErrorKind::unavailable, "the engine stopped taking writes; restart it");
    }
    encoder_.begin(group.first_sequence);
    for (std::size_t i = 0; i < group.commands.size(); ++i)
        encoder_.add(group.commands[i].command, group.timestamps[i]);
    {
        const std::lock_guard guard(pipe_mutex_);
        payload = encoder_.finish(uncarried_.carry());
    }
    const auto start = std::chrono::steady_clock::now();
    auto position = journal_->append(group.timestamps.back(), payload);
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
    const std::lock_guard guard(writes_mutex_);
    writes_.count({took.count()});
    return position;
}

void Engine::Impl::hand_over(Group group) {
    if (in_flight_ == 0 && group.bytes <= small_group_bytes) {
        finish(group);
        emptied_ = std::move(group.commands);
        emptied_.clear();
        return;
    }
    find_places(group);
    std::unique_lock lock(pipe_mutex_);
    pipe_changed_.wait(lock, [this] { return pipe_.size() < max_in_flight; });
    if (group.creates_accounts) ++creating_in_flight_;
    pipe_.push_back(std::move(group));
    ++in_flight_;
    lock.unlock();
    pipe_changed_.notify_all();
}

// Work that the writer takes off the applier, which is the busier one. Only this thread hands over groups, so that none
// that creates accounts can come in between.
void Engine::Impl::find_places(Group& group) const {
    if (group.creates_accounts || creating_in_flight_ != 0) return;
    for (const WaitingCommand& waiting : group.commands) ledger_.find_places(waiting.command.transfers, group.places);
}

void Engine::Impl::apply_groups() {
    for (;;) {
        Group group;
        {
            std::unique_lock lock(pipe_mutex_);
            pipe_changed_.wait(lock, [this] { return !pipe_.empty() || pipe_closed_; });
            if (pipe_.empty()) return;
            group = std::move(pipe_.front());
            pipe_.pop_front();
        }
        pipe_changed_.notify_all();
        finish(group);
        if (group.creates_accounts) --creating_in_flight_;
        --in_flight_;
    }
}

// Applies, publishes and answers. One thread at a time, in the order of sequences.
void Engine::Impl::finish(Group& group) {
    if (group.failure || !apply_group(group)) return answer_failed(group);
    Bytes block;
    recorder_.finish(block);
    {
        const std::lock_guard guard(pipe_mutex_);
        uncarried_.add(group.position.entry, block);
    }
    histories_.entry_done(group.position, ledger_.history_end());
    const std::uint64_t last_sequence = group.first_sequence + group.commands.size() - 1;
    next_expiry_ = ledger_.next_expiry_ns().value_or(no_expiry);
    applied_sequence_.store(last_sequence, std::memory_order_release);
    commands_.fetch_add(group.commands.size(), std::memory_order_relaxed);
    entries_.fetch_add(1, std::memory_order_relaxed);
    publish(group, std::move(block));
    for (std::size_t i = 0; i < group.commands.size(); ++i) {
        if (group.commands[i].done) group.commands[i].done(std::move(outcomes_[i]));
    }
}

// False if an earlier event, which the ledger needed, could not be read from the journal.
bool Engine::Impl::apply_group(Group& group) {
    recorder_.begin();
    outcomes_.clear();
    outcomes_.resize(group.commands.size());
    if (expired_.size() < group.commands.size()) expired_.resize(group.commands.size());
    LookAhead ahead;
    std::span<const ledger::AccountPlaces> places = group.places;
    for (std::size_t begin = 0; begin < group.commands.size(); begin += commands_per_lock) {
        const std::size_t end = std::min(begin + commands_per_lock, group.commands.size());
        const std::lock_guard guard(state_lock_);
        const auto let_readers_in = [this] {
            state_lock_.unlock();
            state_lock_.lock();
        };
        for (std::size_t i = begin; i < end; ++i) {
            ahead.reach(ledger_, i, end, [&](std::size_t at) -> const Command& { return group.commands[at].command; });
            outcomes_[i].sequence = group.first_sequence + i;
            outcomes_[i].timestamp = group.timestamps[i];
            expired_[i].clear();
            const Command& command = group.commands[i].command;
            const auto own = places.empty() ? places : places.first(command.transfers.size());
            places = places.subspan(own.size());
            apply(ledger_, command, own, group.timestamps[i], outcomes_[i], expired_[i], let_readers_in);
            recorder_.add(static_cast<std::uint32_t>(i), outcomes_[i], expired_[i]);
        }
        if (!ledger_.stopped()) continue;
        group.failure = events_.failure().value_or(Error(ErrorKind::io, "an earlier event could not be read"));
        stop(*group.failure);
        return false;
    }
    return true;
}

void Engine::Impl::publish(Group& group, Bytes block) {
    std::shared_ptr<std::vector<Committed>> batch;
    if (hub_.wanted()) {
        batch = std::make_shared<std::vector<Committed>>();
        batch->reserve(group.commands.size());
        for (std::size_t i = 0; i < group.commands.size(); ++i) {
            batch->push_back({group.first_sequence + i, group.timestamps[i], std::move(group.commands[i].command),
                              outcomes_[i], std::move(expired_[i])});
        }
    }
    hub_.publish(group.position, group.first_sequence, group.first_sequence + group.commands.size() - 1,
                 group.payload_size, std::move(block), std::move(batch));
}

// Only the group whose entry was being written, or that could not be applied, has an unknown outcome; those behind it
// come here with unavailable, and have not begun.
void Engine::Impl::answer_failed(Group& group) {
    const Error& cause = *group.failure;
    const bool unknown = cause.kind() != ErrorKind::unavailable;
    for (WaitingCommand& one : group.commands) {
        if (!one.done) continue;
        one.done(unknown
                     ? Error(ErrorKind::timeout, "the journal failed while writing this command (" + cause.message() +
                                                     "); whether it is durable is known after a restart")
                     : Error(ErrorKind::unavailable, cause.message()));
    }
}

void Engine::Impl::stop(const Error& cause) {
    if (!queue_.refuse_from_now(cause.message())) return;
    log::error("engine stopped taking writes", {{"cause", cause.to_string()}});
}

// The disk is not read under the lock.
Result<ledger::StatementPage> Engine::Impl::statement(uint128 account_id, const ledger::StatementQuery& query) const {
    if (query.limit == 0 || query.limit > max_events)
        return Error(ErrorKind::invalid, "must be from 1 to " + std::to_string(max_events)).with_param("limit");
    JZ_TRY(const std::uint64_t number,
           look([&](const ledger::Ledger& ledger) { return number_of(ledger, account_id); }));
    return read_statement(histories_, events_, number, query);
}

std::vector<ledger::Violation> Engine::Impl::check_invariants() const {
    return look([&](const ledger::Ledger& ledger) {
        auto violations = ledger::check_invariants(ledger);
        check_histories(ledger, histories_, violations);
        return violations;
    });
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
    JZ_ASSERT(!impl_->on_own_thread());
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

Result<std::optional<ledger::Transfer>> Engine::transfer(uint128 id) const {
    return impl_->find_transfer([&](const ledger::Ledger& ledger, const ledger::EventSource& events) {
        return ledger.find_transfer(id, events);
    });
}

Result<ledger::PendingStatus> Engine::pending_status(uint128 id) const {
    return impl_->find_transfer([&](const ledger::Ledger& ledger, const ledger::EventSource& events) {
        return ledger.pending_status(id, events);
    });
}

Result<ledger::StatementPage> Engine::statement(uint128 account_id, const ledger::StatementQuery& query) const {
    return impl_->statement(account_id, query);
}

Result<std::optional<ledger::BalanceChange>> Engine::balance_at(uint128 account_id, Timestamp when) const {
    JZ_TRY(const auto page, impl_->statement(account_id, {.to_ns = when.ns, .limit = 1, .reversed = true}));
    return page.changes.empty() ? std::nullopt : std::optional(page.changes.front());
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
const Opening& Engine::opening() const {
    return impl_->opening();
}
Result<SnapshotMade> Engine::make_snapshot() {
    return impl_->make_snapshot();
}
Result<PruneDone> Engine::prune(const std::filesystem::path& archive) {
    return impl_->prune(archive);
}
std::uint64_t Engine::state_digest() const {
    return impl_->look([](const ledger::Ledger& ledger) { return ledger.state_digest(); });
}
std::vector<ledger::Violation> Engine::check_invariants() const {
    return impl_->check_invariants();
}

}  // namespace jiaozi::engine
