#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <jiaozi/storage/disk.hpp>

namespace jiaozi::storage {

namespace {

Error failed(std::string_view doing, const std::filesystem::path& path) {
    const int number = errno;
    return errno_error(std::string(doing) + " " + path.string(), number);
}

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }

  private:
    int fd_;
};

class SystemFile final : public File {
  public:
    SystemFile(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}

    Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) override {
        std::size_t done = 0;
        while (done < into.size()) {
            const ssize_t n =
                ::pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failed("read", path_);
            if (n == 0) break;
            done += static_cast<std::size_t>(n);
        }
        return done;
    }

    Result<> write_at(std::uint64_t offset, std::span<const ByteView> parts) override {
        if (!direct_) return write_parts(offset, parts);
        std::size_t size = 0;
        for (const ByteView part : parts) size += part.size();
        if (offset % sector != 0 || size % sector != 0) return write_cached_from_now_on(offset, parts);
        if (!aligned_.reserve(size)) return Error(ErrorKind::io, "write " + path_.string() + ": no memory");
        std::size_t at = 0;
        for (const ByteView part : parts) {
            std::copy(part.begin(), part.end(), aligned_.data() + at);
            at += part.size();
        }
        const std::array whole{ByteView(aligned_.data(), size)};
        auto written = write_parts(offset, whole);
        // A disk with larger sectors, or a file system that thinks again.
        if (!written.ok() && errno == EINVAL) return write_cached_from_now_on(offset, whole);
        return written;
    }

    void will_read(std::uint64_t offset, std::uint64_t size) override {
        static_cast<void>(
            ::posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_WILLNEED));
    }

    void prefer_direct() override {
        const int flags = ::fcntl(fd_.get(), F_GETFL);
        direct_ = flags >= 0 && ::fcntl(fd_.get(), F_SETFL, flags | O_DIRECT) == 0;
    }

    Result<> write_parts(std::uint64_t offset, std::span<const ByteView> parts) {
        std::array<iovec, 8> vectors;
        JZ_ASSERT(parts.size() <= vectors.size());
        std::size_t count = 0;
        for (const ByteView part : parts) {
            // pwritev does not write through iov_base; its type predates const.
            if (!part.empty()) vectors[count++] = {const_cast<std::uint8_t*>(part.data()), part.size()};
        }
        std::size_t first = 0;
        while (first < count) {
            const ssize_t n = ::pwritev(fd_.get(), vectors.data() + first, static_cast<int>(count - first),
                                        static_cast<off_t>(offset));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failed("write", path_);
            if (n == 0) return Error(ErrorKind::io, "write " + path_.string() + ": nothing could be written");
            offset += static_cast<std::uint64_t>(n);
            auto left = static_cast<std::size_t>(n);
            while (first < count && left >= vectors[first].iov_len) left -= vectors[first++].iov_len;
            if (left > 0) {
                vectors[first].iov_base = static_cast<std::uint8_t*>(vectors[first].iov_base) + left;
                vectors[first].iov_len -= left;
            }
        }
        return {};
    }

    Result<> sync_data() override {
        if (::fdatasync(fd_.get()) != 0) return failed("fdatasync", path_);
        return {};
    }
    Result<> sync_all() override {
        if (::fsync(fd_.get()) != 0) return failed("fsync", path_);
        return {};
    }
    // Blocks that were only reserved are marked unwritten, and the first sync of each has to write that mark too: it
    // takes half as long again, and waits for the file system's journal. So the zeros are written here.
    Result<> preallocate(std::uint64_t size) override {
        JZ_TRY(const std::uint64_t old_size, this->size());
        int number = 0;
        do {
            number = ::posix_fallocate(fd_.get(), 0, static_cast<off_t>(size));
        } while (number == EINTR);
        if (number != 0) return errno_error("reserve space for " + path_.string(), number);
        constexpr std::size_t step = std::size_t{1} << 20;
        const bool was_direct = direct_;
        if (!was_direct && old_size % sector == 0 && size % sector == 0) prefer_direct();
        const Bytes zeros(static_cast<std::size_t>(std::min<std::uint64_t>(step, size - std::min(size, old_size))));
        Result<> written{};
        for (std::uint64_t at = old_size; at < size && written.ok(); at += step) {
            const std::array part{
                ByteView(zeros).first(static_cast<std::size_t>(std::min<std::uint64_t>(step, size - at)))};
            written = write_at(at, part);
        }
        if (!was_direct) set_cached();
        return written;
    }
    Result<> truncate(std::uint64_t size) override {
        if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return failed("truncate", path_);
        return {};
    }
    Result<std::uint64_t> size() override {
        struct stat status;
        if (::fstat(fd_.get(), &status) != 0) return failed("stat", path_);
        return static_cast<std::uint64_t>(status.st_size);
    }

  private:
    static constexpr std::size_t sector = 512;

    // Memory as direct writes want it.
    class AlignedBuffer {
      public:
        bool reserve(std::size_t size) {
            if (size <= size_) return true;
            constexpr std::size_t page = 4096;
            size_ = (size + page - 1) / page * page;
            bytes_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(page, size_)));
            if (bytes_ == nullptr) size_ = 0;
            return bytes_ != nullptr;
        }
        std::uint8_t* data() noexcept { return bytes_.get(); }

      private:
        struct Free {
            void operator()(std::uint8_t* bytes) const noexcept { std::free(bytes); }
        };
        std::unique_ptr<std::uint8_t, Free> bytes_;
        std::size_t size_ = 0;
    };

    void set_cached() noexcept {
        const int flags = ::fcntl(fd_.get(), F_GETFL);
        if (flags >= 0) ::fcntl(fd_.get(), F_SETFL, flags & ~O_DIRECT);
        direct_ = false;
    }
    Result<> write_cached_from_now_on(std::uint64_t offset, std::span<const ByteView> parts) {
        set_cached();
        return write_parts(offset, parts);
    }

    Descriptor fd_;
    std::filesystem::path path_;
    bool direct_ = false;
    AlignedBuffer aligned_;
};

