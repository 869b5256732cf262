#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/purse_host/files.hpp>

namespace jiaozi::purse_host {
namespace {

constexpr mode_t private_file = 0600;

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

Error system_error(const std::filesystem::path& path) {
    return {ErrorKind::unavailable, path.string() + ": " + std::string(std::strerror(errno))};
}

bool write_all(int fd, ByteView bytes, off_t offset) {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), offset);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += written;
    }
    return true;
}

// The number of bytes read, short only at the end of the file; -1 for an error.
ssize_t read_all(int fd, ByteSpan out, off_t offset) {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t got = ::pread(fd, out.data() + done, out.size() - done, offset + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return static_cast<ssize_t>(done);
}

bool replace(const std::filesystem::path& folder, const std::string& name, ByteView content) {
    const std::filesystem::path path = folder / name;
    const std::filesystem::path beside = folder / (name + ".new");
    const Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, private_file));
    if (file.get() < 0 || !write_all(file.get(), content, 0) || ::fsync(file.get()) != 0) return false;
    if (::rename(beside.c_str(), path.c_str()) != 0) return false;
    const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return directory.get() >= 0 && ::fsync(directory.get()) == 0;
}

std::string slot_name(int area, unsigned slot) {
    const char* const name = area == JZ_AREA_BUNDLE ? "bundle-" : area == JZ_AREA_LIST ? "list-" : "mule-";
    return name + std::to_string(slot);
}

}  // namespace

FileStorage::FileStorage(std::filesystem::path folder, int folder_fd, int journal_fd)
    : folder_(std::move(folder)), folder_fd_(folder_fd), journal_fd_(journal_fd) {}

FileStorage::~FileStorage() {
    ::close(journal_fd_);
    ::close(folder_fd_);
}

Result<std::unique_ptr<FileStorage>> FileStorage::open(const std::filesystem::path& folder) {
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);  // what matters is whether it can be opened
    Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0) return system_error(folder);
    if (::flock(directory.get(), LOCK_EX | LOCK_NB) != 0) {
        return Error(ErrorKind::conflict, folder.string() + ": another process uses this purse; end it first");
    }
    const std::filesystem::path path = folder / "journal";
    Descriptor journal(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, private_file));
    if (journal.get() < 0 || ::fsync(directory.get()) != 0) return system_error(path);
    return std::unique_ptr<FileStorage>(new FileStorage(folder, directory.release(), journal.release()));
}

bool FileStorage::failed(const char* what) {
    error_ = folder_.string() + ": " + what + ": " + std::strerror(errno);
    return false;
}

bool FileStorage::append(std::uint64_t index, ByteView record) {
    const auto offset = static_cast<off_t>(index * JZ_RECORD_BYTES);
    if (!write_all(journal_fd_, record, offset)) return failed("the journal can't be written");
    return ::fdatasync(journal_fd_) == 0 || failed("the journal can't be synced");
}

int FileStorage::read(std::uint64_t index, std::uint8_t* record) {
    const auto offset = static_cast<off_t>(index * JZ_RECORD_BYTES);
    std::array<std::uint8_t, JZ_RECORD_BYTES> found{};
    const ssize_t size = read_all(journal_fd_, found, offset);
    if (size < 0) return failed("the journal can't be read") ? JZ_READ_OK : JZ_READ_FAILED;
    if (size == 0) return JZ_READ_ABSENT;
    std::ranges::copy(found, record);  // a record cut short is a wrong checksum
    return JZ_READ_OK;
}

bool FileStorage::save(int area, unsigned slot, ByteView content) {
    return replace(folder_, slot_name(area, slot), content) ||
           failed("a bundle, a list or what is carried can't be written");
}

int FileStorage::load(int area, unsigned slot, std::size_t offset, ByteSpan out) {
    const Descriptor file(::open((folder_ / slot_name(area, slot)).c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return errno == ENOENT ? JZ_READ_ABSENT : JZ_READ_FAILED;
    const ssize_t size = read_all(file.get(), out, static_cast<off_t>(offset));
    return size == static_cast<ssize_t>(out.size()) ? JZ_READ_OK : JZ_READ_FAILED;
}

namespace {

// Id and counter, little-endian.
using AnchorBytes = std::array<std::uint8_t, 20>;
constexpr const char* anchor_name = "anchor";

bool read_anchor(const std::filesystem::path& folder, AnchorBytes& bytes) {
    const Descriptor file(::open((folder / anchor_name).c_str(), O_RDONLY | O_CLOEXEC));
    return file.get() >= 0 && read_all(file.get(), bytes, 0) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

Result<std::unique_ptr<FileAnchor>> FileAnchor::open(const std::filesystem::path& folder) {
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    AnchorBytes bytes{};
    if (!std::filesystem::exists(folder / anchor_name, ignored)) {
        crypto::random_bytes(ByteSpan(bytes).first(16));
        if (!replace(folder, anchor_name, bytes)) return system_error(folder / anchor_name);
    }
    if (!read_anchor(folder, bytes)) return system_error(folder / anchor_name);
    return std::unique_ptr<FileAnchor>(new FileAnchor(folder));
}

bool FileAnchor::read(std::uint8_t* id, std::uint32_t& counter) {
    AnchorBytes bytes{};
    if (!read_anchor(folder_, bytes)) return false;
    std::copy_n(bytes.begin(), 16, id);
    counter = 0;
    for (std::size_t i = 0; i < 4; ++i) counter |= std::uint32_t{bytes[16 + i]} << (8 * i);
    return true;
}

bool FileAnchor::advance(std::uint32_t counter) {
    AnchorBytes bytes{};
    if (!read_anchor(folder_, bytes)) return false;
    for (std::size_t i = 0; i < 4; ++i) bytes[16 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
    return replace(folder_, anchor_name, bytes);
}

}  // namespace jiaozi::purse_host
