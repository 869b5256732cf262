#include "damage.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <span>

#include <jiaozi/storage/format.hpp>

namespace jiaozi::proof {
namespace {

// How many bytes may be hashed in the search: some seconds' worth.
constexpr std::uint64_t search_bytes = std::uint64_t{4} * 1024 * 1024 * 1024;

struct Change {
    std::size_t at = 0;
    std::uint8_t value = 0;
};

// The one byte, and its value, that makes `right` true. Flipped bits are tried before other values.
std::optional<Change> one_change(Bytes& bytes, std::size_t begin, std::size_t end, bool bits_only,
                                 const std::function<bool()>& right) {
    const auto tried = [&](std::size_t at, std::uint8_t value) {
        const std::uint8_t kept = std::exchange(bytes[at], value);
        const bool found = right();
        bytes[at] = kept;
        return found;
    };
    for (std::size_t at = begin; at < end; ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            const auto value = static_cast<std::uint8_t>(bytes[at] ^ (1U << bit));
            if (tried(at, value)) return Change{at, value};
        }
    }
    for (std::size_t at = begin; at < end && !bits_only; ++at) {
        for (unsigned value = 0; value < 256; ++value) {
            if (value != bytes[at] && tried(at, static_cast<std::uint8_t>(value)))
                return Change{at, static_cast<std::uint8_t>(value)};
        }
    }
    return std::nullopt;
}

void found(Damage& damage, std::uint64_t offset, const Change& change) {
    damage.offset = offset + change.at;
    damage.exact = true;
    damage.should_be = change.value;
}

bool is_segment_header(ByteView bytes, const storage::Chain& chain) {
    const auto header = storage::decode_segment_header(bytes);
    return header.ok() && header->first_entry == chain.next_entry && header->previous_hash == chain.previous_hash;
}

void locate_in_segment_header(ByteView segment, const storage::Chain& chain, Damage& damage) {
    Bytes header = to_bytes(segment.first(sizeof(storage::SegmentHeader)));
    damage.end = header.size();
    const auto change = one_change(header, 0, header.size(), false, [&] { return is_segment_header(header, chain); });
    if (change) found(damage, 0, *change);
}

// A byte that is not zero where nothing has been written yet.
bool locate_in_zeros(ByteView rest, std::uint64_t offset, Damage& damage) {
    const auto written = [](std::uint8_t byte) { return byte != 0; };
    const auto first = std::ranges::find_if(rest, written);
    if (first == rest.end() || std::find_if(first + 1, rest.end(), written) != rest.end()) return false;
    found(damage, offset, {static_cast<std::size_t>(first - rest.begin()), 0});
    return true;
}

void locate_in_body(ByteView bytes, std::uint64_t offset, Damage& damage) {
    Bytes body = to_bytes(bytes.first(bytes.size() - sizeof(storage::Hash)));
    const ByteView stored = bytes.last(sizeof(storage::Hash));
    const ByteView view(body);
    const storage::Hash computed = storage::hash_of(std::span(&view, 1));
    const auto differs = std::ranges::mismatch(computed, stored);
    if (std::equal(differs.in1 + 1, computed.end(), differs.in2 + 1)) {
        const auto at = static_cast<std::size_t>(differs.in1 - computed.begin());
        found(damage, offset, {body.size() + at, computed[at]});
        return;
    }
    const std::uint64_t squared = static_cast<std::uint64_t>(body.size()) * body.size();
    if (squared * 8 > search_bytes) return;
    const auto change = one_change(body, sizeof(storage::EntryHeader), body.size(), squared * 256 > search_bytes,
                                   [&] { return equal(storage::hash_of(std::span(&view, 1)), stored); });
    if (change) found(damage, offset, *change);
}

}  // namespace

void locate(ByteView segment, std::uint64_t offset, const storage::Chain& chain, Damage& damage) {
    damage.offset = offset;
    damage.end = offset;
    if (offset == 0) {
        if (segment.size() >= sizeof(storage::SegmentHeader)) locate_in_segment_header(segment, chain, damage);
        return;
    }
    if (offset + sizeof(storage::EntryHeader) > segment.size()) return;
    const ByteView rest = segment.subspan(static_cast<std::size_t>(offset));
    Bytes header = to_bytes(rest.first(sizeof(storage::EntryHeader)));
    damage.end = offset + header.size();
    auto decoded = storage::decode_entry_header(header, chain.next_entry, &chain.previous_hash);
    if (!decoded.ok()) {
        if (locate_in_zeros(rest, offset, damage)) return;
        const auto change = one_change(header, 0, header.size(), false, [&] {
            return storage::decode_entry_header(header, chain.next_entry, &chain.previous_hash).ok();
        });
        if (change) found(damage, offset, *change);
        return;
    }
    const std::uint64_t extent = storage::entry_extent(decoded->payload_size);
    if (extent > rest.size()) return;
    damage.end = offset + extent;
    locate_in_body(rest.first(static_cast<std::size_t>(extent)), offset, damage);
}

}  // namespace jiaozi::proof
