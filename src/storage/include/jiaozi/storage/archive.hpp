// A journal whose oldest segments were moved to an archive. The archive is a directory of segment files as the journal
// is; `pruned` beside the journal's segments says where it is and up to where the journal was moved (bytes:
// docs/formats/journal.md, "A pruned journal"). Nothing here removes the only copy of anything.
//
// Threading: ArchivedDisk as the disk underneath; one call of archive_segments or remove_archived at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/storage/disk.hpp>
#include <jiaozi/storage/format.hpp>

namespace jiaozi::storage {

inline constexpr std::string_view pruned_name = "pruned";
inline constexpr std::array<std::uint8_t, 8> pruned_magic = {'J', 'Z', 'P', 'R', 'U', 'N', '\r', '\n'};
inline constexpr std::uint32_t pruned_version = 1;
inline constexpr std::size_t max_archive_path = 4096;

struct PrunedHeader {
    std::array<std::uint8_t, 8> magic = pruned_magic;
    std::uint32_t version = pruned_version;
    std::uint32_t path_size = 0;
    std::uint64_t first_kept = 0;
    std::uint64_t reserved_24 = 0;
    Hash previous_hash{};
    std::uint64_t check = 0;
};
static_assert(sizeof(PrunedHeader) == 72 && offsetof(PrunedHeader, previous_hash) == 32 &&
              offsetof(PrunedHeader, check) == 64);
static_assert(std::is_trivially_copyable_v<PrunedHeader> && std::has_unique_object_representations_v<PrunedHeader>);

// Every entry before `first_kept`, which begins a segment, is in the archive; the last of them has that hash.
struct Pruned {
    std::filesystem::path archive;
    std::uint64_t first_kept = 1;
    Hash previous_hash{};
    bool operator==(const Pruned&) const = default;
};

Bytes encode_pruned(const Pruned& pruned);
// corrupt with the cause. Safe on hostile bytes.
Result<Pruned> decode_pruned(ByteView bytes);

// Of a journal's directory; none if nothing was moved. Error corrupt names the file.
Result<std::optional<Pruned>> read_pruned(Disk& disk, const std::filesystem::path& journal);
Result<> write_pruned(Disk& disk, const std::filesystem::path& journal, const Pruned& pruned);
// not_found, saying where it was expected, if that segment of the journal was moved to an archive that does not have
// it.
Result<> check_archive(Disk& disk, const std::filesystem::path& journal, std::uint64_t segment);

// The disk underneath, on which the journal's directory seems to have the archived segments still. They can be read,
// not changed: a segment that is not in the journal is looked for in the archive, and is not_found, with a message that
// names both places, when it is in neither.
class ArchivedDisk final : public Disk {
  public:
    // `below` must outlive this and its files. What `pruned` says is read whenever it is needed, so that a journal can
    // be pruned while others read it.
    ArchivedDisk(Disk& below, const std::filesystem::path& journal);

    Result<std::unique_ptr<File>> create(const std::filesystem::path& path) override { return below_.create(path); }
    Result<std::unique_ptr<File>> open(const std::filesystem::path& path, Mode mode) override;
    Result<> rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
        return below_.rename(from, to);
    }
    Result<> remove(const std::filesystem::path& path) override { return below_.remove(path); }
    Result<> make_directory(const std::filesystem::path& path) override { return below_.make_directory(path); }
    Result<> sync_directory(const std::filesystem::path& path) override { return below_.sync_directory(path); }
    // Of the journal's directory: with the archived segments before `first_kept`, as many as the archive has.
    Result<std::vector<std::string>> list(const std::filesystem::path& path) override;
    Result<std::unique_ptr<DirectoryLock>> lock(const std::filesystem::path& directory) override {
        return below_.lock(directory);
    }

    Disk& below() const noexcept { return below_; }

  private:
    Disk& below_;
    const std::filesystem::path journal_;
};

// Copies the segments from `begin.first_kept` on that end before the one that starts with `end` to `archive` (made if
// missing), durably, each checked entry by entry and against the one before it; those that the archive has, whole, are
// kept. Returns the place reached: `end` and the hash before it. The source may be an ArchivedDisk.
// conflict: the archive holds another journal. corrupt; not_found: a segment is nowhere.
Result<Pruned> archive_segments(Disk& disk, const std::filesystem::path& journal, const Pruned& begin,
                                std::uint64_t end, std::uint64_t& copied);

// Removes from the journal's directory the segments before first_kept that the archive has, the oldest first. Returns
// how many.
Result<std::uint64_t> remove_archived(Disk& disk, const std::filesystem::path& journal, const Pruned& pruned);

}  // namespace jiaozi::storage
