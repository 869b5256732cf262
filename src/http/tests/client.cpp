#include "client.hpp"

#include <stdexcept>

#include <arpa/inet.h>
#include <boost/json.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "text.hpp"

namespace jiaozi::http::test {

std::string Answer::header(std::string_view name) const {
    for (const auto& [each, value] : headers) {
        if (same_ignoring_case(each, name)) return value;
    }
    return {};
}

std::string Answer::at(std::string_view path) const {
    boost::system::error_code error;
    const boost::json::value root = boost::json::parse(body, error);
    if (error) return {};
    const boost::json::value* value = &root;
    while (!path.empty() && value != nullptr) {
        const std::size_t end = std::min(path.find_first_of(".["), path.size());
        const std::string_view name = path.substr(0, end);
        if (!name.empty())
            value = value->is_object()
                        ? value->as_object().if_contains(boost::json::string_view(name.data(), name.size()))
                        : nullptr;
        path.remove_prefix(end);
        if (path.starts_with('[') && value != nullptr) {
            const std::size_t index = static_cast<std::size_t>(std::stoul(std::string(path.substr(1))));
            value = value->is_array() && index < value->as_array().size() ? &value->as_array()[index] : nullptr;
            path.remove_prefix(path.find(']') + 1);
        }
        if (path.starts_with('.')) path.remove_prefix(1);
    }
    if (value == nullptr) return {};
    if (value->is_string()) return std::string(value->as_string());
    return boost::json::serialize(*value);
}

Connection::Connection(std::uint16_t port) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot connect");
}

Connection::~Connection() {
    ::close(socket_);
}

void Connection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;  // the server closed first: receive() says what it answered
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool Connection::fill() {
    pollfd wanted{socket_, POLLIN, 0};
    if (::poll(&wanted, 1, 10'000) <= 0) return false;
    char chunk[16384];
    const ssize_t got = ::recv(socket_, chunk, sizeof chunk, 0);
    if (got <= 0) return false;
    buffer_.append(chunk, static_cast<std::size_t>(got));
    return true;
}

Answer Connection::receive(bool head) {
    Answer answer;
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) return answer;
    }
    answer.status = std::stoi(buffer_.substr(9, 3));
    std::size_t at = buffer_.find("\r\n") + 2;
    while (at < end + 2) {
        const std::size_t line_end = buffer_.find("\r\n", at);
        const std::size_t colon = buffer_.find(": ", at);
        answer.headers.emplace_back(buffer_.substr(at, colon - at), buffer_.substr(colon + 2, line_end - colon - 2));
        at = line_end + 2;
    }
    buffer_.erase(0, end + 4);
    if (answer.status == 100) return receive(head);
    const std::string length = answer.header("Content-Length");
    if (head || length.empty()) return answer;
    while (buffer_.size() < std::stoul(length)) {
        if (!fill()) return answer;
    }
    answer.body = buffer_.substr(0, std::stoul(length));
    buffer_.erase(0, std::stoul(length));
    return answer;
}

std::string Connection::receive_until(std::string_view wanted) {
    std::size_t at;
    while ((at = buffer_.find(wanted)) == std::string::npos) {
        if (!fill()) return buffer_;
    }
    std::string got = buffer_.substr(0, at + wanted.size());
    buffer_.erase(0, got.size());
    return got;
}

bool Connection::closed(int seconds) {
    pollfd wanted{socket_, POLLIN, 0};
    if (::poll(&wanted, 1, seconds * 1000) <= 0) return false;
    char byte = 0;
    return ::recv(socket_, &byte, 1, MSG_PEEK) <= 0;
}

std::string request_text(std::string_view method, std::string_view target, const Headers& headers,
                         std::string_view body) {
    std::string text(method);
    text += ' ';
    text += target;
    text += " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH")
        text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    text += body;
    return text;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

}  // namespace jiaozi::http::test
