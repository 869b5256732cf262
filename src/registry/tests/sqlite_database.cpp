#include <cstdlib>
#include <filesystem>

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include "suite.hpp"

namespace jiaozi::registry {
namespace {

// One folder a process, removed at its end.
struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "jiaozi registry XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
};

}  // namespace

bool database_available() {
    return true;
}

std::string new_database() {
    static const Folder folder;
    static int count = 0;
    return "sqlite:" + (folder.path / ("registry " + std::to_string(++count) + ".db")).string();
}

void run_raw(const std::string& url, const std::vector<std::string>& sql) {
    soci::session raw(soci::sqlite3, "dbname=\"" + url.substr(7) + "\"");
    for (const std::string& statement : sql) raw << statement;
}

bool drop_connections(const std::string&) {
    return false;
}

}  // namespace jiaozi::registry
