#include "data_directory.hpp"

#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jiaozi::serve {

Result<DataDirectory> DataDirectory::open(std::filesystem::path path) {
    std::error_code failed;
    const bool made = std::filesystem::create_directories(path, failed);
    if (failed) return Error(ErrorKind::io, failed.message()).in("make the data directory " + path.string());
    if (made && ::chmod(path.c_str(), 0700) != 0) return errno_error("protect the data directory " + path.string());
    const int lock = ::open((path / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) return errno_error("open " + (path / "lock").string());
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        const int why = errno;
        static_cast<void>(::close(lock));
        if (why == EWOULDBLOCK) {
            return Error(ErrorKind::conflict, "another jiaozi is running on " + path.string() +
                                                  "; stop it, or give another directory by --data");
        }
        return errno_error("lock " + path.string(), why);
    }
    return DataDirectory(std::move(path), lock);
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory::~DataDirectory() {
    if (lock_ >= 0) static_cast<void>(::close(lock_));
}

Result<crypto::Keystore> DataDirectory::keystore() const {
    const auto key_file = path_ / "keystore.key";
    const auto file = path_ / "keystore";
    if (!std::filesystem::exists(key_file)) {
        if (std::filesystem::exists(file)) {
            return Error(ErrorKind::not_found,
                         "the keystore is there but its key file is not: restore " + key_file.string());
        }
        JZ_CHECK(crypto::KeystoreUnlock::create_key_file(key_file));
    }
    JZ_TRY(const auto unlock, crypto::KeystoreUnlock::key_file(key_file));
    if (!std::filesystem::exists(file)) return crypto::Keystore::create(file, unlock);
    return crypto::Keystore::open(file, unlock);
}

Result<> DataDirectory::write_private(const std::string& name, std::string_view content) const {
    const std::string target = (path_ / name).string();
    const std::string temporary = target + ".new";
    const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return errno_error("write " + temporary);
    const bool written =
        ::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()) && ::fsync(file) == 0;
    const int why = errno;
    static_cast<void>(::close(file));
    if (!written) return errno_error("write " + temporary, why);
    if (std::rename(temporary.c_str(), target.c_str()) != 0) return errno_error("rename " + temporary);
    return {};
}

}  // namespace jiaozi::serve
