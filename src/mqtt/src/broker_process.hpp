// One run of the broker's program.
#pragma once

#include <filesystem>
#include <optional>

#include <sys/types.h>

#include <jiaozi/base/result.hpp>

#include "broker_files.hpp"

namespace jiaozi::mqtt {

// A child process and a descriptor that becomes readable when it ends. Reaped by the destructor at the latest.
class BrokerProcess {
  public:
    // Standard output and error go to `log` (appended). The child runs as `account`, in a session of its own so that a
    // terminal's Ctrl-C reaches it through us alone, and is killed by the kernel when the calling thread ends.
    static Result<BrokerProcess> start(const std::filesystem::path& executable,
                                       const std::filesystem::path& configuration, const std::filesystem::path& log,
                                       const std::optional<Account>& account);
    BrokerProcess(BrokerProcess&& other) noexcept;
    BrokerProcess& operator=(BrokerProcess&&) = delete;
    ~BrokerProcess();

    pid_t pid() const noexcept { return pid_; }
    int descriptor() const noexcept { return descriptor_; }
    void reload() const noexcept;  // SIGHUP
    // "exited with code 1", "was killed by signal 9" once it has ended.
    std::optional<std::string> ended();
    // SIGTERM, then SIGKILL; returns when it is gone.
    void stop();

  private:
    BrokerProcess(pid_t pid, int descriptor) noexcept : pid_(pid), descriptor_(descriptor) {}
    bool wait_readable(int timeout_ms) const noexcept;

    pid_t pid_ = 0;
    int descriptor_ = -1;
    std::optional<std::string> ended_;
};

}  // namespace jiaozi::mqtt
