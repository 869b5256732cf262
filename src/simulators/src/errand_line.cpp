#include <chrono>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <jiaozi/device/client.hpp>
#include <jiaozi/simulators/errand_line.hpp>

#include "carrier.hpp"
#include "state_path.hpp"

namespace jiaozi::simulators {
namespace {

constexpr auto tick_every = std::chrono::milliseconds(50);

}  // namespace

class ErrandLine::Impl {
  public:
    Result<void> open(const ErrandLineOptions& options, const Clock& clock) {
        JZ_TRY(state_, device::StateFile::open(state_path(options.states, options.device)));
        if (!state_->data() || !state_->data()->enrolment) {
            return Error(ErrorKind::not_found, options.states.string() + " has no enrolled device " +
                                                   options.device.to_string() + "; `jiaozi sim` enrols one")
                .with_param("device-state");
        }
        device::Options as;
        as.id = options.device;
        as.firmware = "jiaozi-purse/1";
        device::Actions actions;
        actions.send = [this](ByteView envelope) {
            if (carrier_) carrier_->send(envelope);
        };
        actions.errand_done = [this](const Bytes& answer) { outcome_ = answer; };
        actions.errand_refused = [this](const Error& error) { outcome_ = Result<Bytes>(error); };
        // The device as a whole; commands of others that were refused are no news here.
        actions.refused = [this](protocol::RefusalCode code, const std::string& message, std::optional<PaymentId>) {
            if (code == protocol::RefusalCode::device_not_active || code == protocol::RefusalCode::unknown_device) {
                outcome_ = Result<Bytes>(Error(ErrorKind::forbidden, std::string(name_of(code)) + ": " + message));
            }
        };
        actions.trouble = [this](const Error& error) { outcome_ = Result<Bytes>(error); };
        JZ_TRY(client_, device::DeviceClient::create(std::move(as), *state_, std::move(actions), clock));
        CarrierEvents events;
        events.connected = [this] { client_->connected(); };
        events.disconnected = [this](const std::string&) { client_->disconnected(); };
        events.received = [this](ByteView envelope) { client_->receive(envelope); };
        carrier_ = make_mqtt_carrier(io_, options.mqtt_host, options.mqtt_port, options.device,
                                     client_->mqtt_password(), std::move(events));
        return {};
    }

    Result<Bytes> run(const Bytes& errand, Duration patience) {
        outcome_.reset();
        JZ_CHECK(client_->run_errand(errand));
        const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(patience.ns);
        while (!outcome_ && std::chrono::steady_clock::now() < until) {
            io_.restart();
            io_.run_for(tick_every);
            client_->tick();
        }
        if (outcome_) return std::move(*outcome_);
        client_->give_up_errand();
        return Error(ErrorKind::timeout,
                     "the server did not answer over the broker in time; sync again, and it goes on where it was");
    }

  private:
    boost::asio::io_context io_{1};
    std::unique_ptr<device::StateFile> state_;
    std::unique_ptr<device::DeviceClient> client_;
    std::unique_ptr<Carrier> carrier_;
    std::optional<Result<Bytes>> outcome_;
};

ErrandLine::ErrandLine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ErrandLine::~ErrandLine() = default;

Result<std::unique_ptr<ErrandLine>> ErrandLine::open(const ErrandLineOptions& options, const Clock& clock) {
    auto impl = std::make_unique<Impl>();
    JZ_CHECK(impl->open(options, clock));
    return std::unique_ptr<ErrandLine>(new ErrandLine(std::move(impl)));
}

Result<Bytes> ErrandLine::run(const Bytes& errand, Duration patience) {
    return impl_->run(errand, patience);
}

}  // namespace jiaozi::simulators
