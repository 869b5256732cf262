// A machine that is not there: a real client of the device protocol on a real connection, with a delivery that takes
// time instead of a motor, and with faults to order. docs/simulators.md tells how to use one from the command line.
//
// Threading: everything, callbacks included, on the thread that runs the io_context; destroyed there or after it has
// ended. start() claims over HTTP and blocks for it, so that thread must not be the server's own.
// Errors: those of device::DeviceClient and device::StateFile; unavailable and timeout when the server cannot be
// reached to claim; forbidden when it refuses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include <jiaozi/api/sandbox.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/crypto/signature.hpp>
#include <jiaozi/device/client.hpp>
#include <jiaozi/model/enums.hpp>
#include <jiaozi/model/ids.hpp>

namespace jiaozi::simulators {

// What goes wrong. Off unless set; any may be set together.
struct Faults {
    device::Faults device;     // in what it delivers and says
    Duration offline_every{};  // zero: never
    Duration offline_for = seconds(5);
    Duration crash_every{};  // zero: never. Loses what is in memory, starts again from its state
    // Of the deliveries so many percent go wrong in a way drawn by device.seed: nothing falls, it jams for so long, the
    // power is cut, the signal is lost.
    std::uint32_t chaos_percent = 0;
    Duration jam = seconds(75);  // longer than a usual hold: its report comes late
};
// The faults that the HTTP interface can order.
Faults faults_of(api::SandboxFault fault);

// Pays at another machine by itself, again and again: a car at a gate, a meter for its energy.
struct PaysAt {
    DeviceId machine;
    std::uint32_t slot = 1;
    std::uint32_t quantity = 1;
    Duration every = seconds(20);
};

struct Options {
    DeviceId device;
    DeviceKind kind = DeviceKind::vending;
    crypto::Suite suite = crypto::Suite::ed25519;
    device::SimIdentity sim;
    std::string code;              // the one-time code, for a device that has not claimed yet
    std::filesystem::path states;  // folder of state files, made with mode 0700; empty: in memory only
    std::string url;               // the HTTP interface: to claim, and as the carrier if over_https
    std::string mqtt_host = "127.0.0.1";
    std::uint16_t mqtt_port = 1883;
    bool over_https = false;
    std::optional<Duration> delivery_time;  // by default its kind's
    std::size_t deliveries_at_once = 1;     // 1 to 100; more wait their turn
    std::size_t waiting_at_most = 16;
    Duration tick = milliseconds(100);
    std::optional<PaysAt> pays;
    Faults faults;
};

Duration usual_delivery_time(DeviceKind kind);

// Something worth telling.
enum class What : std::uint8_t {
    enrolled,
    online,
    offline,
    command,
    dropped,
    settled,
    cancelled,
    asked,
    answered,
    refused,
    jammed,
    crashed,
    trouble
};
std::string_view name_of(What what) noexcept;

struct Note {
    What what = What::trouble;
    PaymentId payment;                           // none where it is not about one
    PaymentState state = PaymentState::pending;  // settled, answered
    Reason reason = Reason::none;                // answered
    std::uint64_t amount = 0;                    // minor units: of a command or an answer; captured, of settled
    std::string asset;                           // command, answered
    std::uint32_t units = 0;                     // ordered by a command; dropped
    std::string text;                            // for people
};
using Listener = std::function<void(const Note&)>;

class Simulator {
  public:
    // Whether a device's key and enrolment are in that folder already.
    static bool is_enrolled(const std::filesystem::path& states, DeviceId device);

    // `clock` must outlive the simulator. The listener may be empty, and must not destroy the simulator.
    static Result<std::unique_ptr<Simulator>> create(boost::asio::io_context& io, const Clock& clock, Options options,
                                                     Listener listener = {});
    ~Simulator();
    Simulator(const Simulator&) = delete;
    Simulator& operator=(const Simulator&) = delete;

    // Claims if it has not; then connects, and stays connected until stop().
    Result<> start();
    void stop();

    void set_faults(const Faults& faults);
    const Faults& faults() const noexcept;
    bool in_session() const noexcept;
    DeviceId device() const noexcept;
    const device::Counters& counters() const noexcept;  // since the last crash

    // A payment from this device's group at `machine`.
    Result<PaymentId> pay_at(DeviceId machine, std::uint32_t slot, std::uint32_t quantity);
    // What this machine's purse asks the ledger (device::DeviceClient::run_errand), over the machine's own connection.
    // `done` is called once: with the answer, or Error declined (the server's words), conflict, too_large, unavailable
    // (the power was cut; it may have been done).
    void run_errand(Bytes errand, std::function<void(Result<Bytes>)> done);
    void give_up_errand();
    // A payment code that this machine scanned, for what it sells in `slot`.
    Result<PaymentId> scanned(std::string code, std::uint32_t slot, std::uint32_t quantity);

  private:
    class Impl;
    explicit Simulator(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

}  // namespace jiaozi::simulators
