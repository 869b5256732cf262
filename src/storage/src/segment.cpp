#include <algorithm>
#include <array>
#include <string>

#include <jiaozi/storage/segment.hpp>

#include "window.hpp"

namespace jiaozi::storage {

namespace {

Error damaged(const std::filesystem::path& path, std::uint64_t offset, const std::string& cause) {
    return Error(ErrorKind::corrupt, "journal damaged: " + path.string() + " at offset " + std::to_string(offset) +
                                         ": " + cause + ". Nothing was changed; restore the file from a copy");
}

// The hash an entry must end with, given its whole extent.
bool hash_verifies(ByteView extent) {
    const std::array parts{extent.first(extent.size() - sizeof(Hash))};
    return std::ranges::equal(hash_of(parts), extent.last(sizeof(Hash)));
}

class SegmentReader {
  public:
    SegmentReader(Window& window, const std::filesystem::path& path, std::uint64_t size)
        : window_(window), path_(path), size_(size) {}

    // The first byte that is not zero in [from, size), or `size`.
    Result<std::uint64_t> first_nonzero(std::uint64_t from) {
        while (from < size_) {
            const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(size_ - from, 64 * 1024));
            JZ_TRY(const ByteView bytes, window_.at(from, step));
            if (!all_zero(bytes)) {
                const auto found = std::ranges::find_if(bytes, [](std::uint8_t byte) { return byte != 0; });
                return from + static_cast<std::uint64_t>(found - bytes.begin());
            }
            from += step;
        }
        return size_;
    }

    // The end of the last byte that is not zero at or after `from`.
    Result<std::uint64_t> nonzero_end(std::uint64_t from) {
        std::uint64_t end = from;
        for (std::uint64_t at = from; at < size_; at += sector_bytes) {
            JZ_TRY(const ByteView bytes, window_.at(at, static_cast<std::size_t>(std::min(size_ - at, sector_bytes))));
            for (std::size_t i = bytes.size(); i > 0; --i) {
                if (bytes[i - 1] != 0) {
                    end = at + i;
                    break;
                }
            }
        }
        return end;
    }

    // The offset of a whole entry at or after `from`, or `size`.
    Result<std::uint64_t> whole_entry_after(std::uint64_t from) {
        for (std::uint64_t at = from; at + sizeof(EntryHeader) <= size_; at += entry_alignment) {
            JZ_TRY(const ByteView bytes, window_.at(at, sizeof(EntryHeader)));
            if (!plausible_entry_header(bytes)) continue;
            EntryHeader header;
            std::copy_n(bytes.data(), sizeof header, reinterpret_cast<std::uint8_t*>(&header));
            if (header.payload_size > max_payload_bytes || entry_extent(header.payload_size) > size_ - at) continue;
            JZ_TRY(const ByteView extent, window_.at(at, static_cast<std::size_t>(entry_extent(header.payload_size))));
            if (hash_verifies(extent)) return at;
        }
        return size_;
    }

    // Whether an aligned sector wholly inside [begin, end) was never written.
    Result<bool> has_zero_sector(std::uint64_t begin, std::uint64_t end) {
        const std::uint64_t first = (begin + sector_bytes - 1) / sector_bytes * sector_bytes;
        for (std::uint64_t at = first; at + sector_bytes <= end; at += sector_bytes) {
            JZ_TRY(const ByteView sector, window_.at(at, sector_bytes));
            if (all_zero(sector)) return true;
        }
        return false;
    }

    // What does not check at `offset` is in the last segment: returns if it is a torn tail, else the Error.
    // `extent` is that of a header which is right in everything, zero if the header is not whole.
    Result<> judge_tail(std::uint64_t offset, std::uint64_t extent, const std::string& cause) {
        const std::uint64_t after = offset + (extent > 0 ? extent : entry_alignment);
        JZ_TRY(const std::uint64_t whole, whole_entry_after(after));
        if (whole < size_) {
            return damaged(path_, offset, cause + "; a whole entry follows at offset " + std::to_string(whole));
        }
        if (extent > 0) {
            JZ_TRY(const std::uint64_t beyond, first_nonzero(after));
            if (beyond < size_) {
                return damaged(path_, offset, cause + "; something follows at offset " + std::to_string(beyond));
            }
            JZ_TRY(const ByteView last_byte, window_.at(after - 1, 1));
            if (last_byte[0] == 0) return {};
            JZ_TRY(const bool unwritten, has_zero_sector(offset, after));
            if (unwritten) return {};
            return damaged(path_, offset, cause + ", though it was written to its end");
        }
        const std::uint64_t header_end = offset + sizeof(EntryHeader);
        JZ_TRY(const std::uint64_t beyond, first_nonzero(std::min(header_end - 1, size_)));
        if (beyond == size_) return {};
        const std::uint64_t boundary = std::min((offset / sector_bytes + 1) * sector_bytes, size_);
        JZ_TRY(const std::uint64_t nonzero, first_nonzero(offset));
        if (nonzero >= boundary) return {};
        return damaged(path_, offset, cause);
    }

