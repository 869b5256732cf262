#include "history_store.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include <jiaozi/base/log.hpp>
#include <jiaozi/engine/histories.hpp>
#include <jiaozi/storage/archive.hpp>

namespace jiaozi::engine {

namespace {

using ledger::HistoryRow;

constexpr int low_priority = 10;  // below everything that answers somebody
constexpr std::string_view new_run = "next.tmp";

bool is_unfinished(std::string_view name) {
    return name.ends_with(".tmp");
}

// Those that follow each other from position 0, at each step the longest.
std::vector<RunName> chain_of(std::vector<RunName> names) {
    std::ranges::sort(names, {}, [](const RunName& name) { return std::pair(name.begin, ~name.end); });
    std::vector<RunName> chain;
    std::uint64_t end = 0;
    for (const RunName& name : names) {
        if (name.begin != end || name.end <= end) continue;
        chain.push_back(name);
        end = name.end;
    }
    return chain;
}

Result<std::vector<std::string>> names_in(storage::Disk& disk, const std::filesystem::path& folder) {
    JZ_TRY(const auto above, disk.list(folder.parent_path()));
    if (!std::ranges::binary_search(above, folder.filename().string())) return std::vector<std::string>();
    return disk.list(folder);
}

}  // namespace

// ---------------------------------------------------------------- in memory

void HistoryRows::add(const HistoryRow& row) {
    const auto index = static_cast<std::uint32_t>(rows_.size());
    const auto [place, added] = last_.try_emplace(row.account, index);
    before_.push_back(added ? none : std::exchange(place->second, index));
    rows_.push_back(row);
}

void HistoryRows::read(std::uint64_t account, std::uint64_t from, std::uint64_t end, std::size_t limit, bool reversed,
                       std::vector<HistoryRow>& rows) const {
    const auto newest = last_.find(account);
    if (newest == last_.end() || limit == 0) return;
    const std::size_t begin = rows.size();
    for (std::uint32_t at = newest->second; at != none; at = before_[at]) {
        const HistoryRow& row = rows_[at];
        if (row.position < from || (reversed && rows.size() - begin == limit)) break;
        if (row.position < end) rows.push_back(row);
    }
    if (reversed) return;
    std::reverse(rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.end());
    rows.resize(begin + std::min(limit, rows.size() - begin));
}

// ---------------------------------------------------------------- opening

HistoryStore::HistoryStore(storage::Disk& disk, const std::filesystem::path& directory, HistoryOptions options)
    : disk_(disk), journal_(directory / "journal"), directory_(directory / histories_folder), options_(options) {}

HistoryStore::~HistoryStore() {
    {
        const std::lock_guard guard(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    if (started_) return;
    for (const std::string& name : written_)
        ignore_error(disk_.remove(directory_ / name), "it is right, and only not asked for");
}

Result<> HistoryStore::open() {
    JZ_TRY(auto runs, find_runs());
    if (!runs.empty()) reach_.store(runs.back()->name().end, std::memory_order_release);
    runs_ = std::move(runs);
    if (options_.thread) thread_ = std::thread([this] { run(); });
    return {};
}

Result<std::vector<RunPtr>> HistoryStore::find_runs() {
    JZ_TRY(const auto names, names_in(disk_, directory_));
    std::map<std::uint64_t, std::map<std::uint64_t, RunPtr>> good;
    std::vector<RunName> usable;
    for (const std::string& name : names) {
        const auto parsed = parse_run_name(name);
        if (!parsed) continue;
        auto opened = HistoryRun::open(disk_, directory_ / name);
        if (opened.ok()) {
            good[parsed->begin][parsed->end] = std::move(opened).value();
            usable.push_back(*parsed);
        } else {
            log::warn("a part of the histories is made again from the journal", {{"cause", opened.error().message()}});
        }
    }
    std::vector<RunPtr> runs;
    for (const RunName& name : chain_of(std::move(usable))) runs.push_back(good[name.begin][name.end]);
    while (!runs.empty() && !belongs(*runs.back())) runs.pop_back();
    return runs;
}

bool HistoryStore::belongs(const HistoryRun& run) const {
    const auto known = run.last_entry();
    const auto found = storage::check_known_entry(disk_, journal_, known);
    if (found.ok()) return true;
    // What was moved to an archive was behind a good snapshot of this journal.
    const auto pruned = storage::read_pruned(disk_, journal_);
    const bool away = found.error().kind() == ErrorKind::not_found && pruned.ok() && pruned->has_value() &&
                      known.position.entry < (*pruned)->first_kept;
    if (!away) {
        log::warn("histories that are not this journal's are made again",
                  {{"file", run_name(run.name())}, {"cause", found.error().message()}});
    }
    return away;
}

Result<> HistoryStore::restore(const HistoryTail& tail) {
    if (tail.reach > reach())
        return Error(ErrorKind::corrupt, "the histories on disk do not reach as far as they did when it was made");
    take(tail.rows);
    return {};
}

Result<> HistoryStore::start() {
    const std::lock_guard working(working_);
    started_ = true;
    JZ_TRY(const auto names, names_in(disk_, directory_));
    if (!names.empty()) {
        // The process that wrote them may have ended before their names were durable.
        JZ_CHECK(disk_.sync_directory(directory_.parent_path()));
        JZ_CHECK(disk_.sync_directory(directory_));
    }
    for (const std::string& name : names) {
        const auto parsed = parse_run_name(name);
        const auto taken = [&](const RunPtr& run) { return run->name() == *parsed; };
        if (parsed ? std::ranges::any_of(runs_, taken) : !is_unfinished(name)) continue;
        JZ_CHECK(disk_.remove(directory_ / name));
    }
    if (options_.thread) {
        const std::lock_guard guard(mutex_);
        work_waits_ = true;
        changed_.notify_all();
        return {};
    }
    while (work(true)) {
    }
    const std::lock_guard guard(mutex_);
    // What is damaged shows when it is asked for.
    return failure_ && failure_->kind() != ErrorKind::corrupt ? Result<>(*failure_) : Result<>();
}

// ---------------------------------------------------------------- changes

void HistoryStore::take(std::span<const HistoryRow> rows) {
    const std::uint64_t reached = reach();
    const std::lock_guard guard(mutex_);
    if (given_up_) return;
    for (const HistoryRow& row : rows) {
        if (row.position >= reached) changes_.add(row);
    }
}

void HistoryStore::entry_done(const storage::Position& entry, std::uint64_t end) {
    std::unique_lock lock(mutex_);
    if (changes_.rows().size() < options_.tail_rows) return;
    sealed_.push_back(std::make_shared<const Sealed>(std::exchange(changes_, {}), end, entry));
    work_waits_ = true;
    if (thread_.joinable()) {
        changed_.notify_all();
        // A disk that is merely slow is waited for; memory is not for what it has no time for.
        changed_.wait(lock, [this] { return sealed_.size() < max_sealed || failure_ || stopping_; });
        if (sealed_.size() >= max_sealed && failure_) give_up();
        return;
    }
    lock.unlock();
    {
        const std::lock_guard working(working_);
        if (!started_) return;
        while (work(true)) {
        }
    }
    lock.lock();
    if (sealed_.size() >= max_sealed && failure_) give_up();
}

void HistoryStore::give_up() {
    given_up_ = true;
    sealed_.clear();
    changes_ = {};
    log::error("histories are given up until the next start; balances and writing go on",
               {{"cause", failure_->to_string()}});
}

HistoryTail HistoryStore::tail() const {
    const std::lock_guard guard(mutex_);
    HistoryTail tail{reach(), {}};
    for (const auto& sealed : sealed_)
        tail.rows.insert(tail.rows.end(), sealed->changes.rows().begin(), sealed->changes.rows().end());
    tail.rows.insert(tail.rows.end(), changes_.rows().begin(), changes_.rows().end());
    return tail;
}

Result<std::vector<HistoryRow>> HistoryStore::read(std::uint64_t account, std::uint64_t from, std::uint64_t end,
                                                   std::size_t limit, bool reversed) const {
    std::vector<RunPtr> runs;
    std::vector<std::shared_ptr<const Sealed>> sealed;
    std::vector<HistoryRow> latest;
    {
        const std::lock_guard guard(mutex_);
        if (given_up_) {
            return Error(ErrorKind::unavailable, "histories could not be written (" + failure_->message() +
                                                     "); mend the disk and restart: they are rebuilt from the journal");
        }
        runs = runs_;
        sealed.assign(sealed_.begin(), sealed_.end());
        changes_.read(account, from, end, limit, reversed, latest);
    }
    std::vector<HistoryRow> rows;
    const auto left = [&] { return limit - std::min(limit, rows.size()); };
    const auto take_latest = [&] {
        const auto count = static_cast<std::ptrdiff_t>(std::min(left(), latest.size()));
        rows.insert(rows.end(), latest.begin(), latest.begin() + count);
    };
    if (reversed) {
        std::ranges::reverse(runs);
        std::ranges::reverse(sealed);
        take_latest();
        for (const auto& one : sealed) one->changes.read(account, from, end, left(), reversed, rows);
    }
    for (const RunPtr& run : runs) JZ_CHECK(run->read(account, from, end, left(), reversed, rows));
    if (!reversed) {
        for (const auto& one : sealed) one->changes.read(account, from, end, left(), reversed, rows);
        take_latest();
    }
    return rows;
}

// ---------------------------------------------------------------- writing

void HistoryStore::run() {
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), low_priority));
    for (;;) {
        bool merging = false;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return work_waits_ || stopping_; });
            if (stopping_) return;
        }
        bool more = true;
        while (more) {
            {
                const std::lock_guard working(working_);
                merging = started_;
                more = work(merging);
            }
            const std::lock_guard guard(mutex_);
            if (stopping_) return;
        }
    }
}

