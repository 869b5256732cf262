// Closed-loop load over HTTP/1.1 keep-alive connections: each sends a payment, waits for its answer, sends the next.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <jiaozi/base/result.hpp>

#include "measure.hpp"

namespace jiaozi::bench {

struct HttpLoad {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string key;
    std::vector<std::string> bodies;  // used in turn
    std::uint32_t connections = 64;
    std::uint64_t warm_up = 0;  // payments not counted
    std::uint64_t payments = 0;
};

// Error unavailable when a connection fails. Answers other than 201 are counted as failed.
Result<Measured> run_http_load(const HttpLoad& load);

}  // namespace jiaozi::bench
