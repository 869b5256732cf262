// What a service has folded from the journal, kept on disk so that its next start reads only what came after: its book.
// A service has a folder of its own beside the engine's snapshots; each book in it is of the moment of a snapshot of
// the engine. The engine knows bytes and moments, not what they mean. Bytes on disk: docs/formats/books.md; why books
// are made as they are: docs/adr/0026-books-behind-snapshots.md.
//
// Threading: a Books is a few strings; one thread keeps a book of a service at a time, any number read.
// Errors: see each member. A book that is missing or damaged costs time and nothing else.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/storage/disk.hpp>
#include <jiaozi/storage/snapshot.hpp>

namespace jiaozi::engine {

// The folder in the engine's directory.
inline constexpr std::string_view books_folder = "books";

// The first part of every book.
struct BookAbout {
    std::array<char, 16> service{};  // zero-padded
    std::uint32_t version = 0;       // of the service's own parts
    std::uint32_t reserved_20 = 0;
    bool operator==(const BookAbout&) const = default;
};
static_assert(sizeof(BookAbout) == 24 && std::has_unique_object_representations_v<BookAbout>);
inline constexpr std::uint32_t book_about = 32;  // its kind; a service's own are greater

// Where a book is written to and read from: each part once, in the order that its page gives.
class BookSink {
  public:
    virtual ~BookSink() = default;
    virtual Result<> begin(std::uint32_t part) = 0;
    virtual Result<> write(ByteView bytes) = 0;
};
class BookSource {
  public:
    virtual ~BookSource() = default;
    // The length of the part in bytes. The source vouches for it: as many can be read.
    virtual Result<std::uint64_t> begin(std::uint32_t part) = 0;
    // Fills `into`. Error corrupt past the end of the part.
    virtual Result<> read(ByteSpan into) = 0;
};

class Books {
  public:
    using Moment = storage::SnapshotTip;
    using Load = std::function<Result<>(BookSource&, const Moment&)>;
    using Save = std::function<Result<>(BookSink&)>;

    // `directory` is the engine's. `service`: at most 15 letters. The disk must outlive this.
    Books(std::filesystem::path directory, std::string_view service, std::uint32_t version,
          storage::Disk& disk = storage::system_disk());

    // Of the engine's newest snapshot, at which a book can be kept; nullopt: there is none.
    Result<std::optional<Moment>> newest_moment() const;
    // Of the newest book, by its name only.
    Result<std::uint64_t> newest_kept() const;

    // Gives `load` the newest book that is whole and belongs to the journal; if `load` refuses it, the next older. What
    // `load` has made counts only if its moment is returned: the last checksum is looked at behind it. nullopt: there
    // is none; each one that was not used is named in the log.
    std::optional<Moment> read_newest(const Load& load) const;
    // Writes one. Durable when it returns; then older ones are removed, but not that of sequence `base`. Returns its
    // size. unavailable when `cancelled` becomes true; io. An Error leaves what there was.
    Result<std::uint64_t> keep(const Moment& moment, std::uint64_t base, const Save& save,
                               const std::atomic<bool>& cancelled) const;

  private:
    Result<> read(storage::Disk& disk, std::uint64_t sequence, const Load& load, Moment& moment) const;

    std::filesystem::path directory_;
    std::filesystem::path folder_;
    BookAbout about_;
    storage::Disk& disk_;
};

// One book file by itself, without a journal to hold it against: for tests of the format. corrupt, io.
Result<Books::Moment> read_book_file(storage::Disk& disk, const std::filesystem::path& path, const BookAbout& about,
                                     const Books::Load& load);
BookAbout about_book(std::string_view service, std::uint32_t version);

}  // namespace jiaozi::engine
