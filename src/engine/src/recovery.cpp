#include "recovery.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "applier.hpp"

namespace jiaozi::engine {

namespace {

constexpr std::string_view format_text = "jiaozi engine 1\n";

Error corrupt(std::uint64_t entry, const std::string& cause) {
    return Error(ErrorKind::corrupt, "journal entry " + std::to_string(entry) + ": " + cause);
}

Result<> write_marker(storage::Disk& disk, const std::filesystem::path& directory) {
    const auto unfinished = directory / "format.tmp";
    JZ_TRY(auto file, disk.create(unfinished));
    const std::array parts{as_bytes(format_text)};
    JZ_CHECK(file->write_at(0, parts));
    JZ_CHECK(file->sync_all());
    JZ_CHECK(disk.rename(unfinished, directory / "format"));
    return disk.sync_directory(directory);
}

}  // namespace

Result<> replay_entry(const storage::EntryView& entry, ledger::Ledger& ledger, Tip& tip, FeedHub& hub) {
    const std::uint64_t number = entry.position.entry;
    auto payload = decode_payload(entry.payload);
    if (!payload.ok()) return corrupt(number, payload.error().message());
    if (payload->first_sequence != tip.sequence + 1) {
        return corrupt(number, "its first command has sequence " + std::to_string(payload->first_sequence) + ", but " +
                                   std::to_string(tip.sequence + 1) + " must come next");
    }
    if (!equal(payload->outcomes, tip.outcomes)) {
        return corrupt(number,
                       "replaying the entry before it gives other outcomes than were journaled; use the version of the "
                       "program that wrote this journal");
    }
    OutcomeRecorder recorder;
    Outcome outcome;
    std::vector<ledger::Expired> expired;
    std::uint32_t index = 0;
    for (const TimedCommand& timed : payload->commands) {
        // decode_payload checked the order inside the entry; this holds its first command against the entry before.
        if (timed.timestamp.ns - event_count(timed.command) <= tip.timestamp.ns) {
            return corrupt(number, "its timestamps do not follow those of the entry before it");
        }
        outcome.flag_changes.clear();
        outcome.accounts.clear();
        outcome.transfers.clear();
        expired.clear();
        apply(ledger, timed.command, timed.timestamp, outcome, expired);
        recorder.add(index++, outcome, expired);
        tip.timestamp = timed.timestamp;
    }
    tip.outcomes.clear();
    recorder.finish(tip.outcomes);
    tip.sequence += payload->commands.size();
    hub.publish(entry.position, payload->first_sequence, tip.sequence, entry.payload.size(), tip.outcomes, nullptr);
    return {};
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
    if (!marked) return write_marker(disk, directory);
    JZ_TRY(auto file, disk.open(directory / "format", storage::Disk::Mode::read));
    Bytes text(64);
    JZ_TRY(const std::size_t size, file->read_at(0, text));
    if (as_text(ByteView(text).first(size)) != format_text) {
        return Error(ErrorKind::invalid, (directory / "format").string() +
                                             " does not say \"jiaozi engine 1\": the directory was "
                                             "written by another version; use that version");
    }
    // The process that wrote it may have ended before its name was durable, and the journal's name must not outlive it.
    return disk.sync_directory(directory);
}

}  // namespace jiaozi::engine
