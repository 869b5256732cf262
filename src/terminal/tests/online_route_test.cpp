// What a buyer makes of a server's answers, from a server that says anything and hangs up.
#include <deque>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jiaozi/terminal/online_route.hpp>

namespace jiaozi::terminal {
namespace {

using Answer = OnlineRoute::Answer;

// One answer a connection; an empty one hangs up without a word. With none left nobody listens.
class Server {
  public:
    explicit Server(std::deque<std::string> answers) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(socket_, 16), 0);
        EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
        thread_ = std::thread([this, answers = std::move(answers)] {
            for (const std::string& answer : answers) {
                const int peer = ::accept(socket_, nullptr, nullptr);
                if (peer < 0) return;
                serve(peer, answer);
                ::close(peer);
            }
            ::shutdown(socket_, SHUT_RDWR);
        });
    }
    ~Server() {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
    }
    std::string url;

  private:
    static void serve(int peer, const std::string& answer) {
        std::string request;
        char buffer[4096];
        while (request.find("\r\n\r\n") == std::string::npos) {
            const ssize_t got = ::recv(peer, buffer, sizeof buffer, 0);
            if (got <= 0) return;
            request.append(buffer, static_cast<std::size_t>(got));
        }
        EXPECT_EQ(::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
        // Whatever of the request is still on its way, so that closing does not reset the connection.
        ::shutdown(peer, SHUT_WR);
        while (::recv(peer, buffer, sizeof buffer, 0) > 0) {
        }
    }
    int socket_;
    std::thread thread_;
};

std::string says(int status, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) +
           " X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string payment(const std::string& state, const std::string& reason = "none") {
    return R"({"object":"payment","id":"pay_1","state":")" + state + R"(","reason":")" + reason + R"("})";
}
std::string problem(const std::string& code, const std::string& inside = {}) {
    return R"({"code":")" + code + R"(","detail":"d")" + (inside.empty() ? "" : ",\"payment\":" + inside) + "}";
}
const std::string hangs_up;

HttpRoute route_to(const Server& server) {
    return HttpRoute(client::HttpClient::create({.base_url = server.url,
                                                 .key = {},
                                                 .timeout = seconds(5),
                                                 .max_response_bytes = std::size_t{1} << 20,
                                                 .stop = {}})
                         .value());
}
const Order order{.device = "dev_1", .slot = 2, .quantity = 3, .wallet = "wal_1", .member = "mem_1"};

TEST(OnlineRoute, WhatAnAnswerMeans) {
    struct Row {
        const char* what;
        std::deque<std::string> answers;
        Answer answer;
    };
    const std::vector<Row> rows = {
        {"captured at once", {says(201, payment("captured"))}, Answer::captured},
        {"delivered after a while",
         {says(201, payment("authorized")), says(200, payment("authorized")), says(200, payment("captured"))},
         Answer::captured},
        {"nothing fell",
         {says(201, payment("authorized")), says(200, payment("voided", "not_delivered"))},
         Answer::refused},
        {"a limit", {says(402, problem("limit_per_day", payment("declined", "limit_per_day")))}, Answer::refused},
        {"the machine is away",
         {says(409, problem("device_offline", payment("failed", "device_offline")))},
         Answer::machine_away},
        {"no answer, and nobody after it", {hangs_up}, Answer::unknown},
        {"no answer, and then one", {hangs_up, says(201, payment("captured"))}, Answer::captured},
        {"not now", {says(503, problem("unavailable")), says(201, payment("captured"))}, Answer::captured},
        {"the first copy is under way",
         {says(409, problem("request_in_flight")), says(201, payment("captured"))},
         Answer::captured},
        {"held, and the server is gone", {says(201, payment("authorized")), hangs_up}, Answer::unknown},
        {"held, and the key is revoked",
         {says(201, payment("authorized")), says(401, problem("invalid_key"))},
         Answer::unknown},
        {"no answer, and the key is revoked", {hangs_up, says(401, problem("invalid_key"))}, Answer::unknown},
        {"no payment at all", {says(201, "{}")}, Answer::unknown},
    };
    for (const Row& row : rows) {
        const Server server(row.answers);
        const auto paid = route_to(server).pay(order, {350, "CNY"}, "key", milliseconds(1500));
        ASSERT_TRUE(paid.ok()) << row.what << ": " << paid.error().to_string();
        EXPECT_EQ(paid->answer, row.answer) << row.what;
    }
}

TEST(OnlineRoute, ARequestThatIsRefusedHasMadeNoPayment) {
    for (const auto& [status, kind] : {std::pair(400, ErrorKind::invalid), std::pair(401, ErrorKind::unauthenticated),
                                       std::pair(403, ErrorKind::forbidden), std::pair(404, ErrorKind::not_found)}) {
        const Server server({says(status, problem("wrong"))});
        const auto paid = route_to(server).pay(order, {350, "CNY"}, "key", seconds(1));
        ASSERT_FALSE(paid.ok()) << status;
        EXPECT_EQ(paid.error().kind(), kind);
        EXPECT_EQ(paid.error().code(), "wrong");
    }
}

TEST(OnlineRoute, ThePriceIsTheCatalogues) {
    const auto price = [](const std::string& answer) { return route_to(Server({answer})).price(order); };
    const auto slots = [](const std::string& each) {
        return says(200, R"({"data":[{"slot":1,"price":"1","asset":"EUR"},{"slot":2,"price":")" + each +
                             R"(","asset":"CNY"}]})");
    };
    const auto found = price(slots("350")).value();
    EXPECT_EQ(found.amount, 1'050U);
    EXPECT_EQ(found.asset, "CNY");
    for (const char* wrong : {"", "-1", "3.5", "9223372036854775807", "99999999999999999999"})
        EXPECT_EQ(price(slots(wrong)).error().kind(), ErrorKind::malformed) << wrong;
    EXPECT_EQ(price(says(200, R"({"data":[]})")).error().kind(), ErrorKind::not_found);
    EXPECT_EQ(price(says(200, "[]")).error().kind(), ErrorKind::malformed);
    EXPECT_EQ(price(says(503, "")).error().kind(), ErrorKind::unavailable);
    EXPECT_EQ(price(hangs_up).error().kind(), ErrorKind::unavailable);
}

}  // namespace
}  // namespace jiaozi::terminal
