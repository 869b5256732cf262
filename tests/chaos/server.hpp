// The program under test: `jiaozi serve --sandbox` as a child process, always on the same ports and directory, so that
// everybody finds it again after it was killed. Used by the main thread only, with which it dies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <sys/types.h>

#include <jiaozi/base/result.hpp>

namespace jiaozi::chaos {

class Server {
  public:
    Server(std::filesystem::path program, std::filesystem::path folder, std::uint32_t hold_s);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Returns when it listens.
    Result<> start();
    // SIGKILL. Error internal if it had ended by itself: that is a finding.
    Result<> kill();
    // SIGTERM; error internal unless it ends with 0.
    Result<> stop();
    // `jiaozi projections rebuild`, while it is stopped.
    Result<> rebuild_projections() const;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(http_port_); }
    std::uint16_t mqtt_port() const noexcept { return mqtt_port_; }
    std::filesystem::path data() const { return folder_ / "data"; }
    Result<std::string> operator_key() const;
    std::string end_of_log() const;
    std::int64_t slowest_start_ms() const noexcept { return slowest_start_ms_; }

  private:
    std::filesystem::path program_;
    std::filesystem::path folder_;
    std::string hold_;
    std::uint16_t http_port_ = 0;
    std::uint16_t mqtt_port_ = 0;
    pid_t child_ = 0;
    std::int64_t slowest_start_ms_ = 0;
};

}  // namespace jiaozi::chaos
