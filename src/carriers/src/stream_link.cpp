// TCP, Unix sockets and serial lines: one framing over descriptors.
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <jiaozi/carriers/framing.hpp>

#include "links.hpp"

namespace jiaozi::carriers {
namespace {

constexpr int quiet_ms = 1000;           // a serial line that is silent this long within a message has lost the rest
constexpr int longest_write_ms = 10000;  // a peer that takes nothing for so long is gone

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }

  private:
    int number_;
};

Error gone() {
    return {ErrorKind::unavailable, "the other side went away; what it received is not known"};
}

class StreamLink final : public Link {
  public:
    StreamLink(int descriptor, bool quiet_restart) : descriptor_(descriptor), quiet_restart_(quiet_restart) {}

    Result<void> send(ByteView message) override {
        JZ_TRY(const Bytes framed, frame(message));
        ByteView left(framed);
        while (!left.empty()) {
            const ssize_t sent = write_some(left);
            if (sent >= 0) {
                left = left.subspan(static_cast<std::size_t>(sent));
                continue;
            }
            if (errno == EINTR) continue;
            if (errno != EAGAIN) return errno == EPIPE || errno == ECONNRESET || errno == EIO ? gone() : failed("send");
            pollfd wait{descriptor_.get(), POLLOUT, 0};
            if (::poll(&wait, 1, longest_write_ms) == 0) return gone();
        }
        return {};
    }

    Result<Bytes> receive(Duration patience) override {
        const Deadline deadline(patience);
        while (true) {
            ByteView rest(unread_);
            auto message = reader_.take(rest);
            unread_.erase(unread_.begin(), unread_.end() - static_cast<std::ptrdiff_t>(rest.size()));
            if (!message.ok()) {
                if (!quiet_restart_) return std::move(message).error();
                unread_.clear();  // a line in the middle of something: the next pause puts it right
                reader_.restart();
            } else if (message->has_value()) {
                return std::move(**message);
            }
            JZ_CHECK(read_some(deadline));
        }
    }

