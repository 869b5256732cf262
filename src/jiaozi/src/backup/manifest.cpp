#include "manifest.hpp"

#include <array>

#include <boost/json.hpp>

#include <jiaozi/api/json.hpp>
#include <jiaozi/crypto/hash.hpp>
#include <jiaozi/storage/disk.hpp>
#include <jiaozi/storage/whole_file.hpp>

namespace jiaozi::backup {
namespace {

constexpr std::uint64_t manifest_version = 1;
constexpr std::size_t max_manifest_bytes = std::size_t{16} << 20;
constexpr std::size_t chunk_bytes = std::size_t{1} << 20;

template <class Visit>
Result<> each_chunk(const std::filesystem::path& path, Visit&& visit) {
    JZ_TRY(const auto file, storage::system_disk().open(path, storage::Disk::Mode::read));
    Bytes bytes(chunk_bytes);
    for (std::uint64_t at = 0;;) {
        JZ_TRY(const std::size_t got, file->read_at(at, bytes));
        if (got == 0) return {};
        JZ_CHECK(visit(at, ByteView(bytes).first(got)));
        at += got;
    }
}

// A path that stays below the backup's folder.
bool stays_inside(const std::string& path) {
    const std::filesystem::path parsed(path);
    if (path.empty() || parsed.is_absolute()) return false;
    for (const auto& part : parsed) {
        if (part == ".." || part == "." || part.empty()) return false;
    }
    return true;
}

Manifest manifest_from(const boost::json::object& object) {
    Manifest manifest;
    manifest.made_at.ns = boost::json::value_to<std::uint64_t>(object.at("made_at_ns"));
    manifest.entries = boost::json::value_to<std::uint64_t>(object.at("entries"));
    manifest.last_entry_at.ns = boost::json::value_to<std::uint64_t>(object.at("last_entry_at_ns"));
    manifest.last_hash = boost::json::value_to<std::string>(object.at("last_hash"));
    manifest.registry = object.at("registry").as_bool();
    for (const auto& value : object.at("files").as_array()) {
        const auto& file = value.as_object();
        manifest.files.push_back({boost::json::value_to<std::string>(file.at("path")),
                                  boost::json::value_to<std::uint64_t>(file.at("bytes")),
                                  boost::json::value_to<std::string>(file.at("sha256"))});
    }
    return manifest;
}

}  // namespace

Result<FileRecord> record_of(const std::filesystem::path& folder, const std::filesystem::path& file) {
    crypto::Sha256 hash;
    FileRecord record{file.string(), 0, {}};
    JZ_CHECK(each_chunk(folder / file, [&](std::uint64_t, ByteView bytes) -> Result<> {
        hash.update(bytes);
        record.bytes += bytes.size();
        return {};
    }));
    record.sha256 = to_hex(hash.finish());
    return record;
}

Result<> sync_folder(const std::filesystem::path& folder) {
    return storage::system_disk().sync_directory(folder);
}

Result<> copy_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
    auto& disk = storage::system_disk();
    JZ_TRY(const auto file, disk.create(to));
    JZ_CHECK(each_chunk(from, [&](std::uint64_t at, ByteView bytes) {
        const std::array parts{bytes};
        return file->write_at(at, parts);
    }));
    return file->sync_all();
}

std::string format_manifest(const Manifest& manifest) {
    boost::json::object object;
    object["object"] = "backup";
    object["version"] = manifest_version;
    object["made_at"] = api::rfc3339(manifest.made_at);
    object["made_at_ns"] = manifest.made_at.ns;
    object["entries"] = manifest.entries;
    object["last_entry_at"] = api::rfc3339(manifest.last_entry_at);
    object["last_entry_at_ns"] = manifest.last_entry_at.ns;
    object["last_hash"] = manifest.last_hash;
    object["registry"] = manifest.registry;
    boost::json::array files;
    for (const FileRecord& file : manifest.files) {
        files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
    }
    object["files"] = std::move(files);
    return boost::json::serialize(object) + "\n";
}

Result<> write_manifest(const std::filesystem::path& folder, const Manifest& manifest) {
    return storage::write_whole(storage::system_disk(), folder, folder / manifest_name,
                                as_bytes(format_manifest(manifest)), storage::Durable::now);
}

Result<Manifest> parse_manifest(std::string_view text) {
    if (text.size() > max_manifest_bytes) return Error(ErrorKind::too_large, "it is larger than any manifest");
    boost::system::error_code failed;
    const auto value = boost::json::parse(text, failed);
    if (failed || !value.is_object()) return Error(ErrorKind::malformed, "it is not a JSON object");
    try {
        const auto& object = value.as_object();
        if (object.at("object") != "backup" || object.at("version") != manifest_version) {
            return Error(ErrorKind::invalid, "it was written by another version of the program; use that version");
        }
        Manifest manifest = manifest_from(object);
        for (const FileRecord& file : manifest.files) {
            if (!stays_inside(file.path)) {
                return Error(ErrorKind::invalid, "it names a file outside the backup: " + file.path);
            }
        }
        return manifest;
    } catch (const std::exception& wrong) {  // Boost.JSON reports a missing or mistyped field so
        return Error(ErrorKind::malformed, std::string("it is not a backup's manifest: ") + wrong.what());
    }
}

Result<Manifest> read_manifest(const std::filesystem::path& folder) {
    const auto path = folder / manifest_name;
    auto text = storage::read_whole(storage::system_disk(), path, max_manifest_bytes + 1);
    if (!text.ok() && text.error().kind() == ErrorKind::not_found) {
        return Error(ErrorKind::not_found, "there is no finished backup in " + folder.string() + ": it has no " +
                                               manifest_name + "; run `jiaozi backup` again");
    }
    if (!text.ok()) return std::move(text).error();
    auto manifest = parse_manifest(as_text(*text));
    if (!manifest.ok()) return std::move(manifest).error().in(path.string());
    return manifest;
}

}  // namespace jiaozi::backup
