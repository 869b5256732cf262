#include <cerrno>
#include <string>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jiaozi/keystores/virtual_card.hpp>

#include "big_endian.hpp"

namespace jiaozi::keystores {
namespace {

enum class Control : std::uint8_t { power_off = 0, power_on = 1, reset = 2, answer_to_reset = 4 };

class Socket {
  public:
    Socket() : number_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    ~Socket() {
        if (number_ >= 0) ::close(number_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    Result<void> connect(std::uint16_t port) const {
        if (number_ < 0) return errno_error("make a socket");
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(number_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
        return Error(ErrorKind::unavailable, "no virtual reader listens on port " + std::to_string(port) +
                                                 " of this machine; start pcscd with vsmartcard-vpcd installed");
    }

    // False when `done` said so before anything came.
    bool wait(const std::function<bool()>& done) const {
        pollfd there{number_, POLLIN, 0};
        while (!done()) {
            if (::poll(&there, 1, 100) > 0) return true;
        }
        return false;
    }

    // All of `bytes`; false when the other side closed before the first.
    Result<bool> receive(ByteSpan bytes) const {
        std::size_t done = 0;
        while (done < bytes.size()) {
            const ssize_t got = ::recv(number_, bytes.data() + done, bytes.size() - done, 0);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0 && errno != ECONNRESET) return errno_error("read from the virtual reader");
            if (got <= 0 && done == 0) return false;
            if (got <= 0) return Error(ErrorKind::io, "the virtual reader went away in the middle of a message");
            done += static_cast<std::size_t>(got);
        }
        return true;
    }

    Result<void> send(ByteView message) const {
        Bytes bytes;
        put_big_endian(bytes, message.size(), 2);
        append(bytes, message);
        ByteView left(bytes);
        while (!left.empty()) {
            const ssize_t sent = ::send(number_, left.data(), left.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0) return errno_error("write to the virtual reader");
            left = left.subspan(static_cast<std::size_t>(sent));
        }
        return {};
    }

  private:
    int number_;
};

Result<void> serve(CardApplication& application, const Socket& socket, ByteView message) {
    if (message.size() > 1) return socket.send(application.process(message));
    switch (static_cast<Control>(message[0])) {
        case Control::answer_to_reset:
            return socket.send(application.answer_to_reset());
        case Control::power_off:
        case Control::power_on:
        case Control::reset:
            application.reset();
            return {};
    }
    return {};  // controls of later versions want no answer
}

}  // namespace

Result<void> run_virtual_card(CardApplication& application, std::uint16_t port, const std::function<bool()>& done) {
    const Socket socket;
    JZ_CHECK(socket.connect(port));
    Bytes message;
    while (true) {
        if (done && !socket.wait(done)) return {};
        std::array<std::uint8_t, 2> head{};
        JZ_TRY(const bool more, socket.receive(head));
        if (!more) return {};
        message.resize(big_endian(head));
        if (message.empty()) return Error(ErrorKind::malformed, "the virtual reader sent an empty message");
        JZ_TRY(const bool whole, socket.receive(message));
        if (!whole) return {};
        JZ_CHECK(serve(application, socket, message));
    }
}

}  // namespace jiaozi::keystores
