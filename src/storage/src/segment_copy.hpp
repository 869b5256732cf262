// One segment, checked and copied: what copies of a journal, and its archive, are made with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <jiaozi/storage/journal_copy.hpp>
#include <jiaozi/storage/segment.hpp>

namespace jiaozi::storage {

// Their first entries, in order. Error not_found: there are none.
Result<std::vector<std::uint64_t>> segments_of(Disk& disk, const std::filesystem::path& directory);

// Checks one segment and moves chain and end on.
Result<SegmentScan> check_segment(Disk& disk, const std::filesystem::path& path, bool last, Chain& chain,
                                  JournalEnd& end);

// Whether a copy in `directory` has the segment that comes next, up to the one that starts with `next`. Moves chain and
// end on only if it has.
bool has_whole_segment(Disk& disk, const std::filesystem::path& directory, std::uint64_t next, Chain& chain,
                       JournalEnd& end);

// Copies the segment that comes next, without the unused space at its end, durably and at once or not at all (but for
// the name, which the directory's sync makes durable). Moves chain and end on. `last`: it may be being written.
Result<> copy_segment(Disk& disk, const std::filesystem::path& from, const std::filesystem::path& to, bool last,
                      Chain& chain, JournalEnd& end);

// A journal only grows, so an earlier copy of it begins with the same bytes; timestamps make others begin otherwise.
// Error conflict.
Result<> refuse_another_journal(Disk& disk, const std::filesystem::path& journal, const std::filesystem::path& copy);

}  // namespace jiaozi::storage
