// A small HTTP/1.1 client for tests: one connection, every byte under the test's control.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jiaozi::http::test {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Answer {
    int status = 0;
    Headers headers;
    std::string body;

    std::string header(std::string_view name) const;
    // A value of the JSON body by path: "data[0].id", "payment.state". Texts bare, others as JSON; "" if absent.
    std::string at(std::string_view path) const;
    std::string code() const { return at("code"); }
};

class Connection {
  public:
    explicit Connection(std::uint16_t port);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void send(std::string_view bytes);
    // The next answer; status 0 when the server closed the connection. `head`: no body follows.
    Answer receive(bool head = false);
    // What arrives until `wanted` occurs in it, or ten seconds; for streams. Keeps reading where it stopped.
    std::string receive_until(std::string_view wanted);
    // True if the server has closed the connection (waits up to `seconds`).
    bool closed(int seconds = 10);

  private:
    bool fill();
    int socket_ = -1;
    std::string buffer_;
};

std::string request_text(std::string_view method, std::string_view target, const Headers& headers,
                         std::string_view body);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

}  // namespace jiaozi::http::test
