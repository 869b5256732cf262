// A real PostgreSQL of our own for tests and benchmarks: initdb into a temporary folder, a Unix socket in that folder
// and no TCP port, stopped and removed with the object. PostgreSQL refuses to run as root, so for root it runs as the
// user "postgres" (or "nobody"). Header-only; link libpq (target jz_soci brings it).
// Not thread-safe. If this process dies, the kernel ends the server too.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jiaozi/base/result.hpp>

namespace jiaozi::testing {

class PostgresServer {
  public:
    struct Options {
        bool durable = false;               // true: fsync and synchronous_commit on, as an operator would run it
        std::vector<std::string> settings;  // more of "name=value"
    };

    // The folder of initdb and postgres, the newest version installed; empty when there is none.
    static std::string binaries() {
        std::string found;
        std::error_code none;
        for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
            const auto bin = version.path() / "bin";
            if (std::filesystem::exists(bin / "initdb") && std::filesystem::exists(bin / "postgres"))
                found = std::max(found, bin.string());
        }
        return found;
    }

    static Result<std::unique_ptr<PostgresServer>> start(Options options) {
        const std::string bin = binaries();
        if (bin.empty()) return Error(ErrorKind::unavailable, "PostgreSQL is not installed under /usr/lib/postgresql");
        std::unique_ptr<PostgresServer> server(new PostgresServer);
        JZ_CHECK(server->make_folder());
        JZ_CHECK(server->initialise(bin));
        JZ_CHECK(server->launch(bin, options));
        return server;
    }

    ~PostgresServer() {
        if (server_ > 0) {
            ::kill(server_, SIGINT);  // fast shutdown
            ::waitpid(server_, nullptr, 0);
        }
        std::error_code ignored;
        if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
    }
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    std::string url(const std::string& database = "postgres") const {
        return "postgresql:///" + database + "?host=" + folder_ + "&user=jiaozi";
    }

    // Creates an empty database and returns its URL.
    Result<std::string> create_database(const std::string& name) const {
        JZ_CHECK(run("CREATE DATABASE " + name));
        return url(name);
    }

    // One statement in the database "postgres", as superuser.
    Result<> run(const std::string& sql) const {
        const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url().c_str()), &PQfinish);
        const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()), &PQclear);
        const ExecStatusType status = PQresultStatus(result.get());
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
        return Error(ErrorKind::io, sql + ": " + PQerrorMessage(connection.get()));
    }

    // Ends every connection to a database, as a restart of the server would.
    Result<> drop_connections(const std::string& database) const {
        return run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + database + "'");
    }

  private:
    PostgresServer() = default;

    static const passwd* user() {
        if (::geteuid() != 0) return nullptr;
        const passwd* postgres = ::getpwnam("postgres");
        return postgres != nullptr ? postgres : ::getpwnam("nobody");
    }

    Result<> make_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "jiaozi-pg-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) return errno_error("create " + name);
        folder_ = name;
        if (const passwd* owner = user();
            owner != nullptr && ::chown(name.c_str(), owner->pw_uid, owner->pw_gid) != 0) {
            return errno_error("chown " + name);
        }
        return {};
    }

    // Starts a program as the server's user, its output appended to the log. Returns its process id.
    Result<pid_t> spawn(const std::string& program, const std::vector<std::string>& arguments) const {
        std::vector<char*> argv = {const_cast<char*>(program.c_str())};
        for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        const std::string log = folder_ + "/log";
        const passwd* owner = user();
        const pid_t child = ::fork();
        if (child < 0) return errno_error("fork");
        if (child == 0) {
            if (owner != nullptr &&
                (::setgroups(0, nullptr) != 0 || ::setgid(owner->pw_gid) != 0 || ::setuid(owner->pw_uid) != 0))
                ::_exit(126);
            ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which clears it
            const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
            if (out < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) ::_exit(126);
            if (::chdir(folder_.c_str()) != 0) ::_exit(126);
            ::execv(program.c_str(), argv.data());
            ::_exit(127);
        }
        return child;
    }

    Error with_log(const std::string& what) const {
        std::ifstream log(folder_ + "/log");
        return Error(ErrorKind::io, what + "\n" + std::string(std::istreambuf_iterator<char>(log), {}));
    }

    Result<> initialise(const std::string& bin) const {
        JZ_TRY(const pid_t child, spawn(bin + "/initdb", {"-D", folder_ + "/data", "-U", "jiaozi", "-A", "trust", "-E",
                                                          "UTF8", "--locale=C", "--no-sync", "--no-instructions"}));
        int status = 0;
        ::waitpid(child, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return with_log("initdb failed");
        return {};
    }

    Result<> launch(const std::string& bin, const Options& options) {
        std::vector<std::string> arguments = {"-D", folder_ + "/data", "-k", folder_, "-c", "listen_addresses="};
        if (!options.durable) {
            for (const char* setting : {"fsync=off", "synchronous_commit=off", "full_page_writes=off"}) {
                arguments.insert(arguments.end(), {"-c", setting});
            }
        }
        for (const std::string& setting : options.settings) arguments.insert(arguments.end(), {"-c", setting});
        JZ_TRY(server_, spawn(bin + "/postgres", arguments));
        for (int i = 0; i < 300; ++i) {
            if (PQping(url().c_str()) == PQPING_OK) return {};
            if (::waitpid(server_, nullptr, WNOHANG) == server_) {
                server_ = -1;
                break;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        return with_log("postgres did not start");
    }

    std::string folder_;
    pid_t server_ = -1;
};

}  // namespace jiaozi::testing
