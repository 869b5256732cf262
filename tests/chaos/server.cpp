#include "server.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jiaozi::chaos {
namespace {

using std::chrono::steady_clock;

// A port that nobody has now. Two at once, so that they differ.
std::pair<std::uint16_t, std::uint16_t> two_free_ports() {
    std::uint16_t ports[2] = {0, 0};
    int sockets[2] = {-1, -1};
    for (int i = 0; i < 2; ++i) {
        sockets[i] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        const bool bound = ::bind(sockets[i], reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                           ::getsockname(sockets[i], reinterpret_cast<sockaddr*>(&address), &size) == 0;
        JZ_ASSERT(bound);
        ports[i] = ntohs(address.sin_port);
    }
    ::close(sockets[0]);
    ::close(sockets[1]);
    return {ports[0], ports[1]};
}

Result<pid_t> spawn(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                    const std::filesystem::path& log) {
    std::vector<char*> raw;
    std::string name = program.string();
    raw.push_back(name.data());
    for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
    raw.push_back(nullptr);
    const int log_fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) return errno_error("open " + log.string());
    const pid_t child = ::fork();
    if (child == 0) {
        // Only calls that are safe between fork and exec. The server goes with us, also when we are killed.
        if (::dup2(log_fd, 1) < 0 || ::dup2(log_fd, 2) < 0 || ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) ::_exit(127);
        ::execv(raw[0], raw.data());
        ::_exit(127);
    }
    const int fork_errno = errno;
    ::close(log_fd);
    if (child < 0) return errno_error("start " + program.string(), fork_errno);
    return child;
}

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status)) return "by signal " + std::to_string(WTERMSIG(status));
    return "with code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Server::Server(std::filesystem::path program, std::filesystem::path folder, std::uint32_t hold_s)
    : program_(std::move(program)), folder_(std::move(folder)), hold_(std::to_string(hold_s)) {
    std::tie(http_port_, mqtt_port_) = two_free_ports();
}

Server::~Server() {
    if (child_ == 0) return;
    static_cast<void>(::kill(child_, SIGKILL));
    static_cast<void>(::waitpid(child_, nullptr, 0));
}

Result<> Server::start() {
    const auto began = steady_clock::now();
    const std::filesystem::path ready = folder_ / "ready.json";
    std::filesystem::remove(ready);
    JZ_TRY(child_, spawn(program_,
                         {"serve", "--sandbox", "--hold", hold_, "--data", data().string(), "--port",
                          std::to_string(http_port_), "--broker-port", std::to_string(mqtt_port_), "--ready-file",
                          ready.string(), "--log-level", "warn"},
                         folder_ / "log"));
    while (!std::filesystem::exists(ready)) {
        int status = 0;
        if (::waitpid(child_, &status, WNOHANG) == child_) {
            child_ = 0;
            return Error(ErrorKind::internal, "the server did not start; it ended " + how_it_ended(status) +
                                                  "; its log ends:\n" + end_of_log());
        }
        if (steady_clock::now() - began > std::chrono::seconds(60))
            return Error(ErrorKind::timeout, "the server was not ready within 60 s");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    slowest_start_ms_ = std::max<std::int64_t>(
        slowest_start_ms_, std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began).count());
    return {};
}

Result<> Server::kill() {
    static_cast<void>(::kill(child_, SIGKILL));
    int status = 0;
    static_cast<void>(::waitpid(std::exchange(child_, 0), &status, 0));
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return {};
    return Error(ErrorKind::internal,
                 "the server had ended by itself, " + how_it_ended(status) + "; its log ends:\n" + end_of_log());
}

Result<> Server::stop() {
    static_cast<void>(::kill(child_, SIGTERM));
    int status = 0;
    static_cast<void>(::waitpid(std::exchange(child_, 0), &status, 0));
    if (status == 0) return {};
    return Error(ErrorKind::internal,
                 "the server ended " + how_it_ended(status) + " after SIGTERM; its log ends:\n" + end_of_log());
}

Result<> Server::rebuild_projections() const {
    JZ_TRY(const pid_t child, spawn(program_, {"projections", "rebuild", "--data", data().string()}, folder_ / "log"));
    int status = 0;
    static_cast<void>(::waitpid(child, &status, 0));
    if (status == 0) return {};
    return Error(ErrorKind::internal,
                 "projections rebuild ended " + how_it_ended(status) + "; the log ends:\n" + end_of_log());
}

Result<std::string> Server::operator_key() const {
    std::ifstream file(data() / "operator.key");
    std::string key;
    if (!std::getline(file, key)) return Error(ErrorKind::not_found, "no operator.key in " + data().string());
    return key;
}

std::string Server::end_of_log() const {
    std::ifstream file(folder_ / "log");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    return text.substr(text.size() - std::min<std::size_t>(text.size(), 3000));
}

}  // namespace jiaozi::chaos
