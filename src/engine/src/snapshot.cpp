#include "snapshot.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <jiaozi/base/log.hpp>
#include <jiaozi/engine/payload.hpp>
#include <jiaozi/storage/archive.hpp>

namespace jiaozi::engine {

namespace {

constexpr std::uint64_t max_outcomes_bytes = std::uint64_t{1} << 28;
constexpr std::uint64_t max_points_bytes = std::uint64_t{1} << 32;

Error corrupt(const char* cause) {
    return Error(ErrorKind::corrupt, cause);
}

template <class Row>
ByteView bytes_of(const Row& row) {
    return {reinterpret_cast<const std::uint8_t*>(&row), sizeof row};
}

// ---------------------------------------------------------------- writing

class Sink final : public ledger::PartSink {
  public:
    Sink(storage::SnapshotWriter& writer, const std::atomic<bool>& cancelled)
        : writer_(writer), cancelled_(cancelled) {}
    Result<> begin(ledger::Part part) override { return writer_.begin(static_cast<std::uint32_t>(part)); }
    Result<> begin(SnapshotPart part) { return writer_.begin(static_cast<std::uint32_t>(part)); }
    Result<> write(ByteView bytes) override {
        if (cancelled_) return Error(ErrorKind::unavailable, "the engine is closing");
        return writer_.write(bytes);
    }

  private:
    storage::SnapshotWriter& writer_;
    const std::atomic<bool>& cancelled_;
};

PointRow row_of(std::uint64_t first, const storage::Position& position) {
    return {first, position.entry, position.segment, position.offset};
}

Result<> save_point(Sink& sink, std::uint64_t first, const storage::Position& position) {
    return sink.write(bytes_of(row_of(first, position)));
}

EventPartRow row_of(const EventLog::Part& part) {
    const Stretch& stretch = part.stretch;
    const AccountBefore& account = stretch.before.account;
    const TransferBefore& transfer = stretch.before.transfer;
    return {.place = row_of(part.first_ordinal, part.position),
            .events = stretch.events,
            .first = stretch.first,
            .offset = stretch.offset,
            .size = stretch.size,
            .left = stretch.left,
            .annotation = stretch.annotation,
            .last_ns = stretch.last_ns,
            .check = stretch.check,
            .account_ledger = account.ledger,
            .ledger = transfer.ledger,
            .account_id = account.id,
            .id = transfer.id,
            .debit_account_id = transfer.debit_account_id,
            .credit_account_id = transfer.credit_account_id,
            .pending_id = transfer.pending_id,
            .account_code = account.code,
            .code = transfer.code};
}

EventLog::Part part_of(const EventPartRow& row) {
    Stretch stretch;
    stretch.first = row.first;
    stretch.events = row.events;
    stretch.offset = row.offset;
    stretch.size = row.size;
    stretch.left = row.left;
    stretch.annotation = row.annotation;
    stretch.last_ns = row.last_ns;
    stretch.check = row.check;
    stretch.before.account = {row.account_id, row.account_ledger, row.account_code};
    stretch.before.transfer = {row.id,         row.debit_account_id, row.credit_account_id,
                               row.pending_id, row.ledger,           row.code};
    return {row.place.first, {row.place.entry, row.place.segment, row.place.offset}, stretch};
}

Result<> save_histories(Sink& sink, const HistoryTail& tail) {
    if (!tail.whole || tail.rows.size() > max_tail_rows) {
        return Error(ErrorKind::unavailable,
                     "the histories have not been written for a long time, and a snapshot "
                     "cannot hold so much of them; the log says why");
    }
    JZ_CHECK(sink.begin(SnapshotPart::history_tail));
    JZ_CHECK(sink.write(bytes_of(HistoryTailRow{tail.reach, 0})));
    return sink.write(
        {reinterpret_cast<const std::uint8_t*>(tail.rows.data()), tail.rows.size() * sizeof tail.rows[0]});
}

Result<> save_parts(Sink& sink, const Derived& derived, const HistoryTail& tail, const UncarriedOutcomes& outcomes) {
    JZ_CHECK(derived.ledger.save(sink));
    const EventLog::Places events = derived.events.places();
    JZ_CHECK(sink.begin(SnapshotPart::event_points));
    JZ_CHECK(sink.write(bytes_of(EventPointsRow{events.next_ordinal, events.since_point})));
    for (const auto& point : events.points) JZ_CHECK(save_point(sink, point.first_ordinal, point.position));
    const FeedHub::Places feed = derived.hub.places();
    JZ_CHECK(sink.begin(SnapshotPart::feed_points));
    JZ_CHECK(sink.write(bytes_of(FeedPointsRow{feed.since_index_point, 0})));
    for (const auto& point : feed.index) JZ_CHECK(save_point(sink, point.first_sequence, point.position));
    JZ_CHECK(sink.begin(SnapshotPart::outcomes));
    const auto count = static_cast<std::uint32_t>(outcomes.blocks().size());
    JZ_CHECK(sink.write(bytes_of(UncarriedRow{outcomes.first_entry(), count, 0})));
    for (const Bytes& block : outcomes.blocks()) JZ_CHECK(sink.write(block));
    JZ_CHECK(sink.begin(SnapshotPart::event_parts));
    for (const EventLog::Part& part : events.parts) JZ_CHECK(sink.write(bytes_of(row_of(part))));
    return save_histories(sink, tail);
}

// All but the new one and the one it started from: of the others nothing is known, or that they are useless.
Result<> remove_older(storage::Disk& disk, const std::filesystem::path& folder, std::uint64_t sequence,
                      std::uint64_t base_sequence) {
    JZ_TRY(const auto found, storage::list_snapshots(disk, folder));
    bool removed = false;
    for (const std::uint64_t one : found) {
        if (one == sequence || one == base_sequence) continue;
        JZ_CHECK(disk.remove(folder / storage::snapshot_name(one)));
        removed = true;
    }
    return removed ? disk.sync_directory(folder) : Result<>();
}

// ---------------------------------------------------------------- reading

class Source final : public ledger::PartSource {
  public:
    explicit Source(storage::SnapshotReader& reader) : reader_(reader) {}
    Result<std::uint64_t> begin(ledger::Part part) override { return reader_.begin(static_cast<std::uint32_t>(part)); }
    Result<std::uint64_t> begin(SnapshotPart part) { return reader_.begin(static_cast<std::uint32_t>(part)); }
    Result<> read(ByteSpan into) override { return reader_.read(into); }
    template <class Row>
    Result<> read_row(Row& row) {
        return reader_.read({reinterpret_cast<std::uint8_t*>(&row), sizeof row});
    }

