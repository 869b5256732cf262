#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <jiaozi/base/log.hpp>
#include <jiaozi/base/uint128.hpp>
#include <jiaozi/storage/archive.hpp>
#include <jiaozi/storage/journal.hpp>
#include <jiaozi/storage/segment.hpp>

#include "next_segment.hpp"
#include "window.hpp"

namespace jiaozi::storage {

namespace {

constexpr std::string_view segment_suffix = ".segment";
constexpr std::string_view unfinished_name = "next.tmp";
constexpr std::size_t name_digits = 20;
constexpr std::uint64_t first_segment_bytes = std::uint64_t{4} << 20;
constexpr std::array<std::uint8_t, entry_alignment> zeros{};

template <class Header>
ByteView bytes_of(const Header& header) {
    return {reinterpret_cast<const std::uint8_t*>(&header), sizeof header};
}

// The segments' first entries, in order. A foreign *.segment is refused: it may be someone's only copy.
Result<std::vector<std::uint64_t>> list_segments(Disk& disk, const std::filesystem::path& directory) {
    JZ_TRY(const auto names, disk.list(directory));
    std::vector<std::uint64_t> segments;
    for (const std::string& name : names) {
        if (name == unfinished_name) {
            JZ_CHECK(disk.remove(directory / name));
        } else if (const auto first_entry = parse_segment_name(name)) {
            segments.push_back(*first_entry);
        } else if (name.ends_with(segment_suffix)) {
            return Error(ErrorKind::corrupt, "journal damaged: " + (directory / name).string() +
                                                 " is not a segment's name; move the file elsewhere");
        }
    }
    return segments;
}

}  // namespace

std::string segment_name(std::uint64_t first_entry) {
    const std::string digits = std::to_string(first_entry);
    return std::string(name_digits - digits.size(), '0') + digits + std::string(segment_suffix);
}

std::optional<std::uint64_t> parse_segment_name(std::string_view name) {
    if (name.size() != name_digits + segment_suffix.size() || !name.ends_with(segment_suffix)) return std::nullopt;
    std::uint64_t value = 0;
    for (const char digit : name.substr(0, name_digits)) {
        if (digit < '0' || digit > '9') return std::nullopt;
        const auto next = value * 10 + static_cast<std::uint64_t>(digit - '0');
        if (next / 10 != value) return std::nullopt;
        value = next;
    }
    return value == 0 ? std::nullopt : std::optional(value);
}

Journal::Journal(const JournalOptions& options, Disk& disk)
    : directory_(options.directory),
      segment_bytes_((options.segment_bytes + entry_alignment - 1) / entry_alignment * entry_alignment),
      segments_ahead_(options.segments_ahead),
      disk_(disk) {}

Journal::~Journal() = default;

std::filesystem::path Journal::segment_path(std::uint64_t first_entry) const {
    return directory_ / segment_name(first_entry);
}

Result<std::unique_ptr<Journal>> Journal::open(const JournalOptions& options, const Visitor& visit,
                                               const FindStart& find_start) {
    Disk& disk = options.disk != nullptr ? *options.disk : system_disk();
    std::unique_ptr<Journal> journal(new Journal(options, disk));
    JZ_CHECK(disk.make_directory(options.directory));
    JZ_CHECK(disk.sync_directory(std::filesystem::absolute(options.directory).parent_path()));
    JZ_TRY(journal->lock_, disk.lock(options.directory));
    JZ_CHECK(journal->recover(visit, find_start));
    return journal;
}

Result<> Journal::recover(const Visitor& visit, const FindStart& find_start) {
    JZ_TRY(const auto segments, list_segments(disk_, directory_));
    Chain chain;
    KnownEntry last_entry;
    std::optional<Position> resume;
    if (const auto start = find_start ? find_start() : std::nullopt) {
        last_entry = *start;
        chain = {start->position.entry + 1, start->hash};
        resume = {chain.next_entry, start->position.segment, start->position.offset + start->extent};
    }
    std::uint64_t later = 0;  // bytes in segments behind the one that is read
    const Visitor visit_and_note = [&](const EntryView& entry) {
        last_entry.position = entry.position;
        last_entry.extent = entry_extent(entry.payload.size());
        EntryView with_more = entry;
        with_more.to_come += later;
        return visit(with_more);
    };
    for (const std::uint64_t first_entry : segments) {
        if (resume && first_entry < resume->segment) continue;
        const auto path = segment_path(first_entry);
        const bool resumes = resume && first_entry == resume->segment;
        if (!resumes && first_entry != chain.next_entry) {
            JZ_CHECK(check_archive(disk_, directory_, chain.next_entry));
            return Error(ErrorKind::corrupt, "journal damaged: entry " + std::to_string(chain.next_entry) +
                                                 " must come next, but the next file is " + path.string() +
                                                 "; restore the missing segment from a copy");
        }
        const bool last = first_entry == segments.back();
        // As if all were of the usual size, and the last of them, which is not full, half.
        const auto segments_left =
            static_cast<std::uint64_t>(segments.end() - std::ranges::find(segments, first_entry)) - 1;
        later = segments_left * segment_bytes_ - (last ? 0 : segment_bytes_ / 2);
        JZ_TRY(auto file, disk_.open(path, last ? Disk::Mode::read_write : Disk::Mode::read));
        JZ_TRY(auto scan,
               scan_segment(std::move(file), path, last, chain, visit_and_note, resumes ? &*resume : nullptr));
        if (!last) continue;
        file_ = std::move(scan.file);
        segment_ = first_entry;
        segment_size_ = scan.segment_size;
        offset_ = scan.end;
        if (scan.torn) {
            recovery_ = {0, scan.torn_bytes, path.string(), scan.end};
            JZ_CHECK(cut(path, scan.segment_size, scan.end));
        } else if (scan.file_size < scan.segment_size) {
            JZ_CHECK(file_->preallocate(scan.segment_size));
            JZ_CHECK(file_->sync_all());
        }
    }
    recovery_.entries = chain.next_entry - 1;
    previous_hash_ = chain.previous_hash;
    last_entry.hash = chain.previous_hash;
    if (recovery_.entries > 0) last_at_open_ = last_entry;
    durable_entry_.store(recovery_.entries, std::memory_order_release);
    if (file_ == nullptr) return roll(0);
    // What was read may sit in the page cache only: a killed process's last write was never synced, and its segment may
    // have a name that is not durable. Readers and the ledger will rely on it, so it is made durable now.
    JZ_CHECK(disk_.sync_directory(directory_));
    if (offset_ > sizeof(SegmentHeader)) JZ_CHECK(rewrite(offset_ - last_entry.extent, last_entry.extent));
    JZ_CHECK(file_->sync_data());
    file_->prefer_direct();
    return {};
}

// After a failed sync Linux takes the pages for clean: what is in the cache is not on the disk, and syncing again does
// nothing. Writing the last entry once more, the only one that can be concerned, makes it dirty.
Result<> Journal::rewrite(std::uint64_t offset, std::uint64_t size) {
    Bytes bytes(static_cast<std::size_t>(size));
    JZ_TRY(const std::size_t got, file_->read_at(offset, bytes));
    if (got != bytes.size())
        return Error(ErrorKind::io, "read " + segment_path(segment_).string() + ": came back short");
    const std::array<ByteView, 1> parts{bytes};
    return file_->write_at(offset, parts);
}

Result<> Journal::cut(const std::filesystem::path& path, std::uint64_t segment_size, std::uint64_t offset) {
    log::warn(
        "journal: cut a torn tail, left by a crash during a write that was never acknowledged",
        {{"file", path.string()}, {"offset", std::to_string(offset)}, {"bytes", std::to_string(recovery_.torn_bytes)}});
    JZ_CHECK(file_->truncate(offset));
    JZ_CHECK(file_->preallocate(segment_size));
    return file_->sync_all();
}

// From a quarter of this segment until three quarters of it.
void Journal::make_next_segment() {
    const std::uint64_t quarter = segment_size_ / 4;
    if (!segments_ahead_ || offset_ < quarter) return;
    if (next_ == nullptr) next_ = std::make_unique<NextSegment>(disk_, directory_ / unfinished_name, segment_bytes_);
    const std::uint64_t filled = std::min(offset_ - quarter, 2 * quarter);
    next_->allow(low64(uint128{segment_bytes_} * filled / (2 * quarter)));
}

// Starts the segment of the next entry, large enough for an entry of that extent. One that was not made ahead is small,
// because the writer waits for it.
Result<> Journal::roll(std::uint64_t extent) {
    const auto unfinished = directory_ / unfinished_name;
    const std::uint64_t needed = sizeof(SegmentHeader) + extent;
    SegmentHeader header;
    header.first_entry = durable_entry() + 1;
    header.previous_hash = previous_hash_;
    std::unique_ptr<File> file;
    if (next_ != nullptr) {
        // If that failed, it is tried once more here: by now there may be space again.
        if (auto made = next_->take(); made.ok() && needed <= segment_bytes_) file = std::move(made).value();
        next_.reset();
        header.segment_size = segment_bytes_;
    }
    if (file == nullptr) {
        header.segment_size = std::max(std::min(segment_bytes_, first_segment_bytes), needed);
        JZ_TRY(file, make_zeros(disk_, unfinished, header.segment_size));
    }
    header.check = check_of(header);
    file->prefer_direct();
    const std::array parts{bytes_of(header)};
    JZ_CHECK(file->write_at(0, parts));
    JZ_CHECK(file->sync_data());
    JZ_CHECK(disk_.rename(unfinished, segment_path(header.first_entry)));
    JZ_CHECK(disk_.sync_directory(directory_));
    file_ = std::move(file);
    segment_ = header.first_entry;
    segment_size_ = header.segment_size;
    offset_ = sizeof header;
    return {};
}

Error Journal::die(Error cause) {
    log::error("journal: stopped taking writes", {{"cause", cause.to_string()}});
    const std::lock_guard guard(failure_mutex_);
    failure_ = cause;
    return cause;
}

std::optional<Error> Journal::failure() const {
    const std::lock_guard guard(failure_mutex_);
    return failure_;
}

Result<Position> Journal::append(Timestamp timestamp, ByteView payload) {
    if (payload.size() > max_payload_bytes) {
        return Error(ErrorKind::too_large,
                     "a journal entry holds at most " + std::to_string(max_payload_bytes) + " bytes");
    }
    if (const auto dead = failure()) {
        return Error(ErrorKind::unavailable, "the journal stopped (" + dead->message() + "); restart to recover");
    }
    const std::uint64_t extent = entry_extent(payload.size());
    if (extent > segment_size_ - offset_) {
        if (auto rolled = roll(extent); !rolled.ok()) {
            const Error cause = die(std::move(rolled).error().in("start a journal segment"));
            return Error(ErrorKind::unavailable,
                         "the journal stopped (" + cause.message() + "); free space and restart");
        }
    }
    const Position position{durable_entry() + 1, segment_, offset_};
    EntryHeader header;
    header.entry = position.entry;
    header.timestamp = timestamp.ns;
    header.payload_size = static_cast<std::uint32_t>(payload.size());
    header.previous_hash = previous_hash_;
    header.check = check_of(header);
    const ByteView padding = ByteView(zeros).first(entry_padding(payload.size()));
    std::array<ByteView, 4> parts{bytes_of(header), payload, padding, {}};
    const Hash hash = hash_of(std::span(parts).first(3));
    parts[3] = hash;
    if (auto written = file_->write_at(offset_, parts); !written.ok()) return die(std::move(written).error());
    if (auto synced = file_->sync_data(); !synced.ok()) return die(std::move(synced).error());
    previous_hash_ = hash;
    offset_ += extent;
    make_next_segment();
    durable_entry_.store(position.entry, std::memory_order_release);
    return position;
}

namespace {

// One entry, checked by itself, with everything that it fills.
Result<Bytes> read_extent(Disk& disk, const std::filesystem::path& directory, const Position& position) {
    constexpr std::size_t usual_bytes = std::size_t{64} * 1024;
    const auto path = directory / segment_name(position.segment);
    const auto damaged = [&](const std::string& cause) {
        return Error(ErrorKind::corrupt, "journal damaged: " + path.string() + " at offset " +
                                             std::to_string(position.offset) + ": " + cause);
    };
    JZ_TRY(const auto file, disk.open(path, Disk::Mode::read));
    Bytes bytes(usual_bytes);
    JZ_TRY(std::size_t got, file->read_at(position.offset, bytes));
    const auto header = decode_entry_header(ByteView(bytes).first(got), position.entry, nullptr);
    if (!header.ok()) return damaged(header.error().message());
    const auto extent = static_cast<std::size_t>(entry_extent(header->payload_size));
    bytes.resize(extent);
    if (extent > got) {
        JZ_TRY(const std::size_t more, file->read_at(position.offset + got, ByteSpan(bytes).subspan(got)));
        got += more;
    }
    if (got < extent) return damaged("the file ends inside the entry");
    const std::array hashed{ByteView(bytes).first(extent - sizeof(Hash))};
    if (!std::ranges::equal(hash_of(hashed), ByteView(bytes).last(sizeof(Hash))))
        return damaged("the entry fails its hash");
    return bytes;
}

}  // namespace

Result<Bytes> read_entry(Disk& disk, const std::filesystem::path& directory, const Position& position) {
    JZ_TRY(Bytes bytes, read_extent(disk, directory, position));
    EntryHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    bytes.resize(sizeof header + header.payload_size);
    bytes.erase(bytes.begin(), bytes.begin() + sizeof header);
    return bytes;
}

Result<> check_known_entry(Disk& disk, const std::filesystem::path& directory, const KnownEntry& known) {
    JZ_TRY(const Bytes bytes, read_extent(disk, directory, known.position));
    if (bytes.size() == known.extent && std::ranges::equal(ByteView(bytes).last(sizeof(Hash)), known.hash)) return {};
    return Error(ErrorKind::corrupt, "entry " + std::to_string(known.position.entry) + " of the journal is another");
}

Result<KnownEntry> find_entry(Disk& disk, const std::filesystem::path& directory, const Position& position) {
    JZ_TRY(const Bytes bytes, read_extent(disk, directory, position));
    KnownEntry known{position, bytes.size(), {}};
    std::ranges::copy(ByteView(bytes).last(sizeof(Hash)), known.hash.begin());
    return known;
}

Result<Bytes> read_payload_part(File& segment, const Position& position, std::uint64_t offset, std::size_t bytes) {
    Bytes part(bytes);
    const std::uint64_t at = position.offset + sizeof(EntryHeader) + offset;
    JZ_TRY(const std::size_t got, segment.read_at(at, part));
    if (got == bytes) return part;
    return Error(ErrorKind::corrupt, "journal damaged: " + segment_name(position.segment) + " ends before offset " +
                                         std::to_string(at + bytes) + ", inside an entry");
}

Reader Journal::read(Position from) const {
    return {*this, from};
}

}  // namespace jiaozi::storage
