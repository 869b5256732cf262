#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/storage/archive.hpp>
#include <jiaozi/storage/journal.hpp>
#include <jiaozi/storage/whole_file.hpp>

#include "segment_copy.hpp"

namespace jiaozi::storage {

namespace {

Error corrupt(const char* cause) {
    return {ErrorKind::corrupt, cause};
}

// Over the header up to the check, and the path.
std::uint64_t check_of(const PrunedHeader& header, std::string_view path) {
    Bytes bytes(offsetof(PrunedHeader, check));
    std::memcpy(bytes.data(), &header, bytes.size());
    append(bytes, as_bytes(path));
    const Hash hash = crypto::sha256(bytes);
    std::uint64_t check = 0;
    std::memcpy(&check, hash.data(), sizeof check);
    return check;
}

bool has_name(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::binary_search(names, name);
}

Error not_there(const std::filesystem::path& journal, const Pruned& pruned, std::uint64_t segment) {
    const std::string name = segment_name(segment);
    return {ErrorKind::not_found, "the journal's segment " + name + " is needed; it was moved to the archive " +
                                      pruned.archive.string() + " and is not there, nor in " + journal.string() +
                                      ". Make the archive available there again, or name its new place with "
                                      "`jiaozi prune --archive FOLDER`"};
}

}  // namespace

Bytes encode_pruned(const Pruned& pruned) {
    const std::string path = pruned.archive.string();
    JZ_ASSERT(path.size() <= max_archive_path);
    PrunedHeader header;
    header.path_size = static_cast<std::uint32_t>(path.size());
    header.first_kept = pruned.first_kept;
    header.previous_hash = pruned.previous_hash;
    header.check = check_of(header, path);
    Bytes bytes(sizeof header);
    std::memcpy(bytes.data(), &header, sizeof header);
    append(bytes, as_bytes(path));
    return bytes;
}

Result<Pruned> decode_pruned(ByteView bytes) {
    PrunedHeader header;
    if (bytes.size() < sizeof header) return corrupt("it is too short");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.magic != pruned_magic) return corrupt("wrong magic");
    if (header.version != pruned_version) return corrupt("it has a version that this program does not read");
    if (header.path_size == 0 || header.path_size > max_archive_path ||
        bytes.size() != sizeof header + header.path_size)
        return corrupt("it is not as long as it says");
    const std::string_view path = as_text(bytes.subspan(sizeof header));
    if (header.check != check_of(header, path)) return corrupt("it fails its check");
    if (header.reserved_24 != 0 || header.first_kept < 2 || path.find('\0') != std::string_view::npos ||
        path.front() != '/')
        return corrupt("it says what cannot be");
    return Pruned{std::filesystem::path(path), header.first_kept, header.previous_hash};
}

Result<std::optional<Pruned>> read_pruned(Disk& disk, const std::filesystem::path& journal) {
    const auto path = journal / pruned_name;
    const auto bytes = read_whole(disk, path, sizeof(PrunedHeader) + max_archive_path + 1);
    if (!bytes.ok() && bytes.error().kind() == ErrorKind::not_found) return std::optional<Pruned>();
    if (!bytes.ok()) return bytes.error();
    auto pruned = decode_pruned(*bytes);
    if (pruned.ok()) return std::optional(std::move(pruned).value());
    return Error(ErrorKind::corrupt,
                 "journal damaged: " + path.string() + ": " + pruned.error().message() +
                     "; restore it from a copy, or move the archived segments back beside it and remove it");
}

Result<> write_pruned(Disk& disk, const std::filesystem::path& journal, const Pruned& pruned) {
    return write_whole(disk, journal, journal / pruned_name, encode_pruned(pruned), Durable::now);
}

Result<> check_archive(Disk& disk, const std::filesystem::path& journal, std::uint64_t segment) {
    JZ_TRY(const auto pruned, read_pruned(disk, journal));
    if (!pruned || segment >= pruned->first_kept) return {};
    ArchivedDisk whole(disk, journal);
    JZ_TRY(const auto names, whole.list(journal));
    if (has_name(names, segment_name(segment))) return {};
    return not_there(journal, *pruned, segment);
}

// ---------------------------------------------------------------- reading both as one

// Paths are compared as they are given; only a slash at the end makes no difference.
ArchivedDisk::ArchivedDisk(Disk& below, const std::filesystem::path& journal)
    : below_(below), journal_((journal / "").parent_path()) {}