  private:
    // A peer that went away is an error here, not a signal to the process.
    ssize_t write_some(ByteView bytes) const {
        const ssize_t sent = ::send(descriptor_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        return sent < 0 && errno == ENOTSOCK ? ::write(descriptor_.get(), bytes.data(), bytes.size()) : sent;
    }
    static Error failed(const char* doing) { return errno_error(std::string(doing) + " on the carrier"); }

    Result<void> read_some(const Deadline& deadline) {
        const int left = deadline.left_ms();
        const bool may_restart = quiet_restart_ && reader_.torn() && left > quiet_ms;
        JZ_TRY(const bool readable, wait_readable(descriptor_.get(), may_restart ? quiet_ms : left));
        if (!readable) {
            if (quiet_restart_) reader_.restart();
            if (may_restart) return {};
            return nothing_came();
        }
        std::array<std::uint8_t, 2048> buffer;
        const ssize_t got = ::read(descriptor_.get(), buffer.data(), buffer.size());
        if (got > 0) append(unread_, ByteView(buffer).first(static_cast<std::size_t>(got)));
        if (got == 0 || (got < 0 && (errno == ECONNRESET || errno == EIO))) return gone();
        if (got < 0 && errno != EINTR && errno != EAGAIN) return failed("read");
        return {};
    }

    Descriptor descriptor_;
    bool quiet_restart_;
    StreamReader reader_;
    Bytes unread_;
};

union Address {
    sockaddr any;
    sockaddr_in ip;
    sockaddr_un local;
};

Result<socklen_t> address_of(const Place& place, Address& address) {
    std::memset(&address, 0, sizeof address);
    if (place.kind == Kind::tcp) {
        address.ip.sin_family = AF_INET;
        address.ip.sin_port = htons(place.port);
        if (::inet_pton(AF_INET, place.where.c_str(), &address.ip.sin_addr) != 1) {
            return Error(ErrorKind::invalid, place.where + " is no address");
        }
        return static_cast<socklen_t>(sizeof address.ip);
    }
    if (place.where.size() >= sizeof address.local.sun_path) {
        return Error(ErrorKind::too_large, place.where + ": a Unix socket's path has at most 107 bytes");
    }
    address.local.sun_family = AF_UNIX;
    place.where.copy(address.local.sun_path, place.where.size());
    return static_cast<socklen_t>(sizeof address.local);
}

int new_socket(const Place& place) {
    return ::socket(place.kind == Kind::tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

std::string name_of(const Place& place) {
    return place.kind == Kind::tcp ? place.where + ":" + std::to_string(place.port) : place.where;
}

// A payee that was killed leaves its socket's file, which refuses whoever connects.
bool left_behind(const Address& address, socklen_t size) {
    const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const bool refused = probe.get() >= 0 && ::connect(probe.get(), &address.any, size) != 0 && errno == ECONNREFUSED;
    errno = EADDRINUSE;
    return refused;
}

// Messages are small and wait for their answers.
void send_at_once(const Place& place, int socket) {
    const int on = 1;
    if (place.kind == Kind::tcp) ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

class SocketListener final : public Listener {
  public:
    SocketListener(Place place, Descriptor socket) : place_(std::move(place)), socket_(std::move(socket)) {}
    ~SocketListener() override {
        if (place_.kind == Kind::unix_socket) ::unlink(place_.where.c_str());
    }
    Place place() const override { return place_; }

    Result<std::unique_ptr<Link>> accept(Duration patience) override {
        const Deadline deadline(patience);
        while (true) {
            JZ_TRY(const bool readable, wait_readable(socket_.get(), deadline.left_ms()));
            if (!readable) return Error(ErrorKind::timeout, "nobody connected in time");
            const int peer = ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (peer >= 0) {
                send_at_once(place_, peer);
                return std::unique_ptr<Link>(std::make_unique<StreamLink>(peer, false));
            }
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) return errno_error("accept a connection");
        }
    }

  private:
    Place place_;
    Descriptor socket_;
};

}  // namespace

Result<bool> wait_readable(int descriptor, int milliseconds) {
    pollfd wait{descriptor, POLLIN, 0};
    while (true) {
        const int ready = ::poll(&wait, 1, milliseconds);
        if (ready >= 0) return ready > 0;
        if (errno != EINTR) return errno_error("wait for the carrier");
    }
}

std::unique_ptr<Link> link_over(int descriptor, bool quiet_restart) {
    const int flags = ::fcntl(descriptor, F_GETFL);
    ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
    return std::make_unique<StreamLink>(descriptor, quiet_restart);
}

Result<std::unique_ptr<Listener>> listen(const Place& place) {
    if (place.kind != Kind::tcp && place.kind != Kind::unix_socket) {
        return Error(ErrorKind::invalid, "nobody listens on this carrier: both sides open it");
    }
    Address address;
    JZ_TRY(const socklen_t size, address_of(place, address));
    Descriptor socket(new_socket(place));
    if (socket.get() < 0) return errno_error("open a socket for " + name_of(place), errno);
    const int on = 1;
    // A socket's file is this user's alone: bind gives it the socket's own mode, so nobody can connect in between.
    const bool local = place.kind == Kind::unix_socket;
    bool bound = ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                 (!local || ::fchmod(socket.get(), 0600) == 0) && ::bind(socket.get(), &address.any, size) == 0;
    if (!bound && local && errno == EADDRINUSE && left_behind(address, size)) {
        ::unlink(place.where.c_str());
        bound = ::bind(socket.get(), &address.any, size) == 0;
    }
    if (!bound || ::listen(socket.get(), 8) != 0) {
        const int error = errno;
        const char* const hint = error == EADDRINUSE ? " (another payee listens there)" : "";
        return errno_error("listen on " + name_of(place) + hint, error);
    }
    Place chosen = place;
    socklen_t length = sizeof address;
    if (place.kind == Kind::tcp && ::getsockname(socket.get(), &address.any, &length) == 0) {
        chosen.port = ntohs(address.ip.sin_port);
    }
    return std::unique_ptr<Listener>(std::make_unique<SocketListener>(std::move(chosen), std::move(socket)));
}

Result<std::unique_ptr<Link>> connect_stream(const Place& place, Duration patience) {
    const Deadline deadline(patience);
    Address address;
    JZ_TRY(const socklen_t size, address_of(place, address));
    // The payee may not have begun to listen: asked again until it does.
    while (true) {
        Descriptor socket(new_socket(place));
        if (socket.get() < 0) return errno_error("make a socket");
        int error = ::connect(socket.get(), &address.any, size) == 0 ? 0 : errno;
        if (error == EINPROGRESS) {
            pollfd wait{socket.get(), POLLOUT, 0};
            socklen_t length = sizeof error;
            error = ::poll(&wait, 1, deadline.left_ms()) == 1 &&
                            ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) == 0
                        ? error
                        : ETIMEDOUT;
        }
        if (error == 0) {
            send_at_once(place, socket.get());
            return std::unique_ptr<Link>(std::make_unique<StreamLink>(socket.release(), false));
        }
        const bool later = error == ECONNREFUSED || error == ENOENT || error == EAGAIN;
        if (!later || deadline.passed()) {
            return Error(ErrorKind::unavailable,
                         "no payee listens on " + name_of(place) + " (" + std::strerror(error) + ")");
        }
        ::poll(nullptr, 0, 50);
    }
}

Result<std::unique_ptr<Link>> open_serial(const std::string& path) {
    Descriptor line(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (line.get() < 0) return errno_error("open " + path);
    termios mode{};
    if (::tcgetattr(line.get(), &mode) != 0) return errno_error(path + " is no serial line");
    ::cfmakeraw(&mode);
    mode.c_cflag |= CLOCAL | CREAD;
    ::cfsetspeed(&mode, B115200);
    if (::tcsetattr(line.get(), TCSANOW, &mode) != 0) return errno_error("set up " + path);
    return std::unique_ptr<Link>(std::make_unique<StreamLink>(line.release(), true));
}

}  // namespace jiaozi::carriers
