#include "server_process.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include <boost/json.hpp>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jiaozi::bench {
namespace {

Result<pid_t> spawn(const std::filesystem::path& directory) {
    const std::string data = (directory / "data").string();
    const std::string ready = (directory / "ready.json").string();
    const std::string log = (directory / "log").string();
    const char* arguments[] = {"jiaozi",      "serve",       "--sandbox",     "--data", data.c_str(),
                               "--port",      "0",           "--broker-port", "0",      "--ready-file",
                               ready.c_str(), "--log-level", "warn",          nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 2, 1);
    pid_t child = 0;
    const int failed = posix_spawn(&child, "/proc/self/exe", &actions, nullptr, const_cast<char**>(arguments), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return errno_error("start the server", failed);
    return child;
}

Result<std::string> read_when_there(const std::filesystem::path& file, pid_t child, const std::filesystem::path& log) {
    for (int i = 0; i < 3000; ++i) {
        if (std::ifstream stream(file); stream) return std::string(std::istreambuf_iterator<char>(stream), {});
        if (waitpid(child, nullptr, WNOHANG) == child) {
            std::ifstream stream(log);
            return Error(ErrorKind::unavailable,
                         "the server ended at once: " + std::string(std::istreambuf_iterator<char>(stream), {}));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return Error(ErrorKind::timeout, "the server was not ready within 30 s; its log is " + log.string());
}

}  // namespace

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(const std::filesystem::path& directory) {
    JZ_TRY(const pid_t child, spawn(directory));
    std::unique_ptr<ServerProcess> server(new ServerProcess(child));
    JZ_TRY(const std::string ready, read_when_there(directory / "ready.json", child, directory / "log"));
    boost::system::error_code failed;
    const boost::json::value where = boost::json::parse(ready, failed);
    if (failed) return Error(ErrorKind::internal, "the ready file is not JSON");
    server->url_ = where.at("url").as_string();
    server->mqtt_host_ = where.at("mqtt_host").as_string();
    server->mqtt_port_ = static_cast<std::uint16_t>(where.at("mqtt_port").to_number<unsigned>());
    server->http_port_ = static_cast<std::uint16_t>(std::stoul(server->url_.substr(server->url_.rfind(':') + 1)));
    std::ifstream key(directory / "data" / "operator.key");
    std::getline(key, server->key_);
    return server;
}

ServerProcess::~ServerProcess() {
    static_cast<void>(::kill(child_, SIGTERM));
    static_cast<void>(waitpid(child_, nullptr, 0));
}

Result<ScratchDirectory> ScratchDirectory::make() {
    std::string name = (std::filesystem::current_path() / "jiaozi-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
        return errno_error("make a directory for the benchmark in " + std::filesystem::current_path().string());
    return ScratchDirectory(name);
}

ScratchDirectory::~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace jiaozi::bench
