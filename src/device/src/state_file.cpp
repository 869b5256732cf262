// One small file that only its owner may read, replaced whole: a crash leaves the old content or the new.
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/device/state.hpp>

namespace jiaozi::device {
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

Result<crypto::SecretBytes> read_all(const Descriptor& file, std::size_t size, const std::string& name) {
    crypto::SecretBytes content(size);
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got = ::read(file.get(), content.mutable_view().data() + done, size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno_error("read " + name);
        if (got == 0) return Error(ErrorKind::io, name + " became shorter while it was read");
        done += static_cast<std::size_t>(got);
    }
    return content;
}

// Empty where there is no file.
Result<crypto::SecretBytes> read_private_file(const std::filesystem::path& path) {
    const std::string name = path.string();
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file.ok() && errno == ENOENT) return crypto::SecretBytes();
    if (!file.ok() && errno == ELOOP) {
        return Error(ErrorKind::forbidden, name + " is a symbolic link; name the file itself");
    }
    if (!file.ok()) return errno_error("open " + name);
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return errno_error("examine " + name);
    if (!S_ISREG(status.st_mode)) return Error(ErrorKind::forbidden, name + " is not a regular file");
    if (status.st_uid != ::geteuid() || (status.st_mode & 0177) != 0) {
        return Error(ErrorKind::forbidden,
                     name + " must belong to the user who runs this and be readable by nobody else: chmod 600");
    }
    if (status.st_size == 0) {
        return Error(ErrorKind::corrupt, name + " is empty; restore it, or remove it and claim the device again");
    }
    if (static_cast<std::size_t>(status.st_size) > max_state_bytes) {
        return Error(ErrorKind::too_large, name + " has more than " + std::to_string(max_state_bytes) + " bytes");
    }
    return read_all(file, static_cast<std::size_t>(status.st_size), name);
}

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

Result<void> write_private_file(const std::filesystem::path& path, ByteView content) {
    std::filesystem::path temporary = path;
    temporary += ".tmp";
    // A left-over from a crash is in the way of O_EXCL, which keeps a planted link from being written through.
    ::unlink(temporary.c_str());
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.ok()) return errno_error("create " + temporary.string());
    auto written = write_all(file.get(), content, temporary.string());
    if (written.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
        written = errno_error("rename to " + path.string());
    }
    if (!written.ok()) {
        ::unlink(temporary.c_str());
        return written;
    }
    const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
    const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.ok() || ::fsync(directory.get()) != 0) return errno_error("sync directory " + parent.string());
    return {};
}

}  // namespace

Result<std::unique_ptr<StateFile>> StateFile::open(const std::filesystem::path& path) {
    JZ_TRY(const crypto::SecretBytes content, read_private_file(path));
    std::unique_ptr<StateFile> file(new StateFile(path));
    if (!content.empty()) {
        auto state = decode_state(content.view());
        if (!state.ok()) return std::move(state).error().in(path.string());
        file->data_ = std::move(state).value();
    }
    return file;
}

Result<void> StateFile::commit() {
    JZ_ASSERT(data_.has_value());
    Bytes bytes = encode_state(*data_);
    auto written = write_private_file(path_, bytes);
    crypto::wipe(bytes);
    return written;
}

}  // namespace jiaozi::device
