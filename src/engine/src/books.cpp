#include <algorithm>
#include <utility>
#include <vector>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/base/log.hpp>
#include <jiaozi/engine/books.hpp>
#include <jiaozi/storage/archive.hpp>
#include <jiaozi/storage/journal.hpp>

#include "snapshot.hpp"

namespace jiaozi::engine {
namespace {

namespace fs = std::filesystem;

Error corrupt(std::string cause) {
    return Error(ErrorKind::corrupt, std::move(cause));
}

class Sink final : public BookSink {
  public:
    Sink(storage::SnapshotWriter& writer, const std::atomic<bool>& cancelled)
        : writer_(writer), cancelled_(cancelled) {}
    Result<> begin(std::uint32_t part) override { return writer_.begin(part); }
    Result<> write(ByteView bytes) override {
        if (cancelled_) return Error(ErrorKind::unavailable, "the program is ending");
        return writer_.write(bytes);
    }

  private:
    storage::SnapshotWriter& writer_;
    const std::atomic<bool>& cancelled_;
};

class Source final : public BookSource {
  public:
    explicit Source(storage::SnapshotReader& reader) : reader_(reader) {}
    Result<std::uint64_t> begin(std::uint32_t part) override { return reader_.begin(part); }
    Result<> read(ByteSpan into) override { return reader_.read(into); }

  private:
    storage::SnapshotReader& reader_;
};

}  // namespace

BookAbout about_book(std::string_view service, std::uint32_t version) {
    BookAbout about{.version = version};
    JZ_ASSERT(!service.empty() && service.size() < about.service.size());
    std::ranges::copy(service, about.service.begin());
    return about;
}

Books::Books(fs::path directory, std::string_view service, std::uint32_t version, storage::Disk& disk)
    : directory_(std::move(directory)),
      folder_(directory_ / books_folder / service),
      about_(about_book(service, version)),
      disk_(disk) {}

Result<std::optional<Books::Moment>> Books::newest_moment() const {
    const fs::path snapshots = directory_ / snapshots_folder;
    JZ_TRY(const auto names, disk_.list(directory_));
    if (!std::ranges::binary_search(names, std::string(snapshots_folder))) return std::optional<Moment>();
    JZ_TRY(const auto found, storage::list_snapshots(disk_, snapshots));
    for (const std::uint64_t sequence : found) {
        const auto reader = storage::SnapshotReader::open(disk_, snapshots / storage::snapshot_name(sequence));
        if (reader.ok() && (*reader)->header().tip.sequence == sequence)
            return std::optional<Moment>((*reader)->header().tip);
    }
    return std::optional<Moment>();
}

Result<std::uint64_t> Books::newest_kept() const {
    JZ_TRY(const auto names, disk_.list(directory_));
    if (!std::ranges::binary_search(names, std::string(books_folder))) return std::uint64_t{0};
    JZ_TRY(const auto services, disk_.list(directory_ / books_folder));
    if (!std::ranges::binary_search(services, folder_.filename().string())) return std::uint64_t{0};
    JZ_TRY(const auto found, storage::list_snapshots(disk_, folder_));
    return found.empty() ? std::uint64_t{0} : found.front();
}

Result<Books::Moment> read_book_file(storage::Disk& disk, const fs::path& path, const BookAbout& about,
                                     const Books::Load& load) {
    JZ_TRY(const auto reader, storage::SnapshotReader::open(disk, path));
    Source source(*reader);
    JZ_TRY(const std::uint64_t bytes, source.begin(book_about));
    BookAbout found;
    if (bytes != sizeof found) return corrupt("what it is about cannot be");
    JZ_CHECK(source.read({reinterpret_cast<std::uint8_t*>(&found), sizeof found}));
    if (found.service != about.service || found.reserved_20 != 0) return corrupt("it is another service's");
    if (found.version != about.version) {
        return corrupt("it has version " + std::to_string(found.version) + ", and this program reads version " +
                       std::to_string(about.version));
    }
    const Books::Moment moment = reader->header().tip;
    JZ_CHECK(load(source, moment));
    JZ_CHECK(reader->finish());
    return moment;
}

Result<> Books::read(storage::Disk& disk, std::uint64_t sequence, const Load& load, Moment& moment) const {
    const auto held = [&](BookSource& source, const Moment& of) -> Result<> {
        if (of.sequence != sequence) return corrupt("its name is not the sequence it is of");
        const storage::KnownEntry entry{{of.entry, of.segment, of.offset}, of.extent, of.entry_hash};
        JZ_CHECK(storage::check_known_entry(disk, directory_ / "journal", entry));
        return load(source, of);
    };
    JZ_TRY(moment, read_book_file(disk, folder_ / storage::snapshot_name(sequence), about_, held));
    return {};
}

std::optional<Books::Moment> Books::read_newest(const Load& load) const {
    storage::ArchivedDisk disk(disk_, directory_ / "journal");
    const auto kept = newest_kept();
    if (kept.ok() && *kept == 0) return std::nullopt;
    const auto found = storage::list_snapshots(disk, folder_);
    if (!kept.ok() || !found.ok()) {
        log::warn("the books cannot be listed",
                  {{"folder", folder_.string()},
                   {"cause", kept.ok() ? found.error().to_string() : kept.error().to_string()}});
        return std::nullopt;
    }
    for (const std::uint64_t sequence : *found) {
        Moment moment;
        const auto done = read(disk, sequence, load, moment);
        if (done.ok()) return moment;
        log::warn(
            "a book is not used; starting takes longer, and loses nothing",
            {{"book", (folder_ / storage::snapshot_name(sequence)).string()}, {"cause", done.error().to_string()}});
    }
    return std::nullopt;
}

Result<std::uint64_t> Books::keep(const Moment& moment, std::uint64_t base, const Save& save,
                                  const std::atomic<bool>& cancelled) const {
    JZ_CHECK(disk_.make_directory(directory_ / books_folder));
    JZ_CHECK(disk_.sync_directory(directory_));
    JZ_TRY(auto writer, storage::SnapshotWriter::create(disk_, folder_));
    Sink sink(writer, cancelled);
    JZ_CHECK(sink.begin(book_about));
    JZ_CHECK(sink.write({reinterpret_cast<const std::uint8_t*>(&about_), sizeof about_}));
    JZ_CHECK(save(sink));
    JZ_TRY(const std::uint64_t bytes, writer.finish(moment));
    JZ_TRY(const auto found, storage::list_snapshots(disk_, folder_));
    for (const std::uint64_t one : found) {
        if (one != moment.sequence && one != base) JZ_CHECK(disk_.remove(folder_ / storage::snapshot_name(one)));
    }
    JZ_CHECK(disk_.sync_directory(folder_));
    return bytes;
}

}  // namespace jiaozi::engine
