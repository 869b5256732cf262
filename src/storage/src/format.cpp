#include <algorithm>
#include <cstring>

#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/storage/format.hpp>

namespace jiaozi::storage {

namespace {

std::uint64_t check_of_bytes(ByteView bytes) {
    const crypto::Digest digest = crypto::sha256(bytes);
    std::uint64_t check = 0;
    std::memcpy(&check, digest.data(), sizeof check);
    return check;
}

template <class Header>
std::uint64_t check_before_end(const Header& header) {
    std::array<std::uint8_t, sizeof(Header)> bytes;
    std::memcpy(bytes.data(), &header, sizeof header);
    return check_of_bytes(ByteView(bytes).first(offsetof(Header, check)));
}

template <class Header>
bool read_header(ByteView bytes, Header& header) {
    if (bytes.size() < sizeof header) return false;
    std::memcpy(&header, bytes.data(), sizeof header);
    return true;
}

Error corrupt(std::string cause) {
    return Error(ErrorKind::corrupt, std::move(cause));
}

}  // namespace

std::uint64_t check_of(const SegmentHeader& header) {
    return check_before_end(header);
}
std::uint64_t check_of(const EntryHeader& header) {
    return check_before_end(header);
}

Hash hash_of(std::span<const ByteView> parts) {
    crypto::Sha256 hash;
    for (const ByteView part : parts) hash.update(part);
    return hash.finish();
}

bool all_zero(ByteView bytes) noexcept {
    // memcmp of the range with itself shifted by one runs at memory speed.
    return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

Result<SegmentHeader> decode_segment_header(ByteView bytes) {
    SegmentHeader header;
    if (!read_header(bytes, header)) return corrupt("the file is shorter than a segment header");
    if (header.magic != segment_magic) return corrupt("not a journal segment (wrong magic)");
    if (header.version == 1) {
        // Its check stands elsewhere, so it is told before that is looked at.
        return corrupt("a segment of version 1, which this program no longer reads; use the release that wrote it");
    }
    if (header.check != check_of(header)) return corrupt("the segment header fails its check");
    if (header.version != segment_version) {
        return corrupt("segment version " + std::to_string(header.version) + ", but this program reads version " +
                       std::to_string(segment_version));
    }
    if (header.header_size != sizeof header || !all_zero(header.reserved))
        return corrupt("the segment header has unknown fields");
    if (header.first_entry == 0) return corrupt("the segment header's first entry is zero");
    if (header.segment_size < sizeof header || header.segment_size % entry_alignment != 0) {
        return corrupt("the segment header's size is impossible");
    }
    return header;
}

bool plausible_entry_header(ByteView bytes) {
    EntryHeader header;
    return read_header(bytes, header) && header.magic == entry_magic && header.check == check_of(header);
}

Result<EntryHeader> decode_entry_header(ByteView bytes, std::uint64_t expected_entry, const Hash* previous_hash) {
    EntryHeader header;
    if (!read_header(bytes, header)) return corrupt("the file ends inside an entry header");
    if (header.magic != entry_magic) return corrupt("no entry starts here (wrong magic)");
    if (header.check != check_of(header)) return corrupt("the entry header fails its check");
    if (header.version != entry_version) {
        return corrupt("entry version " + std::to_string(header.version) + ", but this program reads version " +
                       std::to_string(entry_version));
    }
    if (header.reserved_6 != 0 || header.reserved_28 != 0 || header.reserved_64 != 0) {
        return corrupt("the entry header has unknown fields");
    }
    if (header.entry != expected_entry) {
        return corrupt("entry " + std::to_string(header.entry) + " stands where entry " +
                       std::to_string(expected_entry) + " must be");
    }
    if (header.payload_size > max_payload_bytes) return corrupt("the entry's payload size is impossible");
    if (previous_hash != nullptr && header.previous_hash != *previous_hash) {
        return corrupt("the hash chain breaks: entry " + std::to_string(header.entry) +
                       " does not follow the entry before it");
    }
    return header;
}

}  // namespace jiaozi::storage
