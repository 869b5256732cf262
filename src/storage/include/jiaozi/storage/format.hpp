// The bytes of a journal segment, as specified in docs/formats/journal.md, part 1. Names are the page's names.
// Pure functions of bytes; safe on hostile input.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::storage {

static_assert(std::endian::native == std::endian::little, "persisted structs are little-endian");

using Hash = std::array<std::uint8_t, 32>;

inline constexpr std::array<std::uint8_t, 8> segment_magic = {'J', 'Z', 'J', 'R', 'N', 'L', '\r', '\n'};
inline constexpr std::uint32_t segment_version = 2;
inline constexpr std::uint32_t entry_magic = 0x4E455A4A;
inline constexpr std::uint16_t entry_version = 2;
inline constexpr std::uint64_t sector_bytes = 512;
inline constexpr std::uint64_t entry_alignment = sector_bytes;  // so that entries can be written around the page cache
inline constexpr std::size_t max_payload_bytes = std::size_t{64} * 1024 * 1024;

struct SegmentHeader {
    std::array<std::uint8_t, 8> magic = segment_magic;
    std::uint32_t version = segment_version;
    std::uint32_t header_size = 512;
    std::uint64_t first_entry = 0;
    std::uint64_t segment_size = 0;
    Hash previous_hash{};
    std::array<std::uint8_t, 440> reserved{};
    std::uint64_t check = 0;
};
static_assert(sizeof(SegmentHeader) == sector_bytes && std::is_trivially_copyable_v<SegmentHeader> &&
              std::has_unique_object_representations_v<SegmentHeader>);

struct EntryHeader {
    std::uint32_t magic = entry_magic;
    std::uint16_t version = entry_version;
    std::uint16_t reserved_6 = 0;
    std::uint64_t entry = 0;
    std::uint64_t timestamp = 0;
    std::uint32_t payload_size = 0;
    std::uint32_t reserved_28 = 0;
    Hash previous_hash{};
    std::uint64_t reserved_64 = 0;
    std::uint64_t check = 0;
};
static_assert(sizeof(EntryHeader) == 80 && std::is_trivially_copyable_v<EntryHeader> &&
              std::has_unique_object_representations_v<EntryHeader>);
static_assert(offsetof(EntryHeader, previous_hash) == 32 && offsetof(EntryHeader, check) == 72);
static_assert(sizeof(SegmentHeader) % entry_alignment == 0 && entry_alignment % sector_bytes == 0,
              "an entry fills whole sectors: a crash leaves its header whole or absent, and never touches a neighbour");

// The bytes an entry fills: header, payload, padding and hash.
constexpr std::uint64_t entry_extent(std::uint64_t payload_size) noexcept {
    const std::uint64_t size = sizeof(EntryHeader) + payload_size + sizeof(Hash);
    return (size + entry_alignment - 1) / entry_alignment * entry_alignment;
}
// The zeros between payload and hash.
constexpr std::size_t entry_padding(std::uint64_t payload_size) noexcept {
    return static_cast<std::size_t>(entry_extent(payload_size) - sizeof(EntryHeader) - payload_size - sizeof(Hash));
}

std::uint64_t check_of(const SegmentHeader& header);
std::uint64_t check_of(const EntryHeader& header);

// The hash that ends an entry: SHA-256 over the parts, in order.
Hash hash_of(std::span<const ByteView> parts);

// corrupt, with the cause; the caller adds file and offset. `bytes` must hold at least the header (else corrupt).
Result<SegmentHeader> decode_segment_header(ByteView bytes);
// As above; for an entry header, also against what must come next.
Result<EntryHeader> decode_entry_header(ByteView bytes, std::uint64_t expected_entry, const Hash* previous_hash);

// Whether a header at this place is whole by its own check (magic and check only).
bool plausible_entry_header(ByteView bytes);

bool all_zero(ByteView bytes) noexcept;

}  // namespace jiaozi::storage
