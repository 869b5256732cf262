// SoftHSM2 tokens in a temporary folder. SoftHSM reads its configuration once in a process, so there is one folder.
#pragma once

#include <filesystem>
#include <string>

#include "process.hpp"

namespace jiaozi::testing {

class SoftwareTokens {
  public:
    static constexpr const char* module = "/usr/lib/softhsm/libsofthsm2.so";
    static bool installed() { return std::filesystem::exists(module) && !find_program("softhsm2-util").empty(); }
    static SoftwareTokens& instance() {
        static SoftwareTokens tokens;
        return tokens;
    }
    // Before the module is loaded for the first time, or it will not see the token: SoftHSM lists them at start.
    bool make(const std::string& label, const std::string& pin) {
        ChildProcess tool;
        return tool.start({find_program("softhsm2-util"), "--init-token", "--free", "--label", label, "--pin", pin,
                           "--so-pin", "87654321"},
                          folder_ / "log") &&
               tool.wait() == 0;
    }
    std::filesystem::path log() const { return folder_ / "log"; }

  private:
    SoftwareTokens() {
        const auto tokens = folder_ / "tokens";
        std::filesystem::create_directory(tokens);
        const auto configuration = folder_ / "softhsm2.conf";
        std::ofstream(configuration) << "directories.tokendir = " << tokens.string() << "\nlog.level = ERROR\n";
        ::setenv("SOFTHSM2_CONF", configuration.c_str(), 1);
    }
    TemporaryFolder folder_;
};

}  // namespace jiaozi::testing
