// The settlement book behind the engine's snapshots, so that a start reads what came after and not the whole journal.
// Bytes on disk: docs/formats/books.md; why: docs/adr/0026-books-behind-snapshots.md.
//
// Threading: each function works on the calling thread; one keep_book of a directory at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>

#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/books.hpp>
#include <jiaozi/engine/engine.hpp>
#include <jiaozi/settlement/book.hpp>

namespace jiaozi::settlement {

inline constexpr std::string_view book_service = "settlement";
inline constexpr std::uint32_t book_version = 1;

struct BookKept {
    std::uint64_t sequence = 0;       // the last command in it; zero: the engine has no snapshot, and nothing was done
    std::uint64_t base_sequence = 0;  // of the book it was made from; zero: from nothing
    std::uint64_t bytes = 0;          // zero: there is one of that moment already
};

// Makes one of the moment of the engine's newest snapshot, from the newest there is and the journal after it, in a book
// of its own: the live one is not asked. `directory` is the engine's. corrupt, not_found, io: the journal cannot be
// read, or contradicts itself. unavailable when `cancelled` becomes true. An Error leaves what there was.
Result<BookKept> keep_book(engine::Engine& engine, const std::filesystem::path& directory,
                           const std::atomic<bool>& cancelled);

struct BookStart {
    Book book;
    std::uint64_t sequence = 0;  // it has every command up to this one
};

// The newest whose last change is not after `followed`; an empty one of sequence zero if there is none.
BookStart newest_book(const std::filesystem::path& directory, std::uint64_t followed);

}  // namespace jiaozi::settlement
