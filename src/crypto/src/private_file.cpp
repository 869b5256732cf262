#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jiaozi/crypto/private_file.hpp>

namespace jiaozi::crypto {
namespace {

class Descriptor {
  public:
    explicit Descriptor(int number) noexcept : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    bool ok() const noexcept { return number_ >= 0; }
    int get() const noexcept { return number_; }

  private:
    int number_;
};

Result<void> write_all(int descriptor, ByteView content, const std::string& name) {
    while (!content.empty()) {
        const ssize_t written = ::write(descriptor, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno_error("write " + name);
        content = content.subspan(static_cast<std::size_t>(written));
    }
    if (::fsync(descriptor) != 0) return errno_error("sync " + name);
    return {};
}

Result<void> sync_directory(const std::filesystem::path& file) {
    const std::filesystem::path parent = file.has_parent_path() ? file.parent_path() : ".";
    const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.ok() || ::fsync(directory.get()) != 0) return errno_error("sync directory " + parent.string());
    return {};
}

// link() instead of rename(): it fails when somebody else has made the file meanwhile.
Result<void> put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& path,
                          Existing existing) {
    if (existing == Existing::replace) {
        if (::rename(temporary.c_str(), path.c_str()) != 0) return errno_error("rename to " + path.string());
        return sync_directory(path);
    }
    const int linked = ::link(temporary.c_str(), path.c_str());
    const int error = errno;
    ::unlink(temporary.c_str());
    if (linked == 0) return sync_directory(path);
    if (error == EEXIST) return Error(ErrorKind::conflict, path.string() + " exists already; move it away first");
    return errno_error("create " + path.string(), error);
}

}  // namespace

Result<SecretBytes> read_private_file(const std::filesystem::path& path, std::size_t max_bytes) {
    const std::string name = path.string();
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file.ok() && errno == ENOENT) return Error(ErrorKind::not_found, name + " does not exist");
    if (!file.ok() && errno == ELOOP)
        return Error(ErrorKind::forbidden, name + " is a symbolic link; name the file itself");
    if (!file.ok()) return errno_error("open " + name);
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return errno_error("examine " + name);
    if (!S_ISREG(status.st_mode)) return Error(ErrorKind::forbidden, name + " is not a regular file");
    if (status.st_uid != ::geteuid() || (status.st_mode & 0177) != 0) {
        return Error(ErrorKind::forbidden,
                     name + " must belong to the user who runs this and be readable by nobody else: chmod 600");
    }
    if (static_cast<std::size_t>(status.st_size) > max_bytes) {
        return Error(ErrorKind::too_large, name + " has more than " + std::to_string(max_bytes) + " bytes");
    }
    SecretBytes content(static_cast<std::size_t>(status.st_size));
    std::size_t done = 0;
    while (done < content.size()) {
        const ssize_t got = ::read(file.get(), content.mutable_view().data() + done, content.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno_error("read " + name);
        if (got == 0) return Error(ErrorKind::io, name + " became shorter while it was read");
        done += static_cast<std::size_t>(got);
    }
    return content;
}

Result<void> write_private_file(const std::filesystem::path& path, ByteView content, Existing existing) {
    std::filesystem::path temporary = path;
    temporary += ".tmp";
    // A left-over from a crash is in the way of O_EXCL, which keeps a planted link from being written through.
    ::unlink(temporary.c_str());
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.ok()) return errno_error("create " + temporary.string());
    // The umask may have taken more away than the owner's own rights allow for.
    if (::fchmod(file.get(), 0600) != 0) return errno_error("set permissions of " + temporary.string());
    if (auto written = write_all(file.get(), content, temporary.string()); !written.ok()) {
        ::unlink(temporary.c_str());
        return written;
    }
    return put_in_place(temporary, path, existing);
}

}  // namespace jiaozi::crypto
