#include "segment_copy.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace jiaozi::storage {

namespace {

constexpr std::size_t chunk_bytes = std::size_t{1} << 20;
// A segment that is being written may be caught in the middle of a write; a damaged one stays damaged.
constexpr unsigned attempts_at_last_segment = 5;
constexpr const char* copy_suffix = ".copy";

// From the end to the beginning: the writer goes the other way, so if an entry is caught, so are all before it.
Result<> copy_backwards(File& from, File& to) {
    JZ_TRY(std::uint64_t at, from.size());
    Bytes bytes(chunk_bytes);
    bool first = true;
    while (at > 0) {
        const std::uint64_t size = std::min<std::uint64_t>(at, chunk_bytes);
        at -= size;
        const auto chunk = ByteSpan(bytes).first(static_cast<std::size_t>(size));
        JZ_TRY(const std::size_t got, from.read_at(at, chunk));
        std::fill(chunk.begin() + static_cast<std::ptrdiff_t>(got), chunk.end(), std::uint8_t{0});
        if (first && all_zero(chunk)) continue;
        first = false;
        const std::array<ByteView, 1> parts{chunk};
        JZ_CHECK(to.write_at(at, parts));
    }
    return {};
}

}  // namespace

Result<std::vector<std::uint64_t>> segments_of(Disk& disk, const std::filesystem::path& directory) {
    JZ_TRY(const auto names, disk.list(directory));
    std::vector<std::uint64_t> segments;
    for (const std::string& name : names) {
        if (const auto first_entry = parse_segment_name(name)) segments.push_back(*first_entry);
    }
    if (segments.empty()) return Error(ErrorKind::not_found, "there is no journal in " + directory.string());
    return segments;
}

Result<SegmentScan> check_segment(Disk& disk, const std::filesystem::path& path, bool last, Chain& chain,
                                  JournalEnd& end) {
    JZ_TRY(auto file, disk.open(path, Disk::Mode::read));
    JZ_TRY(auto scan, scan_segment(std::move(file), path, last, chain, [&](const EntryView& entry) {
               end.last = entry.timestamp;
               return Result<>();
           }));
    end.entries = chain.next_entry - 1;
    end.hash = chain.previous_hash;
    return scan;
}

bool has_whole_segment(Disk& disk, const std::filesystem::path& directory, std::uint64_t next, Chain& chain,
                       JournalEnd& end) {
    Chain reached = chain;
    JournalEnd there = end;
    const auto scan = check_segment(disk, directory / segment_name(chain.next_entry), true, reached, there);
    if (!scan.ok() || scan->torn || reached.next_entry != next) return false;
    chain = reached;
    end = there;
    return true;
}

Result<> copy_segment(Disk& disk, const std::filesystem::path& from, const std::filesystem::path& to, bool last,
                      Chain& chain, JournalEnd& end) {
    const std::string name = segment_name(chain.next_entry);
    const auto unfinished = to / (name + copy_suffix);
    for (unsigned attempt = 1;; ++attempt) {
        JZ_TRY(const auto source, disk.open(from / name, Disk::Mode::read));
        JZ_TRY(const auto file, disk.create(unfinished));
        JZ_CHECK(copy_backwards(*source, *file));
        Chain reached = chain;
        JournalEnd there = end;
        auto scan = check_segment(disk, unfinished, last, reached, there);
        if (!scan.ok() && last && attempt < attempts_at_last_segment) continue;
        if (!scan.ok()) return std::move(scan).error().in("copy " + (from / name).string());
        JZ_CHECK(file->truncate(scan->end));
        JZ_CHECK(file->sync_all());
        chain = reached;
        end = there;
        return disk.rename(unfinished, to / name);
    }
}

Result<> refuse_another_journal(Disk& disk, const std::filesystem::path& journal, const std::filesystem::path& copy) {
    const std::string name = segment_name(1);
    JZ_TRY(const auto present, disk.list(copy));
    if (!std::ranges::binary_search(present, name)) return {};
    JZ_TRY(const auto mine, disk.open(journal / name, Disk::Mode::read));
    JZ_TRY(const auto theirs, disk.open(copy / name, Disk::Mode::read));
    Bytes begin(std::size_t{4096});
    Bytes other(begin.size());
    JZ_TRY(const std::size_t size, theirs->read_at(0, other));
    JZ_TRY(const std::size_t mine_size, mine->read_at(0, begin));
    if (mine_size >= size &&
        std::equal(begin.begin(), begin.begin() + static_cast<std::ptrdiff_t>(size), other.begin())) {
        return {};
    }
    return Error(ErrorKind::conflict, copy.string() + " holds a copy of another journal; choose an empty directory");
}

}  // namespace jiaozi::storage
