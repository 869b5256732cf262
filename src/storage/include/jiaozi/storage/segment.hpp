// Verifies one segment file, entry by entry, and tells a torn tail from damage (docs/formats/journal.md). The journal
// opens with it; the fuzzer feeds it hostile files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include <jiaozi/storage/disk.hpp>
#include <jiaozi/storage/format.hpp>
#include <jiaozi/storage/journal.hpp>

namespace jiaozi::storage {

// What must come next. Starts as the beginning of a journal; a scan moves it on.
struct Chain {
    std::uint64_t next_entry = 1;
    Hash previous_hash{};
};

struct SegmentScan {
    std::unique_ptr<File> file;
    std::uint64_t segment_size = 0;
    std::uint64_t file_size = 0;
    std::uint64_t end = 0;         // offset behind the last whole entry
    bool torn = false;             // what stands at `end` is a torn tail (only in the last segment)
    std::uint64_t torn_bytes = 0;  // up to the last byte that is not zero
};

// `path` is for messages. Error corrupt with file, offset and cause; io; or the visitor's own.
// With `resume`, what stands before that place is not looked at: there `chain` goes on.
Result<SegmentScan> scan_segment(std::unique_ptr<File> file, const std::filesystem::path& path, bool last, Chain& chain,
                                 const Journal::Visitor& visit, const Position* resume = nullptr);

}  // namespace jiaozi::storage
