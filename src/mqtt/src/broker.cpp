#include <algorithm>
#include <chrono>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <stdlib.h>
#include <unistd.h>

#include <jiaozi/base/log.hpp>
#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/mqtt/broker.hpp>

#include "broker_files.hpp"
#include "broker_process.hpp"
#include "password_file.hpp"

namespace jiaozi::mqtt {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;  // how long things take, not business time

constexpr auto startup_patience = std::chrono::seconds(10);
constexpr auto restart_min = milliseconds(100);
constexpr auto restart_max = milliseconds(5000);
constexpr auto lived_long = std::chrono::seconds(10);  // then the next restart starts from restart_min again
constexpr std::string_view runtime_prefix = "jiaozi-broker-";
constexpr std::size_t passwords_bytes_max = std::size_t{256} * 1024 * 1024;

Result<std::filesystem::path> find_executable(const std::filesystem::path& given) {
    const auto can_run = [](const std::filesystem::path& path) { return ::access(path.c_str(), X_OK) == 0; };
    if (!given.empty()) {
        if (can_run(given)) return given;
        return Error(ErrorKind::unavailable, given.string() + " cannot be run");
    }
    const char* path = ::getenv("PATH");
    std::string folders = std::string(path ? path : "") + ":/usr/sbin:/usr/local/sbin";
    for (std::size_t at = 0; at < folders.size();) {
        const std::size_t end = std::min(folders.find(':', at), folders.size());
        auto candidate = std::filesystem::path(folders.substr(at, end - at)) / "mosquitto";
        if (candidate.is_absolute() && can_run(candidate)) return candidate;
        at = end + 1;
    }
    return Error(ErrorKind::unavailable,
                 "no mosquitto found; install it (apt-get install mosquitto) or give the URL of a broker");
}

std::string random_password() {
    Bytes bytes(24);
    crypto::random_bytes(bytes);
    return to_hex(bytes);
}

std::string tail(const std::string& text, std::size_t bytes) {
    return text.size() <= bytes ? text : text.substr(text.size() - bytes);
}

}  // namespace

class Broker::Impl {
  public:
    Impl(asio::io_context& io, BrokerOptions options)
        : options_(std::move(options)), ended_(io), restart_timer_(io), reload_timer_(io) {}

    ~Impl() { stop(); }

    Result<> start() {
        JZ_TRY(options_.executable, find_executable(options_.executable));
        JZ_TRY(account_, account_for_broker());
        JZ_CHECK(make_private_folder(options_.directory, std::nullopt));
        JZ_CHECK(load_passwords());
        JZ_CHECK(make_runtime_folder());
        address_ = {.host = "127.0.0.1",
                    .port = options_.port,
                    .user = std::string(server_user),
                    .password = random_password(),
                    .tls = false,
                    .ca_file = {}};
        passwords_.put(address_.user, address_.password);
        if (address_.port == 0) {
            JZ_TRY(address_.port, free_port());
        }
        if (accepts_connections(address_.port)) {
            return Error(ErrorKind::unavailable, "port " + std::to_string(address_.port) +
                                                     " is taken; stop who listens there or choose another");
        }
        JZ_CHECK(replace_file(runtime_ / "mosquitto.conf", configuration(runtime_, address_.port), account_));
        JZ_CHECK(replace_file(runtime_ / "acl", access_rules(), account_));
        JZ_CHECK(write_passwords());
        JZ_CHECK(spawn());
        JZ_CHECK(wait_until_it_accepts());
        watch();
        log::info("mqtt: broker started", {{"address", display(address_)}, {"pid", std::to_string(process_->pid())}});
        return {};
    }

    void stop() {
        stopping_ = true;
        restart_timer_.cancel();
        reload_timer_.cancel();
        if (reload_pending_) ignore_error(store_passwords(), "the broker is going; the next start writes them");
        reload_pending_ = false;
        release_descriptor();
        process_.reset();
        if (!runtime_.empty() && runtime_ != options_.directory) {
            std::error_code ignored;
            std::filesystem::remove_all(runtime_, ignored);
        }
    }

    const BrokerAddress& address() const noexcept { return address_; }
    pid_t pid() const noexcept { return process_ ? process_->pid() : 0; }
    std::uint64_t restarts() const noexcept { return restarts_; }

    void put(const std::string& user, std::string_view password) {
        if (passwords_.put(user, password)) plan_reload();
    }

    void reset(std::span<const api::BrokerAccount> accounts) {
        std::set<std::string> users{address_.user};
        bool changed = false;
        for (const api::BrokerAccount& account : accounts) {
            const std::string user = account.device.to_string();
            changed |= passwords_.put(user, account.password);
            users.insert(user);
        }
        changed |= passwords_.keep_only(users);
        if (changed) plan_reload();
    }

    void remove(const std::string& user) {
        if (passwords_.remove(user)) plan_reload();
    }

  private:
    std::filesystem::path stored_passwords() const { return options_.directory / "device-passwords"; }

    Result<> load_passwords() {
        auto text = read_file(stored_passwords(), passwords_bytes_max);
        if (!text.ok())
            return text.error().kind() == ErrorKind::not_found ? Result<>() : Result<>(std::move(text).error());
        std::size_t left_out = 0;
        passwords_ = PasswordFile::parse(*text, left_out);
        if (left_out != 0)
            log::warn("mqtt: lines of the password file do not parse and are dropped",
                      {{"lines", std::to_string(left_out)}});
        return {};
    }

