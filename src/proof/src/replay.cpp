#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include <jiaozi/engine/payload.hpp>
#include <jiaozi/proof/replay.hpp>
#include <jiaozi/storage/archive.hpp>
#include <jiaozi/storage/journal.hpp>
#include <jiaozi/storage/segment.hpp>
#include <jiaozi/storage/whole_file.hpp>

#include "damage.hpp"

namespace jiaozi::proof {
namespace {

Damage damaged(const std::filesystem::path& path, std::string cause) {
    Damage damage;
    damage.file = path.string();
    damage.cause = std::move(cause);
    return damage;
}

class Replay {
  public:
    Replay(storage::Disk& disk, ledger::Ledger& ledger, const CommandVisitor& visit)
        : disk_(disk), ledger_(ledger), visit_(visit) {}

    Result<ReplayResult> run(const std::filesystem::path& journal);

  private:
    Result<> read_segment(const std::filesystem::path& path, bool last);
    Result<> take(const storage::EntryView& entry);
    Result<> check_outcomes(const engine::CarriedOutcomes& carried, const std::string& where);
    Result<> apply(std::uint64_t sequence, engine::TimedCommand&& timed, std::uint32_t index);
    Result<Bytes> read_image(const std::filesystem::path& path) {
        JZ_TRY(const auto file, disk_.open(path, storage::Disk::Mode::read));
        JZ_TRY(const std::uint64_t size, file->size());
        return storage::read_whole(disk_, path, static_cast<std::size_t>(size));
    }
    Error wrong(std::string cause) {
        replay_failed_ = true;
        return {ErrorKind::corrupt, std::move(cause)};
    }

    storage::Disk& disk_;
    ledger::Ledger& ledger_;
    const CommandVisitor& visit_;

