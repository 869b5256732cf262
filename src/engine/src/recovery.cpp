#include "recovery.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <jiaozi/storage/whole_file.hpp>

#include "applier.hpp"

namespace jiaozi::engine {

namespace {

constexpr std::string_view format_text = "jiaozi engine 2\n";

Error corrupt(std::uint64_t entry, const std::string& cause) {
    return Error(ErrorKind::corrupt, "journal entry " + std::to_string(entry) + ": " + cause);
}

bool creates_accounts(const Payload& payload) {
    return std::ranges::any_of(payload.commands,
                               [](const TimedCommand& timed) { return !timed.command.accounts.empty(); });
}

}  // namespace

void UncarriedOutcomes::add(std::uint64_t entry, Bytes block) {
    if (blocks_.empty()) first_entry_ = entry;
    blocks_.push_back(std::move(block));
}

CarriedOutcomes UncarriedOutcomes::carry() {
    carried_.clear();
    for (const Bytes& block : blocks_) append(carried_, block);
    const auto count = static_cast<std::uint32_t>(blocks_.size());
    blocks_.clear();
    return {count == 0 ? 0 : first_entry_, count, carried_};
}

Result<> UncarriedOutcomes::check(const CarriedOutcomes& carried) {
    if (carried.count == 0) return {};
    JZ_TRY(const auto blocks, split_outcomes(carried));
    if (carried.first_entry != first_entry_ || blocks.size() > blocks_.size())
        return Error(ErrorKind::corrupt, "it carries outcomes of other entries than those that wait for it");
    for (const ByteView block : blocks) {
        if (!equal(block, blocks_.front())) {
            return Error(ErrorKind::corrupt, "replaying entry " + std::to_string(first_entry_) +
                                                 " gives other outcomes than were journaled; use the version of the "
                                                 "program that wrote this journal");
        }
        blocks_.pop_front();
        ++first_entry_;
    }
    return {};
}

Replay::Replay(const Derived& derived, Threads threads) : derived_(derived) {
    if (threads == Threads::two) thread_ = std::thread([this] { run(); });
}

Replay::~Replay() {
    {
        const std::lock_guard guard(mutex_);
        ended_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

Result<> Replay::add(const storage::EntryView& view) {
    const std::uint64_t number = view.position.entry;
    auto payload = decode_payload(view.payload);
    if (!payload.ok()) return corrupt(number, payload.error().message());
    Entry entry{view.position, view.payload.size(), view.to_come, std::move(payload).value(), {}, {}};
    entry.blocks = to_bytes(entry.payload.outcomes.blocks);
    entry.payload.outcomes.blocks = entry.blocks;
    read_ahead(entry, view.payload);
    if (!thread_.joinable()) return apply_entry(entry);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_.size() < max_waiting || failure_; });
    if (failure_) return *failure_;
    waiting_.push_back(std::move(entry));
    lock.unlock();
    changed_.notify_all();
    return {};
}

// What of an entry's work needs no ledger that is up to date. Whether accounts are still being created is asked of
// those waiting; only this thread adds to them.
void Replay::read_ahead(Entry& entry, ByteView payload) {
    std::vector<EventLog::Events> events;
    events.reserve(entry.payload.commands.size());
    for (const TimedCommand& timed : entry.payload.commands)
        events.push_back({timed.command.transfers, timed.timestamp});
    derived_.events.add(entry.position, payload, events, entry.payload.stretches);
    if (!thread_.joinable()) return;
    {
        const std::lock_guard guard(mutex_);
        if (creates_accounts(entry.payload)) ++accounts_to_come_;
        if (accounts_to_come_ > 0) return;
    }
    for (const TimedCommand& timed : entry.payload.commands)
        derived_.ledger.find_places(timed.command.transfers, entry.places);
}

Result<Tip> Replay::finish() {
    {
        const std::lock_guard guard(mutex_);
        ended_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    if (failure_) return *std::move(failure_);
    return std::move(tip_);
}

void Replay::run() {
    for (;;) {
        Entry entry;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return !waiting_.empty() || ended_; });
            if (waiting_.empty()) return;
            entry = std::move(waiting_.front());
            waiting_.pop_front();
        }
        changed_.notify_all();
        if (auto applied = apply_entry(entry); !applied.ok()) {
            {
                const std::lock_guard guard(mutex_);
                failure_ = std::move(applied).error();
            }
            changed_.notify_all();
            return;
        }
        if (creates_accounts(entry.payload)) {
            const std::lock_guard guard(mutex_);
            --accounts_to_come_;
        }
    }
}