class SystemLock final : public DirectoryLock {
  public:
    explicit SystemLock(int fd) : fd_(fd) {}

  private:
    Descriptor fd_;  // closing it releases the flock
};

class SystemDisk final : public Disk {
  public:
    Result<std::unique_ptr<File>> create(const std::filesystem::path& path) override {
        return open_with(path, O_RDWR | O_CREAT | O_TRUNC);
    }
    Result<std::unique_ptr<File>> open(const std::filesystem::path& path, Mode mode) override {
        return open_with(path, mode == Mode::read ? O_RDONLY : O_RDWR);
    }
    Result<> rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
        if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename", from);
        return {};
    }
    Result<> remove(const std::filesystem::path& path) override {
        if (::unlink(path.c_str()) != 0) return failed("remove", path);
        return {};
    }
    Result<> make_directory(const std::filesystem::path& path) override {
        // 0700: a journal is nobody else's business.
        if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed("make directory", path);
        return {};
    }
    Result<> sync_directory(const std::filesystem::path& path) override {
        const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (directory.get() < 0) return failed("open directory", path);
        if (::fsync(directory.get()) != 0) return failed("fsync directory", path);
        return {};
    }
    Result<std::vector<std::string>> list(const std::filesystem::path& path) override {
        DIR* directory = ::opendir(path.c_str());
        if (directory == nullptr) return failed("list", path);
        std::vector<std::string> names;
        errno = 0;
        while (const dirent* entry = ::readdir(directory)) {
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..") names.emplace_back(name);
        }
        const int number = errno;
        ::closedir(directory);
        if (number != 0) return errno_error("list " + path.string(), number);
        std::ranges::sort(names);
        return names;
    }
    Result<std::unique_ptr<DirectoryLock>> lock(const std::filesystem::path& directory) override {
        const std::filesystem::path path = directory / "lock";
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) return failed("open", path);
        auto lock = std::make_unique<SystemLock>(fd);
        if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK) return failed("lock", path);
            return Error(ErrorKind::conflict, directory.string() + " is in use by process " + holder(fd) +
                                                  "; stop it first, or choose another data directory");
        }
        const std::string pid = std::to_string(::getpid()) + "\n";
        if (::ftruncate(fd, 0) != 0) return failed("empty", path);
        for (std::size_t done = 0; done < pid.size();) {
            const ssize_t n = ::pwrite(fd, pid.data() + done, pid.size() - done, static_cast<off_t>(done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failed("write", path);
            if (n == 0) return Error(ErrorKind::io, "write " + path.string() + ": nothing could be written");
            done += static_cast<std::size_t>(n);
        }
        return std::unique_ptr<DirectoryLock>(std::move(lock));
    }

  private:
    static Result<std::unique_ptr<File>> open_with(const std::filesystem::path& path, int flags) {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
        if (fd < 0 && errno == ENOENT) return Error(ErrorKind::not_found, "no file " + path.string());
        if (fd < 0) return failed("open", path);
        return std::unique_ptr<File>(std::make_unique<SystemFile>(fd, path));
    }

    // The process id in the lock file: digits only, whatever a stranger wrote there.
    static std::string holder(int fd) {
        std::array<char, 16> text{};
        const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
        std::string digits;
        for (ssize_t i = 0;
             i < n && text[static_cast<std::size_t>(i)] >= '0' && text[static_cast<std::size_t>(i)] <= '9'; ++i) {
            digits += text[static_cast<std::size_t>(i)];
        }
        return digits.empty() ? "(unknown)" : digits;
    }
};

}  // namespace

Disk& system_disk() {
    static SystemDisk disk;
    return disk;
}

}  // namespace jiaozi::storage
