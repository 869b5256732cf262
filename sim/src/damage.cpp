#include "damage.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace jiaozi::sim {

namespace {

struct Place {
    const std::string* path;
    const Bytes* content;
};

// Any file that has something in it.
std::optional<Place> any_file(const SimulatedDisk::Image& image, Random& random) {
    std::vector<Place> files;
    for (const auto& [path, content] : image) {
        if (!content.empty()) files.push_back({&path, &content});
    }
    if (files.empty()) return std::nullopt;
    return files[random.below(files.size())];
}

// An offset in a part of the file that has been written, as a rule: most of the last segment is zeros still.
std::uint64_t any_offset(const Bytes& content, Random& random) {
    const auto last = std::find_if(content.rbegin(), content.rend(), [](std::uint8_t byte) { return byte != 0; });
    const auto used = static_cast<std::uint64_t>(std::distance(last, content.rend()));
    return used == 0 || random.chance(10) ? random.below(content.size()) : random.below(used);
}

std::string named(const char* what, const Place& place, std::uint64_t offset) {
    return std::string(what) + " at " + *place.path + ":" + std::to_string(offset);
}

std::string flip_bit(SimulatedDisk& disk, const Place& place, Random& random) {
    const std::uint64_t offset = any_offset(*place.content, random);
    const std::uint8_t byte = (*place.content)[offset];
    auto flipped = static_cast<std::uint8_t>(byte ^ (1U << random.below(8)));
    if (flipped == 0) flipped = static_cast<std::uint8_t>(byte ^ 0xFF);
    disk.overwrite(*place.path, offset, ByteView(&flipped, 1));
    return named("a flipped bit", place, offset);
}

std::string garble_sector(SimulatedDisk& disk, const Place& place, Random& random) {
    const std::uint64_t offset = any_offset(*place.content, random) / sector_bytes * sector_bytes;
    Bytes bytes(std::min<std::size_t>(sector_bytes, place.content->size() - offset));
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(1 + random.below(255));
    disk.overwrite(*place.path, offset, bytes);
    return named("a garbled sector", place, offset);
}

// A sector of another place, as a misdirected write or read leaves it.
std::string copy_sector(SimulatedDisk& disk, const Place& to, const Place& from, Random& random) {
    const std::uint64_t source = any_offset(*from.content, random) / sector_bytes * sector_bytes;
    const std::uint64_t target = any_offset(*to.content, random) / sector_bytes * sector_bytes;
    const std::size_t size = std::min({sector_bytes, from.content->size() - source, to.content->size() - target});
    const ByteView bytes = ByteView(*from.content).subspan(source, size);
    if (std::ranges::count(bytes, 0) == static_cast<std::ptrdiff_t>(size)) return garble_sector(disk, to, random);
    disk.overwrite(*to.path, target, bytes);
    return named("a sector of another place", to, target);
}

}  // namespace

std::string spoil(SimulatedDisk& disk, const SimulatedDisk::Image& good, Random& random) {
    const auto place = any_file(good, random);
    if (!place) return "nothing";
    switch (random.below(5)) {
        case 0:
            return garble_sector(disk, *place, random);
        case 1: {
            const auto source = any_file(good, random);
            return copy_sector(disk, *place, *source, random);
        }
        case 2:
            disk.short_reads(true);
            return "reads that come back short";
        default:
            return flip_bit(disk, *place, random);
    }
}

}  // namespace jiaozi::sim