Result<> Replay::apply_entry(const Entry& entry) {
    const std::uint64_t number = entry.position.entry;
    const Payload& payload = entry.payload;
    if (payload.first_sequence != tip_.sequence + 1) {
        return corrupt(number, "its first command has sequence " + std::to_string(payload.first_sequence) + ", but " +
                                   std::to_string(tip_.sequence + 1) + " must come next");
    }
    if (auto checked = tip_.outcomes.check(payload.outcomes); !checked.ok())
        return corrupt(number, checked.error().message());
    expect_more(entry);
    OutcomeRecorder recorder;
    Outcome outcome;
    std::vector<ledger::Expired> expired;
    LookAhead ahead;
    std::uint32_t index = 0;
    std::span<const ledger::AccountPlaces> places = entry.places;
    for (const TimedCommand& timed : payload.commands) {
        ahead.reach(derived_.ledger, index, payload.commands.size(),
                    [&](std::size_t at) -> const Command& { return payload.commands[at].command; });
        // decode_payload checked the order inside the entry; this holds its first command against the entry before.
        if (timed.timestamp.ns - event_count(timed.command) <= tip_.timestamp.ns) {
            return corrupt(number, "its timestamps do not follow those of the entry before it");
        }
        outcome.flag_changes.clear();
        outcome.accounts.clear();
        outcome.transfers.clear();
        expired.clear();
        const auto own = places.empty() ? places : places.first(timed.command.transfers.size());
        places = places.subspan(own.size());
        apply(derived_.ledger, timed.command, own, timed.timestamp, outcome, expired, [] {});
        if (derived_.ledger.stopped())
            return derived_.events.failure().value_or(corrupt(number, "an earlier event could not be read"));
        recorder.add(index++, outcome, expired);
        tip_.timestamp = timed.timestamp;
    }
    Bytes block;
    recorder.finish(block);
    tip_.sequence += payload.commands.size();
    derived_.hub.publish(entry.position, payload.first_sequence, tip_.sequence, entry.payload_size, block, nullptr);
    tip_.outcomes.add(number, std::move(block));
    derived_.histories.entry_done(entry.position, derived_.ledger.history_end());
    return {};
}

// Tables are told to expect as many events in what is left of the journal, for its size, as there were so far.
void Replay::expect_more(const Entry& entry) {
    const std::uint64_t events = derived_.ledger.event_count();
    const std::uint64_t extent = storage::entry_extent(entry.payload_size);
    if (bytes_ > 0) {
        const uint128 more = uint128{events - first_event_} * (extent + entry.to_come) / bytes_;
        derived_.ledger.expect_events(events + low64(more));
    } else {
        first_event_ = events;
    }
    bytes_ += extent;
}

Result<> prepare_directory(storage::Disk& disk, const std::filesystem::path& directory) {
    JZ_CHECK(disk.make_directory(directory));
    // Else a power failure may take the whole directory, with all that was synced into it.
    JZ_CHECK(disk.sync_directory(std::filesystem::absolute(directory).parent_path()));
    JZ_TRY(const auto names, disk.list(directory));
    const auto present = [&](std::string_view name) { return std::ranges::find(names, name) != names.end(); };
    const bool marked = present("format");
    if (!marked && present("journal")) {
        return Error(ErrorKind::invalid, directory.string() +
                                             " has a journal but no `format` file; it is not a data directory "
                                             "of this program, or a file was lost: restore it from a copy");
    }
    if (!marked) {
        return storage::write_whole(disk, directory, directory / "format", as_bytes(format_text),
                                    storage::Durable::now);
    }
    JZ_TRY(const Bytes text, storage::read_whole(disk, directory / "format", 64));
    const std::string_view found = as_text(text);
    // The process that wrote it may have ended before its name was durable, and the journal's name must not outlive it.
    if (found == format_text) return disk.sync_directory(directory);
    if (found == "jiaozi engine 1\n") {
        return Error(ErrorKind::invalid,
                     directory.string() +
                         " was written by a pre-release (format 1), which this program does not read: "
                         "start with another directory, or use that pre-release");
    }
    return Error(ErrorKind::invalid, (directory / "format").string() +
                                         " does not say \"jiaozi engine 2\": the directory was "
                                         "written by another version; use that version");
}

}  // namespace jiaozi::engine