    // The broker must be able to reach its files as the user it runs as, also to read the passwords again later. As
    // root we give it a folder of its own, since data directories are rightly closed to other users.
    Result<> make_runtime_folder() {
        if (!account_) {
            runtime_ = options_.directory;
            return {};
        }
        remove_folder_of_a_killed_program();
        std::string pattern =
            (std::filesystem::temp_directory_path() / (std::string(runtime_prefix) + "XXXXXX")).string();
        if (::mkdtemp(pattern.data()) == nullptr) return errno_error("create " + pattern);
        runtime_ = pattern;
        JZ_CHECK(replace_file(runtime_note(), pattern, std::nullopt));
        return make_private_folder(runtime_, account_);
    }

    // Where the folder is, for the next start: a program that is killed cannot tidy up, and there are hashes in it.
    std::filesystem::path runtime_note() const { return options_.directory / "runtime-folder"; }

    void remove_folder_of_a_killed_program() {
        const auto noted = read_file(runtime_note(), std::size_t{4096});
        if (!noted.ok()) return;
        const std::filesystem::path folder(*noted);
        std::error_code ignored;
        if (!folder.filename().string().starts_with(runtime_prefix) ||
            !std::filesystem::is_directory(std::filesystem::symlink_status(folder, ignored))) {
            return;
        }
        std::filesystem::remove_all(folder, ignored);
    }

    // What outlives a restart of the program: the devices' hashes, not the server's.
    Result<> store_passwords() {
        PasswordFile devices = passwords_;
        devices.remove(std::string(server_user));
        return replace_file(stored_passwords(), devices.text(), std::nullopt);
    }

    Result<> write_passwords() {
        JZ_CHECK(store_passwords());
        return replace_file(runtime_ / "passwords", passwords_.text(), account_);
    }

    void plan_reload() {
        if (reload_pending_ || stopping_) return;
        reload_pending_ = true;
        // Writing, and reading by the broker, cost time by the line: with many devices changes wait for company longer.
        reload_timer_.expires_after(milliseconds(50) + std::chrono::microseconds(100) * passwords_.size());
        reload_timer_.async_wait([this](const boost::system::error_code& failure) {
            if (failure) return;
            reload_pending_ = false;
            if (const auto written = write_passwords(); !written.ok()) {
                log::error("mqtt: the broker's passwords could not be written; trying again",
                           {{"why", written.error().message()}});
                return plan_reload();
            }
            if (process_) process_->reload();
        });
    }

    Result<> spawn() {
        JZ_TRY(auto process, BrokerProcess::start(options_.executable, runtime_ / "mosquitto.conf",
                                                  runtime_ / "mosquitto.log", account_));
        process_ = std::make_unique<BrokerProcess>(std::move(process));
        started_ = Clock::now();
        return {};
    }

    Result<> wait_until_it_accepts() {
        const auto give_up = Clock::now() + startup_patience;
        while (!accepts_connections(address_.port)) {
            const auto ended = process_->ended();
            if (ended || Clock::now() > give_up) {
                const auto said = read_file(runtime_ / "mosquitto.log", std::size_t{64} * 1024 * 1024);
                return Error(ErrorKind::unavailable,
                             "mosquitto " + ended.value_or("does not accept connections") +
                                 "; its log ends: " + (said.ok() ? tail(*said, 500) : "(unreadable)"));
            }
            std::this_thread::sleep_for(milliseconds(5));
        }
        return {};
    }

    void watch() {
        ended_.assign(process_->descriptor());
        ended_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& failure) {
            if (failure || stopping_) return;
            release_descriptor();
            const std::string how = process_->ended().value_or("ended");
            process_.reset();
            if (Clock::now() - started_ > lived_long) pause_ = restart_min;
            log::error("mqtt: the broker ended; starting it again",
                       {{"how", how}, {"in_ms", std::to_string(pause_.count())}});
            plan_restart();
        });
    }

    void plan_restart() {
        restart_timer_.expires_after(pause_);
        pause_ = std::min(pause_ * 2, restart_max);
        restart_timer_.async_wait([this](const boost::system::error_code& failure) {
            if (failure || stopping_) return;
            if (const auto spawned = spawn(); !spawned.ok()) {
                log::error("mqtt: the broker could not be started", {{"why", spawned.error().message()}});
                return plan_restart();
            }
            ++restarts_;
            watch();
        });
    }

    // The process owns its descriptor; the loop only watches it.
    void release_descriptor() {
        if (ended_.is_open()) static_cast<void>(ended_.release());
    }

    BrokerOptions options_;
    std::optional<Account> account_;
    std::filesystem::path runtime_;
    BrokerAddress address_;
    PasswordFile passwords_;
    std::unique_ptr<BrokerProcess> process_;
    asio::posix::stream_descriptor ended_;
    asio::steady_timer restart_timer_;
    asio::steady_timer reload_timer_;
    milliseconds pause_ = restart_min;
    Clock::time_point started_;
    std::uint64_t restarts_ = 0;
    bool reload_pending_ = false;
    bool stopping_ = false;
};

Result<std::unique_ptr<Broker>> Broker::start(asio::io_context& io, BrokerOptions options) {
    auto impl = std::make_unique<Impl>(io, std::move(options));
    JZ_CHECK(impl->start());
    return std::unique_ptr<Broker>(new Broker(std::move(impl)));
}

Broker::Broker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Broker::~Broker() = default;
void Broker::stop() {
    impl_->stop();
}
const BrokerAddress& Broker::address() const noexcept {
    return impl_->address();
}
pid_t Broker::pid() const noexcept {
    return impl_->pid();
}
std::uint64_t Broker::restarts() const noexcept {
    return impl_->restarts();
}
void Broker::reset(std::span<const api::BrokerAccount> accounts) {
    impl_->reset(accounts);
}
void Broker::put(DeviceId device, std::string_view password) {
    impl_->put(device.to_string(), password);
}
void Broker::remove(DeviceId device) {
    impl_->remove(device.to_string());
}

}  // namespace jiaozi::mqtt
