// A webhook receiver for tests: a real HTTP/1.1 server on loopback that answers as it is told and keeps what it got.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jiaozi::webhooks::test {

struct Received {
    std::string path;
    std::string headers;  // as sent, with CRLFs
    std::string body;
    std::string header(const std::string& name) const {
        const std::size_t at = headers.find("\r\n" + name + ": ");
        if (at == std::string::npos) return {};
        const std::size_t begin = at + name.size() + 4;
        return headers.substr(begin, headers.find("\r\n", begin) - begin);
    }
};

class Receiver {
  public:
    // `answer` gives the whole response head and body; it may block to be slow.
    explicit Receiver(std::function<std::string(const Received&)> answer) : answer_(std::move(answer)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
        ::listen(listener_, 64);
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { accept_loop(); });
    }
    ~Receiver() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_all();
        acceptor_.join();
        for (std::thread& worker : workers_) worker.join();
        ::close(listener_);
    }

    std::string url(const std::string& path = "/hook") const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }
    std::size_t count() {
        const std::lock_guard lock(mutex_);
        return received_.size();
    }
    // Waits until `count` requests came; false after ten seconds.
    bool wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return received_.size() >= count; });
    }
    Received at(std::size_t index) {
        const std::lock_guard lock(mutex_);
        return received_.at(index);
    }
    // For answers that must hang until the test is over.
    void hang() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stop_; });
    }

  private:
    bool stopped() {
        const std::lock_guard lock(mutex_);
        return stop_;
    }
    bool readable(int socket) const {
        pollfd wanted{socket, POLLIN, 0};
        return ::poll(&wanted, 1, 50) > 0;
    }
    void accept_loop() {
        while (!stopped()) {
            if (!readable(listener_)) continue;
            const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (socket >= 0) workers_.emplace_back([this, socket] { serve(socket); });
        }
    }
    bool read_more(int socket, std::string& buffer) {
        while (!stopped()) {
            if (!readable(socket)) continue;
            char chunk[4096];
            const ssize_t got = ::recv(socket, chunk, sizeof chunk, 0);
            if (got <= 0) return false;
            buffer.append(chunk, static_cast<std::size_t>(got));
            return true;
        }
        return false;
    }
    void serve(int socket) {
        std::string buffer;
        while (true) {
            std::size_t end;
            while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
                if (!read_more(socket, buffer)) return static_cast<void>(::close(socket));
            }
            Received request;
            request.path = buffer.substr(buffer.find(' ') + 1);
            request.path.resize(request.path.find(' '));
            request.headers = buffer.substr(buffer.find("\r\n"), end + 2 - buffer.find("\r\n"));
            const std::size_t length = std::stoul("0" + request.header("Content-Length"));
            while (buffer.size() < end + 4 + length) {
                if (!read_more(socket, buffer)) return static_cast<void>(::close(socket));
            }
            request.body = buffer.substr(end + 4, length);
            buffer.erase(0, end + 4 + length);
            {
                const std::lock_guard lock(mutex_);
                received_.push_back(request);
            }
            changed_.notify_all();
            const std::string response = answer_(request);
            ::send(socket, response.data(), response.size(), MSG_NOSIGNAL);
        }
    }

    std::function<std::string(const Received&)> answer_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Received> received_;  // guarded by mutex_
    bool stop_ = false;               // guarded by mutex_
    std::vector<std::thread> workers_;
    std::thread acceptor_;
};

inline std::string answer(int status, const std::string& body = "") {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
}

}  // namespace jiaozi::webhooks::test
