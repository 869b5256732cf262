#include <algorithm>
#include <array>
#include <mutex>
#include <set>

#include <jiaozi/proof/tiles.hpp>
#include <jiaozi/storage/whole_file.hpp>

#include "integers.hpp"

namespace jiaozi::proof {
namespace {

constexpr unsigned levels = tile_levels;
constexpr std::string_view position_text = "jiaozi tree 1\n";

Error not_a_tile() {
    return Error(ErrorKind::not_found, "a tile's path looks like 0/x001/234 or entries/x001/234.p/7")
        .with_code("tile_not_found");
}

// "234" or "007"; -1 for anything else.
int three_digits(std::string_view text) {
    if (text.size() != 3) return -1;
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

// Decimal without leading zeros.
Result<std::uint64_t> small_number(std::string_view text, std::uint64_t max) {
    const auto value = parse_u64(text);
    if (!value.ok() || *value > max) return not_a_tile();
    return *value;
}

void make_bundle(std::span<const crypto::Digest> entries, Bytes& out) {
    for (const crypto::Digest& entry : entries) {
        out.push_back(0);
        out.push_back(entry_bytes);
        append(out, entry);
    }
}

constexpr std::size_t bundled_bytes = 2 + entry_bytes;

}  // namespace

std::string tile_number(std::uint64_t index) {
    const auto digits = [](std::uint64_t part) {
        const std::string text = std::to_string(part);
        return std::string(3 - text.size(), '0') + text;
    };
    std::string path = digits(index % 1000);
    while (index >= 1000) {
        index /= 1000;
        path.insert(0, "x" + digits(index % 1000) + "/");
    }
    return path;
}

Result<TileName> TileName::parse(std::string_view path) {
    TileName name;
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return not_a_tile();
    name.entries = path.substr(0, slash) == "entries";
    if (!name.entries) {
        JZ_TRY(const std::uint64_t level, small_number(path.substr(0, slash), levels - 1));
        name.level = static_cast<unsigned>(level);
    }
    std::string_view rest = path.substr(slash + 1);
    if (const std::size_t partial = rest.find(".p/"); partial != std::string_view::npos) {
        JZ_TRY(name.width, small_number(rest.substr(partial + 3), tile_width - 1));
        if (name.width == 0) return not_a_tile();
        rest = rest.substr(0, partial);
    }
    // At most six groups of three digits, so that the number fits.
    for (unsigned groups = 0; groups < 6; ++groups) {
        const bool last = !rest.starts_with('x');
        const int value = three_digits(last ? rest : rest.substr(1, 3));
        if (value < 0) return not_a_tile();
        name.index = name.index * 1000 + static_cast<unsigned>(value);
        if (last) {
            // One path for one tile: no leading x000.
            if (name.path() != path) return not_a_tile();
            return name;
        }
        if (rest.size() < 5 || rest[4] != '/') return not_a_tile();
        rest.remove_prefix(5);
    }
    return not_a_tile();
}

std::string TileName::path() const {
    std::string text = (entries ? std::string("entries") : std::to_string(level)) + "/" + tile_number(index);
    if (width != tile_width) text += ".p/" + std::to_string(width);
    return text;
}

Result<std::unique_ptr<Tiles>> Tiles::open(std::filesystem::path directory, storage::Disk& disk) {
    auto tiles = std::unique_ptr<Tiles>(new Tiles(std::move(directory), disk));
    JZ_CHECK(tiles->load());
    return tiles;
}

Result<std::uint64_t> read_position(storage::Disk& disk, const std::filesystem::path& directory) {
    const auto file = directory / "position";
    auto text = storage::read_whole(disk, file, 64);
    if (!text.ok() && text.error().kind() == ErrorKind::not_found) return std::uint64_t{0};
    if (!text.ok()) return std::move(text).error();
    const std::string_view content = as_text(*text);
    const bool framed = content.starts_with(position_text) && content.ends_with('\n');
    const std::size_t digits = framed ? content.size() - position_text.size() - 1 : 0;
    const auto groups = parse_u64(content.substr(framed ? position_text.size() : 0, digits));
    if (groups.ok()) return *groups;
    return Error(ErrorKind::corrupt, file.string() + " is not this version's; remove the folder " + directory.string() +
                                         ", and it is made again from the journal");
}

// Reads how much is durable, and the edge of the tree there: a whole number of groups has full tiles on levels 0 and 1.
Result<> Tiles::load() {
    JZ_CHECK(disk_.make_directory(directory_));
    JZ_TRY(durable_groups_, read_position(disk_, directory_));
    size_ = durable_groups_ * group_leaves;
    std::uint64_t count = durable_groups_;  // of hashes on this level
    for (unsigned level = 2; level < levels && count != 0; ++level) {
        for (std::uint64_t i = count / tile_width * tile_width; i < count; ++i) {
            JZ_TRY(const auto below, hashes(level - 1, i, 0, tile_width));
            edge_[level].push_back(crypto::merkle::root_of(below));
        }
        count /= tile_width;
    }
    return {};
}

Result<> Tiles::append(const crypto::Digest& entry) {
    // Readers wait while a full tile moves from memory to its file, about once in 256 entries.
    const std::unique_lock lock(mutex_);
    entries_.push_back(entry);
    edge_[0].push_back(crypto::merkle::hash_leaf(entry));
    ++size_;
    if (entries_.size() < tile_width) return {};
    Bytes bundle;
    bundle.reserve(tile_width * bundled_bytes);
    make_bundle(entries_, bundle);
    JZ_CHECK(write_file({.entries = true, .index = size_ / tile_width - 1}, bundle));
    entries_.clear();
    JZ_CHECK(push_root_of_full(0));
    return {};
}

// The tile of this level has become full and is on disk, or can be made: it leaves memory, and its root goes up.
Result<> Tiles::push_root_of_full(unsigned level) {
    const crypto::Digest root = crypto::merkle::root_of(edge_[level]);
    edge_[level].clear();
    ++level;
    edge_[level].push_back(root);
    if (edge_[level].size() < tile_width || level + 1 == levels) return {};
    Bytes tile;
    tile.reserve(tile_width * sizeof(crypto::Digest));
    for (const crypto::Digest& one : edge_[level]) jiaozi::append(tile, one);
    JZ_CHECK(write_file({.level = level, .index = (size_ >> (tile_height * (level + 1))) - 1}, tile));
    return push_root_of_full(level);
}

void Tiles::end_group() {
    JZ_ASSERT(size_ % group_leaves == 0);
    unsynced_.push_back({std::exchange(written_, {}), std::chrono::steady_clock::now()});
}

Result<> Tiles::write_file(const TileName& name, ByteView content) {
    const auto path = directory_ / name.path();
    JZ_CHECK(storage::write_whole(disk_, directory_, path, content, storage::Durable::later));
    written_.push_back(path);
    return {};
}

Result<Bytes> Tiles::read_file(const TileName& name) const {
    const auto path = directory_ / name.path();
    const std::size_t size = tile_width * (name.entries ? bundled_bytes : sizeof(crypto::Digest));
    auto bytes = storage::read_whole(disk_, path, size + 1);
    if (bytes.ok() && bytes->size() == size) return bytes;
    if (!bytes.ok() && bytes.error().kind() == ErrorKind::io) return bytes;
    return Error(ErrorKind::corrupt, path.string() + " is missing or has not its size; remove the folder " +
                                         directory_.string() + ", and it is made again from the journal");
}

// Hashes of one tile, which is full and on disk, or in memory as far as it goes. The lock is held, or not needed.
Result<std::vector<crypto::Digest>> Tiles::hashes(unsigned level, std::uint64_t tile, std::uint64_t first,
                                                  std::uint64_t count) const {
    std::vector<crypto::Digest> found(static_cast<std::size_t>(count));
    const auto begin = static_cast<std::ptrdiff_t>(first);
    if (tile == size_ >> (tile_height * (level + 1))) {
        JZ_ASSERT(first + count <= edge_[level].size());
        std::copy_n(edge_[level].begin() + begin, count, found.begin());
        return found;
    }
    JZ_TRY(const Bytes bytes, read_file({.entries = level == 0, .level = level, .index = tile}));
    for (std::size_t i = 0; i < count; ++i) {
        if (level == 0) {
            found[i] = crypto::merkle::hash_leaf(
                ByteView(bytes).subspan((static_cast<std::size_t>(first) + i) * bundled_bytes + 2, entry_bytes));
        } else {
            std::copy_n(bytes.begin() + (begin + static_cast<std::ptrdiff_t>(i)) * 32, 32, found[i].begin());
        }
    }
    return found;
}

Result<> Tiles::settle(std::chrono::steady_clock::duration age) {
    const auto before = std::chrono::steady_clock::now() - age;
    while (!unsynced_.empty() && unsynced_.front().complete <= before) {
        JZ_CHECK(sync_group(unsynced_.front().files));
        unsynced_.pop_front();
        JZ_CHECK(write_position(durable_groups_ + 1));
    }
    return {};
}

Result<> Tiles::sync_group(const std::vector<std::filesystem::path>& files) {
    std::set<std::filesystem::path> directories;
    for (const auto& path : files) {
        JZ_TRY(const auto file, disk_.open(path, storage::Disk::Mode::read_write));
        JZ_CHECK(file->sync_data());
        for (auto parent = path.parent_path(); directories.insert(parent).second && parent != directory_;)
            parent = parent.parent_path();
    }
    for (const auto& directory : directories) JZ_CHECK(disk_.sync_directory(directory));
    return {};
}

Result<> Tiles::write_position(std::uint64_t groups) {
    const std::string text = std::string(position_text) + std::to_string(groups) + '\n';
    JZ_CHECK(storage::write_whole(disk_, directory_, directory_ / "position", as_bytes(text), storage::Durable::now));
    durable_groups_ = groups;
    return {};
}

std::uint64_t Tiles::size() const {
    const std::shared_lock lock(mutex_);
    return size_;
}

Result<crypto::Digest> Tiles::node(unsigned level, std::uint64_t index) {
    const unsigned stored = level / tile_height;
    const unsigned above = level % tile_height;
    const std::uint64_t first = index << above;
    const std::shared_lock lock(mutex_);
    JZ_TRY(const auto found, hashes(stored, first / tile_width, first % tile_width, std::uint64_t{1} << above));
    return crypto::merkle::root_of(found);
}

Result<Bytes> Tiles::read(const TileName& name) {
    const std::shared_lock lock(mutex_);
    const unsigned level = name.entries ? 0 : name.level;
    const std::uint64_t known = size_ >> (tile_height * level);  // hashes on this level
    if (name.index >= (known >> tile_height) + 1 || name.index * tile_width + name.width > known) {
        return Error(ErrorKind::not_found, "the log has not grown to this tile yet").with_code("tile_not_found");
    }
    Bytes bytes;
    if (name.entries) {
        if (name.index == size_ / tile_width) {
            make_bundle(std::span(entries_).first(static_cast<std::size_t>(name.width)), bytes);
            return bytes;
        }
        JZ_TRY(bytes, read_file({.entries = true, .index = name.index}));
        bytes.resize(static_cast<std::size_t>(name.width) * bundled_bytes);
        return bytes;
    }
    JZ_TRY(const auto found, hashes(level, name.index, 0, name.width));
    for (const crypto::Digest& hash : found) jiaozi::append(bytes, hash);
    return bytes;
}

}  // namespace jiaozi::proof
