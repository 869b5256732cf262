#include "broker_process.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jiaozi::mqtt {
namespace {

constexpr int term_patience_ms = 5000;
constexpr int cannot_run = 127;

// Between fork and exec of a program with threads only async-signal-safe calls are allowed: everything that allocates
// was done before.
[[noreturn]] void become_broker(char* const* arguments, int log, const Account* account, pid_t parent) {
    ::setsid();
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0) ::_exit(cannot_run);
    ::close_range(3, ~0U, 0);
    if (account && (::setgroups(0, nullptr) != 0 || ::setgid(account->gid) != 0 || ::setuid(account->uid) != 0))
        ::_exit(cannot_run);
    // After the change of user, which would clear it. If the parent died before, nobody would tell us.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) ::_exit(cannot_run);
    ::execv(arguments[0], arguments);
    ::_exit(cannot_run);
}

}  // namespace

Result<BrokerProcess> BrokerProcess::start(const std::filesystem::path& executable,
                                           const std::filesystem::path& configuration, const std::filesystem::path& log,
                                           const std::optional<Account>& account) {
    std::string program = executable.string();
    std::string flag = "-c";
    std::string file = configuration.string();
    char* const arguments[] = {program.data(), flag.data(), file.data(), nullptr};
    const int log_fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log_fd < 0) return errno_error("open " + log.string());
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) become_broker(arguments, log_fd, account ? &*account : nullptr, parent);
    const int fork_errno = errno;
    ::close(log_fd);
    if (pid < 0) return errno_error("start " + program, fork_errno);
    // glibc 2.36 declares pidfd_open() without C linkage.
    const auto descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (descriptor < 0) {
        const int why = errno;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return errno_error("watch " + program, why);
    }
    return BrokerProcess(pid, descriptor);
}

BrokerProcess::BrokerProcess(BrokerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      ended_(std::move(other.ended_)) {}

BrokerProcess::~BrokerProcess() {
    if (pid_ == 0) return;
    stop();
    ::close(descriptor_);
}

void BrokerProcess::reload() const noexcept {
    ::kill(pid_, SIGHUP);
}

std::optional<std::string> BrokerProcess::ended() {
    if (ended_) return ended_;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    ended_ = WIFSIGNALED(status) ? "was killed by signal " + std::to_string(WTERMSIG(status))
                                 : "exited with code " + std::to_string(WEXITSTATUS(status));
    return ended_;
}

bool BrokerProcess::wait_readable(int timeout_ms) const noexcept {
    pollfd one{.fd = descriptor_, .events = POLLIN, .revents = 0};
    int result = 0;
    do {
        result = ::poll(&one, 1, timeout_ms);
    } while (result < 0 && errno == EINTR);
    return result > 0;
}

void BrokerProcess::stop() {
    if (ended()) return;
    ::kill(pid_, SIGTERM);
    if (!wait_readable(term_patience_ms)) {
        ::kill(pid_, SIGKILL);
        wait_readable(-1);
    }
    static_cast<void>(ended());
}

}  // namespace jiaozi::mqtt