// The most urgent piece of work; false: there is none, or it failed, and is tried again when there is more.
bool HistoryStore::work(bool merging) {
    std::shared_ptr<const Sealed> sealed;
    {
        const std::lock_guard guard(mutex_);
        work_waits_ = false;
        if (!sealed_.empty()) sealed = sealed_.front();
    }
    if (sealed != nullptr) {
        write_sealed(sealed);
    } else if (merging) {
        if (const auto level = begin_merge(); !level) return false;
        merge_some();
    } else {
        return false;
    }
    const std::lock_guard guard(mutex_);
    return !failure_;
}

void HistoryStore::failed(const char* what, const Error& cause) {
    log::error(what, {{"cause", cause.to_string()}});
    {
        const std::lock_guard guard(mutex_);
        failure_ = cause;
    }
    changed_.notify_all();
}

void HistoryStore::write_sealed(const std::shared_ptr<const Sealed>& sealed) {
    auto written = write_run(*sealed);
    if (!written.ok())
        return failed("a part of the histories could not be written; it is tried again", written.error());
    {
        const std::lock_guard guard(mutex_);
        failure_.reset();
        if (!sealed_.empty() && sealed_.front() == sealed) {
            runs_.push_back(*written);
            sealed_.pop_front();
            reach_.store(sealed->end, std::memory_order_release);
        }
    }
    changed_.notify_all();
}

