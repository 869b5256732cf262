#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <jiaozi/storage/journal.hpp>
#include <jiaozi/storage/journal_copy.hpp>
#include <jiaozi/storage/segment.hpp>

namespace jiaozi::storage {

namespace {

constexpr std::size_t chunk_bytes = std::size_t{1} << 20;
// A segment that is being written may be caught in the middle of a write; a damaged one stays damaged.
constexpr unsigned attempts_at_last_segment = 5;
constexpr const char* copy_suffix = ".copy";

Result<std::vector<std::uint64_t>> segments_of(Disk& disk, const std::filesystem::path& directory) {
    JZ_TRY(const auto names, disk.list(directory));
    std::vector<std::uint64_t> segments;
    for (const std::string& name : names) {
        if (const auto first_entry = parse_segment_name(name)) segments.push_back(*first_entry);
    }
    if (segments.empty()) return Error(ErrorKind::not_found, "there is no journal in " + directory.string());
    return segments;
}

// Checks one segment and moves chain and end on.
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

struct Source {
    std::filesystem::path directory;
    std::vector<std::uint64_t> segments;
};

class Copier {
  public:
    Copier(Disk& disk, Source source, std::filesystem::path to)
        : disk_(disk), source_(std::move(source)), to_(std::move(to)) {}

    Result<JournalCopy> run() {
        JZ_TRY(present_, disk_.list(to_));
        JZ_CHECK(refuse_another_journal());
        for (std::size_t i = 0; i < source_.segments.size(); ++i) {
            if (source_.segments[i] != chain_.next_entry) {
                return Error(ErrorKind::corrupt, "journal damaged: entry " + std::to_string(chain_.next_entry) +
                                                     " must come next, but the next file in " +
                                                     source_.directory.string() + " starts with entry " +
                                                     std::to_string(source_.segments[i]));
            }
            const bool last = i + 1 == source_.segments.size();
            if (!last && has_whole(source_.segments[i], source_.segments[i + 1])) {
                ++copy_.segments_kept;
                continue;
            }
            JZ_CHECK(copy(source_.segments[i], last));
            ++copy_.segments_copied;
        }
        JZ_CHECK(disk_.sync_directory(to_));
        return copy_;
    }

  private:
    bool target_has(const std::string& name) const { return std::ranges::find(present_, name) != present_.end(); }

    // A journal only grows, so an earlier copy of it begins with the same bytes; timestamps make others begin
    // otherwise.
    Result<> refuse_another_journal() {
        const std::string name = segment_name(1);
        if (!target_has(name)) return {};
        JZ_TRY(const auto mine, disk_.open(source_.directory / name, Disk::Mode::read));
        JZ_TRY(const auto theirs, disk_.open(to_ / name, Disk::Mode::read));
        Bytes begin(std::size_t{4096});
        Bytes other(begin.size());
        JZ_TRY(const std::size_t size, theirs->read_at(0, other));
        JZ_TRY(const std::size_t mine_size, mine->read_at(0, begin));
        if (mine_size >= size &&
            std::equal(begin.begin(), begin.begin() + static_cast<std::ptrdiff_t>(size), other.begin())) {
            return {};
        }
        return Error(ErrorKind::conflict, to_.string() + " holds a copy of another journal; choose an empty directory");
    }

    // Whether the target has this segment up to the next one, from an earlier copy.
    bool has_whole(std::uint64_t first_entry, std::uint64_t next) {
        const std::string name = segment_name(first_entry);
        if (!target_has(name)) return false;
        Chain chain = chain_;
        JournalEnd end = copy_.end;
        const auto scan = check_segment(disk_, to_ / name, true, chain, end);
        if (!scan.ok() || scan->torn || chain.next_entry != next) return false;
        chain_ = chain;
        copy_.end = end;
        return true;
    }

    Result<> copy(std::uint64_t first_entry, bool last) {
        const std::string name = segment_name(first_entry);
        const auto unfinished = to_ / (name + copy_suffix);
        for (unsigned attempt = 1;; ++attempt) {
            JZ_TRY(const auto from, disk_.open(source_.directory / name, Disk::Mode::read));
            JZ_TRY(const auto file, disk_.create(unfinished));
            JZ_CHECK(copy_backwards(*from, *file));
            Chain chain = chain_;
            JournalEnd end = copy_.end;
            auto scan = check_segment(disk_, unfinished, last, chain, end);
            if (!scan.ok() && last && attempt < attempts_at_last_segment) continue;
            if (!scan.ok()) return std::move(scan).error().in("copy " + (source_.directory / name).string());
            JZ_CHECK(file->truncate(scan->end));
            JZ_CHECK(file->sync_all());
            chain_ = chain;
            copy_.end = end;
            return disk_.rename(unfinished, to_ / name);
        }
    }

    Disk& disk_;
    const Source source_;
    const std::filesystem::path to_;
    std::vector<std::string> present_;
    Chain chain_;
    JournalCopy copy_;
};

}  // namespace

Result<JournalCopy> copy_journal(const std::filesystem::path& from, const std::filesystem::path& to, Disk& disk) {
    JZ_TRY(auto segments, segments_of(disk, from));
    JZ_CHECK(disk.make_directory(to));
    JZ_CHECK(disk.sync_directory(std::filesystem::absolute(to).parent_path()));
    return Copier(disk, {from, std::move(segments)}, to).run();
}

Result<JournalEnd> check_journal(const std::filesystem::path& directory, Disk& disk) {
    JZ_TRY(const auto segments, segments_of(disk, directory));
    Chain chain;
    JournalEnd end;
    for (const std::uint64_t first_entry : segments) {
        if (first_entry != chain.next_entry) {
            return Error(ErrorKind::corrupt, "journal damaged: entry " + std::to_string(chain.next_entry) +
                                                 " must come next, but the next file is " +
                                                 (directory / segment_name(first_entry)).string());
        }
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
