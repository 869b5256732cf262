// Hostile runs of histories. The first byte chooses: a chunk, or a whole file, whose checks are made right first,
// because no fuzzer guesses XXH3.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "history_run.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "../one_file.hpp"

namespace {

using namespace jiaozi;
using engine::RunHeader;
using engine::RunIndexRow;
using fuzz::OneFile;
using ledger::HistoryRow;

// Whatever is decoded keeps to the page: in order, inside the run, and the same whether one account is asked for or
// all.
void look_at(const std::vector<HistoryRow>& rows, engine::RunName run) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].position < run.begin || rows[i].position >= run.end) std::abort();
        if (i > 0 &&
            std::pair(rows[i - 1].account, rows[i - 1].position) >= std::pair(rows[i].account, rows[i].position))
            std::abort();
    }
}

void chunk(ByteView bytes) {
    engine::RunName run{0, UINT64_MAX};
    if (bytes.size() >= sizeof run.begin) {
        std::memcpy(&run.begin, bytes.data(), sizeof run.begin);
        bytes = bytes.subspan(sizeof run.begin);
    }
    std::vector<HistoryRow> rows;
    if (!engine::decode_chunk(bytes, run, std::nullopt, rows).ok()) return;
    if (rows.empty()) std::abort();
    look_at(rows, run);
    const std::uint64_t account = rows[rows.size() / 2].account;
    std::vector<HistoryRow> some;
    if (!engine::decode_chunk(bytes, run, account, some).ok()) std::abort();
    std::erase_if(rows, [&](const HistoryRow& row) { return row.account != account; });
    if (some != rows) std::abort();
}

void make_right(Bytes& image) {
    RunHeader header;
    if (image.size() < sizeof header) return;
    std::memcpy(&header, image.data(), sizeof header);
    const std::uint64_t end = image.size();
    if (header.index_offset <= end && header.chunks <= (end - header.index_offset) / sizeof(RunIndexRow)) {
        const auto place = [&](std::uint64_t i) {
            return image.data() + header.index_offset + i * sizeof(RunIndexRow);
        };
        for (std::uint64_t i = 0; i < header.chunks; ++i) {
            RunIndexRow row;
            RunIndexRow next{.account = 0, .position = 0, .offset = header.index_offset, .check = 0};
            std::memcpy(&row, place(i), sizeof row);
            if (i + 1 < header.chunks) std::memcpy(&next, place(i + 1), sizeof next);
            if (row.offset > next.offset || next.offset > end) continue;
            row.check = XXH3_64bits(image.data() + row.offset, static_cast<std::size_t>(next.offset - row.offset));
            std::memcpy(place(i), &row, sizeof row);
        }
        header.index_check = XXH3_64bits(place(0), static_cast<std::size_t>(header.chunks * sizeof(RunIndexRow)));
    }
    header.check = engine::check_of(header);
    std::memcpy(image.data(), &header, sizeof header);
}

void file(ByteView bytes) {
    Bytes image = to_bytes(bytes);
    make_right(image);
    OneFile disk{ByteView(image)};
    const auto opened = engine::HistoryRun::open(disk, "fuzz");
    if (!opened.ok()) return;
    const engine::HistoryRun& run = **opened;
    std::vector<HistoryRow> rows;
    if (!run.read_chunks(0, run.chunk_count(), rows).ok() || rows.empty()) return;
    std::vector<HistoryRow> some;
    static_cast<void>(run.read(rows.back().account, 0, UINT64_MAX, 10, true, some));
    static_cast<void>(run.read(rows.front().account, rows.front().position, rows.back().position, 10, false, some));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView bytes(data + 1, size - 1);
    (data[0] % 2 == 0 ? chunk : file)(bytes);
    return 0;
}
