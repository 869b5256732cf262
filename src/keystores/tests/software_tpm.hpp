// A real TPM 2.0 in software (swtpm) on loopback ports of its own, its state in a folder of its own.
#pragma once

#include <filesystem>
#include <string>

#include "process.hpp"

namespace jiaozi::testing {

class SoftwareTpm {
  public:
    static bool installed() { return !find_program("swtpm").empty(); }

    SoftwareTpm() {
        ::setenv("TSS2_LOG", "all+none", 0);  // tpm2-tss would write every refusal to stderr
        std::filesystem::create_directory(folder_ / "state");
    }
    // Also after stop() or kill(): the same TPM, as after a power cut.
    bool start() {
        if (port_ == 0) port_ = free_ports(2);
        const std::string data = std::to_string(port_);
        const std::string control = std::to_string(port_ + 1);
        const std::string state = (folder_ / "state").string();
        return child_.start({find_program("swtpm"), "socket", "--tpm2", "--tpmstate", "dir=" + state, "--server",
                             "type=tcp,bindaddr=127.0.0.1,port=" + data, "--ctrl",
                             "type=tcp,bindaddr=127.0.0.1,port=" + control, "--flags", "not-need-init,startup-clear"},
                            log()) &&
               eventually([&] { return can_connect(port_ + 1) || !child_.running(); }) && child_.running();
    }
    void kill() { child_.stop(SIGKILL); }
    std::string tcti() const { return "swtpm:host=127.0.0.1,port=" + std::to_string(port_); }
    std::filesystem::path log() const { return folder_ / "log"; }

  private:
    TemporaryFolder folder_;
    ChildProcess child_;
    int port_ = 0;
};

}  // namespace jiaozi::testing
