#include <chrono>
#include <random>
#include <unordered_map>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <jiaozi/client/http_client.hpp>
#include <jiaozi/protocol/messages.hpp>
#include <jiaozi/simulators/simulator.hpp>

#include "carrier.hpp"
#include "state_path.hpp"

namespace jiaozi::simulators {
namespace {

namespace asio = boost::asio;

// Over HTTPS the server can only answer, so a device that waits for commands asks: often enough to be taken for alive
// and to have a command well before it expires.
constexpr Duration ask_every = seconds(1);
constexpr std::uint32_t refusals_worth_telling = 5;

std::chrono::nanoseconds chrono_of(Duration duration) {
    return std::chrono::nanoseconds(duration.ns);
}

Result<std::unique_ptr<device::State>> open_state(const Options& options) {
    if (options.states.empty()) return std::unique_ptr<device::State>(std::make_unique<device::MemoryState>());
    std::error_code failed;
    if (std::filesystem::create_directories(options.states, failed)) {
        std::filesystem::permissions(options.states, std::filesystem::perms::owner_all, failed);
    }
    if (failed)
        return Error(ErrorKind::io, "cannot make the folder " + options.states.string() + ": " + failed.message())
            .with_param("state");
    JZ_TRY(auto file, device::StateFile::open(state_path(options.states, options.device)));
    return std::unique_ptr<device::State>(std::move(file));
}

}  // namespace

class Simulator::Impl : public std::enable_shared_from_this<Impl> {
  public:
    Impl(asio::io_context& io, const Clock& clock, Options options, Listener listener)
        : io_(io),
          clock_(clock),
          options_(std::move(options)),
          listener_(std::move(listener)),
          random_(options_.faults.device.seed),
          tick_(io),
          ask_(io),
          pay_(io),
          offline_(io),
          crash_(io) {}

    Result<> open() {
        JZ_TRY(state_, open_state(options_));
        return make_client();
    }

    Result<> start() {
        if (!client_->is_claimed()) JZ_CHECK(claim());
        JZ_CHECK(connect());
        running_ = true;
        repeat(tick_, options_.tick, [this] { client_->tick(); });
        if (options_.over_https)
            repeat(ask_, ask_every, [this] {
                if (client_->in_session()) client_->request_catalogue();
            });
        if (options_.pays) repeat(pay_, options_.pays->every, [this] { pay_again(); });
        schedule_faults();
        return {};
    }

    void stop() {
        running_ = false;
        for (asio::steady_timer* timer : {&tick_, &ask_, &pay_, &offline_, &crash_}) timer->cancel();
        deliveries_.clear();
        carrier_.reset();
    }

    void set_faults(const Faults& faults) {
        options_.faults = faults;
        random_.seed(faults.device.seed);
        client_->set_faults(options_.faults.device);
        if (running_) schedule_faults();
    }

    const Options& options() const { return options_; }
    device::DeviceClient& client() { return *client_; }

    void run_errand(Bytes errand, std::function<void(Result<Bytes>)> done) {
        if (errand_done_) return done(Error(ErrorKind::conflict, "another errand is under way"));
        if (auto begun = client_->run_errand(std::move(errand)); !begun.ok()) return done(std::move(begun).error());
        errand_done_ = std::move(done);
    }
    void give_up_errand() {
        client_->give_up_errand();
        end_errand(Error(ErrorKind::timeout, "given up"));
    }

    Result<PaymentId> pay(protocol::PayRequest request) {
        JZ_TRY(const PaymentId payment, client_->pay(std::move(request)));
        Note note;
        note.what = What::asked;
        note.payment = payment;
        tell(note);
        return payment;
    }

  private:
    Result<> make_client() {
        device::Options options;
        options.id = options_.device;
        options.suite = options_.suite;
        options.sim = options_.sim;
        options.firmware = "jiaozi-simulator/1";
        options.deliveries_at_once = options_.deliveries_at_once;
        options.waiting_at_most = options_.waiting_at_most;
        JZ_TRY(client_, device::DeviceClient::create(std::move(options), *state_, actions(), clock_));
        client_->set_faults(options_.faults.device);
        return {};
    }

