#include "device.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <jiaozi/crypto/secret.hpp>
#include <jiaozi/protocol/topics.hpp>

namespace jiaozi::chaos {
namespace {

struct Forecast {
    Weather weather;
    std::uint32_t weight;
};
constexpr std::array forecast{
    Forecast{Weather::calm, 22}, Forecast{Weather::loss, 10}, Forecast{Weather::duplicates, 8},
    Forecast{Weather::reordering, 8}, Forecast{Weather::storm, 8}, Forecast{Weather::silence, 5},
    Forecast{Weather::no_signal, 7}, Forecast{Weather::power_cut, 7}, Forecast{Weather::clock_skew, 6},
    // machines only, from here on
    Forecast{Weather::failed_drop, 5}, Forecast{Weather::partial_delivery, 5}, Forecast{Weather::nack, 4},
    Forecast{Weather::silence_after_ack, 5}, Forecast{Weather::jam, 3}};
constexpr std::size_t for_everybody = 9;
static_assert(forecast[for_everybody].weather == Weather::failed_drop);

// After these a device gets time to say what it could not.
bool is_cut_off(Weather weather) {
    return weather == Weather::silence || weather == Weather::no_signal || weather == Weather::power_cut ||
           weather == Weather::silence_after_ack || weather == Weather::jam;
}

constexpr std::uint32_t cut_after_drop_percent = 4;

}  // namespace

std::string_view name_of(Weather weather) noexcept {
    switch (weather) {
        case Weather::calm:
            return "calm";
        case Weather::loss:
            return "message loss (10-40 %)";
        case Weather::duplicates:
            return "duplicates";
        case Weather::reordering:
            return "reordering";
        case Weather::storm:
            return "loss, duplicates and reordering";
        case Weather::silence:
            return "silence";
        case Weather::no_signal:
            return "no signal";
        case Weather::power_cut:
            return "power cut";
        case Weather::clock_skew:
            return "clock skew";
        case Weather::failed_drop:
            return "failed drop";
        case Weather::partial_delivery:
            return "partial delivery";
        case Weather::nack:
            return "nack";
        case Weather::silence_after_ack:
            return "silence after ack";
        case Weather::jam:
            return "jam until power cut";
    }
    return "?";
}

Device::Device(boost::asio::io_context& io, const Clock& clock, Diary& diary, Setup setup)
    : io_(io),
      clock_(clock),
      diary_(diary),
      setup_(std::move(setup)),
      random_(setup_.seed, setup_.number),
      tick_(io),
      weather_timer_(io),
      power_timer_(io) {}

template <class Task>
void Device::after(boost::asio::steady_timer& timer, Duration delay, Task task) {
    timer.expires_after(std::chrono::nanoseconds(delay.ns));
    timer.async_wait([task](const boost::system::error_code& cancelled) {
        if (!cancelled) task();
    });
}

// ---- life

Result<> Device::open() {
    JZ_TRY(state_, device::StateFile::open(setup_.state));
    device::Options options;
    options.id = setup_.id;
    options.firmware = "chaos/1";
    options.deliveries_at_once = 2;
    JZ_TRY(client_, device::DeviceClient::create(std::move(options), *state_, actions(), clock_));
    client_->set_faults(faults_);
    return {};
}

Result<> Device::claim(Api& api, const std::string& code) {
    JZ_CHECK(open());
    JZ_TRY(const Bytes envelope, client_->claim_envelope(code));
    JZ_TRY(const Bytes answer, api.post_envelope(envelope));
    return client_->claimed(answer);
}

void Device::start() {
    connect();
    tick();
    next_weather();
}

void Device::calm_down() {
    stormy_ = false;
    weather_timer_.cancel();
    end_weather();
    if (!client_) power_on();
    if (!signal_) connect();
}

void Device::stop() {
    power_cut(false);
    for (auto* timer : {&tick_, &weather_timer_, &power_timer_}) timer->cancel();
}

void Device::power_on() {
    power_timer_.cancel();
    if (client_) return;
    if (const auto opened = open(); !opened.ok())
        return diary_.wrong(setup_.id.to_string() + " cannot start again: " + opened.error().to_string());
    connect();
}

void Device::power_cut(bool stuck) {
    if (!client_) return;
    for (auto& [payment, motor] : motors_) {
        // A motor that stops half way may have let some fall; the sensor has counted them.
        Fallen& fallen = diary_.fallen[payment];
        if (!stuck) fallen.units = random_.between(0, motor.command.quantity - 1);
        fallen.when = SteadyClock::now();
        --diary_.in_motors;
    }
    motors_.clear();
    const device::Counters& life = client_->counters();
    device::Counters& all = diary_.messages;
    for (const auto field :
         {&device::Counters::sent, &device::Counters::resent, &device::Counters::received, &device::Counters::bad,
          &device::Counters::duplicates, &device::Counters::hellos, &device::Counters::sessions,
          &device::Counters::errors, &device::Counters::lost_by_fault}) {
        all.*field += life.*field;
    }
    signal_.reset();
    client_.reset();
    state_.reset();
}

void Device::connect() {
    mqtt::ClientOptions options;
    options.broker = {.host = "127.0.0.1",
                      .port = setup_.mqtt_port,
                      .user = setup_.id.to_string(),
                      .password = client_->mqtt_password(),
                      .tls = false,
                      .ca_file = {}};
    options.reconnect_max = seconds(1);
    signal_ = std::make_unique<mqtt::Client>(
        io_, std::move(options),
        mqtt::ClientHandlers{.message = [this](std::string_view, ByteView payload) { client_->receive(payload); },
                             .connected = [this] { client_->connected(); },
                             .disconnected = [this](const std::string&) { client_->disconnected(); },
                             .subscription_refused = {}});
    signal_->subscribe(protocol::down_topic(setup_.id));
    signal_->start();
}

void Device::tick() {
    if (client_) {
        client_->tick();
        for (auto wishes = std::exchange(wishes_, {}); const auto& wish : wishes) ask_now(wish);
    }
    after(tick_, milliseconds(50), [this] { tick(); });
}

// ---- weather

void Device::next_weather() {
    const Weather before = weather_;
    end_weather();
    if (!stormy_) return;
    Weather next = Weather::calm;
    if (!is_cut_off(before)) {
        const std::size_t kinds = setup_.delivers ? forecast.size() : for_everybody;
        std::uint32_t all = 0;
        for (std::size_t i = 0; i < kinds; ++i) all += forecast[i].weight;
        std::uint32_t drawn = random_.between(0, all - 1);
        for (std::size_t i = 0; i < kinds; ++i) {
            if (drawn < forecast[i].weight) {
                next = forecast[i].weather;
                break;
            }
            drawn -= forecast[i].weight;
        }
    }
    const Duration lasting = milliseconds(random_.between(800, 3000));
    begin(next, lasting);
    after(weather_timer_, lasting, [this] { next_weather(); });
}

void Device::begin(Weather weather, Duration lasting) {
    weather_ = weather;
    faults_ = {};
    faults_.seed = random_.number();
    switch (weather) {
        case Weather::calm:
        case Weather::jam:
            break;
        case Weather::loss:
            faults_.drop_percent = random_.between(10, 40);
            break;
        case Weather::duplicates:
            faults_.duplicate = true;
            break;
        case Weather::reordering:
            faults_.reorder = true;
            break;
        case Weather::storm:
            faults_.duplicate = faults_.reorder = true;
            faults_.drop_percent = 15;
            break;
        case Weather::silence:
            faults_.silent = true;
            break;
        case Weather::no_signal:
            signal_.reset();
            if (client_) client_->disconnected();
            break;
        case Weather::power_cut:
            power_cut(false);
            after(power_timer_, milliseconds(lasting.ms() / 2), [this] { power_on(); });
            break;
        case Weather::clock_skew: {
            const std::int64_t off = random_.between(1, 3'600'000);
            faults_.clock_skew = milliseconds(random_.percent(50) ? off : -off);
            break;
        }
        case Weather::failed_drop:
            faults_.fail_drop = true;
            break;
        case Weather::partial_delivery:
            faults_.partial = true;
            break;
        case Weather::nack:
            faults_.nack = true;
            break;
        case Weather::silence_after_ack:
            faults_.silent_after_ack = true;
            break;
    }
    if (client_) client_->set_faults(faults_);
    if (weather != Weather::calm) diary_.fault(name_of(weather));
}

void Device::end_weather() {
    const Weather before = std::exchange(weather_, Weather::calm);
    faults_ = {};
    if (client_) client_->set_faults(faults_);
    if (before == Weather::jam) {
        power_cut(true);
        power_on();
    }
    if (before == Weather::no_signal && client_ && !signal_) connect();
}

// ---- deliveries

void Device::deliver(const protocol::Command& command) {
    Fallen& fallen = diary_.fallen[command.payment];
    fallen.machine = setup_.id;
    fallen.ordered = command.quantity;
    ++fallen.deliveries;
    ++diary_.in_motors;
    auto [motor, fresh] = motors_.try_emplace(command.payment, Motor{command, boost::asio::steady_timer(io_)});
    if (!fresh) return;  // counted above, and the auditor will say so
    after(motor->second.timer, milliseconds(random_.between(20, 250)), [this, command] { finish(command); });
}

void Device::finish(const protocol::Command& command) {
    if (weather_ == Weather::jam || !motors_.contains(command.payment))
        return;  // stuck until the power is cut, or it has been
    motors_.erase(command.payment);
    --diary_.in_motors;
    const device::Drop good{DeliveryResult::delivered, command.quantity, {}};
    Fallen& fallen = diary_.fallen[command.payment];
    fallen.units = device::apply(faults_, command.quantity, good).units;
    fallen.when = SteadyClock::now();
    if (stormy_ && weather_ != Weather::power_cut && random_.percent(cut_after_drop_percent)) {
        // The worst moment: it has fallen, and nothing of that is stored yet.
        diary_.fault("power cut between drop and report");
        power_cut(false);
        return after(power_timer_, milliseconds(random_.between(100, 1000)), [this] { power_on(); });
    }
    const auto reported = client_->delivered(command.payment, good.result, good.units);
    if (!reported.ok()) diary_.wrong(setup_.id.to_string() + " may not report: " + reported.error().to_string());
}

device::Drop Device::read_sensor(const protocol::Command& command) const {
    const std::uint32_t units = diary_.fallen[command.payment].units;
    if (units == 0) return {DeliveryResult::failed, 0, "power cut"};
    if (units == command.quantity) return {DeliveryResult::delivered, units, "power cut"};
    return {DeliveryResult::partial, units, "power cut"};
}

device::Actions Device::actions() {
    device::Actions actions;
    actions.send = [this](ByteView envelope) {
        if (signal_) signal_->publish(protocol::up_topic(setup_.id), envelope);
    };
    if (setup_.delivers) {
        actions.deliver = [this](const protocol::Command& command) { deliver(command); };
        actions.recover = [this](const protocol::Command& command) { return read_sensor(command); };
    }
    actions.paid = [this](const protocol::PayAnswer& answer) { diary_.requests[answer.payment].answer = answer; };
    actions.settled = [this](const protocol::ReportAck& ack) {
        diary_.acknowledged.insert_or_assign(ack.payment, Acknowledged{ack, SteadyClock::now()});
    };
    actions.refused = [this](protocol::RefusalCode code, const std::string& message, std::optional<PaymentId> payment) {
        // Whom it was told this may ask again later; what it asked for must not have been dropped.
        diary_.wrong(setup_.id.to_string() + " was refused " + (payment ? payment->to_string() : "a message") + ": " +
                     std::string(protocol::name_of(code)) + ": " + message);
    };
    actions.trouble = [this](const Error& error) { diary_.wrong(setup_.id.to_string() + ": " + error.to_string()); };
    return actions;
}

// ---- requests

void Device::ask(protocol::PayRequest request) {
    request.payment = crypto::new_id<PaymentId>(clock_);
    DeviceRequest asked;
    asked.kind = request.kind;
    asked.machine = request.machine ? request.machine : setup_.id;
    asked.slot = request.slot;
    asked.quantity = request.quantity;
    diary_.requests.emplace(request.payment, std::move(asked));
    wishes_.push_back(std::move(request));
}

void Device::ask_now(const protocol::PayRequest& request) {
    if (client_->pay(request).ok()) return;
    wishes_.push_back(request);  // too many wait for an answer already
}

bool Device::is_done() const {
    if (!client_ || !wishes_.empty()) return false;
    const device::StoredState& stored = *state_->data();
    return stored.unpaid.empty() && std::ranges::none_of(stored.commands, [](const auto& each) {
               return each.second.stage != device::CommandStage::refused &&
                      each.second.stage != device::CommandStage::settled;
           });
}

}  // namespace jiaozi::chaos