Result<RunPtr> HistoryStore::write_run(const Sealed& sealed) {
    const std::vector<HistoryRow>& rows = sealed.changes.rows();
    if (!folder_made_) {
        JZ_CHECK(disk_.make_directory(directory_));
        JZ_CHECK(disk_.sync_directory(directory_.parent_path()));
        folder_made_ = true;
    }
    JZ_TRY(const auto last, storage::find_entry(disk_, journal_, sealed.entry));
    // Account numbers are below 2^32 by far; rows of one account are in order already.
    std::vector<std::uint64_t> order(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) order[i] = rows[i].account << 32 | i;
    std::ranges::sort(order);
    const RunName name{reach(), sealed.end};
    JZ_TRY(auto writer, RunWriter::create(disk_, directory_, new_run, name));
    for (const std::uint64_t at : order) JZ_CHECK(writer.add(rows[at & UINT32_MAX]));
    JZ_TRY(auto run, writer.finish(last));
    if (!started_) written_.push_back(run_name(name));
    runs_written_.fetch_add(1, std::memory_order_relaxed);
    return run;
}

std::size_t HistoryStore::level_of(const HistoryRun& run) const {
    std::size_t level = 0;
    for (std::uint64_t rows = run.header().rows / merge_width; rows >= options_.tail_rows; rows /= merge_width) ++level;
    return level;
}

