#include <algorithm>
#include <cstring>
#include <utility>

#include <jiaozi/storage/snapshot.hpp>

namespace jiaozi::storage {

namespace {

constexpr std::string_view suffix = ".snapshot";
constexpr std::size_t name_digits = 20;
constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
constexpr std::uint64_t sync_every = std::uint64_t{16} << 20;
constexpr std::uint64_t max_section_bytes = std::uint64_t{1} << 40;

template <class Header>
ByteView bytes_of(const Header& header) {
    return {reinterpret_cast<const std::uint8_t*>(&header), sizeof header};
}

Error corrupt(std::string cause) {
    return Error(ErrorKind::corrupt, std::move(cause));
}

bool plausible(const SnapshotTip& tip) {
    return tip.sequence != 0 && tip.segment != 0 && tip.entry >= tip.segment && tip.offset >= sizeof(SegmentHeader) &&
           tip.offset % entry_alignment == 0 && tip.extent != 0 && tip.extent % entry_alignment == 0 &&
           tip.extent <= entry_extent(max_payload_bytes) && tip.offset <= UINT64_MAX - tip.extent;
}

}  // namespace

std::uint64_t check_of(const SnapshotHeader& header) {
    const Hash hash = crypto::sha256(bytes_of(header).first(offsetof(SnapshotHeader, check)));
    std::uint64_t check = 0;
    std::memcpy(&check, hash.data(), sizeof check);
    return check;
}

Result<SnapshotHeader> decode_snapshot_header(ByteView bytes) {
    SnapshotHeader header;
    if (bytes.size() < sizeof header) return corrupt("the file is shorter than a snapshot's header");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.magic != snapshot_magic) return corrupt("not a snapshot (wrong magic)");
    if (header.version != snapshot_version) {
        return corrupt("snapshot version " + std::to_string(header.version) + ", but this program reads version " +
                       std::to_string(snapshot_version));
    }
    if (header.check != check_of(header)) return corrupt("the header fails its check");
    if (header.header_size != sizeof header || header.reserved_108 != 0 || !all_zero(header.reserved_880))
        return corrupt("the header has unknown fields");
    if (!plausible(header.tip)) return corrupt("the header names an entry that cannot be");
    if (header.section_count > max_snapshot_sections) return corrupt("the header has too many sections");
    for (std::size_t i = 0; i < max_snapshot_sections; ++i) {
        const SnapshotSection& section = header.sections[i];
        const bool used = i < header.section_count;
        if (used ? section.kind == 0 || section.reserved_4 != 0 || section.length > max_section_bytes
                 : section != SnapshotSection{})
            return corrupt("the header's table of sections cannot be");
    }
    return header;
}

std::string snapshot_name(std::uint64_t sequence) {
    const std::string digits = std::to_string(sequence);
    return std::string(name_digits - digits.size(), '0') + digits + std::string(suffix);
}

