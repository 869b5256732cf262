#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <jiaozi/storage/archive.hpp>
#include <jiaozi/storage/journal.hpp>
#include <jiaozi/storage/journal_copy.hpp>

#include "segment_copy.hpp"

namespace jiaozi::storage {

namespace {

Error out_of_order(Disk& disk, const std::filesystem::path& directory, std::uint64_t wanted, std::uint64_t found) {
    if (auto archived = check_archive(disk, directory, wanted); !archived.ok()) return std::move(archived).error();
    return {ErrorKind::corrupt, "journal damaged: entry " + std::to_string(wanted) +
                                    " must come next, but the next file is " +
                                    (directory / segment_name(found)).string()};
}

}  // namespace

Result<JournalCopy> copy_journal(const std::filesystem::path& from, const std::filesystem::path& to, Disk& below) {
    ArchivedDisk disk(below, from);
    JZ_TRY(const auto segments, segments_of(disk, from));
    JZ_CHECK(disk.make_directory(to));
    JZ_CHECK(disk.sync_directory(std::filesystem::absolute(to).parent_path()));
    JZ_CHECK(refuse_another_journal(disk, from, to));
    JournalCopy copy;
    Chain chain;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (segments[i] != chain.next_entry) return out_of_order(disk, from, chain.next_entry, segments[i]);
        const bool last = i + 1 == segments.size();
        if (!last && has_whole_segment(disk, to, segments[i + 1], chain, copy.end)) {
            ++copy.segments_kept;
            continue;
        }
        JZ_CHECK(copy_segment(disk, from, to, last, chain, copy.end));
        ++copy.segments_copied;
    }
    JZ_CHECK(disk.sync_directory(to));
    return copy;
}

Result<JournalEnd> check_journal(const std::filesystem::path& directory, Disk& below) {
    ArchivedDisk disk(below, directory);
    JZ_TRY(const auto segments, segments_of(disk, directory));
    Chain chain;
    JournalEnd end;
    for (const std::uint64_t first_entry : segments) {
        if (first_entry != chain.next_entry) return out_of_order(disk, directory, chain.next_entry, first_entry);
        const bool last = first_entry == segments.back();
        JZ_TRY(const auto scan, check_segment(disk, directory / segment_name(first_entry), last, chain, end));
    }
    return end;
}

Result<JournalEnd> cut_journal(const std::filesystem::path& directory, Timestamp until, Disk& disk) {
    JZ_TRY(const auto lock, disk.lock(directory));
    JZ_TRY(const auto segments, segments_of(disk, directory));
    Chain chain;
    std::optional<Position> too_late;  // the first one
    for (const std::uint64_t first_entry : segments) {
        const auto path = directory / segment_name(first_entry);
        JZ_TRY(auto file, disk.open(path, Disk::Mode::read));
        JZ_TRY(const auto scan,
               scan_segment(std::move(file), path, first_entry == segments.back(), chain, [&](const EntryView& entry) {
                   if (!too_late && entry.timestamp > until) too_late = entry.position;
                   return Result<>();
               }));
        if (too_late) break;
    }
    if (too_late) {
        // Backwards, so that what is left at any moment is a journal.
        for (auto segment = segments.rbegin(); segment != segments.rend() && *segment > too_late->segment; ++segment) {
            JZ_CHECK(disk.remove(directory / segment_name(*segment)));
        }
        JZ_TRY(const auto file, disk.open(directory / segment_name(too_late->segment), Disk::Mode::read_write));
        JZ_CHECK(file->truncate(too_late->offset));
        JZ_CHECK(file->sync_all());
        JZ_CHECK(disk.sync_directory(directory));
    }
    return check_journal(directory, disk);
}

}  // namespace jiaozi::storage
