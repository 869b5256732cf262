// The log's tree on disk, in the layout of C2SP tlog-tiles: full tiles of 256 hashes and bundles of 256 entries, each
// written once. What is not full is in memory. Level 0 is not stored: it is made from the entries.
// Layout: docs/formats/tiles.md.
//
// Everything here can be made again from the journal. So tiles are written without waiting for the disk, and synced
// some time later, when the kernel has long written them; `position` tells up to where that has happened, and what lies
// behind it is made again after a restart.
//
// Threading: append, settle and close by one thread; everything else by any.
// Errors: io; corrupt when a tile is missing or short: remove the folder, and it is made again from the journal.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/merkle.hpp>
#include <jiaozi/storage/disk.hpp>

namespace jiaozi::proof {

inline constexpr unsigned tile_height = 8;
inline constexpr std::uint64_t tile_width = 256;
inline constexpr unsigned tile_levels = 7;                              // enough for 2^56 leaves
inline constexpr std::uint64_t group_leaves = tile_width * tile_width;  // what becomes durable at once
inline constexpr std::size_t entry_bytes = 32;

// What a path below /tile/ asks for: "0/x001/234", "1/067.p/8", "entries/x001/234.p/7".
struct TileName {
    bool entries = false;
    unsigned level = 0;
    std::uint64_t index = 0;
    std::uint64_t width = tile_width;  // less in a partial tile

    // Error not_found: not a path that tlog-tiles has.
    static Result<TileName> parse(std::string_view path);
    std::string path() const;
    bool operator==(const TileName&) const = default;
};

// "x001/x234/067" for 1234067.
std::string tile_number(std::uint64_t index);

// How many groups of the tree in `directory` are durable. Error corrupt: the file that says so is not one of ours.
Result<std::uint64_t> read_position(storage::Disk& disk, const std::filesystem::path& directory);

class Tiles final : public crypto::merkle::NodeSource {
  public:
    // `directory` is made if missing; its parent must exist.
    static Result<std::unique_ptr<Tiles>> open(std::filesystem::path directory, storage::Disk& disk);

    Result<> append(const crypto::Digest& entry);
    // A file that became complete together with the group being filled, to be synced with it.
    void also_sync(std::filesystem::path file) { written_.push_back(std::move(file)); }
    // After the append that filled a group.
    void end_group();
    // Makes durable the groups that were complete before `age` ago.
    Result<> settle(std::chrono::steady_clock::duration age);

    std::uint64_t size() const;
    Result<crypto::Digest> root() { return crypto::merkle::root_at(*this, size()); }
    Result<crypto::Digest> node(unsigned level, std::uint64_t index) override;
    // The bytes that tlog-tiles serves. Error not_found: beyond the tree's present size.
    Result<Bytes> read(const TileName& name);

  private:
    Tiles(std::filesystem::path directory, storage::Disk& disk) : directory_(std::move(directory)), disk_(disk) {}
    Result<> load();
    Result<> write_file(const TileName& name, ByteView content);
    Result<Bytes> read_file(const TileName& name) const;
    Result<> push_root_of_full(unsigned level);
    Result<std::vector<crypto::Digest>> hashes(unsigned level, std::uint64_t tile, std::uint64_t first,
                                               std::uint64_t count) const;
    Result<> sync_group(const std::vector<std::filesystem::path>& files);
    Result<> write_position(std::uint64_t groups);

    const std::filesystem::path directory_;
    storage::Disk& disk_;
    mutable std::shared_mutex mutex_;  // what follows; the appending thread reads it without
    std::uint64_t size_ = 0;
    std::vector<crypto::Digest> entries_;                        // of the bundle that is not full
    std::array<std::vector<crypto::Digest>, tile_levels> edge_;  // the hashes of each level's tile that is not full

    // The appending thread's own.
    struct Group {
        std::vector<std::filesystem::path> files;
        std::chrono::steady_clock::time_point complete;
    };
    std::vector<std::filesystem::path> written_;  // since the last complete group
    std::deque<Group> unsynced_;
    std::uint64_t durable_groups_ = 0;
};

}  // namespace jiaozi::proof