std::optional<std::uint64_t> parse_snapshot_name(std::string_view name) {
    if (name.size() != name_digits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
    std::uint64_t value = 0;
    for (const char digit : name.substr(0, name_digits)) {
        if (digit < '0' || digit > '9') return std::nullopt;
        const auto next = value * 10 + static_cast<std::uint64_t>(digit - '0');
        if (next / 10 != value) return std::nullopt;
        value = next;
    }
    return value == 0 ? std::nullopt : std::optional(value);
}

Result<std::vector<std::uint64_t>> list_snapshots(Disk& disk, const std::filesystem::path& directory) {
    JZ_TRY(const auto names, disk.list(directory));
    std::vector<std::uint64_t> sequences;
    for (const std::string& name : names) {
        if (const auto sequence = parse_snapshot_name(name)) sequences.push_back(*sequence);
    }
    std::ranges::sort(sequences, std::greater());
    return sequences;
}

// ---------------------------------------------------------------- writing

Result<SnapshotWriter> SnapshotWriter::create(Disk& disk, const std::filesystem::path& directory) {
    JZ_CHECK(disk.make_directory(directory));
    JZ_CHECK(disk.sync_directory(std::filesystem::absolute(directory).parent_path()));
    SnapshotWriter writer(disk, directory);
    JZ_TRY(writer.file_, disk.create(directory / unfinished_snapshot));
    writer.buffer_.reserve(buffer_bytes);
    return writer;
}

SnapshotWriter::~SnapshotWriter() {
    if (file_ == nullptr) return;
    file_.reset();
    ignore_error(disk_->remove(directory_ / unfinished_snapshot), "the next opening removes it");
}

void SnapshotWriter::end_section() {
    if (header_.section_count > 0) header_.sections[header_.section_count - 1].checksum = hash_.finish();
    hash_ = crypto::Sha256();
}

Result<> SnapshotWriter::begin(std::uint32_t kind) {
    JZ_ASSERT(kind != 0 && header_.section_count < max_snapshot_sections);
    JZ_CHECK(flush());
    end_section();
    header_.sections[header_.section_count++].kind = kind;
    return {};
}

Result<> SnapshotWriter::write(ByteView bytes) {
    header_.sections[header_.section_count - 1].length += bytes.size();
    while (!bytes.empty()) {
        const ByteView part = bytes.first(std::min(bytes.size(), buffer_bytes - buffer_.size()));
        append(buffer_, part);
        bytes = bytes.subspan(part.size());
        if (buffer_.size() == buffer_bytes) JZ_CHECK(flush());
    }
    return {};
}

Result<> SnapshotWriter::flush() {
    if (buffer_.empty()) return {};
    hash_.update(buffer_);
    const std::array<ByteView, 1> parts{buffer_};
    JZ_CHECK(file_->write_at(offset_, parts));
    offset_ += buffer_.size();
    unsynced_ += buffer_.size();
    buffer_.clear();
    if (unsynced_ < sync_every) return {};
    unsynced_ = 0;
    return file_->sync_data();
}

Result<std::uint64_t> SnapshotWriter::finish(const SnapshotTip& tip) {
    JZ_CHECK(flush());
    end_section();
    header_.tip = tip;
    header_.check = check_of(header_);
    const std::array parts{bytes_of(header_)};
    JZ_CHECK(file_->write_at(0, parts));
    JZ_CHECK(file_->sync_all());
    JZ_CHECK(disk_->rename(directory_ / unfinished_snapshot, directory_ / snapshot_name(tip.sequence)));
    file_.reset();
    JZ_CHECK(disk_->sync_directory(directory_));
    return offset_;
}

// ---------------------------------------------------------------- reading

Error SnapshotReader::damaged(const std::string& cause) const {
    return corrupt("snapshot " + path_.string() + ": " + cause);
}

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::open(Disk& disk, const std::filesystem::path& path) {
    std::unique_ptr<SnapshotReader> reader(new SnapshotReader(path));
    JZ_TRY(reader->file_, disk.open(path, Disk::Mode::read));
    Bytes bytes(sizeof(SnapshotHeader));
    JZ_TRY(const std::size_t got, reader->file_->read_at(0, bytes));
    auto header = decode_snapshot_header(ByteView(bytes).first(got));
    if (!header.ok()) return reader->damaged(header.error().message());
    reader->header_ = *header;
    std::uint64_t size = sizeof(SnapshotHeader);
    for (const SnapshotSection& section : header->sections) size += section.length;
    JZ_TRY(const std::uint64_t file_size, reader->file_->size());
    if (size != file_size) return reader->damaged("the file is not as long as its sections");
    return reader;
}

Result<> SnapshotReader::end_section() {
    if (next_section_ == 0) return {};
    const SnapshotSection& section = header_.sections[next_section_ - 1];
    const std::string name = "section " + std::to_string(section.kind);
    if (ahead_.valid() || unread_ != 0 || taken_ != buffer_.size())
        return damaged(name + " is longer than what it holds");
    if (hash_.finish() != section.checksum) return damaged(name + " fails its checksum");
    return {};
}

Result<std::uint64_t> SnapshotReader::begin(std::uint32_t kind) {
    JZ_CHECK(end_section());
    if (next_section_ == header_.section_count || header_.sections[next_section_].kind != kind)
        return damaged("section " + std::to_string(kind) + " is not where it must be");
    hash_ = crypto::Sha256();
    unread_ = header_.sections[next_section_++].length;
    return std::uint64_t{unread_};
}

Result<Bytes> SnapshotReader::fetch() {
    Bytes block(static_cast<std::size_t>(std::min<std::uint64_t>(buffer_bytes, unread_)));
    JZ_TRY(const std::size_t got, file_->read_at(offset_, block));
    if (got != block.size()) return damaged("a read came back short");
    hash_.update(block);
    offset_ += got;
    unread_ -= got;
    return block;
}

Result<> SnapshotReader::fill() {
    if (ahead_.valid()) {
        JZ_TRY(buffer_, ahead_.get());
    } else if (unread_ > 0) {
        JZ_TRY(buffer_, fetch());
    } else {
        return damaged("a section is shorter than what it must hold");
    }
    taken_ = 0;
    if (unread_ > 0) ahead_ = std::async(std::launch::async, [this] { return fetch(); });
    return {};
}

Result<> SnapshotReader::read(ByteSpan into) {
    while (!into.empty()) {
        if (taken_ == buffer_.size()) JZ_CHECK(fill());
        const std::size_t size = std::min(into.size(), buffer_.size() - taken_);
        std::memcpy(into.data(), buffer_.data() + taken_, size);
        taken_ += size;
        into = into.subspan(size);
    }
    return {};
}

Result<> SnapshotReader::finish() {
    JZ_CHECK(end_section());
    if (next_section_ != header_.section_count) return damaged("it has more sections than there are");
    return {};
}

}  // namespace jiaozi::storage
