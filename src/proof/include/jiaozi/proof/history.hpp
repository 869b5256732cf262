// Every checkpoint that was ever signed, one a line, so that an audit can hold the journal against all of them.
// Format: docs/formats/tiles.md, "checkpoints". Not thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include <jiaozi/base/result.hpp>
#include <jiaozi/proof/note.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::proof {

struct SignedRoot {
    std::uint64_t size = 0;
    crypto::Digest root{};
    Bytes signature;
};

// The note that was signed.
Note note_of(const SignedRoot& row, const NoteKey& key);

class History {
  public:
    // Begins the file if there is none. Cuts a last line that is not whole: it was never handed out. What it returns
    // with is durable. Errors: invalid
    // when the file is of another key; corrupt; io.
    static Result<History> open(const std::filesystem::path& path, const NoteKey& key, storage::Disk& disk);
    // Returns when it is durable.
    Result<> append(const SignedRoot& row);
    const std::optional<SignedRoot>& newest() const noexcept { return newest_; }

  private:
    explicit History(std::unique_ptr<storage::File> file) : file_(std::move(file)) {}
    std::unique_ptr<storage::File> file_;
    std::uint64_t end_ = 0;
    std::optional<SignedRoot> newest_;
};

// Reads the file from its beginning. `visit` gets every row with the offset of its line. Errors: not_found; corrupt
// with the offset; the visitor's own. Sizes ascend. A last line without its newline, or with zeros in it, is a write
// that was cut off, and is skipped. Signatures are not looked at.
struct HistoryReader {
    NoteKey key;  // the file's
    std::uint64_t rows = 0;
    std::uint64_t end = 0;  // behind the last whole line

    Result<> read(storage::Disk& disk, const std::filesystem::path& path,
                  const std::function<Result<>(const SignedRoot&, std::uint64_t offset)>& visit);
};

}  // namespace jiaozi::proof