    device::Actions actions() {
        device::Actions actions;
        actions.send = [this](ByteView envelope) {
            if (carrier_) carrier_->send(envelope);
        };
        actions.deliver = [this](const protocol::Command& command) { deliver(command); };
        actions.cancelled = [this](PaymentId payment) { tell_of(What::cancelled, payment); };
        actions.paid = [this](const protocol::PayAnswer& answer) {
            tell({.what = What::answered,
                  .payment = answer.payment,
                  .state = answer.state,
                  .reason = answer.reason,
                  .amount = answer.amount,
                  .asset = answer.asset,
                  .units = 0,
                  .text = {}});
        };
        actions.settled = [this](const protocol::ReportAck& ack) {
            tell({.what = What::settled,
                  .payment = ack.payment,
                  .state = ack.state,
                  .reason = Reason::none,
                  .amount = ack.captured,
                  .asset = asset_,
                  .units = 0,
                  .text = ack.late ? "late" : ""});
        };
        actions.errand_done = [this](const Bytes& answer) { end_errand(answer); };
        actions.errand_refused = [this](const Error& error) { end_errand(error); };
        actions.in_session = [this] { tell_of(What::online); };
        actions.refused = [this](protocol::RefusalCode code, const std::string& message,
                                 std::optional<PaymentId> payment) {
            tell_of(What::refused, payment.value_or(PaymentId{}), std::string(name_of(code)) + ": " + message);
        };
        actions.trouble = [this](const Error& error) { tell_of(What::trouble, {}, error.to_string()); };
        return actions;
    }

    Result<> claim() {
        if (options_.code.empty()) {
            return Error(ErrorKind::unauthenticated,
                         options_.device.to_string() + " has no key here yet: give its one-time code")
                .with_param("code");
        }
        JZ_TRY(auto http, client::HttpClient::create({.base_url = options_.url, .key = {}, .timeout = seconds(10)}));
        JZ_TRY(const Bytes envelope, client_->claim_envelope(options_.code));
        client::Request request;
        request.method = "POST";
        request.path = "/device/v1/messages";
        request.content_type = "application/cose";
        request.body = as_text(envelope);
        JZ_TRY(const auto response, http.send(request));
        if (response.status != 200) {
            return Error(ErrorKind::forbidden, "the server refused the claim (HTTP " + std::to_string(response.status) +
                                                   "): " + response.body)
                .with_param("code");
        }
        JZ_CHECK(client_->claimed(as_bytes(response.body)));
        tell_of(What::enrolled);
        return {};
    }

    Result<> connect() {
        CarrierEvents events;
        events.connected = [this] {
            linked_ = true;
            client_->connected();
        };
        events.disconnected = [this](const std::string& why) {
            client_->disconnected();
            // The broker learns a new device's password a moment after its claim: the first refusals are no news.
            if (std::exchange(linked_, false) || ++refusals_ == refusals_worth_telling) tell_of(What::offline, {}, why);
        };
        events.received = [this](ByteView envelope) { client_->receive(envelope); };
        events.refused = [this](protocol::RefusalCode code) { client_->refused_by_carrier(code); };
        if (options_.over_https) {
            JZ_TRY(carrier_, make_https_carrier(io_, options_.url, std::move(events)));
        } else {
            carrier_ = make_mqtt_carrier(io_, options_.mqtt_host, options_.mqtt_port, options_.device,
                                         client_->mqtt_password(), std::move(events));
        }
        return {};
    }

    // ---- delivery

    enum class Chaos : std::uint8_t { none, nothing_falls, jammed, crash, lost_signal };

    void deliver(const protocol::Command& command) {
        asset_ = command.asset;
        tell({.what = What::command,
              .payment = command.payment,
              .state = PaymentState::authorized,
              .reason = Reason::none,
              .amount = command.amount,
              .asset = command.asset,
              .units = command.quantity,
              .text = "slot " + std::to_string(command.slot)});
        deliver_in(options_.delivery_time.value_or(usual_delivery_time(options_.kind)), command, draw_chaos());
    }

    void deliver_in(Duration time, const protocol::Command& command, Chaos chaos) {
        auto timer = std::make_unique<asio::steady_timer>(io_, chrono_of(time));
        timer->async_wait([weak = weak_from_this(), command, chaos](const boost::system::error_code& cancelled) {
            const auto self = weak.lock();
            if (cancelled || !self) return;
            self->deliveries_.erase(command.payment);
            self->finish(command, chaos);
        });
        deliveries_[command.payment] = std::move(timer);
    }