    ReplayResult result_;
    storage::Chain chain_;
    std::uint64_t next_offset_ = 0;  // where the entry after the last good one starts, in the file being read
    std::uint64_t entry_offset_ = 0;
    std::uint64_t entry_end_ = 0;
    Timestamp time_;
    std::deque<Bytes> uncarried_;        // outcomes that no later entry has carried yet,
    std::uint64_t first_uncarried_ = 1;  // the first of them of this entry
    engine::OutcomeRecorder recorder_;
    bool replay_failed_ = false;   // the bytes are whole, but not a journal of this ledger
    bool visitor_failed_ = false;  // the caller's error
    bool ended_ = false;
};

Result<ReplayResult> Replay::run(const std::filesystem::path& journal) {
    JZ_TRY(const auto names, disk_.list(journal));
    std::vector<std::uint64_t> segments;
    for (const std::string& name : names) {
        if (const auto first = storage::parse_segment_name(name)) segments.push_back(*first);
    }
    std::ranges::sort(segments);
    if (segments.empty() || segments.front() != 1) {
        const auto path = journal / storage::segment_name(1);
        if (segments.empty()) return std::move(result_);
        JZ_CHECK(storage::check_archive(disk_, journal, 1));
        result_.damage = damaged(path, "the journal's first segment is missing");
        return std::move(result_);
    }
    for (std::size_t i = 0; i < segments.size() && !result_.damage && !ended_; ++i) {
        const auto path = journal / storage::segment_name(segments[i]);
        if (segments[i] != chain_.next_entry) {
            JZ_CHECK(storage::check_archive(disk_, journal, chain_.next_entry));
            result_.damage = damaged(path, "a segment is missing before this one: entry " +
                                               std::to_string(chain_.next_entry) + " must come next");
            break;
        }
        JZ_CHECK(read_segment(path, i + 1 == segments.size()));
    }
    return std::move(result_);
}

Result<> Replay::read_segment(const std::filesystem::path& path, bool last) {
    JZ_TRY(auto file, disk_.open(path, storage::Disk::Mode::read));
    const storage::Chain before = chain_;
    next_offset_ = 0;
    auto scan = storage::scan_segment(std::move(file), path, last, chain_,
                                      [this](const storage::EntryView& entry) { return take(entry); });
    if (ended_ && !visitor_failed_) return {};
    if (scan.ok() && !scan->torn) return {};
    if (scan.ok()) {
        // What looks like a write that was cut off is damage all the same if one byte explains it.
        Damage damage = damaged(path, "a byte changed at the end of the journal");
        JZ_TRY(const Bytes image, read_image(path));
        locate(image, scan->end, chain_, damage);
        if (damage.exact) {
            result_.damage = std::move(damage);
        } else {
            result_.torn_file = path.string();
            result_.torn_offset = scan->end;
            result_.torn_bytes = scan->torn_bytes;
        }
        return {};
    }
    if (visitor_failed_ || scan.error().kind() != ErrorKind::corrupt) return std::move(scan).error();
    Damage damage = damaged(path, scan.error().message());
    if (replay_failed_) {
        damage.offset = entry_offset_;
        damage.end = entry_end_;
        damage.whole = true;
    } else {
        JZ_TRY(const Bytes image, read_image(path));
        // No entry was good: the header may be at fault, or the first entry.
        std::uint64_t offset = next_offset_;
        if (offset == 0 && image.size() >= sizeof(storage::SegmentHeader)) {
            const auto header = storage::decode_segment_header(image);
            const bool good = header.ok() && header->first_entry == before.next_entry &&
                              header->previous_hash == before.previous_hash;
            if (good) offset = sizeof(storage::SegmentHeader);
        }
        locate(image, offset, chain_, damage);
    }
    result_.damage = std::move(damage);
    return {};
}

// The same checks as the engine's own recovery, written apart from it.
Result<> Replay::take(const storage::EntryView& entry) {
    entry_offset_ = entry.position.offset;
    entry_end_ = entry_offset_ + storage::entry_extent(entry.payload.size());
    const std::string where = "entry " + std::to_string(entry.position.entry) + ": ";
    auto payload = engine::decode_payload(entry.payload);
    if (!payload.ok()) return wrong(where + payload.error().message());
    if (payload->first_sequence != result_.commands + 1) return wrong(where + "its first command is out of sequence");
    JZ_CHECK(check_outcomes(payload->outcomes, where));
    recorder_.begin();
    std::uint32_t index = 0;
    for (engine::TimedCommand& timed : payload->commands) {
        if (timed.timestamp.ns < time_.ns || timed.timestamp.ns - time_.ns <= engine::event_count(timed.command))
            return wrong(where + "its times do not follow those before it");
        time_ = timed.timestamp;
        JZ_CHECK(apply(result_.commands + 1, std::move(timed), index++));
    }
    recorder_.finish(uncarried_.emplace_back());
    ++result_.entries;
    result_.bytes += entry_end_ - entry_offset_;
    next_offset_ = entry_end_;
    return {};
}

Result<> Replay::check_outcomes(const engine::CarriedOutcomes& carried, const std::string& where) {
    if (carried.count == 0) return {};
    auto blocks = engine::split_outcomes(carried);
    if (!blocks.ok()) return wrong(where + blocks.error().message());
    if (carried.first_entry != first_uncarried_ || blocks->size() > uncarried_.size())
        return wrong(where + "it carries outcomes of other entries than those that wait for it");
    for (const ByteView block : *blocks) {
        if (!equal(block, uncarried_.front())) {
            return wrong(where + "replaying entry " + std::to_string(first_uncarried_) +
                         " gives other outcomes than it carries");
        }
        uncarried_.pop_front();
        ++first_uncarried_;
    }
    return {};
}

Result<> Replay::apply(std::uint64_t sequence, engine::TimedCommand&& timed, std::uint32_t index) {
    engine::Committed committed;
    committed.sequence = sequence;
    committed.timestamp = timed.timestamp;
    committed.command = std::move(timed.command);
    committed.outcome.sequence = sequence;
    committed.outcome.timestamp = timed.timestamp;
    std::uint64_t event = timed.timestamp.ns - engine::event_count(committed.command);
    ledger_.expire(event, committed.expired);
    if (!committed.command.accounts.empty()) {
        event += committed.command.accounts.size();
        ledger_.create_accounts(committed.command.accounts, event, committed.outcome.accounts);
    }
    for (const engine::FlagChange& change : committed.command.flag_changes) {
        ++event;
        committed.outcome.flag_changes.push_back(
            ledger_.set_account_flags(change.account_id, change.set, change.clear));
    }
    if (!committed.command.transfers.empty()) {
        event += committed.command.transfers.size();
        ledger_.create_transfers(committed.command.transfers, event, committed.outcome.transfers);
    }
    recorder_.add(index, committed.outcome, committed.expired);
    result_.commands = sequence;
    auto go_on = visit_(committed);
    if (go_on.ok() && *go_on) return {};
    ended_ = true;
    visitor_failed_ = !go_on.ok();
    if (!go_on.ok()) return std::move(go_on).error();
    return Error(ErrorKind::unavailable, "the replay was ended");
}

}  // namespace

Result<ReplayResult> replay_journal(storage::Disk& disk, const std::filesystem::path& directory, ledger::Ledger& ledger,
                                    const CommandVisitor& visit) {
    // With what was moved to an archive.
    storage::ArchivedDisk whole(disk, directory / "journal");
    return Replay(whole, ledger, visit).run(directory / "journal");
}

}  // namespace jiaozi::proof
