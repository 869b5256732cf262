// Hostile books of services. The first byte chooses: ids of payments, or a settlement book. Each part stands as its
// length in four bytes and so many bytes; the container around them is fuzz_snapshot's. What loads must be safe to use
// and must be written as it was read.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <jiaozi/payments/known_ids.hpp>
#include <jiaozi/settlement/book.hpp>

#include "../../src/settlement/tests/memory_book.hpp"

namespace {

using namespace jiaozi;
using settlement::testing::BookParts;
using settlement::testing::PartsSink;
using settlement::testing::PartsSource;

BookParts parts_of(ByteView bytes, std::uint32_t first, std::uint32_t last) {
    BookParts parts;
    for (std::uint32_t part = first; part <= last; ++part) {
        std::uint32_t length = 0;
        if (bytes.size() >= sizeof length) {
            std::memcpy(&length, bytes.data(), sizeof length);
            bytes = bytes.subspan(sizeof length);
        }
        const ByteView content = bytes.first(std::min<std::size_t>(length, bytes.size()));
        parts.emplace_back(part, to_bytes(content));
        bytes = bytes.subspan(content.size());
    }
    return parts;
}

void ids(ByteView bytes) {
    const BookParts parts = parts_of(bytes, payments::ids_part, payments::ids_part);
    PartsSource source(parts);
    payments::KnownIds ids;
    if (payments::load_ids(source, ids).ok() && ids.size() * sizeof(std::uint64_t) != parts[0].second.size())
        std::abort();
}

void settlement_book(ByteView bytes) {
    constexpr std::uint32_t totals = 33, owed = 47;
    const BookParts parts = parts_of(bytes, totals, owed);
    PartsSource source(parts);
    auto loaded = settlement::Book::load(source);
    if (!loaded.ok()) return;
    settlement::Book& book = *loaded;
    for (std::uint32_t ordinal = 1; ordinal <= book.enrolled(); ++ordinal) {
        const settlement::PurseRecord& purse = *book.purse(ordinal);
        static_cast<void>(book.open_lots_of(purse));
        static_cast<void>(book.in_lots_of(purse));
        static_cast<void>(purse.key->verifier());
        static_cast<void>(book.proof_against(ordinal));
    }
    PartsSink sink;
    if (!book.save(sink).ok() || sink.parts.size() != parts.size()) std::abort();
    book.release_held(0xFFFFFFFF);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes(data + 1, size - 1);
    if (data[0] % 4 == 0) {
        ids(bytes);
    } else {
        settlement_book(bytes);
    }
    return 0;
}