  private:
    Window& window_;
    const std::filesystem::path& path_;
    const std::uint64_t size_;
};

Result<SegmentHeader> read_segment_header(Window& window, const std::filesystem::path& path, const Chain& chain,
                                          const Position* resume) {
    JZ_TRY(const ByteView bytes, window.at(0, sizeof(SegmentHeader)));
    auto header = decode_segment_header(bytes);
    if (!header.ok()) return damaged(path, 0, header.error().message());
    if (resume != nullptr) {
        if (header->first_entry == resume->segment && resume->offset <= header->segment_size) return header;
        return damaged(path, 16, "the segment's header is not that of its name");
    }
    if (header->first_entry != chain.next_entry) {
        return damaged(path, 16,
                       "the segment starts with entry " + std::to_string(header->first_entry) + ", but entry " +
                           std::to_string(chain.next_entry) + " must come next");
    }
    if (header->previous_hash != chain.previous_hash) {
        return damaged(path, 32, "the hash chain breaks: the segment does not follow the one before it");
    }
    return header;
}

}  // namespace

Result<SegmentScan> scan_segment(std::unique_ptr<File> file, const std::filesystem::path& path, bool last, Chain& chain,
                                 const Journal::Visitor& visit, const Position* resume) {
    constexpr std::uint64_t ahead = std::uint64_t{1} << 20;
    Window window(std::move(file), ahead);
    SegmentScan scan;
    JZ_TRY(scan.file_size, window.file().size());
    JZ_TRY(const SegmentHeader segment, read_segment_header(window, path, chain, resume));
    scan.segment_size = segment.segment_size;
    if (scan.file_size > segment.segment_size) {
        return damaged(path, segment.segment_size, "the file is longer than its header says");
    }
    // Past the end of a shortened file everything reads as zeros, so nothing there need be looked at.
    const std::uint64_t size = segment.segment_size;
    SegmentReader reader(window, path,
                         std::min(size, (scan.file_size + entry_alignment - 1) / entry_alignment * entry_alignment));

    std::uint64_t offset = resume != nullptr ? resume->offset : sizeof(SegmentHeader);
    for (; offset + sizeof(EntryHeader) <= size;) {
        JZ_TRY(const ByteView header_bytes, window.at(offset, sizeof(EntryHeader)));
        std::uint64_t extent = 0;
        std::string cause;
        if (plausible_entry_header(header_bytes)) {
            const auto header = decode_entry_header(header_bytes, chain.next_entry, &chain.previous_hash);
            if (!header.ok()) return damaged(path, offset, header.error().message());
            extent = entry_extent(header->payload_size);
            if (extent > size - offset) return damaged(path, offset, "the entry does not fit its segment");
            JZ_TRY(const ByteView bytes, window.at(offset, static_cast<std::size_t>(extent)));
            if (hash_verifies(bytes)) {
                const ByteView payload = bytes.subspan(sizeof(EntryHeader), header->payload_size);
                const ByteView padding =
                    bytes.subspan(sizeof(EntryHeader) + payload.size(), entry_padding(payload.size()));
                if (!all_zero(padding)) return damaged(path, offset, "the entry's padding is not zero");
                std::copy_n(bytes.end() - sizeof(Hash), sizeof(Hash), chain.previous_hash.begin());
                const Position position{header->entry, segment.first_entry, offset};
                offset += extent;
                JZ_CHECK(visit(EntryView{position, Timestamp{header->timestamp}, payload, last ? 0 : size - offset}));
                ++chain.next_entry;
                continue;
            }
            cause = "entry " + std::to_string(header->entry) + " fails its hash";
        } else {
            JZ_TRY(const std::uint64_t nonzero, reader.first_nonzero(offset));
            if (nonzero >= std::min(size, scan.file_size)) break;
            cause = "entry " + std::to_string(chain.next_entry) + " has no whole header";
        }
        if (!last) return damaged(path, offset, cause + ", and later segments exist");
        JZ_CHECK(reader.judge_tail(offset, extent, cause));
        JZ_TRY(const std::uint64_t end, reader.nonzero_end(offset));
        scan.torn = true;
        scan.torn_bytes = end - offset;
        break;
    }
    scan.end = offset;
    scan.file = std::move(window).release();
    return scan;
}

}  // namespace jiaozi::storage