    void finish(const protocol::Command& command, Chaos chaos) {
        device::Drop drop{DeliveryResult::delivered, command.quantity, {}};
        switch (chaos) {
            case Chaos::none:
                break;
            case Chaos::nothing_falls:
                drop = {DeliveryResult::failed, 0, "nothing fell"};
                break;
            case Chaos::jammed:
                tell_of(What::jammed, command.payment);
                return deliver_in(options_.faults.jam, command, Chaos::none);
            case Chaos::crash:
                return crash();
            case Chaos::lost_signal:
                go_offline();
                break;  // its report waits for the signal
        }
        const device::Drop out = device::apply(options_.faults.device, command.quantity, drop);
        // Told first: the acknowledgement may come before delivered() returns.
        tell({.what = What::dropped,
              .payment = command.payment,
              .state = PaymentState::authorized,
              .reason = Reason::none,
              .amount = 0,
              .asset = {},
              .units = out.units,
              .text = out.detail});
        const auto reported = client_->delivered(command.payment, drop.result, drop.units, drop.detail);
        if (!reported.ok()) tell_of(What::trouble, command.payment, reported.error().to_string());
    }

    Chaos draw_chaos() {
        if (options_.faults.chaos_percent == 0 || random_() % 100 >= options_.faults.chaos_percent) return Chaos::none;
        return static_cast<Chaos>(1 + random_() % 4);
    }

    // ---- what happens by itself

    void pay_again() {
        if (!client_->in_session()) return;
        protocol::PayRequest request;
        request.machine = options_.pays->machine;
        request.slot = options_.pays->slot;
        request.quantity = options_.pays->quantity;
        const auto asked = pay(std::move(request));
        if (!asked.ok()) tell_of(What::trouble, {}, asked.error().to_string());
    }

    void schedule_faults() {
        offline_.cancel();
        crash_.cancel();
        if (options_.faults.offline_every > Duration{})
            repeat(offline_, options_.faults.offline_every, [this] { go_offline(); });
        if (options_.faults.crash_every > Duration{}) repeat(crash_, options_.faults.crash_every, [this] { crash(); });
    }

    void go_offline() {
        if (!carrier_) return;
        carrier_.reset();
        client_->disconnected();
        tell_of(What::offline, {}, "no signal");
        auto timer = std::make_shared<asio::steady_timer>(io_, chrono_of(options_.faults.offline_for));
        timer->async_wait([weak = weak_from_this(), timer](const boost::system::error_code& cancelled) {
            const auto self = weak.lock();
            if (cancelled || !self || !self->running_ || self->carrier_) return;
            self->reconnect();
        });
    }

    // The power is cut: what is not in the state is gone. Called from a timer only, never from the client's callbacks.
    void crash() {
        tell_of(What::crashed);
        deliveries_.clear();
        carrier_.reset();
        client_.reset();
        end_errand(Error(ErrorKind::unavailable, "the power was cut"));
        if (!options_.states.empty()) {
            auto state = open_state(options_);
            // What is in memory is what is in the file: every change was committed before it had an effect.
            if (state.ok())
                state_ = std::move(*state);
            else
                tell_of(What::trouble, {}, state.error().to_string());
        }
        const auto made = make_client();
        JZ_ASSERT(made.ok());  // it was made from this state before
        reconnect();
    }

    void end_errand(Result<Bytes> outcome) {
        if (const auto done = std::exchange(errand_done_, {})) done(std::move(outcome));
    }

    void reconnect() {
        const auto connected = connect();
        if (!connected.ok()) tell_of(What::trouble, {}, connected.error().to_string());
    }

    template <class Task>
    void repeat(asio::steady_timer& timer, Duration every, Task task) {
        timer.expires_after(chrono_of(every));
        timer.async_wait(
            [this, weak = weak_from_this(), &timer, every, task](const boost::system::error_code& cancelled) {
                const auto self = weak.lock();
                if (cancelled || !self || !running_) return;
                task();
                if (running_) repeat(timer, every, task);
            });
    }

    void tell(const Note& note) {
        if (listener_) listener_(note);
    }
    void tell_of(What what, PaymentId payment = {}, std::string text = {}) {
        Note note;
        note.what = what;
        note.payment = payment;
        note.text = std::move(text);
        tell(note);
    }

