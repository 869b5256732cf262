// pcscd with vsmartcard's virtual reader, in a network and mount namespace of this process's own: vpcd listens on all
// addresses, pcscd's socket has a fixed path, and neither may touch those of the machine.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process.hpp"

namespace jiaozi::testing {

class VirtualReader {
  public:
    static constexpr const char* driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";

    // Nothing, or why there can be none on this machine (the test is then skipped).
    static std::string missing() {
        if (find_program("pcscd").empty() || !std::filesystem::exists(driver)) {
            return "pcscd or vsmartcard-vpcd is not installed (tools/install.sh test)";
        }
        static const std::string refused = enter_namespaces();
        if (refused.empty()) return {};
        return "this machine gives no network and mount namespace (" + refused +
               "); run as root or allow user namespaces";
    }
    bool start() {
        std::filesystem::create_directories("/run/pcscd");
        std::ofstream(folder_ / "reader.conf") << "FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:0x8C7B\nLIBPATH "
                                               << driver << "\nCHANNELID 0x8C7B\n";
        return daemon_.start(
                   {find_program("pcscd"), "--foreground", "--error", "--config", (folder_ / "reader.conf").string()},
                   folder_ / "pcscd.log") &&
               eventually([] { return std::filesystem::exists("/run/pcscd/pcscd.comm"); });
    }
    void stop() { daemon_.stop(SIGTERM); }
    std::string log() const { return text_of(folder_ / "pcscd.log"); }

  private:
    static void write_text(const char* path, const std::string& text) {
        const int file = ::open(path, O_WRONLY | O_CLOEXEC);
        if (file < 0) return;
        [[maybe_unused]] const ssize_t written = ::write(file, text.data(), text.size());
        ::close(file);
    }
    // Nothing, or why this machine does not let us.
    static std::string enter_namespaces() {
        const uid_t user = ::geteuid();
        const gid_t group = ::getegid();
        if (::unshare(CLONE_NEWNET | CLONE_NEWNS | (user == 0 ? 0 : CLONE_NEWUSER)) != 0) return std::strerror(errno);
        if (user != 0) {
            write_text("/proc/self/setgroups", "deny");
            write_text("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
            write_text("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
        }
        // Not shared with the machine, and a /run where pcscd's socket is ours.
        if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return std::strerror(errno);
        if (::mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") != 0) return std::strerror(errno);
        const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ifreq request{};
        std::strcpy(request.ifr_name, "lo");
        request.ifr_flags = IFF_UP | IFF_RUNNING;
        const int up = ::ioctl(socket, SIOCSIFFLAGS, &request);
        ::close(socket);
        return up == 0 ? std::string() : std::strerror(errno);
    }

    TemporaryFolder folder_;
    ChildProcess daemon_;
};

}  // namespace jiaozi::testing