Result<std::unique_ptr<File>> ArchivedDisk::open(const std::filesystem::path& path, Mode mode) {
    auto opened = below_.open(path, mode);
    if (opened.ok() || opened.error().kind() != ErrorKind::not_found || path.parent_path() != journal_) return opened;
    const auto segment = parse_segment_name(path.filename().string());
    if (!segment) return opened;
    JZ_TRY(const auto pruned, read_pruned(below_, journal_));
    if (!pruned || *segment >= pruned->first_kept) return opened;
    if (mode != Mode::read) return Error(ErrorKind::io, path.string() + " is in the archive, which is not changed");
    auto archived = below_.open(pruned->archive / path.filename(), Mode::read);
    if (!archived.ok() && archived.error().kind() == ErrorKind::not_found)
        return not_there(journal_, *pruned, *segment);
    return archived;
}

Result<std::vector<std::string>> ArchivedDisk::list(const std::filesystem::path& path) {
    JZ_TRY(auto names, below_.list(path));
    if ((path / "").parent_path() != journal_) return names;
    JZ_TRY(const auto pruned, read_pruned(below_, journal_));
    if (!pruned) return names;
    // An archive that cannot be listed has nothing for now: whoever needs a segment of it is told so.
    const auto archived = below_.list(pruned->archive);
    if (!archived.ok()) return names;
    const std::size_t own = names.size();
    for (const std::string& name : *archived) {
        const auto segment = parse_segment_name(name);
        const bool mine = std::binary_search(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(own), name);
        if (segment && *segment < pruned->first_kept && !mine) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
}

// ---------------------------------------------------------------- moving

Result<Pruned> archive_segments(Disk& disk, const std::filesystem::path& journal, const Pruned& begin,
                                std::uint64_t end, std::uint64_t& copied) {
    JZ_CHECK(disk.make_directory(begin.archive));
    JZ_CHECK(disk.sync_directory(begin.archive.parent_path()));
    // The archive may have segments that are nowhere else: one that was moved by hand.
    JZ_TRY(auto segments, segments_of(disk, journal));
    const bool from_the_beginning = begin.first_kept == 1;
    if (from_the_beginning && segments.front() == 1) JZ_CHECK(refuse_another_journal(disk, journal, begin.archive));
    if (const auto archived = segments_of(disk, begin.archive); archived.ok())
        segments.insert(segments.end(), archived->begin(), archived->end());
    std::ranges::sort(segments);
    const auto repeated = std::ranges::unique(segments);
    segments.erase(repeated.begin(), repeated.end());
    Chain chain{begin.first_kept, begin.previous_hash};
    JournalEnd reached;
    copied = 0;
    while (chain.next_entry < end) {
        const auto next = std::ranges::upper_bound(segments, chain.next_entry);
        if (next == segments.end() || next == segments.begin() || *std::prev(next) != chain.next_entry) {
            return Error(ErrorKind::not_found, "the journal's segment " + segment_name(chain.next_entry) +
                                                   " is neither in " + journal.string() + " nor in its archive");
        }
        if (has_whole_segment(disk, begin.archive, *next, chain, reached)) continue;
        JZ_CHECK(copy_segment(disk, journal, begin.archive, false, chain, reached));
        if (chain.next_entry != *next) return corrupt("a segment ends before the next one begins");
        ++copied;
    }
    if (chain.next_entry != end) return Error(ErrorKind::invalid, "no segment of the journal begins there");
    JZ_CHECK(disk.sync_directory(begin.archive));
    // What stays must follow from what goes.
    JZ_TRY(const auto file, disk.open(journal / segment_name(end), Disk::Mode::read));
    Bytes bytes(sizeof(SegmentHeader));
    JZ_TRY(const std::size_t got, file->read_at(0, bytes));
    JZ_TRY(const SegmentHeader header, decode_segment_header(ByteView(bytes).first(got)));
    if (header.first_entry != end || header.previous_hash != chain.previous_hash)
        return corrupt("the hash chain breaks: the first segment that stays does not follow the archive");
    return Pruned{begin.archive, end, chain.previous_hash};
}

Result<std::uint64_t> remove_archived(Disk& disk, const std::filesystem::path& journal, const Pruned& pruned) {
    JZ_TRY(const auto names, disk.list(journal));
    JZ_TRY(const auto archived, disk.list(pruned.archive));
    std::uint64_t removed = 0;
    for (const std::string& name : names) {
        const auto segment = parse_segment_name(name);
        if (!segment || *segment >= pruned.first_kept) continue;
        if (!has_name(archived, name)) return not_there(journal, pruned, *segment);
        JZ_CHECK(disk.remove(journal / name));
        ++removed;
    }
    if (removed > 0) JZ_CHECK(disk.sync_directory(journal));
    return removed;
}

}  // namespace jiaozi::storage