// The lowest level with something to merge, which is begun unless it is under way.
std::optional<std::size_t> HistoryStore::begin_merge() {
    std::vector<RunPtr> runs;
    {
        const std::lock_guard guard(mutex_);
        runs = runs_;
    }
    std::optional<std::size_t> lowest;
    std::size_t first = 0;
    for (std::size_t i = 0; i + merge_width <= runs.size(); ++i) {
        const std::size_t level = level_of(*runs[i]);
        const auto neighbours = std::span(runs).subspan(i, merge_width);
        const bool even = std::ranges::all_of(neighbours, [&](const RunPtr& run) { return level_of(*run) == level; });
        if (!even || (lowest && *lowest <= level)) continue;
        lowest = level;
        first = i;
    }
    if (!lowest || merges_.contains(*lowest)) return lowest;
    const auto inputs = std::span(runs).subspan(first, merge_width);
    auto begun =
        RunMerge::begin(disk_, directory_, "merge-" + std::to_string(*lowest) + ".tmp", {inputs.begin(), inputs.end()});
    if (!begun.ok()) {
        failed("parts of the histories could not be joined; it is tried again", begun.error());
        return std::nullopt;
    }
    merges_.emplace(*lowest, std::move(begun).value());
    return lowest;
}

void HistoryStore::merge_some() {
    const std::size_t level = merges_.begin()->first;
    if (auto stepped = merge_step(level); !stepped.ok()) {
        merges_.erase(level);
        failed("parts of the histories could not be joined; it is tried again", stepped.error());
    }
}

Result<> HistoryStore::merge_step(std::size_t level) {
    RunMerge& merge = merges_.at(level);
    JZ_TRY(const bool ended, merge.step(merge_step_rows));
    if (!ended) return {};
    JZ_TRY(const RunPtr merged, merge.finish());
    runs_written_.fetch_add(1, std::memory_order_relaxed);
    adopt(merge, merged);
    std::vector<std::string> old;
    for (const RunPtr& run : merge.inputs()) old.push_back(run_name(run->name()));
    merges_.erase(level);
    // What is left of them after a crash is removed at the next start.
    for (const std::string& name : old) JZ_CHECK(disk_.remove(directory_ / name));
    return {};
}

void HistoryStore::adopt(const RunMerge& merge, const RunPtr& merged) {
    const std::lock_guard guard(mutex_);
    const auto first = std::ranges::find(runs_, merge.inputs().front());
    JZ_ASSERT(first != runs_.end());
    const auto place = runs_.erase(first, first + static_cast<std::ptrdiff_t>(merge.inputs().size()));
    runs_.insert(place, merged);
}

Result<std::uint64_t> check_histories(const std::filesystem::path& directory, storage::Disk& disk) {
    constexpr std::size_t at_once = 64;
    const auto folder = directory / histories_folder;
    JZ_TRY(const auto names, names_in(disk, folder));
    std::uint64_t changes = 0;
    std::vector<HistoryRow> rows;
    for (const std::string& name : names) {
        if (!parse_run_name(name)) continue;
        JZ_TRY(const auto run, HistoryRun::open(disk, folder / name));
        for (std::size_t chunk = 0; chunk < run->chunk_count(); chunk += at_once) {
            rows.clear();
            JZ_CHECK(run->read_chunks(chunk, std::min(chunk + at_once, run->chunk_count()), rows));
            changes += rows.size();
        }
    }
    return changes;
}

// ---------------------------------------------------------------- for snapshots

void SnapshotHistories::take(std::span<const HistoryRow> rows) {
    if (store_ == nullptr) return;
    const std::uint64_t reached = store_->reach();
    for (const HistoryRow& row : rows) {
        if (row.position >= reached && whole_) rows_.push_back(row);
    }
    // They are not being written; then no snapshot can be made, and memory is not to pay for it.
    if (rows_.size() <= max_tail_rows) return;
    whole_ = false;
    rows_.clear();
}

void SnapshotHistories::entry_done(const storage::Position&, std::uint64_t) {
    if (store_ == nullptr) return;
    const std::uint64_t reached = store_->reach();
    while (!rows_.empty() && rows_.front().position < reached) rows_.pop_front();
}

Result<> SnapshotHistories::restore(const HistoryTail& tail) {
    if (store_ == nullptr) return {};
    if (tail.reach > store_->reach())
        return Error(ErrorKind::corrupt, "the histories on disk do not reach as far as they did when it was made");
    take(tail.rows);
    return {};
}

HistoryTail SnapshotHistories::tail() const {
    HistoryTail tail;
    tail.reach = store_ == nullptr ? 0 : store_->reach();
    for (const HistoryRow& row : rows_) {
        if (row.position >= tail.reach) tail.rows.push_back(row);
    }
    tail.whole = whole_;
    return tail;
}

}  // namespace jiaozi::engine
