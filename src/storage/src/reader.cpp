#include <algorithm>
#include <array>
#include <string>

#include <jiaozi/storage/journal.hpp>

#include "window.hpp"

namespace jiaozi::storage {

Reader::Reader(const Journal& journal, Position from) : journal_(&journal), position_(from) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

KnownEntry Reader::last() const {
    JZ_ASSERT(previous_hash_.has_value());
    return {last_, position_.offset - last_.offset, *previous_hash_};
}

Result<> Reader::open_segment(std::uint64_t first_entry) {
    const auto path = journal_->segment_path(first_entry);
    JZ_TRY(auto file, journal_->disk_.open(path, Disk::Mode::read));
    auto window = std::make_unique<Window>(std::move(file));
    const std::uint64_t durable = journal_->durable_entry();
    JZ_TRY(const ByteView bytes, window->at(0, sizeof(SegmentHeader)));
    auto header = decode_segment_header(bytes);
    if (!header.ok()) return std::move(header).error().in("read " + path.string());
    segment_size_ = header->segment_size;
    window_ = std::move(window);
    window_durable_ = durable;
    return {};
}

// False if the entry wanted is not in this segment: zeros stand at its place, or the segment is full.
Result<bool> Reader::entry_starts_here() {
    if (position_.offset + sizeof(EntryHeader) > segment_size_) return false;
    JZ_TRY(const ByteView bytes, window_->at(position_.offset, sizeof(EntryHeader)));
    return !all_zero(bytes);
}

Result<std::optional<EntryView>> Reader::next() {
    const std::uint64_t durable = journal_->durable_entry();
    if (position_.entry > durable) return std::optional<EntryView>();
    if (window_ == nullptr) JZ_CHECK(open_segment(position_.segment));
    if (position_.entry > window_durable_) {
        window_->forget();
        window_durable_ = durable;
    }
    JZ_TRY(const bool here, entry_starts_here());
    if (!here) {
        position_.segment = position_.entry;
        position_.offset = sizeof(SegmentHeader);
        JZ_CHECK(open_segment(position_.segment));
    }
    const auto damaged = [&](const std::string& cause) {
        return Error(ErrorKind::corrupt, "journal damaged: " + journal_->segment_path(position_.segment).string() +
                                             " at offset " + std::to_string(position_.offset) + ": " + cause);
    };
    JZ_TRY(const ByteView header_bytes, window_->at(position_.offset, sizeof(EntryHeader)));
    const auto header = decode_entry_header(header_bytes, position_.entry, previous_hash_ ? &*previous_hash_ : nullptr);
    if (!header.ok()) return damaged(header.error().message());
    const std::uint64_t extent = entry_extent(header->payload_size);
    if (extent > segment_size_ - position_.offset) return damaged("the entry does not fit its segment");
    JZ_TRY(const ByteView bytes, window_->at(position_.offset, static_cast<std::size_t>(extent)));
    const std::array parts{bytes.first(bytes.size() - sizeof(Hash))};
    const Hash hash = hash_of(parts);
    if (!std::ranges::equal(hash, bytes.last(sizeof(Hash)))) return damaged("the entry fails its hash");
    const EntryView view{position_, Timestamp{header->timestamp},
                         bytes.subspan(sizeof(EntryHeader), header->payload_size)};
    previous_hash_ = hash;
    last_ = position_;
    ++position_.entry;
    position_.offset += extent;
    return std::optional<EntryView>(view);
}

}  // namespace jiaozi::storage
