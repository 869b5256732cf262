#include "backup.hpp"

#include <memory>
#include <utility>

#include <sqlite3.h>
#include <sys/stat.h>

#include <jiaozi/engine/engine.hpp>
#include <jiaozi/engine/histories.hpp>
#include <jiaozi/payments/projector.hpp>
#include <jiaozi/registry/store.hpp>
#include <jiaozi/storage/journal_copy.hpp>
#include <jiaozi/storage/read_only_disk.hpp>

#include "manifest.hpp"

namespace jiaozi::backup {
namespace {

namespace fs = std::filesystem;

// As serve lays them out in the data directory; a backup has the same names.
constexpr const char* engine_folder = "journal";
constexpr const char* segments_folder = "journal/journal";
constexpr const char* format_file = "journal/format";
constexpr const char* registry_file = "registry.db";
constexpr const char* keystore_file = "keystore";

Result<> make_folder(const fs::path& path) {
    std::error_code failed;
    const bool made = fs::create_directories(path, failed);
    if (failed) return Error(ErrorKind::io, "make " + path.string() + ": " + failed.message());
    if (made && ::chmod(path.c_str(), 0700) != 0) return errno_error("protect " + path.string());
    return {};
}

bool is_empty_or_missing(const fs::path& path) {
    std::error_code ignored;
    return !fs::exists(path, ignored) || fs::is_empty(path, ignored);
}

// SQLite's own way to copy a database that is being written: what comes out is one moment of it.
Result<> copy_sqlite(const fs::path& from, const fs::path& to) {
    struct Closer {
        void operator()(sqlite3* database) const { static_cast<void>(sqlite3_close(database)); }
    };
    using Database = std::unique_ptr<sqlite3, Closer>;
    const auto open = [](const fs::path& path, int flags) -> Result<Database> {
        sqlite3* opened = nullptr;
        const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
        Database database(opened);
        if (code != SQLITE_OK) return Error(ErrorKind::io, "open " + path.string() + ": " + sqlite3_errstr(code));
        static_cast<void>(sqlite3_busy_timeout(opened, 10'000));
        return database;
    };
    std::error_code ignored;
    fs::remove(to, ignored);
    JZ_TRY(const auto source, open(from, SQLITE_OPEN_READWRITE));  // its write-ahead log may have to be read
    JZ_TRY(const auto target, open(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    if (::chmod(to.c_str(), 0600) != 0) return errno_error("protect " + to.string());
    sqlite3_backup* copying = sqlite3_backup_init(target.get(), "main", source.get(), "main");
    if (copying == nullptr) {
        return Error(ErrorKind::io, "copy " + from.string() + ": " + sqlite3_errmsg(target.get()));
    }
    int code = SQLITE_OK;
    do {
        code = sqlite3_backup_step(copying, -1);
    } while (code == SQLITE_BUSY || code == SQLITE_LOCKED);
    static_cast<void>(sqlite3_backup_finish(copying));
    if (code != SQLITE_DONE) return Error(ErrorKind::io, "copy " + from.string() + ": " + sqlite3_errstr(code));
    return {};
}

Result<> copy_and_rename(const fs::path& from, const fs::path& to) {
    const fs::path unfinished = to.string() + ".new";
    JZ_CHECK(copy_durably(from, unfinished));
    return storage::system_disk().rename(unfinished, to);
}

// The engine over what is there, without a way to change it, at the moment of its last entry: no hold runs out.
struct Opened {
    explicit Opened(Timestamp at) : disk(storage::system_disk()), clock(at) {}
    storage::ReadOnlyDisk disk;
    TestClock clock;
    std::unique_ptr<engine::Engine> engine;  // last: it uses both
};
Result<std::unique_ptr<Opened>> open_read_only(const fs::path& directory, Timestamp at) {
    auto opened = std::make_unique<Opened>(at);
    engine::Options options;
    options.directory = directory / engine_folder;
    options.disk = &opened->disk;
    options.use_snapshots = false;  // what is asked for is whether the journal gives this, from its first entry on
    options.snapshot_every_bytes = 0;
    JZ_TRY(opened->engine, engine::Engine::open(options, opened->clock));
    return opened;
}

Result<> check_files(const fs::path& folder, const Manifest& manifest) {
    for (const FileRecord& file : manifest.files) {
        JZ_TRY(const FileRecord found, record_of(folder, file.path));
        if (found.bytes == file.bytes && found.sha256 == file.sha256) continue;
        return Error(ErrorKind::corrupt, (folder / file.path).string() +
                                             " is not as it was backed up (its SHA-256 differs); use another backup, "
                                             "or make this one again while the original is there");
    }
    return {};
}

// Journal and replay.
Result<Verified> check_engine(const fs::path& directory) {
    JZ_TRY(const auto end, storage::check_journal(directory / segments_folder));
    JZ_TRY(const auto opened, open_read_only(directory, end.last));
    JZ_CHECK(engine::check_histories(directory / engine_folder));
    const auto violations = opened->engine->check_invariants();
    if (!violations.empty()) {
        return Error(ErrorKind::corrupt,
                     "the replayed ledger breaks " + std::string(violations[0].checker) + ": " + violations[0].detail);
    }
    Verified verified;
    verified.entries = end.entries;
    verified.sequence = opened->engine->last_sequence();
    verified.last_entry_at = end.last;
    verified.last_hash = to_hex(end.hash);
    verified.state_digest = std::to_string(opened->engine->state_digest());
    return verified;
}

// When the command with this sequence was committed. An entry bears the time of its last command.
Result<Timestamp> time_of(const fs::path& directory, std::uint64_t sequence) {
    JZ_TRY(const auto end, storage::check_journal(directory / segments_folder));
    JZ_TRY(const auto opened, open_read_only(directory, end.last));
    if (sequence == 0 || sequence > opened->engine->last_sequence()) {
        return Error(ErrorKind::not_found,
                     "the backup has the sequences 1 to " + std::to_string(opened->engine->last_sequence()))
            .with_param("until_sequence");
    }
    JZ_TRY(const engine::Committed committed, engine::read_command(*opened->engine, sequence, seconds(600)));
    return committed.timestamp;
}

// Rows that the projection wrote after the moment we went back to would contradict the journal.
Result<> rebuild_registry(const fs::path& data, Timestamp last) {
    registry::Options options;
    options.url = "sqlite:" + (data / registry_file).string();
    JZ_TRY(const auto store, registry::Store::open(std::move(options)));
    JZ_TRY(const auto opened, open_read_only(data, last));
    JZ_TRY(const auto sequence, payments::rebuild_projections(*opened->engine, *store));
    static_cast<void>(sequence);
    return {};
}

}  // namespace

Result<Made> make(const fs::path& data, const std::string& database, const fs::path& to) {
    if (!fs::exists(data / format_file)) {
        return Error(ErrorKind::not_found,
                     "there is no journal in " + data.string() + "; give the server's directory by --data")
            .with_param("data");
    }
    if (!is_empty_or_missing(to) && !fs::exists(to / engine_folder)) {
        return Error(ErrorKind::conflict, to.string() + " is not empty and is not a backup; choose another folder");
    }
    JZ_CHECK(make_folder(to / engine_folder));
    JZ_TRY(const auto lock, storage::system_disk().lock(to));
    Made made;
    Manifest& manifest = made.manifest;
    manifest.made_at = SystemClock().now();
    // The registry first: it is a view, and a journal that is ahead of it brings it up to date; never the other way.
    manifest.registry = database.empty() && fs::exists(data / registry_file);
    if (manifest.registry) JZ_CHECK(copy_sqlite(data / registry_file, to / registry_file));
    if (fs::exists(data / keystore_file)) JZ_CHECK(copy_and_rename(data / keystore_file, to / keystore_file));
    JZ_CHECK(copy_and_rename(data / format_file, to / format_file));
    JZ_TRY(const auto copied, storage::copy_journal(data / segments_folder, to / segments_folder));
    made.segments_copied = copied.segments_copied;
    made.segments_kept = copied.segments_kept;
    manifest.entries = copied.end.entries;
    manifest.last_entry_at = copied.end.last;
    manifest.last_hash = to_hex(copied.end.hash);
    for (const char* name : {format_file, registry_file, keystore_file}) {
        if (!fs::exists(to / name)) continue;
        JZ_TRY(auto record, record_of(to, name));
        manifest.files.push_back(std::move(record));
    }
    JZ_TRY(const auto segments, storage::system_disk().list(to / segments_folder));
    for (const std::string& name : segments) {
        if (!name.ends_with(".segment")) continue;
        JZ_TRY(auto record, record_of(to, fs::path(segments_folder) / name));
        manifest.files.push_back(std::move(record));
    }
    JZ_CHECK(sync_folder(to / engine_folder));
    JZ_CHECK(write_manifest(to, manifest));
    return made;
}

Result<Verified> verify(const fs::path& directory) {
    if (fs::exists(directory / manifest_name)) {
        JZ_TRY(const Manifest manifest, read_manifest(directory));
        JZ_CHECK(check_files(directory, manifest));
        JZ_TRY(Verified verified, check_engine(directory));
        if (verified.entries != manifest.entries || verified.last_hash != manifest.last_hash) {
            return Error(ErrorKind::corrupt, directory.string() + ": the journal does not end where the manifest says");
        }
        verified.files = manifest.files.size();
        return verified;
    }
    if (!fs::exists(directory / format_file)) {
        return Error(ErrorKind::not_found, directory.string() + " is neither a backup nor a data directory");
    }
    JZ_TRY(const auto lock, storage::system_disk().lock(directory / segments_folder));
    return check_engine(directory);
}

Result<Verified> restore(const fs::path& from, const fs::path& data, const Until& until) {
    JZ_TRY(const Manifest manifest, read_manifest(from));
    if (!is_empty_or_missing(data)) {
        return Error(ErrorKind::conflict, data.string() + " is not empty; restore into a new folder")
            .with_param("data");
    }
    JZ_CHECK(check_files(from, manifest));
    std::optional<Timestamp> moment = until.time;
    if (until.sequence) {
        JZ_TRY(moment, time_of(from, *until.sequence));
    }
    JZ_CHECK(make_folder(data / engine_folder));
    JZ_TRY(const auto copied, storage::copy_journal(from / segments_folder, data / segments_folder));
    if (copied.end.entries != manifest.entries || to_hex(copied.end.hash) != manifest.last_hash) {
        return Error(ErrorKind::corrupt, from.string() + ": the journal does not end where the manifest says");
    }
    for (const char* name : {format_file, registry_file, keystore_file}) {
        if (fs::exists(from / name)) JZ_CHECK(copy_durably(from / name, data / name));
    }
    JZ_CHECK(sync_folder(data / engine_folder));
    JZ_CHECK(sync_folder(data));
    JZ_CHECK(sync_folder(fs::absolute(data).parent_path()));
    if (moment) {
        JZ_TRY(const auto end, storage::cut_journal(data / segments_folder, *moment));
        if (manifest.registry) JZ_CHECK(rebuild_registry(data, end.last));
    }
    return check_engine(data);
}

}  // namespace jiaozi::backup