    asio::io_context& io_;
    const Clock& clock_;
    Options options_;
    Listener listener_;
    std::mt19937_64 random_;
    std::unique_ptr<device::State> state_;
    std::unique_ptr<device::DeviceClient> client_;
    std::unique_ptr<Carrier> carrier_;  // none: offline
    bool running_ = false;
    bool linked_ = false;
    std::uint32_t refusals_ = 0;
    std::string asset_;                               // what this machine sells in, as its commands say
    std::function<void(Result<Bytes>)> errand_done_;  // of the errand under way
    std::unordered_map<PaymentId, std::unique_ptr<asio::steady_timer>> deliveries_;
    asio::steady_timer tick_;
    asio::steady_timer ask_;
    asio::steady_timer pay_;
    asio::steady_timer offline_;
    asio::steady_timer crash_;
};

Faults faults_of(api::SandboxFault fault) {
    Faults faults;
    switch (fault) {
        case api::SandboxFault::none:
            break;
        case api::SandboxFault::fail_drop:
            faults.device.fail_drop = true;
            break;
        case api::SandboxFault::silent:
            faults.device.silent = true;
            break;
        case api::SandboxFault::partial:
            faults.device.partial = true;
            break;
        case api::SandboxFault::nack:
            faults.device.nack = true;
            break;
    }
    return faults;
}

Duration usual_delivery_time(DeviceKind kind) {
    switch (kind) {
        case DeviceKind::vending:
            return milliseconds(1500);
        case DeviceKind::gate:
            return milliseconds(800);
        case DeviceKind::charger:
            return seconds(3);
        case DeviceKind::terminal:
            return milliseconds(300);
        case DeviceKind::car:
        case DeviceKind::meter:
        case DeviceKind::phone:
            break;
    }
    return seconds(1);
}

std::string_view name_of(What what) noexcept {
    switch (what) {
        case What::enrolled:
            return "enrolled";
        case What::online:
            return "online";
        case What::offline:
            return "offline";
        case What::command:
            return "command";
        case What::dropped:
            return "dropped";
        case What::settled:
            return "settled";
        case What::cancelled:
            return "cancelled";
        case What::asked:
            return "asked";
        case What::answered:
            return "answered";
        case What::refused:
            return "refused";
        case What::jammed:
            return "jammed";
        case What::crashed:
            return "crashed";
        case What::trouble:
            return "trouble";
    }
    return "trouble";
}

bool Simulator::is_enrolled(const std::filesystem::path& states, DeviceId device) {
    const auto state = device::StateFile::open(state_path(states, device));
    return state.ok() && (*state)->data() && (*state)->data()->enrolment;
}

Simulator::Simulator(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Simulator::~Simulator() {
    impl_->stop();
}

Result<std::unique_ptr<Simulator>> Simulator::create(asio::io_context& io, const Clock& clock, Options options,
                                                     Listener listener) {
    auto impl = std::make_shared<Impl>(io, clock, std::move(options), std::move(listener));
    JZ_CHECK(impl->open());
    return std::unique_ptr<Simulator>(new Simulator(std::move(impl)));
}

Result<> Simulator::start() {
    return impl_->start();
}
void Simulator::stop() {
    impl_->stop();
}
void Simulator::set_faults(const Faults& faults) {
    impl_->set_faults(faults);
}
const Faults& Simulator::faults() const noexcept {
    return impl_->options().faults;
}
bool Simulator::in_session() const noexcept {
    return impl_->client().in_session();
}
DeviceId Simulator::device() const noexcept {
    return impl_->options().device;
}
const device::Counters& Simulator::counters() const noexcept {
    return impl_->client().counters();
}

Result<PaymentId> Simulator::pay_at(DeviceId machine, std::uint32_t slot, std::uint32_t quantity) {
    protocol::PayRequest request;
    request.machine = machine;
    request.slot = slot;
    request.quantity = quantity;
    return impl_->pay(std::move(request));
}

void Simulator::run_errand(Bytes errand, std::function<void(Result<Bytes>)> done) {
    impl_->run_errand(std::move(errand), std::move(done));
}
void Simulator::give_up_errand() {
    impl_->give_up_errand();
}

Result<PaymentId> Simulator::scanned(std::string code, std::uint32_t slot, std::uint32_t quantity) {
    protocol::PayRequest request;
    request.kind = PaymentKind::payment_code;
    request.code = std::move(code);
    request.slot = slot;
    request.quantity = quantity;
    return impl_->pay(std::move(request));
}

}  // namespace jiaozi::simulators
