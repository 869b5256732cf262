#include "broker_files.hpp"

#include <array>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace jiaozi::mqtt {
namespace {

class File {
  public:
    explicit File(int fd) noexcept : fd_(fd) {}
    File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    File& operator=(File&&) = delete;
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }
    bool ok() const noexcept { return fd_ >= 0; }

  private:
    int fd_;
};

Result<> write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno_error("write");
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

}  // namespace

Result<std::optional<Account>> account_for_broker() {
    if (::geteuid() != 0) return std::optional<Account>();
    for (const char* name : {"mosquitto", "nobody"}) {
        passwd entry{};
        passwd* found = nullptr;
        std::array<char, 4096> buffer;
        if (::getpwnam_r(name, &entry, buffer.data(), buffer.size(), &found) == 0 && found) {
            return std::optional(Account{found->pw_uid, found->pw_gid});
        }
    }
    return Error(ErrorKind::unavailable,
                 "started as root, and there is no user mosquitto or nobody to run the broker as; install mosquitto or "
                 "start as another user");
}

std::string configuration(const std::filesystem::path& folder, std::uint16_t port) {
    // Persistence is off because nothing in the broker is worth keeping: senders keep and resend what matters.
    return fmt::format(
        "# Written by jiaozi at each start; changes are lost.\n"
        "per_listener_settings false\n"
        "listener {} 127.0.0.1\n"
        "allow_anonymous false\n"
        "password_file {}\n"
        "acl_file {}\n"
        "persistence false\n"
        "retain_available false\n"
        "max_packet_size 65536\n"
        "max_queued_messages 100000\n"
        "max_inflight_messages 1000\n"
        "set_tcp_nodelay true\n"
        "sys_interval 0\n"
        "connection_messages false\n"
        "log_dest stderr\n"
        "log_type error\n"
        "log_type warning\n"
        "log_type notice\n"
        "log_timestamp_format %Y-%m-%dT%H:%M:%S\n",
        port, (folder / "passwords").string(), (folder / "acl").string());
}

std::string_view access_rules() {
    // %u is the user name a client proved by its password: the device's id.
    return "user jiaozi-server\n"
           "topic readwrite jz/1/#\n"
           "\n"
           "pattern write jz/1/d/%u/up\n"
           "pattern read jz/1/d/%u/down\n";
}

Result<> make_private_folder(const std::filesystem::path& folder, const std::optional<Account>& owner) {
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    if (failure) return Error(ErrorKind::io, "create " + folder.string() + ": " + failure.message());
    if (::chmod(folder.c_str(), 0700) != 0) return errno_error("chmod " + folder.string());
    if (owner && ::chown(folder.c_str(), owner->uid, owner->gid) != 0) return errno_error("chown " + folder.string());
    return {};
}

Result<> replace_file(const std::filesystem::path& path, std::string_view content,
                      const std::optional<Account>& owner) {
    const std::string beside = path.string() + ".new";
    {
        const File file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file.ok()) return errno_error("open " + beside);
        if (owner && ::fchown(file.get(), owner->uid, owner->gid) != 0) return errno_error("chown " + beside);
        if (auto written = write_all(file.get(), content); !written.ok()) return std::move(written).error().in(beside);
        if (::fsync(file.get()) != 0) return errno_error("sync " + beside);
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) return errno_error("rename " + beside);
    return {};
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.ok()) {
        if (errno == ENOENT) return Error(ErrorKind::not_found, "there is no file " + path.string());
        return errno_error("open " + path.string());
    }
    std::string content;
    std::array<char, 16384> buffer;
    for (;;) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno_error("read " + path.string());
        if (got == 0) return content;
        content.append(buffer.data(), static_cast<std::size_t>(got));
        if (content.size() > max_bytes) return Error(ErrorKind::too_large, path.string() + " is larger than it can be");
    }
}

Result<std::uint16_t> free_port() {
    const File socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (!socket.ok() || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return errno_error("find a free port for the broker");
    }
    return ntohs(address.sin_port);
}

bool accepts_connections(std::uint16_t port) {
    const File socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    return socket.ok() && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace jiaozi::mqtt
