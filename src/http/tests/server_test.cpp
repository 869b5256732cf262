// The server as a peer on the wire sees it: framing, limits, timeouts, static files.
#include <gtest/gtest.h>

#include "world.hpp"

namespace jiaozi::http::test {
namespace {

constexpr std::string_view health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(Server, KeepsConnectionsAndAnswersPipelinedRequestsInOrder) {
    World world;
    Connection connection(world.port());
    std::string many;
    for (int i = 0; i < 50; ++i) {
        many += "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: r" + std::to_string(i) + "\r\n\r\n";
        many += request_text("POST", "/v1/people",
                             {{"Authorization", "Bearer " + world.operator_key}, {"Content-Type", "application/json"}},
                             R"({"name":"x"})");
    }
    connection.send(many);
    for (int i = 0; i < 50; ++i) {
        const Answer answer = connection.receive();
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.header("X-Request-Id"), "r" + std::to_string(i));
        EXPECT_EQ(connection.receive().status, 201);
    }
}

TEST(Server, RequestsInPiecesAndChunks) {
    World world;
    Connection connection(world.port());
    const std::string request = request_text(
        "POST", "/v1/people", {{"Authorization", "Bearer " + world.operator_key}, {"Content-Type", "application/json"}},
        R"({"name":"slow"})");
    for (const char byte : request) connection.send(std::string(1, byte));
    EXPECT_EQ(connection.receive().status, 201);
    const std::string head =
        "POST /v1/people HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer " +
        world.operator_key + "\r\n";
    connection.send(head + "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"name\":\r\n4\r\n\"x\"}\r\n0\r\n\r\n");
    EXPECT_EQ(connection.receive().status, 201);
    connection.send(head + "Expect: 100-continue\r\nContent-Length: 12\r\n\r\n");
    connection.receive_until("100 Continue\r\n\r\n");
    connection.send(R"({"name":"x"})");
    EXPECT_EQ(connection.receive().status, 201);
}

TEST(Server, RefusesWhatIsNotHttpOrTooLarge) {
    World world;
    const std::string post = "POST /v1/people HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    struct Row {
        const char* what;
        std::string bytes;
        int status;
        const char* code;
    };
    const Row rows[] = {
        {"noise", "\x16\x03\x01 hello\r\n\r\n", 400, "malformed"},
        {"no version", "GET /\r\n\r\n", 400, "malformed"},
        {"a space in a header name", "GET / HTTP/1.1\r\nHo st: x\r\n\r\n", 400, "malformed"},
        {"two lengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "malformed"},
        {"length and chunks", post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
         "malformed"},
        {"a length that is none", post + "Content-Length: x\r\n\r\n", 400, "malformed"},
        {"a chunk size that is none", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "malformed"},
        {"headers over 8 KiB", "GET /healthz HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", 431,
         "headers_too_large"},
        {"a target over 8 KiB", "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n\r\n", 431, "headers_too_large"},
        {"a body over 64 KiB", post + "Content-Length: 65537\r\n\r\n", 413, "too_large"},
        {"a huge length", post + "Content-Length: 18446744073709551615\r\n\r\n", 413, "too_large"},
    };
    for (const Row& row : rows) {
        Connection connection(world.port());
        connection.send(row.bytes);
        const Answer answer = connection.receive();
        EXPECT_EQ(answer.status, row.status) << row.what << ": " << answer.body;
        EXPECT_EQ(answer.code(), row.code) << row.what;
        EXPECT_EQ(answer.header("Connection"), "close") << row.what;
        EXPECT_TRUE(connection.closed()) << row.what;
    }
    Connection chunked(world.port());
    chunked.send(post + "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; ++i) chunked.send("1000\r\n" + std::string(4096, 'x') + "\r\n");
    EXPECT_EQ(chunked.receive().status, 413);
}

TEST(Server, CutsOffSlowAndIdleClients) {
    WorldOptions options;
    options.request_timeout_ms = 300;
    options.idle_timeout_ms = 900;
    World world(options);
    Connection slow(world.port());
    slow.send("GET /healthz HTTP/1.1\r\nHo");
    EXPECT_TRUE(slow.closed());
    Connection idle(world.port());
    idle.send(health);
    EXPECT_EQ(idle.receive().status, 200);
    EXPECT_TRUE(idle.closed());
}

TEST(Server, ClosesConnectionsBeyondTheLimit) {
    WorldOptions options;
    options.max_connections = 2;
    World world(options);
    Connection one(world.port());
    one.send(health);
    EXPECT_EQ(one.receive().status, 200);
    Connection two(world.port());
    two.send(health);
    EXPECT_EQ(two.receive().status, 200);
    Connection three(world.port());
    EXPECT_TRUE(three.closed());
    one.send(health);
    EXPECT_EQ(one.receive().status, 200);
}

TEST(Server, HeadAndOldVersions) {
    World world;
    const Answer head = world.call("HEAD", "/healthz");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(head.header("Content-Length"), std::to_string(world.get("/healthz").body.size()));
    Connection old(world.port());
    old.send("GET /healthz HTTP/1.0\r\n\r\n");
    EXPECT_EQ(old.receive().status, 200);
    EXPECT_TRUE(old.closed());
    Connection last(world.port());
    last.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(last.receive().header("Connection"), "close");
    EXPECT_TRUE(last.closed());
}

TEST(Server, StaticFilesForThePage) {
    World world;
    const Answer page = world.get("/");
    EXPECT_EQ(page.status, 200);
    EXPECT_NE(page.body.find("<title>page"), std::string::npos);
    EXPECT_NE(page.header("Content-Security-Policy").find("default-src 'self'"), std::string::npos);
    EXPECT_EQ(page.header("Content-Security-Policy").find("wasm-unsafe-eval"), std::string::npos);
    EXPECT_EQ(page.header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(page.header("Cross-Origin-Embedder-Policy"), "require-corp");
    EXPECT_EQ(page.header("Cache-Control"), "no-cache");
    const Answer worker = world.get("/assets/purse.wasm.worker-1.js");
    EXPECT_NE(worker.header("Content-Security-Policy").find("script-src 'self' 'wasm-unsafe-eval'"), std::string::npos);
    EXPECT_EQ(worker.header("Cross-Origin-Embedder-Policy"), "require-corp");
    EXPECT_EQ(world.get("/devices/some/view").body, page.body) << "the page has its own routes";
    EXPECT_EQ(world.call("GET", "/", {}, {{"If-None-Match", "\"zero\", W/\"one\""}}).status, 304);
    EXPECT_EQ(world.call("GET", "/", {}, {{"If-None-Match", "\"other\""}}).status, 200);
    const Answer zipped = world.call("GET", "/assets/app.js", {}, {{"Accept-Encoding", "br, gzip"}});
    EXPECT_EQ(zipped.body, "GZIPPED");
    EXPECT_EQ(zipped.header("Content-Encoding"), "gzip");
    EXPECT_NE(zipped.header("Cache-Control").find("immutable"), std::string::npos);
    EXPECT_EQ(world.call("GET", "/assets/app.js", {}, {{"Accept-Encoding", "gzip;q=0"}}).body, "let plain;");
    EXPECT_EQ(world.call("POST", "/", "{}").code(), "method_not_allowed");
    EXPECT_NE(world.get("/docs/errors.md").body.find("insufficient_funds"), std::string::npos);
    EXPECT_EQ(world.call("HEAD", "/").body, "");
}

TEST(Server, CorsOnlyForListedOrigins) {
    WorldOptions options;
    options.cors_origins = {"https://shop.example"};
    World world(options);
    EXPECT_EQ(
        world.call("GET", "/healthz", {}, {{"Origin", "https://shop.example"}}).header("Access-Control-Allow-Origin"),
        "https://shop.example");
    EXPECT_EQ(
        world.call("GET", "/healthz", {}, {{"Origin", "https://evil.example"}}).header("Access-Control-Allow-Origin"),
        "");
    const Answer preflight =
        world.call("OPTIONS", "/v1/payments", {}, {{"Origin", "https://shop.example"}, {"Authorization", ""}});
    EXPECT_EQ(preflight.status, 204);
    EXPECT_NE(preflight.header("Access-Control-Allow-Headers").find("Idempotency-Key"), std::string::npos);
}

TEST(Server, RateLimitIsPerKey) {
    WorldOptions options;
    options.requests_per_s = 1;
    options.requests_burst = 3;
    World world(options);
    int refused = 0;
    for (int i = 0; i < 6; ++i) {
        const Answer answer = world.get("/v1/people");
        if (answer.status != 429) continue;
        ++refused;
        EXPECT_EQ(answer.code(), "rate_limited");
        EXPECT_EQ(answer.header("Retry-After"), "1");
    }
    EXPECT_GE(refused, 1);
    EXPECT_EQ(world.get("/healthz").status, 200);
}

TEST(Server, MetricsCountRequests) {
    World world;
    world.get("/v1/people");
    world.get("/v1/nothing");
    const std::string text = world.get("/metrics").body;
    EXPECT_NE(text.find("jiaozi_http_requests_total{route=\"GET /v1/people\",status=\"2xx\"} 1"), std::string::npos)
        << text;
    EXPECT_NE(text.find("jiaozi_http_requests_total{route=\"other\",status=\"4xx\"} 1"), std::string::npos) << text;
    EXPECT_NE(text.find("_bucket{route=\"GET /v1/people\",le=\"+Inf\"} 1"), std::string::npos) << text;
}

}  // namespace
}  // namespace jiaozi::http::test
