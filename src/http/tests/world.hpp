// The HTTP interface over real services, a real registry and a real journal, in a temporary folder, on a thread of its
// own: what the tests talk to through sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <jiaozi/base/bytes.hpp>

#include "client.hpp"

namespace jiaozi::http::test {

struct WorldOptions {
    bool sandbox = true;
    std::uint32_t requests_per_s = 0;
    std::uint32_t requests_burst = 1;
    std::vector<std::string> cors_origins;
    std::int64_t request_timeout_ms = 15'000;
    std::int64_t idle_timeout_ms = 75'000;
    std::size_t max_connections = 4096;
};

// What an observer outside could notice having changed.
struct Marks {
    std::uint64_t newest_event = 0;
    std::uint64_t journal_sequence = 0;
    bool operator==(const Marks&) const = default;
};

struct RouteInfo {
    std::string method;
    std::string pattern;
};

class World {
  public:
    explicit World(WorldOptions options = {});
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    std::uint16_t port() const;
    // By a new connection each time, with the operator's key unless headers name another Authorization (an empty one:
    // none).
    Answer call(std::string_view method, std::string_view target, std::string_view body = {}, Headers headers = {});
    Answer get(std::string_view target) { return call("GET", target); }
    // Expects 2xx.
    Answer must(std::string_view method, std::string_view target, std::string_view body = {}, Headers headers = {});
    static Headers as(const std::string& key) { return {{"Authorization", "Bearer " + key}}; }

    Marks marks();
    // Waits until everything in the journal is projected.
    void settle();
    void advance_clock(std::int64_t seconds);
    void on_app(std::function<void()> work);
    void add_event(std::string_view type);
    void restart();

    // What a purse signs to pay out of its lot.
    Bytes note_payload(const std::string& payer, const std::string& payee, std::uint32_t seq, ByteView certificate,
                       std::uint64_t offset, std::uint64_t amount) const;

    // ---- the people of this world, made through the interface by populate()
    void populate();
    std::string operator_key;
    std::string ann, bob, ann_member, bob_member, group, ann_wallet, bob_wallet, merchant, merchant_wallet, product,
        machine, limit, endpoint, payment, event, spare_key, ann_key, read_key, stranger, stranger_key, purse, culprit;
    // An existing id for a path parameter: "{wallet}" → wal_…
    std::string id_for(std::string_view parameter) const;
    std::string filled(std::string_view pattern) const;
    // A well-formed id that names nothing.
    std::string unknown(std::string_view pattern) const;

    std::vector<RouteInfo> routes();
    static std::string_view openapi();

  private:
    struct Parts;
    void start();
    void make_purses();
    std::unique_ptr<Parts> parts_;
    WorldOptions options_;
};

}  // namespace jiaozi::http::test
