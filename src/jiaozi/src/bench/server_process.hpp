// The program under measurement: a child process of our own, `jiaozi serve --sandbox` on a directory of its own. The
// load is another process, as a real one would be.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <sys/types.h>

#include <jiaozi/base/result.hpp>

namespace jiaozi::bench {

class ServerProcess {
  public:
    // Starts this very executable, and returns when it listens.
    static Result<std::unique_ptr<ServerProcess>> start(const std::filesystem::path& directory);
    ~ServerProcess();  // SIGTERM, then waits
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

    const std::string& url() const noexcept { return url_; }
    std::uint16_t http_port() const noexcept { return http_port_; }
    const std::string& mqtt_host() const noexcept { return mqtt_host_; }
    std::uint16_t mqtt_port() const noexcept { return mqtt_port_; }
    const std::string& key() const noexcept { return key_; }

  private:
    explicit ServerProcess(pid_t child) : child_(child) {}

    pid_t child_;
    std::string url_;
    std::string mqtt_host_;
    std::string key_;
    std::uint16_t http_port_ = 0;
    std::uint16_t mqtt_port_ = 0;
};

// A directory below the working directory, because the temporary one may be memory, and a sync to memory measures
// nothing. Removed at the end.
class ScratchDirectory {
  public:
    static Result<ScratchDirectory> make();
    ScratchDirectory(ScratchDirectory&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
    ScratchDirectory& operator=(ScratchDirectory&&) = delete;
    ~ScratchDirectory();
    const std::filesystem::path& path() const noexcept { return path_; }

  private:
    explicit ScratchDirectory(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

}  // namespace jiaozi::bench
