#include <array>

#include <jiaozi/storage/whole_file.hpp>

namespace jiaozi::storage {
namespace {

Result<> make_directories(Disk& disk, const std::filesystem::path& root, const std::filesystem::path& path) {
    if (path == root) return {};
    JZ_CHECK(make_directories(disk, root, path.parent_path()));
    return disk.make_directory(path);
}

}  // namespace

Result<Bytes> read_whole(Disk& disk, const std::filesystem::path& path, std::size_t max) {
    JZ_TRY(const auto file, disk.open(path, Disk::Mode::read));
    Bytes bytes(max);
    JZ_TRY(const std::size_t size, file->read_at(0, bytes));
    bytes.resize(size);
    return bytes;
}

Result<> write_whole(Disk& disk, const std::filesystem::path& root, const std::filesystem::path& path, ByteView content,
                     Durable durable) {
    const auto temporary = path.string() + ".new";
    auto created = disk.create(temporary);
    if (!created.ok() && path.parent_path() != root) {
        // Directories are made when they turn out to be missing: most files find theirs.
        JZ_CHECK(make_directories(disk, root, path.parent_path()));
        created = disk.create(temporary);
    }
    JZ_TRY(const auto file, std::move(created));
    const std::array parts{content};
    JZ_CHECK(file->write_at(0, parts));
    if (durable == Durable::now) JZ_CHECK(file->sync_data());
    JZ_CHECK(disk.rename(temporary, path));
    if (durable == Durable::now) JZ_CHECK(disk.sync_directory(path.parent_path()));
    return {};
}

}  // namespace jiaozi::storage
