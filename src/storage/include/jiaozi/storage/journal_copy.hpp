// Copies of a journal: taken while its writer goes on, brought up to date, checked, cut at a point in time. Everything
// here works on segment files and entries as docs/formats/journal.md part 1 specifies them, and knows no accounts.
//
// Threading: one call at a time per target. The source's writer may run, in this or another process.
// Errors: corrupt names file, offset and cause; not_found: there is no journal; io.
#pragma once

#include <cstdint>
#include <filesystem>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/storage/disk.hpp>
#include <jiaozi/storage/format.hpp>

namespace jiaozi::storage {

// Where a journal ends.
struct JournalEnd {
    std::uint64_t entries = 0;
    Timestamp last{};  // of the last entry; zero if there is none
    Hash hash{};       // of the last entry: commits to all of them
    bool operator==(const JournalEnd&) const = default;
};

struct JournalCopy {
    JournalEnd end;
    std::uint64_t segments_copied = 0;
    std::uint64_t segments_kept = 0;  // that the target had already, whole
};

// Brings the directory `to` (made if missing) up to date with the journal in `from`. What it holds afterwards is a
// prefix of that journal that contains every entry acknowledged before the call, every entry of it checked; unused
// space at the end of files is left out. A segment is replaced at once or not at all.
Result<JournalCopy> copy_journal(const std::filesystem::path& from, const std::filesystem::path& to,
                                 Disk& disk = system_disk());

// Checks every entry, and changes nothing. A torn tail, which opening would cut, is not counted.
Result<JournalEnd> check_journal(const std::filesystem::path& directory, Disk& disk = system_disk());

// Removes all entries with a timestamp later than `until`. Takes the lock (conflict if another has the journal).
Result<JournalEnd> cut_journal(const std::filesystem::path& directory, Timestamp until, Disk& disk = system_disk());

}  // namespace jiaozi::storage
