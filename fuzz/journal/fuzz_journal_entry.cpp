// Hostile journal bytes. The first byte chooses: the payload of an entry (and the outcomes of one), or a whole segment
// file, whose checks are made right first, because no fuzzer guesses SHA-256.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

#include <jiaozi/engine/payload.hpp>
#include <jiaozi/storage/segment.hpp>

#include "../one_file.hpp"

namespace {

using namespace jiaozi;
using fuzz::MemoryFile;

// What decodes must encode to the same bytes: there is one encoding of everything.
void payload(ByteView bytes) {
    const auto decoded = engine::decode_payload(bytes);
    if (!decoded.ok()) return;
    engine::PayloadEncoder encoder;
    encoder.begin(decoded->first_sequence);
    for (const auto& timed : decoded->commands) encoder.add(timed.command, timed.timestamp);
    if (!equal(encoder.finish(decoded->outcomes), bytes)) std::abort();
    const auto blocks = engine::split_outcomes(decoded->outcomes);
    if (!blocks.ok()) return;
    for (const ByteView block : *blocks) {
        const auto joined = engine::with_outcomes(decoded->first_sequence, decoded->commands, block);
        if (joined.ok() && joined->size() != decoded->commands.size()) std::abort();
    }
}

template <class Header>
void make_check_right(Bytes& image, std::size_t at) {
    if (at + sizeof(Header) > image.size()) return;
    Header header;
    std::memcpy(&header, image.data() + at, sizeof header);
    header.check = check_of(header);
    std::memcpy(image.data() + at, &header, sizeof header);
}

// Makes every plausible entry's check and hash right where `repair` has a bit for it, so that the scan gets far.
void repair_image(Bytes& image, std::uint8_t repair) {
    make_check_right<storage::SegmentHeader>(image, 0);
    storage::Hash previous{};
    std::size_t at = sizeof(storage::SegmentHeader);
    for (unsigned i = 0; i < 8 && at + sizeof(storage::EntryHeader) <= image.size(); ++i) {
        storage::EntryHeader header;
        std::memcpy(&header, image.data() + at, sizeof header);
        if (header.magic != storage::entry_magic) return;
        header.payload_size %= 2048;
        header.previous_hash = previous;
        std::memcpy(image.data() + at, &header, sizeof header);
        if ((repair >> i & 1) != 0) make_check_right<storage::EntryHeader>(image, at);
        const auto extent = static_cast<std::size_t>(storage::entry_extent(header.payload_size));
        if (extent > image.size() - at) return;
        const ByteView body = ByteView(image).subspan(at, extent - sizeof previous);
        previous = storage::hash_of(std::span(&body, 1));
        if ((repair >> i & 1) != 0)
            std::ranges::copy(previous, image.begin() + static_cast<std::ptrdiff_t>(at + body.size()));
        at += extent;
    }
}

void segment(ByteView bytes) {
    if (bytes.size() < 2) return;
    Bytes image = to_bytes(bytes.subspan(2));
    repair_image(image, bytes[0]);
    storage::Chain chain;
    std::uint64_t visited = 0;
    const auto scan = storage::scan_segment(std::make_unique<MemoryFile>(image), "fuzz.segment", (bytes[1] & 1) != 0,
                                            chain, [&](const storage::EntryView& entry) -> Result<> {
                                                ++visited;
                                                payload(entry.payload);
                                                return {};
                                            });
    if (chain.next_entry != visited + 1) std::abort();
    if (scan.ok() && scan->torn && (bytes[1] & 1) == 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes(data + 1, size - 1);
    (data[0] % 2 == 0 ? payload : segment)(bytes);
    return 0;
}