  private:
    storage::SnapshotReader& reader_;
};

bool can_be(const PointRow& row, const storage::Position& last) {
    return row.segment != 0 && row.segment <= row.entry && row.entry <= last.entry && row.segment <= last.segment &&
           row.offset >= sizeof(storage::SegmentHeader) && row.offset % storage::entry_alignment == 0;
}

// Points in order, none behind the last entry. That the places are right shows when they are used: each entry is
// checked by its number and hash.
template <class Take>
Result<> load_points(Source& source, std::uint64_t bytes, const storage::Position& last, Take take) {
    if (bytes % sizeof(PointRow) != 0) return corrupt("points end inside a point");
    PointRow before;
    for (std::uint64_t left = bytes / sizeof(PointRow); left > 0; --left) {
        PointRow row;
        JZ_CHECK(source.read_row(row));
        if (row.entry <= before.entry || row.first < before.first || row.segment < before.segment || !can_be(row, last))
            return corrupt("a point that cannot be");
        take(row.first, storage::Position{row.entry, row.segment, row.offset});
        before = row;
    }
    return {};
}

Result<EventLog::Places> load_event_points(Source& source, const storage::Position& last) {
    JZ_TRY(const std::uint64_t bytes, source.begin(SnapshotPart::event_points));
    EventPointsRow row;
    if (bytes < sizeof row || bytes > max_points_bytes) return corrupt("event points of an impossible size");
    JZ_CHECK(source.read_row(row));
    EventLog::Places places{{}, {}, row.events, row.since_point};
    JZ_CHECK(load_points(source, bytes - sizeof row, last, [&](std::uint64_t first, const storage::Position& position) {
        places.points.push_back({first, position});
    }));
    if (places.points.empty() || places.points.front().first_ordinal != 0 ||
        places.points.front().position.entry != 1 || places.points.back().first_ordinal > row.events)
        return corrupt("event points that do not begin at the beginning");
    return places;
}

// Parts in order, none past the last event. The bytes of each are checked when they are read; decode_stretch is safe on
// whatever is said of them.
Result<> load_event_parts(Source& source, const storage::Position& last, EventLog::Places& places) {
    JZ_TRY(const std::uint64_t bytes, source.begin(SnapshotPart::event_parts));
    if (bytes % sizeof(EventPartRow) != 0 || bytes > max_points_bytes)
        return corrupt("event parts of an impossible size");
    std::uint64_t next = 0;
    for (std::uint64_t left = bytes / sizeof(EventPartRow); left > 0; --left) {
        EventPartRow row;
        JZ_CHECK(source.read_row(row));
        if (!can_be(row.place, last) || row.place.first < next || row.place.first >= places.next_ordinal ||
            row.events == 0 || row.events > Stretch::max_events || row.events > places.next_ordinal - row.place.first ||
            row.left == 0 || row.left > max_events || row.annotation > max_annotation_bytes ||
            row.size > storage::max_payload_bytes || row.offset > storage::max_payload_bytes || row.reserved_164 != 0 ||
            row.reserved_168 != 0)
            return corrupt("an event part that cannot be");
        next = row.place.first + row.events;
        places.parts.push_back(part_of(row));
    }
    return {};
}

Result<FeedHub::Places> load_feed_points(Source& source, const storage::Position& last, std::uint64_t sequence) {
    JZ_TRY(const std::uint64_t bytes, source.begin(SnapshotPart::feed_points));
    FeedPointsRow row;
    if (bytes < sizeof row || bytes > max_points_bytes) return corrupt("feed points of an impossible size");
    JZ_CHECK(source.read_row(row));
    FeedHub::Places places{{}, row.since_point};
    JZ_CHECK(load_points(source, bytes - sizeof row, last, [&](std::uint64_t first, const storage::Position& position) {
        places.index.push_back({first, position});
    }));
    if (row.reserved_8 != 0 || places.index.empty() || places.index.front().first_sequence != 1 ||
        places.index.back().first_sequence > sequence)
        return corrupt("feed points that do not begin at the beginning");
    return places;
}

Result<UncarriedOutcomes> load_outcomes(Source& source, std::uint64_t last_entry) {
    JZ_TRY(const std::uint64_t bytes, source.begin(SnapshotPart::outcomes));
    UncarriedRow row;
    if (bytes < sizeof row || bytes > max_outcomes_bytes) return corrupt("outcomes of an impossible size");
    JZ_CHECK(source.read_row(row));
    Bytes blocks(static_cast<std::size_t>(bytes - sizeof row));
    JZ_CHECK(source.read(blocks));
    // Those of the last entry at least, which cannot carry its own, and none in between missing.
    if (row.reserved_12 != 0 || row.count == 0 || row.first_entry == 0 || row.count > last_entry ||
        row.first_entry != last_entry - row.count + 1)
        return corrupt("outcomes of other entries than the last ones");
    JZ_TRY(const auto split, split_outcomes({row.first_entry, row.count, blocks}));
    UncarriedOutcomes outcomes;
    for (std::uint64_t entry = row.first_entry; const ByteView block : split) outcomes.add(entry++, to_bytes(block));
    return outcomes;
}

// In order, of accounts and events that there are. What they say of balances shows in statements only.
Result<HistoryTail> load_histories(Source& source, const ledger::Ledger& ledger) {
    JZ_TRY(const std::uint64_t bytes, source.begin(SnapshotPart::history_tail));
    HistoryTailRow row;
    if (bytes < sizeof row || (bytes - sizeof row) % sizeof(ledger::HistoryRow) != 0 ||
        bytes > sizeof row + max_tail_rows * sizeof(ledger::HistoryRow))
        return corrupt("histories of an impossible size");
    JZ_CHECK(source.read_row(row));
    if (row.reserved_8 != 0 || row.reach > ledger.history_end()) return corrupt("histories that cannot be");
    HistoryTail tail{row.reach, {}};
    std::uint64_t last = row.reach;
    for (std::uint64_t left = (bytes - sizeof row) / sizeof(ledger::HistoryRow); left > 0; --left) {
        ledger::HistoryRow change;
        JZ_CHECK(source.read_row(change));
        if (change.position < last || change.position >= ledger.history_end() ||
            change.account >= ledger.account_count() || change.event >= ledger.event_count())
            return corrupt("a change that cannot be");
        last = change.position;
        tail.rows.push_back(change);
    }
    return tail;
}

// Every segment that the journal had up to there; the points name each of them. Of those that were moved to an archive
// it is enough to know that: without it the ledger is all there, and an event that is needed and not found says so.
Result<> check_segments(storage::Disk& disk, const std::filesystem::path& journal, const EventLog::Places& events) {
    JZ_TRY(const auto names, disk.list(journal));
    JZ_TRY(const auto pruned, storage::read_pruned(disk, journal));
    std::uint64_t last = pruned ? pruned->first_kept - 1 : 0;
    for (const auto& point : events.points) {
        const std::uint64_t segment = point.position.segment;
        if (segment <= last) continue;
        last = segment;
        const std::string name = storage::segment_name(segment);
        if (!std::ranges::binary_search(names, name))
            return Error(ErrorKind::corrupt, "the journal has no longer the segment " + name);
    }
    return {};
}

}  // namespace

Result<std::uint64_t> save_snapshot(storage::Disk& disk, const std::filesystem::path& directory, const Derived& derived,
                                    const HistoryTail& tail, const Start& at, std::uint64_t base_sequence,
                                    const std::atomic<bool>& cancelled) {
    const auto folder = directory / snapshots_folder;
    JZ_TRY(auto writer, storage::SnapshotWriter::create(disk, folder));
    Sink sink(writer, cancelled);
    JZ_CHECK(save_parts(sink, derived, tail, at.tip.outcomes));
    storage::SnapshotTip tip;
    tip.sequence = at.tip.sequence;
    tip.timestamp = at.tip.timestamp.ns;
    tip.entry = at.last.position.entry;
    tip.segment = at.last.position.segment;
    tip.offset = at.last.position.offset;
    tip.extent = at.last.extent;
    tip.entry_hash = at.last.hash;
    tip.state_digest = derived.ledger.state_digest();
    JZ_TRY(const std::uint64_t bytes, writer.finish(tip));
    JZ_CHECK(remove_older(disk, folder, tip.sequence, base_sequence));
    return bytes;
}

Result<Start> load_snapshot(storage::Disk& disk, const std::filesystem::path& directory, std::uint64_t sequence,
                            const Derived& derived) {
    const auto journal = directory / "journal";
    JZ_TRY(const auto reader,
           storage::SnapshotReader::open(disk, directory / snapshots_folder / storage::snapshot_name(sequence)));
    const storage::SnapshotTip& tip = reader->header().tip;
    if (tip.sequence != sequence) return corrupt("the file's name is not the sequence it is of");
    Start start;
    start.last = {{tip.entry, tip.segment, tip.offset}, tip.extent, tip.entry_hash};
    JZ_CHECK(storage::check_known_entry(disk, journal, start.last));
    Source source(*reader);
    JZ_TRY(auto loaded, ledger::Ledger::load(source, derived.events, &derived.histories));
    JZ_TRY(auto events, load_event_points(source, start.last.position));
    JZ_TRY(auto feed, load_feed_points(source, start.last.position, sequence));
    JZ_TRY(start.tip.outcomes, load_outcomes(source, tip.entry));
    JZ_CHECK(load_event_parts(source, start.last.position, events));
    JZ_TRY(const HistoryTail histories, load_histories(source, loaded));
    JZ_CHECK(reader->finish());
    if (events.next_ordinal != loaded.event_count() || loaded.last_timestamp_ns() > tip.timestamp)
        return corrupt("its parts do not belong together");
    if (loaded.state_digest() != tip.state_digest) return corrupt("its ledger has another digest than it says");
    JZ_CHECK(check_segments(disk, journal, events));
    JZ_CHECK(derived.histories.restore(histories));
    start.tip.sequence = tip.sequence;
    start.tip.timestamp = Timestamp{tip.timestamp};
    derived.ledger = std::move(loaded);
    derived.events.restore(std::move(events));
    derived.hub.restore(std::move(feed), sequence, start.tip.outcomes.first_entry(), start.tip.outcomes.blocks());
    return start;
}

std::optional<Start> load_newest(storage::Disk& disk, const std::filesystem::path& directory, const Derived& derived,
                                 std::uint64_t& skipped) {
    skipped = 0;
    const auto names = disk.list(directory);
    if (!names.ok() || !std::ranges::binary_search(*names, std::string(snapshots_folder))) return std::nullopt;
    const auto found = storage::list_snapshots(disk, directory / snapshots_folder);
    if (!found.ok()) {
        log::warn("the snapshots cannot be listed; the journal is replayed", {{"cause", found.error().to_string()}});
        return std::nullopt;
    }
    for (const std::uint64_t sequence : *found) {
        auto start = load_snapshot(disk, directory, sequence, derived);
        if (start.ok()) return std::move(start).value();
        ++skipped;
        log::warn("a snapshot is not used; opening takes longer, and loses nothing",
                  {{"snapshot", storage::snapshot_name(sequence)}, {"cause", start.error().to_string()}});
    }
    return std::nullopt;
}

Result<> remove_unfinished_snapshot(storage::Disk& disk, const std::filesystem::path& directory) {
    JZ_TRY(const auto names, disk.list(directory));
    if (!std::ranges::binary_search(names, std::string(snapshots_folder))) return {};
    const auto folder = directory / snapshots_folder;
    JZ_TRY(const auto inside, disk.list(folder));
    if (!std::ranges::binary_search(inside, std::string(storage::unfinished_snapshot))) return {};
    JZ_CHECK(disk.remove(folder / storage::unfinished_snapshot));
    return disk.sync_directory(folder);
}

}  // namespace jiaozi::engine
