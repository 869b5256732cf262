// A temporary folder, and programs of others run in it for a test: output to a log, ended by pid, ended by the kernel
// when the test dies. Header-only.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jiaozi::testing {

class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "jiaozi-keys-XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

inline std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

// The program's path in PATH (and where Debian keeps daemons); empty when it is not installed.
inline std::string find_program(const std::string& name) {
    for (const char* folder : {"/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin", "/sbin"}) {
        const std::filesystem::path path = std::filesystem::path(folder) / name;
        if (::access(path.c_str(), X_OK) == 0) return path.string();
    }
    return {};
}

class ChildProcess {
  public:
    ChildProcess() = default;
    ~ChildProcess() { stop(SIGKILL); }
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    // argv[0] is a full path; `environment` ("NAME=value") is added to this process's.
    bool start(const std::vector<std::string>& argv, const std::filesystem::path& log,
               const std::vector<std::string>& environment = {}) {
        std::vector<char*> words;
        for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
        words.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
            if (out < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) ::_exit(126);
            for (const std::string& variable : environment) ::putenv(const_cast<char*>(variable.c_str()));
            ::execv(words[0], words.data());
            ::_exit(127);
        }
        return pid_ > 0;
    }
    void stop(int signal_number) {
        if (pid_ <= 0) return;
        ::kill(pid_, signal_number);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    // The exit status, or -1 when a signal ended it.
    int wait() {
        int status = 0;
        if (pid_ <= 0 || ::waitpid(pid_, &status, 0) != pid_) return -1;
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    bool running() {
        if (pid_ <= 0) return false;
        if (::waitpid(pid_, nullptr, WNOHANG) != pid_) return true;
        pid_ = -1;
        return false;
    }

  private:
    pid_t pid_ = -1;
};

inline sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

inline bool can_bind(int port) {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return bound;
}

inline bool can_connect(int port) {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return connected;
}

// The first of `count` ports in a row that nobody listens on; the numbers start at this process's own place.
inline int free_ports(int count) {
    for (int port = 20000 + (::getpid() * 8) % 12000;; port += count) {
        bool all = true;
        for (int i = 0; i < count; ++i) all = all && can_bind(port + i);
        if (all) return port;
    }
}

// Asks until it is true or `seconds` have gone.
template <class Condition>
bool eventually(Condition condition, int seconds = 20) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
}

}  // namespace jiaozi::testing
