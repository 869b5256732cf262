// Two SoftHSM2 tokens in a temporary folder, "jiaozi test" and "promises", both with PIN 2468. SoftHSM reads its
// configuration and lists its tokens once in a process, so both are made before it is loaded.
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
    bool ready() const { return ready_; }
    std::filesystem::path log() const { return folder_ / "log"; }

  private:
    SoftwareTokens() {
        const auto tokens = folder_ / "tokens";
        std::filesystem::create_directory(tokens);
        const auto configuration = folder_ / "softhsm2.conf";
        std::ofstream(configuration) << "directories.tokendir = " << tokens.string() << "\nlog.level = ERROR\n";
        ::setenv("SOFTHSM2_CONF", configuration.c_str(), 1);
        ready_ = make("jiaozi test") && make("promises");
    }
    bool make(const std::string& label) {
        ChildProcess tool;
        return tool.start({find_program("softhsm2-util"), "--init-token", "--free", "--label", label, "--pin", "2468",
                           "--so-pin", "87654321"},
                          log()) &&
               tool.wait() == 0;
    }
    TemporaryFolder folder_;
    bool ready_ = false;
};

}  // namespace jiaozi::testing
